"""In: a picture's bytes. Out: what they are, or the picture upright in 8-bit sRGB.

The only place that opens pictures. `opening()` decodes safely, `shown()` converts as well,
`without_metadata()` takes out what is private and leaves the pixels alone.
"""

from flows.pictures.formats import FORMATS, Form, form_of
from flows.pictures.metadata import without_metadata
from flows.pictures.opening import UnreadableError, Why, opening
from flows.pictures.profile import srgb_profile
from flows.pictures.shown import Terms, on_white, shown

__all__ = [
    "FORMATS",
    "Form",
    "Terms",
    "UnreadableError",
    "Why",
    "form_of",
    "on_white",
    "opening",
    "shown",
    "srgb_profile",
    "without_metadata",
]
