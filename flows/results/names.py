"""Names: what ties an ad to its variant, going out in `utm_content` and coming back in a report."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from flows.results.arms import Arm

_DIGEST = 12
_OURS = re.compile(rf"([a-z0-9]+(?:-[a-z0-9]+)*)_[0-9a-f]{{{_DIGEST}}}(?![0-9A-Za-z])")
# Spaces do not part a name: `a nice mug` is not variant a.
_PARTS = re.compile(r"[|/_=,;:&?]|\s+[-–—]\s+")


def utm_content(campaign: str, arm: Arm | None, shot_id: str, name: str, take: int) -> str:
    """`<variant>_<12 hex digits>`: letters, digits, dashes and one `_`, as in every URL.

    The digits are of the campaign's id, the shot, the output's name and the take: they stay the
    same when the picture is made anew, and formats of one picture share them.
    """
    told = "\n".join((campaign, shot_id, name, str(take)))
    digest = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
    return f"{arm.token}_{digest}" if arm else digest


class Known:
    """Finds the variant in what a report calls an ad."""

    def __init__(self, arms: Sequence[Arm]) -> None:
        self._arms = {arm.token: arm.id for arm in arms} | {
            arm.id.casefold(): arm.id for arm in arms
        }

    def found_in(self, text: str) -> tuple[str, ...]:
        """The variants that `text` names: none, one, or several where it is ambiguous.

        A whole cell that is an id wins, then a `utm_content` of ours anywhere in it, then ids that
        stand between separators (`spring|b|4x5`).
        """
        word = text.strip().casefold()
        if word in self._arms:
            return (self._arms[word],)
        ours = {self._arms[token] for token in _OURS.findall(word) if token in self._arms}
        if not ours:
            parts = (part.strip() for part in _PARTS.split(word))
            ours = {self._arms[part] for part in parts if part in self._arms}
        return tuple(sorted(ours))
