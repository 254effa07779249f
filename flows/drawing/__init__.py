"""Pictures without a model: a sketch comes in, a for-position-only JPEG goes out.

Deterministic, offline and free; the product is shown by its own photo.
"""

from __future__ import annotations

from flows.drawing.scene import draw
from flows.drawing.sketch import Sketch

__all__ = ["Sketch", "draw"]
