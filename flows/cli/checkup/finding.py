from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """One thing that was looked at. `ok` None: nothing to mend, but worth knowing."""

    what: str
    ok: bool | None
    said: str
