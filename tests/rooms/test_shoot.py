"""Shooting: intent before the request, bytes before done, and nothing sent a second time."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
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
from flows.providers.base import (
    Accepted,
    Account,
    Done,
    Job,
    Limits,
    Order,
    Provider,
    RefusalKind,
    Refused,
    Reply,
    Running,
)
from flows.providers.base import Image as Picture
from flows.providers.proof import Host as Proof
from flows.shoot import Outcome, Wanted, shoot
from flows.shoot.dispatcher import MOST_TRIES


def picture(width: int = 912, height: int = 1140) -> bytes:
    data = io.BytesIO()
    image = Image.new("RGB", (width, height), "teal")
    image.paste((250, 240, 230), (0, 0, width // 2, height))
    image.save(data, "PNG")
    return data.getvalue()


class Scripted(Proof):
    """A host whose answers are written down; it counts what it is asked."""

    limits_running = 4

    def __init__(
        self,
        *replies: Reply | Exception,
        asked: Sequence[Reply] = (),
        before: Callable[[], None] = lambda: None,
        name: str = "scripted",
        realm: Realm = Realm.SANDBOX,
        price: str = "0.03",
    ) -> None:
        super().__init__(
            Account(
                host=name,
                name=name,
                realm=realm,
                key="sk-test-SECRET-123",
                addresses={"SCRIPTED_URL": "http://127.0.0.1:9"},
                limits=Limits(running=self.limits_running),
                usd_per_image=Decimal(price),
                latency_s=0.02,
            )
        )
        self.replies = list(replies)
        self.answers = list(asked)
        self.asked_for = 0
        self.polls = 0
        self.before = before
        self.links: dict[str, list[bytes | int]] = {}

    def transport(self) -> httpx.AsyncBaseTransport:
        def answer(request: httpx.Request) -> httpx.Response:
            if request.method == "POST":
                self.asked_for += 1
                self.before()
                if isinstance(self.replies[0], Exception):
                    raise self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
            elif request.url.path == "/job":
                self.polls += 1
            else:
                assert "authorization" not in request.headers
                script = self.links[request.url.path]
                what = script.pop(0) if len(script) > 1 else script[0]
                if isinstance(what, int):
                    return httpx.Response(what)
                return httpx.Response(200, content=what, headers={"content-type": "image/png"})
            return httpx.Response(200)

        return httpx.MockTransport(answer)

    def submit(self, order: Order) -> httpx.Request:
        return httpx.Request("POST", "http://127.0.0.1:9/create")

    def submitted(self, response: httpx.Response, order: Order) -> Reply:
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        assert not isinstance(reply, Exception)
        return reply

    def ask(self, job: Job) -> httpx.Request:
        return httpx.Request("GET", "http://127.0.0.1:9/job")

    def asked(self, response: httpx.Response, job: Job) -> Reply:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture(autouse=True)
def _no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.shoot.fetch.PAUSE_S", 0.01)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as opened:
        yield opened


@pytest.fixture
def store(tmp_path: Path) -> TakeStore:
    return TakeStore(str(tmp_path / "takes"))


PROOF = Proof(
    Account(
        host="proof",
        name="proof",
        realm=Realm.PROOF,
        addresses={},
        limits=Proof.limits,
        usd_per_image=Decimal(0),
        latency_s=0.5,
    )
)

WANTED = Wanted(
    recipe=Recipe(model="proof", prompt="a mug", ratio="4:5", tier="1K", seed=5), references=()
)


def all_of(
    wanted: Sequence[Wanted], *hosts: Provider, book: Ledger, store: TakeStore, **given: Any
) -> list[Outcome]:
    return list(shoot(wanted, hosts=hosts, book=book, store=store, run="r1", **given))


def one(host: Provider, book: Ledger, store: TakeStore, wanted: Wanted = WANTED) -> Outcome:
    (outcome,) = all_of([wanted], host, book=book, store=store)
    return outcome


def some(count: int) -> list[Wanted]:
    return [
        Wanted(
            recipe=Recipe(model="proof", prompt=f"mug {n}", ratio="4:5", tier="1K", seed=5),
            references=(),
        )
        for n in range(count)
    ]


def said(kind: RefusalKind, words: str = "no", **given: Any) -> Refused:
    return Refused(kind=kind, words=words, **given)


INLINE = Done(images=(Picture(data=picture()),), seed=9, cost_usd=Decimal("0.04"))
LINKED = Done(images=(Picture(url="http://127.0.0.1:9/made.png?sig=SECRET"),))


def test_a_take_is_bought_kept_and_not_bought_again(book: Ledger, store: TakeStore) -> None:
    host = Scripted(INLINE)
    first, second = one(host, book, store), one(host, book, store)
    assert (first.bought, second.bought, host.asked_for) == (True, False, 1)
    assert first.take == second.take
    take = first.take
    assert (take.state, take.width, take.height, take.format) == (TakeState.DONE, 912, 1140, "png")
    assert (take.seed, take.cost_usd, take.cost_from) == (9, Decimal("0.04"), "answer")
    assert take.sha256 == hashlib.sha256(picture()).hexdigest()
    assert store.get(take.sha256) == picture()


def test_the_intent_is_in_the_ledger_before_the_host_is_asked(
    book: Ledger, store: TakeStore
) -> None:
    seen: list[TakeState] = []

    def look() -> None:
        seen.append(book.takes(Realm.SANDBOX, [WANTED.recipe.sha256])[WANTED.recipe.sha256].state)

    one(Scripted(INLINE, before=look), book, store)
    assert seen == [TakeState.SENT]


@pytest.mark.parametrize(
    "lost",
    [
        httpx.ReadTimeout("slow"),
        httpx.ReadError("cut"),
        httpx.RemoteProtocolError("hung up"),
        httpx.WriteError("cut"),
        said(RefusalKind.UNKNOWN, "HTTP 502"),
    ],
)
def test_an_answer_that_did_not_come_is_unknown_and_never_sent_again(
    book: Ledger, store: TakeStore, lost: Any
) -> None:
    host = Scripted(lost)
    first, second = one(host, book, store), one(host, book, store)
    assert host.asked_for == 1
    assert (first.take.state, second.take.state) == (TakeState.UNKNOWN, TakeState.UNKNOWN)
    assert (first.take.reason or "").startswith("unknown: ")


@pytest.mark.parametrize(
    "unsent", [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.ProxyError("no")]
)
def test_what_surely_never_left_is_sent_again(
    book: Ledger, store: TakeStore, unsent: Exception
) -> None:
    host = Scripted(unsent, INLINE)
    outcome = one(host, book, store)
    assert (outcome.take.state, host.asked_for) == (TakeState.DONE, 2)


def test_a_host_that_is_busy_is_asked_again_and_only_so_long(
    book: Ledger, store: TakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = said(RefusalKind.AGAIN, "slow down", retry_after_s=0.01)
    host = Scripted(busy, busy, INLINE)
    assert (one(host, book, store).take.state, host.asked_for) == (TakeState.DONE, 3)
    monkeypatch.setattr("flows.shoot.circuit.PATIENCE_S", 1.5)
    (other,) = some(1)
    host = Scripted(busy)
    outcome = one(host, book, store, other)
    assert outcome.take.state is TakeState.REFUSED
    assert 1 < host.asked_for < 300
    assert outcome.stopped == "account"
    assert outcome.take.reason == "scripted: no create passes any more; again: slow down"


@pytest.mark.parametrize(
    ("reply", "state", "billed", "reason"),
    [
        (said(RefusalKind.MODERATION, "not this"), TakeState.REFUSED, False, "moderation: not"),
        (said(RefusalKind.INPUT, "bad", code="E1"), TakeState.REFUSED, False, "input: bad (E1)"),
        (said(RefusalKind.FAILED, "broke", billed=True), TakeState.FAILED, True, "failed: broke"),
        (Done(images=(Picture(data=b"<html>oops"),)), TakeState.FAILED, True, "not an image"),
        (
            Done(images=(Picture(data=picture(300, 300)[:120]),)),
            TakeState.FAILED,
            True,
            "broken",
        ),
        (Running(), TakeState.UNKNOWN, None, "unknown: the host named no task"),
    ],
)
def test_what_is_no_picture_is_not_done(
    book: Ledger,
    store: TakeStore,
    reply: Reply,
    state: TakeState,
    billed: bool | None,
    reason: str,
) -> None:
    outcome = one(Scripted(reply), book, store)
    assert (outcome.bought, outcome.take.state, outcome.take.billed) == (False, state, billed)
    assert reason in (outcome.take.reason or "")
    assert store.place.sizes() == {}


def test_a_job_is_asked_for_until_it_ends_and_its_result_is_brought(
    book: Ledger, store: TakeStore
) -> None:
    job = Job(id="task-7", notes={"path": "edit"})
    again = said(RefusalKind.AGAIN, "HTTP 503")
    host = Scripted(Accepted(job=job), asked=[Running(), again, LINKED])
    host.links["/made.png"] = [503, picture()]
    outcome = one(host, book, store)
    take = outcome.take
    assert (take.reason, outcome.bought, take.state, host.polls) == (
        None,
        True,
        TakeState.DONE,
        3,
    )
    assert (take.host_task_id, take.host_notes["path"]) == ("task-7", "edit")
    assert (take.cost_usd, take.cost_from) == (Decimal("0.03"), "price")


def test_a_job_that_was_taken_is_gone_on_with_by_the_next_run(
    book: Ledger, store: TakeStore
) -> None:
    stopped = said(RefusalKind.ACCOUNT, "key revoked")
    host = Scripted(Accepted(job=Job(id="task-7")), asked=[stopped])
    first = one(host, book, store)
    assert (first.take.state, first.stopped) == (TakeState.ACCEPTED, "account")
    host.answers = [LINKED]
    host.links["/made.png"] = [picture()]
    second = one(host, book, store)
    assert (second.take.state, second.bought, host.asked_for) == (TakeState.DONE, True, 1)


def test_a_picture_that_was_made_and_not_brought_is_brought_by_the_next_run(
    book: Ledger, store: TakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.shoot.bringing.LONGEST_FETCH_S", 0.05)
    host = Scripted(LINKED)
    host.links["/made.png"] = [503]
    first = one(host, book, store)
    assert (first.take.state, first.take.billed) == (TakeState.SUCCEEDED, True)
    assert "SECRET" not in (first.take.reason or "")
    host.links["/made.png"] = [picture()]
    second = one(host, book, store)
    assert (second.take.state, second.bought, host.asked_for) == (TakeState.DONE, True, 1)


def test_a_link_that_died_leaves_a_paid_take_lost(book: Ledger, store: TakeStore) -> None:
    host = Scripted(LINKED)
    host.links["/made.png"] = [404]
    take = one(host, book, store).take
    assert (take.state, take.billed, take.cost_usd) == (TakeState.LOST, True, Decimal("0.03"))


def test_a_picture_far_below_what_was_asked_for_is_not_published(
    book: Ledger, store: TakeStore
) -> None:
    host = Scripted(Done(images=(Picture(data=picture(64, 80)),)))
    take = one(host, book, store).take
    assert (take.state, take.billed) == (TakeState.FAILED, True)
    assert take.reason == "only 64x80 came where 912x1140 was due"


def test_a_host_that_cannot_be_reached_at_all_stops_the_account(
    book: Ledger, store: TakeStore
) -> None:
    host = Scripted(httpx.ConnectError("refused"))
    outcomes = all_of(some(12), host, book=book, store=store)
    assert {outcome.stopped for outcome in outcomes} == {"account"}
    assert host.asked_for <= MOST_TRIES + host.limits_running
    assert "cannot be reached (ConnectError)" in (outcomes[0].take.reason or "")


def test_a_picture_of_one_colour_is_a_refusal_in_disguise(book: Ledger, store: TakeStore) -> None:
    black = io.BytesIO()
    Image.new("RGB", (912, 1140)).save(black, "PNG")
    host = Scripted(LINKED)
    host.links["/made.png"] = [black.getvalue()]
    take = one(host, book, store).take
    assert (take.state, take.billed) == (TakeState.FAILED, True)
    assert "refusal in disguise" in (take.reason or "")


def test_a_job_that_the_host_forgot_is_lost_after_a_grace(book: Ledger, store: TakeStore) -> None:
    host = Scripted(Accepted(job=Job(id="t")), asked=[said(RefusalKind.GONE, "HTTP 404")])
    assert one(host, book, store).take.state is TakeState.LOST
    assert host.polls == 3


def test_a_refused_key_stops_the_account_and_leaves_the_rest_untouched(
    book: Ledger, store: TakeStore
) -> None:
    host = Scripted(said(RefusalKind.ACCOUNT, "key sk-test-SECRET-123 is no good"))
    outcomes = all_of(some(20), host, book=book, store=store)
    assert {outcome.stopped for outcome in outcomes} == {"account"}
    assert len(outcomes) == 20
    # those that were on their way with it, and no more
    assert host.asked_for <= host.limits_running
    assert {outcome.take.reason for outcome in outcomes} == {"scripted: key [key] is no good"}


def test_what_was_not_bought_goes_to_the_next_host(book: Ledger, store: TakeStore) -> None:
    first = Scripted(said(RefusalKind.ACCOUNT, "locked"), name="first")
    second = Scripted(INLINE, name="second")
    outcomes = all_of(some(6), first, second, book=book, store=store)
    assert [(one.take.state, one.take.provider) for one in outcomes] == [
        (TakeState.DONE, "second")
    ] * 6
    assert second.asked_for == 6


def test_the_cheapest_buys_where_that_is_the_policy(book: Ledger, store: TakeStore) -> None:
    dear, cheap = Scripted(INLINE, name="dear", price="0.05"), Scripted(INLINE, name="cheap")
    all_of(some(3), dear, cheap, book=book, store=store, policy="cheapest")
    assert (dear.asked_for, cheap.asked_for) == (0, 3)


def test_nothing_is_bought_beyond_the_cap(book: Ledger, store: TakeStore) -> None:
    host = Scripted(Done(images=(Picture(data=picture()),)))
    outcomes = all_of(some(10), host, book=book, store=store, cap_usd=Decimal("0.10"))
    assert sorted(one.stopped for one in outcomes) == [""] * 3 + ["budget"] * 7
    assert host.asked_for == 3


def test_closing_settles_what_was_sent_and_buys_no_more(book: Ledger, store: TakeStore) -> None:
    host = Scripted(Accepted(job=Job(id="t")), asked=[Running()] * 30 + [LINKED])
    host.links["/made.png"] = [picture()]
    wanted = some(40)
    outcomes = shoot(wanted, hosts=[host], book=book, store=store, run="r1")
    next(outcomes)
    outcomes.close()
    takes = book.takes(Realm.SANDBOX, [one.recipe.sha256 for one in wanted]).values()
    states = {take.state for take in takes}
    assert states <= {TakeState.DONE, TakeState.INTENDED}
    assert host.asked_for < 40
    assert sum(take.state is TakeState.DONE for take in takes) == host.asked_for


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
    host = Scripted(INLINE)
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
    outcome = one(PROOF, book, store)
    assert (outcome.bought, outcome.take.cost_usd) == (True, Decimal(0))
    assert (outcome.take.width, outcome.take.height) == master_size(Fraction(4, 5), "1K")


def drawn(parameters: dict[str, Any], store: TakeStore, book: Ledger) -> str:
    recipe = Recipe(
        model="proof", prompt="x", ratio="1:1", tier="1K", seed=1, parameters=parameters
    )
    return one(PROOF, book, store, Wanted(recipe=recipe, references=())).take.sha256 or ""


def test_label_and_palette_reach_the_drawing(book: Ledger, store: TakeStore) -> None:
    plain = drawn({}, store, book)
    assert drawn({"label": ["MUG-01"]}, store, book) != plain
    assert drawn({"palette": ["#AA2200"]}, store, book) != plain
