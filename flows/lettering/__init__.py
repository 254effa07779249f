"""In: a picture and the words and logo that go over it. Out: the picture with them, readable.

`laid()` draws; `arranged()` and `unwritable()` tell the plan what has no room or no font, and
`fingerprint()` what decides the outcome beside the picture.
"""

from flows.lettering.arrange import arranged
from flows.lettering.chain import RAQM_REMEDY, has_raqm, unwritable
from flows.lettering.fingerprint import fingerprint
from flows.lettering.lay import laid

__all__ = ["RAQM_REMEDY", "arranged", "fingerprint", "has_raqm", "laid", "unwritable"]
