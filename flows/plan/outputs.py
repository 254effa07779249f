"""Outputs: aspect ratios, channels and sizes to the shapes and files that are wanted of a brief."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction

from flows.errors import Fault, did_you_mean
from flows.nouns.campaign import RATIO_PATTERN, Campaign, Format
from flows.nouns.output import Channel, Output, ratio_of, ratio_text
from flows.nouns.shot import RowBrief
from flows.plan.faults import Faults

DEFAULT_RATIO = "1:1"


class Outputs:
    """Makes the outputs of a campaign and of each row once and hands out the same tuples."""

    def __init__(self, campaign: Campaign, channels: Mapping[str, Channel], faults: Faults) -> None:
        self._campaign = campaign
        self._channels = channels
        self._faults = faults
        self._made: dict[tuple[tuple[str, ...], tuple[str, ...]], tuple[Output, ...]] = {}
        self.notes: dict[str, None] = {}

    def of_campaign(self) -> tuple[Output, ...]:
        """The campaign's aspect ratios, channels and sizes, in this order."""
        return self._of(
            tuple(self._campaign.aspect_ratios), tuple(self._campaign.channels), row=None
        )

    def of_row(self, row: RowBrief) -> tuple[Output, ...]:
        """The same with the row's own lists in place of the campaign's."""
        ratios = self._campaign.aspect_ratios if row.aspect_ratios is None else row.aspect_ratios
        channels = self._campaign.channels if row.channels is None else row.channels
        return self._of(tuple(ratios), tuple(channels), row=row)

    def _of(
        self, ratios: tuple[str, ...], channels: tuple[str, ...], *, row: RowBrief | None
    ) -> tuple[Output, ...]:
        key = (ratios, channels)
        if key not in self._made:
            self._made[key] = tuple(self._outputs(ratios, channels, row))
        return self._made[key]

    def _outputs(
        self, ratios: Sequence[str], channels: Sequence[str], row: RowBrief | None
    ) -> list[Output]:
        if not ratios and not channels and not self._campaign.sizes:
            self.notes[
                f"no aspect_ratios, channels or sizes are written: {DEFAULT_RATIO} is made"
            ] = None
            ratios = [DEFAULT_RATIO]
        made: dict[str, Output] = {}
        found = [
            *(
                (self._place("aspect_ratios", number, row), self._of_ratio(text, number, row))
                for number, text in enumerate(ratios)
            ),
            *(
                (self._place("channels", number, row), self._of_channel(id_, number, row))
                for number, id_ in enumerate(channels)
            ),
            *(
                (self._faults.place(f"sizes.{number}"), output)
                for number, output in enumerate(self._of_sizes())
            ),
        ]
        for place, output in found:
            if output is None:
                continue
            if output.name in made:
                self._faults.add(
                    Fault(place, f"two outputs are called '{output.name}'", remedy="keep one")
                )
            made.setdefault(output.name, output)
        return list(made.values())

    def _place(self, what: str, number: int, row: RowBrief | None) -> str:
        if row is not None and getattr(row, what) is not None:
            return f"{row.place}, column {what}"
        return self._faults.place(f"{what}.{number}")

    def _of_ratio(self, text: str, number: int, row: RowBrief | None) -> Output | None:
        if re.fullmatch(RATIO_PATTERN, text) is None:
            self._faults.add(
                Fault(
                    self._place("aspect_ratios", number, row),
                    f"'{text}' is not an aspect ratio",
                    "width:height such as 4:5 or 1.91:1",
                )
            )
            return None
        return Output(
            name=text.replace(":", "x"),
            aspect_ratio=text,
            shape=ratio_of(text),
            formats=_once(self._campaign.finish.formats),
            quality=self._campaign.finish.quality,
        )

    def _of_channel(self, channel_id: str, number: int, row: RowBrief | None) -> Output | None:
        channel = self._channels.get(channel_id)
        if channel is None:
            near = did_you_mean(channel_id, self._channels)
            self._faults.add(
                Fault(
                    self._place("channels", number, row),
                    f"unknown channel '{channel_id}'",
                    remedy=near or "`shotlist channels` lists them",
                )
            )
            return None
        self._hold_to_rules(channel, self._place("channels", number, row))
        both = tuple(one for one in _once(self._campaign.finish.formats) if one in channel.formats)
        return Output(
            name=channel.id,
            aspect_ratio=ratio_text(channel.width, channel.height),
            shape=Fraction(channel.width, channel.height),
            formats=both or channel.formats[:1],
            quality=self._campaign.finish.quality,
            width=channel.width,
            height=channel.height,
            channel=channel.id,
            max_bytes=channel.max_bytes,
            safe_zone=channel.safe_zone,
            keep_out=channel.keep_out,
            text=channel.text,
            colour=channel.colour,
        )

    def _hold_to_rules(self, channel: Channel, place: str) -> None:
        """What a channel says of pictures such as these, whatever they show."""
        if channel.retired:
            found = f"channel '{channel.id}' is retired: {channel.retired}"
            self._faults.add(Fault(place, found, remedy="remove it"))
        if channel.generated == "avoid":
            self.notes[
                f"channel {channel.id} advises against generated pictures: {channel.note}"
            ] = None
        if channel.generated == "refused":
            found = f"channel '{channel.id}' takes no generated picture: {channel.note}"
            if self._campaign.strict:
                remedy = "use another channel, or set `strict: false` to take the risk"
                self._faults.add(Fault(place, found, remedy=remedy))
            else:
                self.notes[f"{place}: {found}; it is made at your risk"] = None

    def _of_sizes(self) -> list[Output]:
        made = []
        for size in self._campaign.sizes:
            width, _, height = size.size.partition("x")
            made.append(
                Output(
                    name=size.name,
                    aspect_ratio=ratio_text(int(width), int(height)),
                    shape=Fraction(int(width), int(height)),
                    formats=_once(size.formats or self._campaign.finish.formats),
                    quality=self._campaign.finish.quality,
                    width=int(width),
                    height=int(height),
                    max_bytes=size.max_bytes,
                )
            )
        return made


def _once(formats: Sequence[Format]) -> tuple[Format, ...]:
    return tuple(dict.fromkeys(formats))
