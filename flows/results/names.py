"""Names: what ties an ad to its variant, going out in `utm_content` and coming back in a report."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from flows.nouns.rendition import Manifest
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


class AdNames(NamedTuple):
    """What a file is called where ads are set up.

    `creative_id` begins with `utm_content`, so that one report joins by either; behind it stand
    digits of the file's bytes, for a creative library takes new bytes under a known id for the
    creative that it has reviewed.
    """

    utm_content: str
    creative_id: str


def ad_names(manifest: Manifest, arms: Sequence[Arm]) -> Mapping[str, AdNames]:
    """Of every file, by its path."""
    by_id = {arm.id: arm for arm in arms}
    found = {}
    for row in manifest["renditions"]:
        variant = row["variant"]
        arm = by_id.get(variant) or (Arm(variant, 0.0) if variant else None)
        content = utm_content(manifest["campaign"], arm, row["shot_id"], row["name"], row["take"])
        found[row["path"]] = AdNames(content, f"{content}-{row['sha256'][:_DIGEST]}")
    return found


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
