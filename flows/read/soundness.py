"""What a campaign that is spelled well may still have wrong: names that clash, files that are not
there. No plan and no network is needed to see it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from flows.errors import Fault, did_you_mean
from flows.nouns.campaign import Scalar
from flows.nouns.output import Channel, ratio_of
from flows.nouns.overlay import BrandKit
from flows.nouns.workspace import Workspace
from flows.read.brand import brand_faults, brand_kit
from flows.read.local import found_file, nearest_file
from flows.read.named import bad_channel, bad_locale, bad_template, grown_old, known_channels
from flows.read.spec_yaml import Written
from flows.read.timing import bad_cron, bad_timezone

NO_PRODUCTS = "there are no products"
AXES = ("product", "variant", "locale", "aspect_ratio", "name")
"""Names that templates know already."""

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)(::|://)")


@dataclass
class Checked:
    """`faults` stop the reading, `notes` are said beside it."""

    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    channels: Mapping[str, Channel] | None = None
    """The presets that there are; None where the campaign names none."""
    brand: BrandKit | None = None
    """None where nothing is laid over pictures."""


def check(
    source: Written, *, folder: Path, workspace: Workspace, of_rows: bool, today: date
) -> Checked:
    """Everything that is wrong with a campaign in `folder` beyond its spelling.

    `of_rows`: these are the defaults of a CSV, whose rows bring products, prompts and outputs.
    """
    found = Checked()
    campaign = source.campaign
    if campaign.channels:
        found.channels = known_channels(workspace, found.faults)
        found.notes += grown_old(campaign.channels, found.channels, today)
    found.faults += _axes(source, found.channels or {})
    found.faults += _names(source)
    found.faults += _templates(source, workspace.templates)
    found.faults += _files(source, folder, found.notes)
    found.faults += brand_faults(source, folder)
    if campaign.overlays:
        found.brand, unread = brand_kit(source, folder)
        found.faults += unread
    found.faults += _places(source)
    if not of_rows:
        found.faults += _missing(source)
    return found


def _missing(source: Written) -> Iterator[Fault]:
    """What a campaign of its own must say. A key that was written badly is told already."""
    campaign, keys = source.campaign, source.keys
    if "products" not in keys:
        yield Fault(source.place(), NO_PRODUCTS, remedy="write `products: {from: <catalogue>}`")
    if not {"prompt", "prompt_text"} & keys:
        yield from _no_prompt(source)
    outputs = ("aspect_ratios", "channels", "sizes")
    if not any(getattr(campaign, key) or source.is_told(key) for key in outputs):
        yield Fault(
            source.place(),
            "no output is asked for",
            remedy='write `aspect_ratios: ["1:1"]`, `channels: […]` or `sizes: […]`',
        )


def _no_prompt(source: Written) -> Iterator[Fault]:
    variants = source.campaign.variants
    silent = [at for at, one in enumerate(variants) if not (one.prompt or one.prompt_text)]
    place, found = source.place(), "there is no prompt"
    if silent:
        place = source.place("variants", silent[0])
        found = f"variant '{variants[silent[0]].id}' has no prompt and the campaign has none"
    if silent or (not source.is_told("variants") and not variants):
        remedy = "write `prompt: <file in templates/>` or `prompt_text: …`"
        yield Fault(place, found, remedy=remedy)


def _axes(source: Written, known: Mapping[str, Channel]) -> Iterator[Fault]:
    """Outputs, variants and locales: each name once and well formed."""
    campaign = source.campaign
    outputs: list[tuple[str, str]] = []
    shapes: dict[object, str] = {}
    for at, ratio in enumerate(campaign.aspect_ratios):
        place = source.place("aspect_ratios", at)
        first = shapes.setdefault(ratio_of(ratio), ratio)
        if first is not ratio and first != ratio:
            yield Fault(place, f"'{ratio}' is the same shape as '{first}'", remedy="keep one")
        outputs.append((ratio.replace(":", "x"), place))
    for at, name in enumerate(campaign.channels):
        place = source.place("channels", at)
        yield from bad_channel(name, place, known)
        if name in known:
            outputs.append((name, place))
    outputs += [
        (size.name, source.place("sizes", at, "name")) for at, size in enumerate(campaign.sizes)
    ]
    yield from _twice(outputs, "output")
    variants = [
        (one.id, source.place("variants", at, "id")) for at, one in enumerate(campaign.variants)
    ]
    yield from _twice(variants, "variant")
    if isinstance(campaign.locales, list):
        locales = [(name, source.place("locales", at)) for at, name in enumerate(campaign.locales)]
    else:
        # a mapping's place is that of its key
        locales = [(name, source.place("locales", name)) for name in campaign.locales]
    for name, place in locales:
        yield from bad_locale(name, place)
    yield from _twice([(name.lower(), place) for name, place in locales], "locale")


def _twice(named: Sequence[tuple[str, str]], what: str) -> Iterator[Fault]:
    first: dict[str, str] = {}
    for name, place in named:
        if name in first:
            line = first[name].rsplit(":", 2)[-2]
            yield Fault(
                place,
                f"{what} '{name}' stands here and on line {line}",
                remedy="keep one of the two",
            )
        first.setdefault(name, place)


def _names(source: Written) -> Iterator[Fault]:
    """Variables that a template could not say, or that would hide a name of its own."""
    campaign = source.campaign
    scopes: list[tuple[tuple[str | int, ...], Sequence[str]]] = [(("vars",), list(campaign.vars))]
    for at, variant in enumerate(campaign.variants):
        scopes.append((("variants", at, "vars"), list(variant.vars)))
    if not isinstance(campaign.locales, list):
        for name, locale in campaign.locales.items():
            scopes.append((("locales", name, "vars"), list(locale.vars)))
    if campaign.experiment:
        factors: dict[str, list[Scalar]] = campaign.experiment.factors
        scopes.append((("experiment", "factors"), list(factors)))
    for scope, names in scopes:
        for name in names:
            if name in AXES:
                yield Fault(
                    source.place(*scope, name),
                    f"variable '{name}' would hide the {name} that templates know",
                    remedy="call it otherwise",
                )
            elif not name.isidentifier():
                guess = re.sub(r"\W+", "_", name).strip("_")
                near = f"did you mean '{guess}'?" if guess.isidentifier() else ""
                yield Fault(
                    source.place(*scope, name),
                    f"no template can say the variable '{name}'",
                    "letters, digits and _",
                    near,
                )


def _templates(source: Written, templates: Path) -> Iterator[Fault]:
    campaign = source.campaign
    named = [(campaign.prompt, source.place("prompt"))]
    for at, variant in enumerate(campaign.variants):
        named.append((variant.prompt, source.place("variants", at, "prompt")))
        if variant.prompt and variant.prompt_text:
            yield Fault(
                source.place("variants", at, "prompt_text"),
                "`prompt` and `prompt_text` are two ways to say the same",
                remedy="keep one",
            )
    for name, place in named:
        if name:
            yield from bad_template(name, place, templates)


def _files(source: Written, folder: Path, notes: list[str]) -> Iterator[Fault]:
    """Files that are named beside the campaign: catalogue, translations, literal references."""
    campaign = source.campaign
    if campaign.products is not None:
        for key, name in (
            ("from", campaign.products.from_),
            ("translations", campaign.products.translations),
        ):
            if name and not _URL.match(name):
                yield from _absent(name, source.place("products", key), folder)
    for at, wish in enumerate(campaign.references):
        if "{{" in wish.from_ or "{%" in wish.from_ or _URL.match(wish.from_):
            continue
        if wish.from_.startswith("data:"):
            continue
        missing = list(_absent(wish.from_, source.place("references", at, "from"), folder))
        if wish.required:
            yield from missing
        else:
            notes += [f"{fault}; it is left out" for fault in missing]


def _absent(name: str, place: str, folder: Path) -> Iterator[Fault]:
    path = found_file(folder, name)
    if path is not None:
        return
    target = folder / name
    if "\0" not in name and target.is_dir():
        yield Fault(place, f"'{name}' is a folder, not a file")
        return
    near = nearest_file(folder, name)
    yield Fault(place, f"there is no file '{name}'", remedy=near or f"paths begin at {folder}/")


def _places(source: Written) -> Iterator[Fault]:
    """Where it is published to and when it runs."""
    publish, schedule = source.campaign.publish, source.campaign.schedule
    if publish.to is not None:
        yield from _bad_destination(publish.to, source.place("publish", "to"))
    if publish.public_url is not None and not re.fullmatch(
        r"https?://[^\s/?#@]+(/[^\s?#]*)?", publish.public_url
    ):
        yield Fault(
            source.place("publish", "public_url"),
            f"'{publish.public_url}' is not a public address",
            "https://host/path, without a query",
        )
    if schedule is not None:
        if found := bad_cron(schedule.cron):
            yield Fault(source.place("schedule", "cron"), *found)
        if found := bad_timezone(schedule.timezone):
            yield Fault(source.place("schedule", "timezone"), *found)


def _bad_destination(to: str, place: str) -> Iterator[Fault]:
    if not to.strip() or "\0" in to:
        yield Fault(place, "the destination is empty", remedy="remove it, or name a folder")
    elif "{{" in to:
        yield Fault(place, "the destination is no template", remedy="write it out")
    elif match := _URL.match(to):
        import fsspec

        scheme = match[1].lower()
        if scheme in ("http", "https"):
            yield Fault(
                place,
                f"nothing can be written to {scheme}://",
                remedy="name a folder or a storage such as s3://bucket/folder",
            )
        elif scheme not in fsspec.available_protocols():
            yield Fault(
                place,
                f"no storage is called '{scheme}://'",
                remedy=did_you_mean(scheme, fsspec.available_protocols()),
            )
