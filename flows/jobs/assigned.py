"""Assigned: the variants of a test, by its campaign file and by what was handed to the ads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flows import plan, read, results
from flows.errors import BadInput, EnvironmentFault, Fault, ShotlistError
from flows.jobs.handing import ASSIGNMENTS, FOLDER
from flows.jobs.job import Request
from flows.nouns.workspace import Workspace
from flows.settings import hand_to_storages
from flows.storage import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """The arms of a test, and what a person should know of where they come from."""

    campaign: str
    arms: tuple[results.Arm, ...]
    notes: tuple[str, ...]
    products: frozenset[str] = frozenset()
    """Those that the assignment file names; empty where there is none."""


def assigned(request: Request) -> Assigned:
    """The arms that the assignment file at the destination and the campaign file name together.

    No catalogue, template or picture is looked at: a test is judged long after its run. Where the
    destination cannot be asked, the campaign file alone counts, unless `to` names it.

    Raises:
        BadInput: the campaign file cannot be used, it is no test, or the assignment file at the
            destination is another campaign's.
        EnvironmentFault: a file is there but cannot be read, or `to` cannot.

    """
    spec = Path(request.spec)
    defaults = Path(request.defaults) if request.defaults else None
    outline = read.outline(spec, defaults=defaults)
    campaign = outline.campaign
    written = results.arms_of(campaign, plan.variants(outline), outline.named)
    workspace = Workspace.of(spec, Path.cwd())
    hand_to_storages(workspace)
    where = workspace.destination(request.to or campaign.publish.to, campaign.campaign)
    data, note = _published(where, is_asked=request.to is not None)
    _refuse_another(campaign.campaign, data, where)
    published = results.published(data)
    arms, moved = results.as_published(written, published)
    if len(arms) < 2:
        found = "it has no variants" if not arms else f"its only variant is {arms[0].id}"
        raise BadInput(
            f"{outline.spec_path} is no test",
            [Fault(outline.spec_path, found, "two or more", "write `variants:` or `experiment:`")],
        )
    return Assigned(
        campaign=campaign.campaign,
        arms=arms,
        notes=tuple(filter(None, (note, moved))),
        products=results.products(data),
    )


def _refuse_another(campaign: str, data: bytes, where: str) -> None:
    others = sorted(results.campaigns(data) - {campaign})
    if others:
        named = " and ".join(f"'{one}'" for one in others)
        place = Place(where).full(f"{FOLDER}/{ASSIGNMENTS}")
        raise BadInput(
            f"{campaign} cannot be judged by what another campaign published",
            [
                Fault(
                    f"{place}: column 'utm_campaign'",
                    named,
                    f"'{campaign}'",
                    f"give the campaign file of {named}, or --to where {campaign} was published",
                )
            ],
        )


def _published(where: str, *, is_asked: bool) -> tuple[bytes, str]:
    try:
        place = Place(where)
        full = place.full(f"{FOLDER}/{ASSIGNMENTS}")
        data = place.read(f"{FOLDER}/{ASSIGNMENTS}")
    except ShotlistError as error:
        if is_asked:
            raise
        return b"", f"{error}; the variants are those of the campaign file"
    if data is None:
        if is_asked:
            raise EnvironmentFault(f"{full}: there is none; a run with variants writes it")
        return b"", ""
    return data, ""
