"""Shooting: intent before the request, bytes before done, and nothing sent a second time."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from flows.ledger import Ledger, TakeStore, open_ledger
from flows.nouns.recipe import Recipe, master_size
from flows.nouns.reference import Reference
from flows.nouns.take import Realm, TakeState
from flows.providers.base import Accepted, Done, Provider, RefusalKind, Refused, Reply
from flows.providers.base import Image as Picture
from flows.providers.proof import Host as Proof
from flows.shoot import Outcome, Wanted, shoot


def picture(width: int = 8, height: int = 10) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(data, "PNG")
    return data.getvalue()


class Scripted(Proof):
    """A host whose answers are written down; it counts what it is asked."""

    def __init__(self, reply: Reply | None, before: Callable[[], None] = lambda: None) -> None:
        self.reply = reply
        self.asked_for = 0
        self.before = before

    def realm(self) -> Realm:
        return Realm.SANDBOX

    def transport(self) -> httpx.AsyncBaseTransport:
        def answer(_request: httpx.Request) -> httpx.Response:
            self.asked_for += 1
            self.before()
            if self.reply is None:
                msg = "cut off"
                raise httpx.ReadTimeout(msg)
            return httpx.Response(200)

        return httpx.MockTransport(answer)

    def submitted(self, response: httpx.Response) -> Reply:
        assert self.reply is not None
        return self.reply


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as opened:
        yield opened


@pytest.fixture
def store(tmp_path: Path) -> TakeStore:
    return TakeStore(str(tmp_path / "takes"))


WANTED = Wanted(
    recipe=Recipe(model="proof", prompt="a mug", ratio="4:5", tier="1K", seed=5), references=()
)


def one(host: Provider, book: Ledger, store: TakeStore, wanted: Wanted = WANTED) -> Outcome:
    (outcome,) = shoot([wanted], provider=host, book=book, store=store, run="r1")
    return outcome


def test_a_take_is_bought_kept_and_not_bought_again(book: Ledger, store: TakeStore) -> None:
    data = picture()
    host = Scripted(Done(images=(Picture(data=data),), seed=9, cost_usd=Decimal("0.04")))
    first, second = one(host, book, store), one(host, book, store)
    assert (first.bought, second.bought, host.asked_for) == (True, False, 1)
    assert first.take == second.take
    take = first.take
    assert (take.state, take.width, take.height, take.format) == (TakeState.DONE, 8, 10, "png")
    assert (take.seed, take.cost_usd, take.cost_from) == (9, Decimal("0.04"), "answer")
    assert take.sha256 == hashlib.sha256(data).hexdigest()
    assert store.get(take.sha256) == data


def test_the_intent_is_in_the_ledger_before_the_host_is_asked(
    book: Ledger, store: TakeStore
) -> None:
    seen: list[TakeState] = []

    def look() -> None:
        seen.append(book.takes(Realm.SANDBOX, [WANTED.recipe.sha256])[WANTED.recipe.sha256].state)

    one(Scripted(Done(images=(Picture(data=picture()),)), before=look), book, store)
    assert seen == [TakeState.SENT]


def test_an_answer_that_did_not_come_is_unknown_and_never_sent_again(
    book: Ledger, store: TakeStore
) -> None:
    host = Scripted(None)
    first, second = one(host, book, store), one(host, book, store)
    assert host.asked_for == 1
    assert (first.take.state, second.take.state) == (TakeState.UNKNOWN, TakeState.UNKNOWN)
    assert first.take.reason == "no answer: ReadTimeout"


@pytest.mark.parametrize(
    ("reply", "state", "reason"),
    [
        (
            Refused(kind=RefusalKind.MODERATION, words="not this"),
            TakeState.REFUSED,
            "moderation: not this",
        ),
        (
            Refused(kind=RefusalKind.FAILED, words="broke", billed=True),
            TakeState.FAILED,
            "failed: broke",
        ),
        (Done(images=(Picture(data=b"<html>oops"),)), TakeState.FAILED, "not an image"),
        (Done(images=(Picture(data=picture(300, 300)[:120]),)), TakeState.FAILED, "broken"),
    ],
)
def test_what_is_no_picture_is_not_done(
    book: Ledger, store: TakeStore, reply: Reply, state: TakeState, reason: str
) -> None:
    outcome = one(Scripted(reply), book, store)
    assert (outcome.bought, outcome.take.state) == (False, state)
    assert reason in (outcome.take.reason or "")
    assert store.place.sizes() == {}


def test_an_accepted_job_keeps_its_id(book: Ledger, store: TakeStore) -> None:
    take = one(Scripted(Accepted(job="task-7")), book, store).take
    assert (take.state, take.host_task_id) == (TakeState.ACCEPTED, "task-7")


def test_a_reference_that_changed_since_the_plan_costs_nothing(
    book: Ledger, store: TakeStore, tmp_path: Path
) -> None:
    photo = tmp_path / "mug.png"
    photo.write_bytes(picture())
    reference = Reference(
        role="product",
        source="mug.png",
        location=str(photo),
        sha256="0" * 64,
        size=1,
        width=8,
        height=10,
        format="png",
    )
    host = Scripted(Done(images=(Picture(data=picture()),)))
    outcome = one(host, book, store, Wanted(recipe=WANTED.recipe, references=(reference,)))
    assert host.asked_for == 0
    assert (outcome.bought, outcome.take.state, outcome.take.billed) == (
        False,
        TakeState.REFUSED,
        False,
    )
    assert "changed while the run went on" in (outcome.take.reason or "")
    assert book.takes(Realm.SANDBOX, [WANTED.recipe.sha256]) == {}


def test_the_proof_walks_the_same_path_and_draws_the_master(book: Ledger, store: TakeStore) -> None:
    outcome = one(Proof(), book, store)
    assert (outcome.bought, outcome.take.cost_usd) == (True, Decimal(0))
    assert (outcome.take.width, outcome.take.height) == master_size(Fraction(4, 5), "1K")


def drawn(parameters: dict[str, Any], store: TakeStore, book: Ledger) -> str:
    recipe = Recipe(
        model="proof", prompt="x", ratio="1:1", tier="1K", seed=1, parameters=parameters
    )
    return one(Proof(), book, store, Wanted(recipe=recipe, references=())).take.sha256 or ""


def test_label_and_palette_reach_the_drawing(book: Ledger, store: TakeStore) -> None:
    plain = drawn({}, store, book)
    assert drawn({"label": ["MUG-01"]}, store, book) != plain
    assert drawn({"palette": ["#AA2200"]}, store, book) != plain
