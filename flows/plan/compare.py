"""Compare: each shot held against the ledger, and what the ledger has that is wanted no more."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Protocol

from flows.nouns.shot import RetiredShot, ShotState
from flows.nouns.take import OnUnknown, Realm, Take, TakeState


class Book(Protocol):
    """The ledger, as far as a plan reads it."""

    def takes(self, realm: Realm, recipes: Collection[str]) -> Mapping[str, Take]:
        """What is known of these recipes, by recipe; one that was never intended is absent."""
        ...

    def shots(self, campaign: str, realm: Realm) -> Mapping[str, tuple[str, ...]]:
        """Shot id to the recipes of the last time it was planned for making."""
        ...

    def turned_down(self, campaign: str, realm: Realm) -> Mapping[str, frozenset[int]]:
        """Shot id to the numbers of its takes that a person did not want."""
        ...


class Reasons(Protocol):
    """Why a shot is new or changed, by its number in the plan."""

    def changed(self, at: int) -> str:
        """What changed about it."""
        ...

    def of_new(self, at: int) -> str:
        """Why it was never made; empty where there is nothing to say."""
        ...


Standing = tuple[ShotState, str]
"""A shot's state and why, in a short sentence."""

_NOT_KNOWN = frozenset({TakeState.UNKNOWN, TakeState.SENT})
_ON_THE_WAY = frozenset({TakeState.ACCEPTED, TakeState.SUCCEEDED})
_FAILED = frozenset({TakeState.REFUSED, TakeState.FAILED, TakeState.LOST})


def standings(
    shots: Sequence[tuple[str, tuple[str, ...]]],
    takes: Mapping[str, Take],
    earlier: Mapping[str, tuple[str, ...]],
    reasons: Reasons,
    on_unknown: OnUnknown = "park",
    turned_down: Collection[str] = (),
) -> Iterator[Standing]:
    """The standing of each shot, given as its id and its recipes, in their order."""
    first_wish: dict[str, str] = {}
    for at, (shot_id, recipes) in enumerate(shots):
        for recipe in recipes:
            first_wish.setdefault(recipe, shot_id)
        known = [takes[recipe] for recipe in recipes if recipe in takes]
        yield (
            _by_takes(len(recipes), known, on_unknown)
            or _by_history(
                recipes,
                known,
                earlier.get(shot_id),
                partial(reasons.changed, at),
                is_turned_down=shot_id in turned_down,
            )
            or _never_made(shot_id, recipes, known, first_wish, partial(reasons.of_new, at))
        )


def is_missing(take: Take | None, on_unknown: OnUnknown = "park") -> bool:
    """Whether a run would have to buy this take (again)."""
    return take is None or take.may_be_bought(on_unknown)


def retired(
    earlier: Mapping[str, tuple[str, ...]],
    wanted: Collection[str],
    products: Collection[str],
    skipped: Collection[str],
    left_out: Mapping[str, str] = MappingProxyType({}),
) -> tuple[RetiredShot, ...]:
    """The shots that were planned before and are wanted no more, by id.

    A product that was skipped this time has not left: its shots are not retired. `left_out` are
    products that the catalogue has, each with the key of the spec that does not choose it.
    """
    gone = []
    for shot_id in sorted(earlier.keys() - set(wanted)):
        if _product_of(shot_id, skipped) is not None:
            continue
        if _product_of(shot_id, products) is not None:
            why = "the campaign asks for it no more"
        elif (product := _product_of(shot_id, left_out)) is not None:
            why = f"`{left_out[product]}` leaves its product out"
        else:
            why = "its product left the catalogue"
        gone.append(RetiredShot(shot_id=shot_id, why=why))
    return tuple(gone)


def _product_of(shot_id: str, products: Collection[str]) -> str | None:
    """Which of these products a shot is of."""
    # a key may hold slashes itself
    parts = shot_id.split("/")
    keys = ("/".join(parts[:end]) for end in range(1, len(parts)))
    return next((key for key in keys if key in products), None)


def _by_takes(count: int, known: Sequence[Take], on_unknown: OnUnknown) -> Standing | None:
    """What the takes of the wished recipes say; None where they say nothing."""
    done = sum(take.state is TakeState.DONE for take in known)
    if done == count:
        return ShotState.KEPT, _KEPT if count == 1 else f"all {count} takes are in the ledger"
    for take in known:
        if take.state in _NOT_KNOWN:
            return ShotState.PARKED, _parked(take, on_unknown)
    failed = [take for take in known if take.state in _FAILED]
    if not failed:
        return None
    of = f"{len(failed)} of {count} takes: " if count > 1 else ""
    return ShotState.FAILED, of + _failed(failed[0], on_unknown)


_KEPT = "its take is in the ledger"


def _parked(take: Take, on_unknown: OnUnknown) -> str:
    sent = f"sent to {take.provider} and no answer was seen: it may have been bought"
    if take.state is TakeState.UNKNOWN and on_unknown == "rebuy":
        return f"{sent}; it will be bought again (on_unknown: rebuy)"
    return f"{sent}; `shotlist settle` decides"


def _failed(take: Take, on_unknown: OnUnknown) -> str:
    said = {
        TakeState.REFUSED: f"{take.provider} refused it",
        TakeState.FAILED: f"it failed at {take.provider}",
        TakeState.LOST: f"{take.provider} made it, but its bytes were lost",
    }[take.state]
    told = f"{said}: {take.reason}" if take.reason else said
    if take.may_be_bought(on_unknown):
        return told
    return f"{told}; it may have been paid for: `shotlist retake` wants another"


def _by_history(
    recipes: Sequence[str],
    known: Sequence[Take],
    before: tuple[str, ...] | None,
    reason: Callable[[], str],
    *,
    is_turned_down: bool,
) -> Standing | None:
    """What changed since the shot was last planned for making; None where nothing did."""
    if before is None or before == tuple(recipes):
        return None
    if len(before) != len(recipes) and not set(before).isdisjoint(recipes):
        return ShotState.CHANGED, f"{_takes(len(recipes))} are wanted, before it was {len(before)}"
    if is_turned_down:
        return ShotState.CHANGED, "a person turned its picture down" + _on_the_way(known)
    return ShotState.CHANGED, reason() + _on_the_way(known)


def _never_made(
    shot_id: str,
    recipes: Sequence[str],
    known: Sequence[Take],
    first_wish: Mapping[str, str],
    reason: Callable[[], str],
) -> Standing:
    if on_the_way := _on_the_way(known):
        return ShotState.NEW, on_the_way.removeprefix("; ")
    if known and any(take.state is TakeState.DONE for take in known):
        missing = len(recipes) - len(known)
        return ShotState.NEW, f"{missing} of {_takes(len(recipes))} was never made"
    why = reason() or "never made"
    sharers = {first_wish[recipe] for recipe in recipes} - {shot_id}
    if len(sharers) == 1:
        return ShotState.NEW, f"{why}; shares its take with {sharers.pop()}"
    return ShotState.NEW, why


def _on_the_way(known: Sequence[Take]) -> str:
    for take in known:
        if take.state in _ON_THE_WAY:
            return f"; bought at {take.provider} before: a run fetches it"
    return ""


def _takes(count: int) -> str:
    return f"{count} take{'s' if count > 1 else ''}"
