"""What persons and hosts tell the ledger: settled, turned down, called back, how long it took."""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest

from flows.ledger import IllegalStepError, Ledger, Letter, open_ledger
from flows.nouns.take import Realm, Take, TakeState

PRICE = Decimal("0.03")
RECIPE = "a" * 64


def take(recipe: str = RECIPE, realm: Realm = Realm.LIVE) -> Take:
    return Take(
        recipe=recipe,
        realm=realm,
        state=TakeState.INTENDED,
        provider="fal",
        model="seedream-4",
    )


def bring_to(book: Ledger, state: TakeState, one: Take | None = None) -> None:
    one = one or take()
    assert book.intend(one, run="r1", price_usd=PRICE)
    book.step(one, TakeState.SENT, run="r1")
    if state is not TakeState.SENT:
        book.step(one, state, run="r1", reason="no answer")


@pytest.mark.parametrize("state", [TakeState.UNKNOWN, TakeState.SENT])
def test_a_purchase_that_is_settled_as_lost_counts_as_spent(book: Ledger, state: TakeState) -> None:
    bring_to(book, state)
    settled = book.settle(Realm.LIVE, RECIPE, found=None)
    assert (settled.state, settled.billed) == (TakeState.LOST, None)
    assert settled.reason == "settled as lost by a person"
    assert book.spent(Realm.LIVE) == PRICE


def test_a_purchase_that_is_settled_as_found_is_fetched_by_the_next_run(book: Ledger) -> None:
    bring_to(book, TakeState.UNKNOWN)
    settled = book.settle(Realm.LIVE, RECIPE, found="https://pictures.example/1.png")
    assert (settled.state, settled.host_notes, settled.cost_usd, settled.cost_from) == (
        TakeState.SUCCEEDED,
        {"result": "https://pictures.example/1.png"},
        PRICE,
        "price",
    )
    assert (settled.billed, settled.reason) == (True, None)
    assert book.spent(Realm.LIVE) == PRICE


def test_only_what_is_open_can_be_settled(book: Ledger) -> None:
    with pytest.raises(IllegalStepError, match="aaaaaaaaaaaa is not known: there is nothing"):
        book.settle(Realm.LIVE, RECIPE, found=None)
    bring_to(book, TakeState.ACCEPTED)
    with pytest.raises(IllegalStepError, match="is accepted: there is nothing to settle"):
        book.settle(Realm.LIVE, RECIPE, found=None)


def test_what_a_live_run_is_sending_cannot_be_settled(book: Ledger) -> None:
    book.begin_dispatch("r1/fal", run="r1", account="f1", host="fal")
    bring_to(book, TakeState.SENT)
    with pytest.raises(IllegalStepError, match="by a run that is alive"):
        book.settle(Realm.LIVE, RECIPE, found=None)
    book.end_dispatch("r1/fal")
    assert book.settle(Realm.LIVE, RECIPE, found=None).state is TakeState.LOST


def test_takes_are_found_by_the_beginning_of_their_recipe_or_the_hosts_id(book: Ledger) -> None:
    first, second = take("abc" + "0" * 61), take("abd" + "0" * 61)
    bring_to(book, TakeState.UNKNOWN, first)
    bring_to(book, TakeState.ACCEPTED, second)
    book.step(second, TakeState.FAILED, run="r1", host_task_id="task_7%")

    def found(name: str) -> list[str]:
        return [one.recipe[:3] for one in book.find(name)]

    assert found("ab") == ["abc", "abd"]
    assert found("ABC") == ["abc"]
    assert found("task_7%") == ["abd"]
    assert found("task") == []
    assert found("%") == []
    assert found("_bc") == []
    assert found("") == []


def test_takes_that_were_turned_down_are_told_by_shot(book: Ledger) -> None:
    book.turn_down("mugs", Realm.LIVE, "MUG-01/1x1", [1], "the handle is gone")
    book.turn_down("mugs", Realm.LIVE, "MUG-01/1x1", [1, 3], "again")
    book.turn_down("mugs", Realm.LIVE, "MUG-02/1x1", [2], "")
    book.turn_down("mugs", Realm.SANDBOX, "MUG-01/1x1", [9], "")
    assert book.turned_down("mugs", Realm.LIVE) == {
        "MUG-01/1x1": frozenset({1, 3}),
        "MUG-02/1x1": frozenset({2}),
    }
    assert book.turned_down("cups", Realm.LIVE) == {}


def call(message: str = "m1", host: str = "fal", document: str = "{}") -> dict[str, str]:
    return {"host": host, "message_id": message, "job": "t1", "mark": "k", "document": document}


def hear(book: Ledger, one: dict[str, str]) -> bool:
    return book.hear(**one)


def test_a_callback_is_kept_once_and_read_in_order(book: Ledger) -> None:
    assert hear(book, call("m1", document='{"status": "OK"}'))
    assert not hear(book, call("m1", document='{"status": "FORGED"}'))
    assert hear(book, call("m1", host="replicate"))
    assert hear(book, call("m2"))
    letters = book.heard()
    assert [(one.host, one.message_id, one.job, one.mark) for one in letters] == [
        ("fal", "m1", "t1", "k"),
        ("replicate", "m1", "t1", "k"),
        ("fal", "m2", "t1", "k"),
    ]
    assert letters[0].document == '{"status": "OK"}'
    assert [one.message_id for one in book.heard(letters[1].id)] == ["m2"]
    assert [one.id for one in book.heard(limit=1)] == [letters[0].id]


def test_what_a_callback_holds_is_not_shown() -> None:
    letter = Letter(
        id=1,
        host="fal",
        message_id="m1",
        job="t1",
        mark="k",
        document='{"url": "https://pictures.example/?signature=SECRET"}',
        at="2026-01-01T00:00:00.000Z",
    )
    assert "SECRET" not in repr(letter)


def test_callbacks_are_kept_for_thirty_days(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with open_ledger(f"sqlite:///{path}") as book:
        assert hear(book, call("old"))
        other = sqlite3.connect(path)
        other.execute("update heard set at = '2001-01-01T00:00:00.000Z'")
        other.commit()
        other.close()
        assert (
            book.write([lambda pen, n=n: pen.hear(**call(f"m{n}")) for n in range(99)])
            == [True] * 99
        )
        assert [one.message_id for one in book.heard()] == [f"m{n}" for n in range(99)]


def test_the_last_latencies_of_each_key_are_kept(book: Ledger) -> None:
    book.write(
        [
            lambda pen, n=n: pen.remember_latency(
                "fal", mode="text", tier="2K", seconds=float(n), exact=n % 2 == 0
            )
            for n in range(230)
        ]
    )
    book.remember_latency("fal", mode="edit", tier="2K", seconds=9.5, exact=True)
    kept = book.latencies("fal", mode="text", tier="2K")
    assert kept == [(float(n), n % 2 == 0) for n in range(30, 230)]
    assert book.latencies("fal", mode="edit", tier="2K") == [(9.5, True)]
    assert book.latencies("replicate", mode="edit", tier="2K") == []
    assert book.latency_keys() == [("fal", "edit", "2K"), ("fal", "text", "2K")]
