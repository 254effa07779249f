"""Unsettled: the takes that may have been paid for and are not here, and what is to be done."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from flows import providers
from flows.ledger import AtWork, Ledger
from flows.nouns.take import Realm, Take, TakeState

PAID = (Realm.LIVE, Realm.SANDBOX)
"""The realms in which takes are bought; proofs are drawn anew, so nothing of them is unsettled."""
PREFIX = 12
"""Digits of a recipe that name a take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsettled:
    """A take that counts as spent and is not in the store yet."""

    take: Take
    shots: tuple[tuple[str, str], ...]
    """Campaign and id of the shots that were last planned with it."""
    sent_at: str | None
    """When its order left, ISO 8601 in UTC."""
    is_at_work: bool
    """Whether the run that bought it is alive."""

    @property
    def id(self) -> str:
        """What names it in a command line."""
        return self.take.recipe[:PREFIX]

    @property
    def told(self) -> str:
        """Which one it is, in a line."""
        of = ", ".join(dict.fromkeys(shot_id for _, shot_id in self.shots))
        what = f"{self.id} ({of})" if of else self.id
        return f"{what} at {self.take.account or self.take.provider}, {self.take.realm}"

    @property
    def remedy(self) -> str:
        """What is to be done, in words."""
        if self.is_at_work:
            return f"run {self.take.intended_by} is at work on it"
        match self.take.state:
            case TakeState.ACCEPTED:
                return "run again: it is asked for, and paid no second time"
            case TakeState.SUCCEEDED:
                return "run again: it is fetched, and paid no second time"
            case _:
                decide = f"`shotlist settle {self.id} --lost`, or `--found URL`"
                if _can_be_asked(self.take.provider):
                    return f"run again: {self.take.provider} is asked for it; or {decide}"
                return f"look at your account at {self.take.provider}, then {decide}"


def unsettled(book: Ledger) -> list[Unsettled]:
    """Every unsettled take of a ledger, the longest known first."""
    takes = [take for realm in PAID for take in book.unsettled(realm)]
    if not takes:
        return []
    shots = _shots_of(book, {(take.realm, take.recipe) for take in takes})
    sent = {realm: book.survey.sent_at(realm) for realm in PAID}
    alive = {one.run for one in at_work(book)}
    found = [
        Unsettled(
            take=take,
            shots=tuple(shots.get((take.realm, take.recipe), ())),
            sent_at=sent[take.realm].get(take.recipe),
            is_at_work=take.intended_by in alive,
        )
        for take in takes
    ]
    return sorted(found, key=lambda one: (one.take.realm, one.sent_at or "", one.take.recipe))


def _can_be_asked(name: str) -> bool:
    """Whether a create without an answer can be looked up at the host of that name."""
    if name not in providers.names():
        return False  # a ledger outlives hosts
    host = providers.host(name)
    return host.echo is not None or host.find is not providers.Provider.find


def at_work(book: Ledger) -> Sequence[AtWork]:
    """Who drives which account now. Asking leaves no trace in a workspace."""
    file = book.pace_file
    return [] if file is not None and not file.exists() else book.alive()


def _shots_of(
    book: Ledger, wanted: Collection[tuple[Realm, str]]
) -> Mapping[tuple[Realm, str], list[tuple[str, str]]]:
    found: dict[tuple[Realm, str], list[tuple[str, str]]] = {}
    for shot in book.survey.planned():
        for recipe in shot.recipes:
            if (shot.realm, recipe) in wanted:
                found.setdefault((shot.realm, recipe), []).append((shot.campaign, shot.shot_id))
    return found
