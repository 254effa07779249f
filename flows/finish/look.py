"""Look: all that decides a shot's files beside its take, its outputs and its words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from flows.finish.credentials import Reference
from flows.finish.signer import Signer
from flows.nouns.campaign import Finish
from flows.nouns.focus_wish import Wish
from flows.nouns.output import Output
from flows.nouns.overlay import BrandKit, LaidOverlay


def _nothing(_output: Output) -> Sequence[LaidOverlay]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a shot is finished."""

    finish: Finish = field(default_factory=Finish)
    focus: Wish = "auto"
    """The product's own, else the campaign's."""
    references: tuple[Reference, ...] = ()
    """What the model was given, as the bytes came: the product's is looked for in the take, and
    all of them are named in Content Credentials."""
    overlays: Callable[[Output], Sequence[LaidOverlay]] = _nothing
    """What is laid over an output, in the words of the shot."""
    brand: BrandKit = field(default_factory=BrandKit)
    signer: Signer | None = None
    """Who signs Content Credentials; None: nobody."""
