"""Decisions: what a person says of an unknown purchase: lost, or found. Spends nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

from flows.errors import BadInput, Fault, did_you_mean
from flows.jobs.unsettled import PREFIX, Unsettled, unsettled
from flows.ledger import IllegalStepError, Ledger, open_ledger
from flows.ledger.pen import OPEN
from flows.nouns.address import shown
from flows.nouns.take import Realm, Take
from flows.nouns.workspace import Workspace
from flows.settings import Settings

LEAST_DIGITS = 4
"""Of a recipe: fewer would name a take by accident."""
MOST_TOLD = 8
_REFUSED = "nothing was settled"


@contextmanager
def book_of(workspace: Workspace) -> Iterator[Ledger]:
    """The ledger of a workspace that has one.

    Raises:
        BadInput: nothing was ever made there.
        EnvironmentFault: it cannot be used.

    """
    settings = Settings.load(workspace)
    if not settings.ledger_is_there():
        fault = Fault(
            str(workspace.root),
            "there is no ledger: nothing was made here",
            remedy="go to the folder that holds campaigns/ and .shotlist/",
        )
        raise BadInput("there is nothing to decide", [fault])
    with open_ledger(settings.ledger_url) as book:
        yield book


def settle(
    workspace: Workspace, name: str, *, found: str | None, realm: Realm | None = None
) -> tuple[Unsettled, Take]:
    """Decide a purchase of which no answer is known; the take as it was, and as it is now.

    `name` is the beginning of a recipe, a host's id of the task, or a shot's id. `found` is the
    address of its picture, which the next run fetches; None: it is lost, and counts as spent.

    Raises:
        BadInput: no open purchase is meant, or several are, or the address is none.

    """
    if found is not None:
        _check_address(found)
    with book_of(workspace) as book:
        there = [
            one
            for one in unsettled(book)
            if one.take.state in OPEN and realm in {None, one.take.realm}
        ]
        meant = [one for one in there if _is_meant(one, name)]
        if not meant:
            raise BadInput(_REFUSED, [_unknown(book, name, there)])
        if len(meant) > 1:
            raise BadInput(_REFUSED, [_ambiguous(name, meant)])
        (one,) = meant
        try:
            return one, book.settle(one.take.realm, one.take.recipe, found=found)
        except IllegalStepError as error:
            raise BadInput(_REFUSED, [Fault("ID", str(error))]) from error


def _is_meant(one: Unsettled, name: str) -> bool:
    return (
        (len(name) >= LEAST_DIGITS and one.take.recipe.startswith(name.lower()))
        or one.take.host_task_id == name
        or any(name == shot_id for _, shot_id in one.shots)
    )


def _unknown(book: Ledger, name: str, there: Sequence[Unsettled]) -> Fault:
    told = "; ".join(one.told for one in there[:MOST_TOLD])
    if len(there) > MOST_TOLD:
        told += f"; and {len(there) - MOST_TOLD} more (`shotlist status --json`)"
    allowed = told or "no purchase is open in this ledger"
    known = _known(book, name)
    if known:
        states = ", ".join(
            f"{take.recipe[:PREFIX]} ({take.realm}) is {take.state}" for take in known[:MOST_TOLD]
        )
        return Fault("ID", f"{states}: there is nothing to settle", allowed)
    names = [word for one in there for word in (one.id, *(shot_id for _, shot_id in one.shots))]
    return Fault("ID", f"no open purchase is called '{name}'", allowed, did_you_mean(name, names))


def _known(book: Ledger, name: str) -> Sequence[Take]:
    """Takes that are called so and are not open."""
    if len(name) < LEAST_DIGITS:
        return []
    if known := book.find(name):
        return known
    return [
        take
        for shot in book.survey.planned(shot_id=name)
        for take in book.takes(shot.realm, shot.recipes).values()
    ]


def _ambiguous(name: str, meant: Sequence[Unsettled]) -> Fault:
    told = "; ".join(one.told for one in meant[:MOST_TOLD])
    more = f"; and {len(meant) - MOST_TOLD} more" if len(meant) > MOST_TOLD else ""
    remedy = "name one by the beginning of its recipe, as it stands before the bracket"
    if len({one.take.recipe for one in meant}) == 1:
        remedy = "say which by --realm"
    return Fault("ID", f"'{name}' means {len(meant)} open purchases", told + more, remedy)


def _check_address(address: str) -> None:
    try:
        parts = urlsplit(address)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
        port = parts.port
    except ValueError:
        is_address, port = False, None
    if not is_address or port == 0 or address.split() != [address]:
        fault = Fault(
            "--found",
            f"'{shown(address)}' is no address of a picture",
            "http://… or https://…, without blanks",
        )
        raise BadInput(_REFUSED, [fault])
    if parts.username is not None or parts.password is not None:
        fault = Fault("--found", "the address holds a password", remedy="remove it")
        raise BadInput(_REFUSED, [fault])
