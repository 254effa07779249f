"""In: a take's bytes and the wanted outputs. Out: cropped, lettered, encoded, tagged, signed files.

`renditions()` makes them and holds each against what it shall be, `measured()` reads a picture
back, `signer()` is who signs; CPU only, safe in threads.
"""

from flows.finish.credentials import Reference
from flows.finish.cut import renditions
from flows.finish.look import Look
from flows.finish.open import measured
from flows.finish.signer import Signer, missing_note, signer
from flows.finish.tag import Lineage

__all__ = [
    "Lineage",
    "Look",
    "Reference",
    "Signer",
    "measured",
    "missing_note",
    "renditions",
    "signer",
]
