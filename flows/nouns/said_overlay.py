"""SaidOverlay: an overlay of the campaign in the words of one shot, and where it may stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flows.nouns.campaign import Overlay
from flows.nouns.output import Output
from flows.nouns.overlay import LaidOverlay


@dataclass(frozen=True, slots=True)
class SaidOverlay:
    """Which overlay of the campaign, and its words as they are rendered; of the logo none."""

    index: int
    text: str = ""


def is_asked_for(overlay: Overlay, output: Output) -> bool:
    """Whether the campaign wants it on this output: `channels` names outputs of any kind."""
    return not overlay.channels or output.name in overlay.channels


def is_taken(overlay: Overlay, output: Output) -> bool:
    """Whether the output's channel takes it at all."""
    return output.text != "none" and (overlay.logo or output.text != "logo")


def on_output(
    overlays: Sequence[Overlay],
    said: Sequence[SaidOverlay],
    output: Output,
    place: Callable[[int], str] = "overlays.{}".format,
) -> tuple[LaidOverlay, ...]:
    """What of a shot's overlays is laid over one of its outputs, in the campaign's order.

    `overlays` are the campaign's, `said` the shot's; `place` gives the place that faults name. What
    the channel refuses is left out: the plan has told it.
    """
    return tuple(
        laid(overlays[one.index], one.text, place(one.index))
        for one in said
        if is_asked_for(overlays[one.index], output) and is_taken(overlays[one.index], output)
    )


def laid(overlay: Overlay, text: str, place: str) -> LaidOverlay:
    """An overlay with its words, ready to be laid."""
    box = overlay.box
    return LaidOverlay(
        text=text,
        logo=overlay.logo,
        role=overlay.role,
        box=(box[0], box[1], box[2], box[3]) if isinstance(box, list) else box,
        align=overlay.align,
        color=overlay.color,
        background=overlay.background,
        font=overlay.font,
        size=overlay.size,
        place=place,
    )
