"""What is wrong with the feeds that a campaign asks for, before anything is bought for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from flows.errors import Fault, did_you_mean
from flows.feeds.files import path_of
from flows.feeds.formats import FORMATS, Column, channel_id
from flows.feeds.source import Source
from flows.nouns.campaign import Feed
from flows.nouns.output import Channel, Output
from flows.nouns.shot import Reading, ShotList
from flows.presets import channels

_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """`faults` stop the campaign, `notes` are said beside its plan."""

    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()


def sound(reading: Reading, shots: ShotList) -> Sound:
    """Hold a campaign's feeds against its plan; quick where it has none."""
    wishes = reading.campaign.publish.feeds
    if not wishes:
        return Sound()
    plan = _Plan.of(shots)
    known = reading.channels or channels()  # with the workspace's own, where it may name any
    faults = [*_public(reading), *_meetings(reading)]
    notes = _unsafe(reading)
    for at, wish in enumerate(wishes):
        place = _Places(reading, f"publish.feeds.{at}")
        faults += _names(wish, plan, known, place)
        faults += _ids(wish, reading, place)
        found, said = _pictures(wish, plan, known, place)
        faults += found
        notes += said
    return Sound(faults=tuple(faults), notes=tuple(dict.fromkeys(notes)))


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the plan makes, without repetitions."""

    outputs: tuple[Output, ...]
    variants: tuple[str, ...]
    locales: tuple[str, ...]

    @classmethod
    def of(cls, shots: ShotList) -> _Plan:
        # many shots share a tuple of outputs, and there may be a hundred thousand
        groups: dict[int, tuple[Output, ...]] = {}
        axes: dict[tuple[str, str], None] = {}
        for shot in shots.shots:
            groups[id(shot.outputs)] = shot.outputs
            axes[shot.variant, shot.locale] = None
        return cls(
            outputs=tuple(dict.fromkeys(one for outputs in groups.values() for one in outputs)),
            variants=tuple(dict.fromkeys(variant for variant, _ in axes if variant)),
            locales=tuple(dict.fromkeys(locale for _, locale in axes if locale)),
        )


class _Places:
    """Where each key of one wish is written."""

    def __init__(self, reading: Reading, base: str) -> None:
        self._places: Mapping[str, str] = reading.places
        self._spec = reading.spec_path
        self._base = base

    def __call__(self, key: str = "") -> str:
        """`file:line:column` of the key, or of the nearest parent that has a place."""
        parts = [*self._base.split("."), *([key] if key else [])]
        while parts:
            if found := self._places.get(".".join(parts)):
                return found
            parts.pop()
        return f"{self._spec}, {self._base}"


def _public(reading: Reading) -> Iterator[Fault]:
    if not reading.campaign.publish.public_url:
        yield Fault(
            _Places(reading, "publish.feeds")(),
            "feeds name pictures by their public address, and there is no `public_url`",
            remedy="write `public_url: https://…` under publish",
        )


def _unsafe(reading: Reading) -> list[str]:
    """Shopify fetches pictures from https addresses
    (help.shopify.com/en/manual/products/import-export/using-csv).
    """
    publish = reading.campaign.publish
    if not (publish.public_url or "").startswith("http://"):
        return []
    return [
        f"{_Places(reading, f'publish.feeds.{at}')()}: Shopify asks for https://, public_url is"
        f" {publish.public_url}"
        for at, wish in enumerate(publish.feeds)
        if wish.name == "shopify"
    ]


def _meetings(reading: Reading) -> Iterator[Fault]:
    """Feeds of two formats, or with two columns of ids, that would be one file."""
    first: dict[str, Feed] = {}
    for at, wish in enumerate(reading.campaign.publish.feeds):
        place = _Places(reading, f"publish.feeds.{at}")
        other = first.setdefault(path_of(wish), wish)
        if other.name != wish.name:
            yield Fault(
                place(),
                f"{path_of(wish)} would be a feed for {other.name} and for {wish.name}",
                remedy="give one of them a `file` of its own",
            )
        elif other.id != wish.id:
            yield Fault(
                place("id"),
                f"{path_of(wish)} would have two columns of ids",
                remedy="write the same `id` for all its columns, or give one a `file` of its own",
            )


def _names(
    wish: Feed, plan: _Plan, presets: Mapping[str, Channel], place: _Places
) -> Iterator[Fault]:
    """A column, channel, output, variant or locale that is not there."""
    known = [column.name for column in FORMATS[wish.name].columns]
    if wish.column is not None and FORMATS[wish.name].column(wish.column) is None:
        yield Fault(
            place("column"),
            f"{FORMATS[wish.name].label} has no column '{wish.column}' for pictures",
            ", ".join(known),
            did_you_mean(wish.column, known),
        )
    if wish.channel is not None and channel_id(wish.channel) not in presets:
        yield Fault(
            place("channel"),
            f"there is no channel '{wish.channel}'",
            "those of `shotlist channels`",
            did_you_mean(wish.channel, presets),
        )
    names = dict.fromkeys(output.name for output in plan.outputs)
    for key, named, there in (
        ("output", wish.output, tuple(names)),
        ("variant", wish.variant, plan.variants),
        ("locale", wish.locale, plan.locales),
    ):
        if named is not None and named not in there:
            yield Fault(
                place(key),
                f"the campaign has no {key} '{named}'",
                _listed(there),
                did_you_mean(named, there) or ("" if there else f"remove `{key}`"),
            )


def _ids(wish: Feed, reading: Reading, place: _Places) -> Iterator[Fault]:
    """A column of ids that no product has."""
    if wish.id is None:
        return
    columns: dict[str, None] = {}
    for product in reading.products:
        if Source(product).cell(wish.id) is not None:
            return
        columns |= dict.fromkeys(product.row)
    yield Fault(
        place("id"),
        f"the catalogue has no column '{wish.id}'",
        _listed([column for column in columns if column]),
        did_you_mean(wish.id, columns),
    )


def _pictures(
    wish: Feed, plan: _Plan, presets: Mapping[str, Channel], place: _Places
) -> tuple[list[Fault], list[str]]:
    """Whether the column takes what the campaign makes for it."""
    column = FORMATS[wish.name].column(wish.column)
    if column is None:
        return [], []
    asked = [
        output
        for output in plan.outputs
        if (wish.channel is None or output.channel == channel_id(wish.channel))
        and (wish.output is None or output.name == wish.output)
    ]
    if not asked:
        is_known = wish.channel is not None and channel_id(wish.channel) in presets
        said = f"{place('channel')}: no output of the campaign is for {wish.channel}:"
        return [], [f"{said} {path_of(wish)} gets no picture of it"] if is_known else []
    refused = [output for output in asked if not set(output.formats) & set(column.takes)]
    words = [f"{output.name} ({', '.join(output.formats)})" for output in refused[:_SHOWN]]
    if len(refused) < len(asked):
        return [], [
            f"{place()}: {column.name} of {wish.name} takes no picture of {one}" for one in words
        ]
    return [_refused(column, words, wish, place)], []


def _refused(column: Column, words: Sequence[str], wish: Feed, place: _Places) -> Fault:
    return Fault(
        place("column"),
        f"{column.name} of {wish.name} takes no picture of {', '.join(words)}",
        ", ".join(column.takes),
        f"add `{column.takes[0]}` to finish.formats",
    )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
