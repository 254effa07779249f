"""Retakes: a person turns pictures down, so that the next run makes others. Spends nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase

from flows.errors import BadInput, Fault, did_you_mean
from flows.jobs.decisions import book_of
from flows.jobs.unsettled import PREFIX
from flows.ledger import Ledger, Pen, PlannedShot
from flows.ledger.pen import OPEN
from flows.nouns.recipe import take_numbers
from flows.nouns.take import Realm, Take, TakeState
from flows.nouns.workspace import Workspace

_REFUSED = "nothing was turned down"
_NEAR = 2000
"""Among so many ids the nearest one is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnedDown:
    """A shot whose picture a person does not want."""

    shot_id: str
    numbers: tuple[int, ...]
    """Of the takes that are wanted no more; as many new ones are made."""
    usd: Decimal | None
    """What they cost, or their price; None: not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retake:
    """What was turned down, and why other shots that were meant were not."""

    campaign: str
    realm: Realm
    other_realms: tuple[Realm, ...]
    """Where such shots are, too, and nothing was changed."""
    shots: tuple[TurnedDown, ...]
    left: tuple[str, ...]

    @property
    def takes(self) -> int:
        """How many the next run makes in their place."""
        return sum(len(shot.numbers) for shot in self.shots)

    @property
    def usd(self) -> Decimal | None:
        """What these may cost, going by those that were turned down."""
        return _sum([shot.usd for shot in self.shots])


def retake(
    workspace: Workspace,
    patterns: Sequence[str],
    *,
    why: str = "",
    campaign: str | None = None,
    realm: Realm | None = None,
) -> Retake:
    """Turn down what is published of these shots: the first take that is there, or, where none is,
    those that may have been paid for and brought nothing.

    `patterns` are shot ids, or globs over them. Where shots of these names are in several realms,
    bought ones go before proofs, and the realm of the latest run before others.

    Raises:
        BadInput: no such shot, several campaigns have it, or it has nothing to turn down.

    """
    with book_of(workspace) as book:
        planned = book.survey.planned()
        if campaign is not None:
            planned = _of_campaign(planned, campaign)
        meant = _meant([one for one in planned if realm in {None, one.realm}], patterns)
        campaigns = sorted({one.campaign for one in meant})
        if len(campaigns) > 1:
            fault = Fault(
                "--campaign", "several campaigns have such shots", ", ".join(campaigns), "name one"
            )
            raise BadInput(_REFUSED, [fault])
        realms = _in_order(book, campaigns[0], {one.realm for one in meant})
        held = _held_against(
            book, campaigns[0], realms[0], [one for one in meant if one.realm is realms[0]]
        )
        left = {id_: said for id_, said in held.items() if isinstance(said, str)}
        shots = tuple(one for one in held.values() if isinstance(one, TurnedDown))
        named = [id_ for id_ in left if id_ in patterns]
        if named or not shots:
            raise BadInput(_REFUSED, [Fault(id_, left[id_]) for id_ in named or left])
        _write(book, campaigns[0], realms[0], shots, why.strip())
    return Retake(
        campaign=campaigns[0],
        realm=realms[0],
        other_realms=tuple(realms[1:]),
        shots=shots,
        left=tuple(f"{id_}: {said}" for id_, said in left.items()),
    )


def _of_campaign(planned: Sequence[PlannedShot], campaign: str) -> Sequence[PlannedShot]:
    found = [one for one in planned if one.campaign == campaign]
    if not found:
        known = sorted({one.campaign for one in planned})
        fault = Fault(
            "--campaign",
            f"the ledger knows no campaign '{campaign}'",
            ", ".join(known),
            did_you_mean(campaign, known),
        )
        raise BadInput(_REFUSED, [fault])
    return found


def _meant(planned: Sequence[PlannedShot], patterns: Sequence[str]) -> list[PlannedShot]:
    """The shots that patterns mean; one that is an id means this shot alone."""
    ids = dict.fromkeys(one.shot_id for one in planned)
    chosen: set[str] = set()
    faults = []
    for pattern in patterns:
        matches = [pattern] if pattern in ids else [id_ for id_ in ids if fnmatchcase(id_, pattern)]
        if not matches:
            some = list(ids)[:_NEAR]
            remedy = did_you_mean(pattern, some) or (f"ids look like {some[0]}" if some else "")
            faults.append(Fault("SHOT", f"no run has planned a shot '{pattern}'", remedy=remedy))
        chosen.update(matches)
    if faults:
        raise BadInput(_REFUSED, faults)
    return [one for one in planned if one.shot_id in chosen]


def _in_order(book: Ledger, campaign: str, realms: Collection[Realm]) -> list[Realm]:
    """What was bought before what was drawn, and of that the latest first."""
    began = [realm for _, realm in book.survey.latest_runs(campaign)]
    return sorted(
        realms,
        key=lambda realm: (
            realm is Realm.PROOF,
            -began.index(realm) if realm in began else 1,
        ),
    )


def _held_against(
    book: Ledger, campaign: str, realm: Realm, shots: Sequence[PlannedShot]
) -> dict[str, TurnedDown | str]:
    """Shot id to what would be turned down of it, or why nothing can be."""
    takes = book.takes(realm, {recipe for shot in shots for recipe in shot.recipes})
    down = book.survey.turned_down_at(campaign, realm)
    return {shot.shot_id: _of_shot(shot, takes, down.get(shot.shot_id, {})) for shot in shots}


def _of_shot(
    shot: PlannedShot, takes: Mapping[str, Take], down: Mapping[int, str]
) -> TurnedDown | str:
    # what was said after this plan was made is not in its numbers yet
    before = {number for number, at in down.items() if at < shot.planned_at}
    numbers = take_numbers(len(shot.recipes), before)
    known = [
        (number, takes[recipe])
        for number, recipe in zip(numbers, shot.recipes, strict=True)
        if recipe in takes
    ]
    done = [(number, take) for number, take in known if take.state is TakeState.DONE][:1]
    unwanted = done or [(number, take) for number, take in known if _is_paid_for(take)]
    if not unwanted:
        return _nothing_of(known)
    if all(number in down for number, _ in unwanted):
        return "is turned down already; run again to have another"
    costs = [take.price_usd if take.cost_usd is None else take.cost_usd for _, take in unwanted]
    return TurnedDown(
        shot_id=shot.shot_id,
        numbers=tuple(number for number, _ in unwanted),
        usd=_sum(costs),
    )


def _sum(costs: Sequence[Decimal | None]) -> Decimal | None:
    """Of all of them; None where one is not known."""
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if len(known) == len(costs) else None


def _is_paid_for(take: Take) -> bool:
    """Whether it brought nothing and may have cost money all the same."""
    return take.state is TakeState.LOST or (
        take.state is TakeState.FAILED and take.billed is not False
    )


def _nothing_of(known: Sequence[tuple[int, Take]]) -> str:
    for _, take in known:
        if take.state in OPEN:
            remedy = f"settle that first: `shotlist settle {take.recipe[:PREFIX]}`"
            return f"has no picture, and its purchase is not known; {remedy}"
        if take.state in {TakeState.ACCEPTED, TakeState.SUCCEEDED}:
            return "has no picture yet: it is on its way, and the next run brings it"
    return "has no picture: the next run makes one"


def _write(
    book: Ledger, campaign: str, realm: Realm, shots: Sequence[TurnedDown], why: str
) -> None:
    """All of them at once."""

    def turn_down(pen: Pen) -> None:
        for shot in shots:
            pen.turn_down(campaign, realm, shot.shot_id, shot.numbers, why)

    for said in book.write([turn_down]):
        if isinstance(said, Exception):
            raise said
