"""In: a take's bytes and the wanted outputs. Out: cropped, resized, encoded and tagged files.

`renditions()` makes them, `measured()` reads a picture back; CPU only, safe in threads.
"""

from flows.finish.cut import renditions
from flows.finish.open import measured
from flows.finish.tag import Lineage

__all__ = ["Lineage", "measured", "renditions"]
