"""The ledger's promises: the winner is told, states follow each other, strangers are refused."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from flows.errors import EnvironmentFault
from flows.ledger import Ledger, TakeStore, open_ledger
from flows.ledger.ledger import IllegalStepError
from flows.nouns.reference import Looked
from flows.nouns.take import FOLLOWS, Realm, Take, TakeState


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(f"sqlite:///{tmp_path / 'state' / 'ledger.db'}") as opened:
        yield opened


def take(recipe: str = "a" * 64, realm: Realm = Realm.LIVE) -> Take:
    return Take(
        recipe=recipe,
        realm=realm,
        state=TakeState.INTENDED,
        provider="fal",
        model="seedream-4",
        seed=7,
    )


def bring_to_done(book: Ledger, wanted: Take, cost: Decimal = Decimal("0.03")) -> None:
    assert book.intend(wanted, run="r1", price_usd=cost)
    book.step(wanted, TakeState.SENT, run="r1")
    book.step(
        wanted,
        TakeState.DONE,
        run="r1",
        sha256="b" * 64,
        width=4,
        height=5,
        format="png",
        cost_usd=cost,
        cost_from="price",
    )


def test_a_done_take_is_known_by_realm_and_recipe(book: Ledger) -> None:
    bring_to_done(book, take())
    known = book.takes(Realm.LIVE, ["a" * 64, "c" * 64])
    assert set(known) == {"a" * 64}
    found = known["a" * 64]
    assert (found.state, found.sha256, found.width, found.height, found.format, found.seed) == (
        TakeState.DONE,
        "b" * 64,
        4,
        5,
        "png",
        7,
    )
    assert found.cost_usd == Decimal("0.03")
    assert book.takes(Realm.SANDBOX, ["a" * 64]) == {}


def test_a_done_take_is_not_intended_again(book: Ledger) -> None:
    bring_to_done(book, take())
    assert not book.intend(take(), run="r2", price_usd=None)


@pytest.mark.parametrize("fate", [TakeState.REFUSED, TakeState.FAILED])
def test_a_take_that_was_turned_down_may_be_intended_again(book: Ledger, fate: TakeState) -> None:
    assert book.intend(take(), run="r1", price_usd=None)
    book.step(take(), TakeState.SENT, run="r1")
    book.step(take(), fate, run="r1", reason="no", billed=False)
    assert book.intend(take(), run="r2", price_usd=None)


def test_an_unknown_take_is_never_silently_intended_again(book: Ledger) -> None:
    assert book.intend(take(), run="r1", price_usd=None)
    book.step(take(), TakeState.SENT, run="r1")
    book.step(take(), TakeState.UNKNOWN, run="r1", reason="no answer")
    assert not book.intend(take(), run="r2", price_usd=None)
    assert [one.recipe for one in book.unsettled(Realm.LIVE)] == ["a" * 64]


def test_a_proof_without_an_answer_counts_as_not_begun(book: Ledger) -> None:
    proof = take(realm=Realm.PROOF)
    assert book.intend(proof, run="r1", price_usd=None)
    book.step(proof, TakeState.SENT, run="r1")
    assert book.takes(Realm.PROOF, ["a" * 64]) == {}
    assert book.intend(proof, run="r2", price_usd=None)


def test_of_two_runs_that_intend_at_once_one_wins(book: Ledger) -> None:
    start = threading.Barrier(8)
    won: list[str] = []

    def race(run: str) -> None:
        start.wait()
        if book.intend(take(), run=run, price_usd=None):
            won.append(run)

    racers = [threading.Thread(target=race, args=(f"r{number}",)) for number in range(8)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    # an intent that was not sent may be taken over, but never by two from the same holder, and
    # only the last of them may send
    assert won
    sent = []
    for run in won:
        try:
            book.step(take(), TakeState.SENT, run=run)
        except IllegalStepError:
            continue
        sent.append(run)
    assert len(sent) == 1
    assert not book.intend(take(), run="late", price_usd=None)


@pytest.mark.parametrize("state", [s for s in TakeState if s not in FOLLOWS[TakeState.INTENDED]])
def test_a_step_that_may_not_follow_is_refused(book: Ledger, state: TakeState) -> None:
    assert book.intend(take(), run="r1", price_usd=None)
    with pytest.raises(IllegalStepError):
        book.step(take(), state, run="r1", sha256="b" * 64)
    assert book.takes(Realm.LIVE, ["a" * 64])["a" * 64].state == TakeState.INTENDED


def test_every_state_can_be_reached_and_done_is_final() -> None:
    reached = {TakeState.INTENDED}
    while True:
        more = reached | {then for state in reached for then in FOLLOWS[state]}
        if more == reached:
            break
        reached = more
    assert reached == set(TakeState)
    assert FOLLOWS[TakeState.DONE] == frozenset()


def test_the_tally_counts_takes_and_money(book: Ledger) -> None:
    bring_to_done(book, take("a" * 64), Decimal("0.03"))
    bring_to_done(book, take("c" * 64), Decimal("0.05"))
    bring_to_done(book, take("d" * 64, Realm.PROOF), Decimal(0))
    assert [(r, p, s, n, usd) for r, p, s, n, usd in book.tally()] == [
        ("live", "fal", "done", 2, Decimal("0.08")),
        ("proof", "fal", "done", 1, Decimal(0)),
    ]


def test_planned_shots_are_remembered_changed_and_forgotten(book: Ledger) -> None:
    book.plan_shots("mugs", Realm.PROOF, {"a/1x1": ["x"], "b/1x1": ["y", "z"]}, ())
    assert book.shots("mugs", Realm.PROOF) == {"a/1x1": ("x",), "b/1x1": ("y", "z")}
    book.plan_shots("mugs", Realm.PROOF, {"a/1x1": ["w"]}, ["b/1x1"])
    assert book.shots("mugs", Realm.PROOF) == {"a/1x1": ("w",)}
    assert book.shots("mugs", Realm.LIVE) == {}
    assert book.shots("cups", Realm.PROOF) == {}


def test_contents_that_were_looked_at_are_remembered(book: Ledger) -> None:
    seen = Looked(sha256="e" * 64, size=9, width=3, height=2, format="jpeg")
    book.contents.remember({"/photos/a.jpg": ("9:1", seen)})
    book.contents.remember({"/photos/a.jpg": ("9:2", seen)})
    assert book.contents.known() == {"/photos/a.jpg": ("9:2", seen)}


def test_a_ledger_that_was_written_is_read_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with open_ledger(url) as book:
        bring_to_done(book, take())
    with open_ledger(url) as book:
        assert book.takes(Realm.LIVE, ["a" * 64])["a" * 64].state == TakeState.DONE


def test_a_foreign_database_is_refused_with_words(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("create table invoices (id)")
    other.commit()
    other.close()
    with pytest.raises(EnvironmentFault, match=r"another program.*invoices"):
        open_ledger(f"sqlite:///{path}")


def test_a_broken_file_is_refused_with_words(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"this is not a database" * 100)
    with pytest.raises(EnvironmentFault, match=r"ledger cannot be used.*backup"):
        open_ledger(f"sqlite:///{path}")


def test_a_newer_ledger_is_refused_with_words(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    open_ledger(f"sqlite:///{path}").close()
    other = sqlite3.connect(path)
    other.execute("update shotlist_about set value = '99' where key = 'schema'")
    other.commit()
    other.close()
    with pytest.raises(EnvironmentFault, match="schema 99"):
        open_ledger(f"sqlite:///{path}")


@pytest.mark.parametrize("url", ["nonsense", "mysteryql://x/y"])
def test_an_address_that_is_none_is_refused_with_words(url: str) -> None:
    with pytest.raises(EnvironmentFault, match="SHOTLIST_LEDGER_URL"):
        open_ledger(url)


def test_a_password_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault) as raised:
        open_ledger("postgresql+psycopg2://me:SECRET@127.0.0.1:9/ledger")
    assert "SECRET" not in str(raised.value)


def test_the_store_keeps_bytes_under_their_own_digest(tmp_path: Path) -> None:
    store = TakeStore(str(tmp_path / "takes"))
    digest = store.put(b"picture")
    assert store.put(b"picture") == digest
    assert store.get(digest) == b"picture"
    assert store.holds(digest)
    assert not store.holds("0" * 64)
    assert [path.name for path in (tmp_path / "takes").rglob("*") if path.is_file()] == [digest]


def test_the_store_says_when_a_take_is_gone_or_damaged(tmp_path: Path) -> None:
    store = TakeStore(str(tmp_path / "takes"))
    digest = store.put(b"picture")
    (file,) = [path for path in (tmp_path / "takes").rglob("*") if path.is_file()]
    file.write_bytes(b"pictura")
    with pytest.raises(EnvironmentFault, match="not the bytes that were bought"):
        store.get(digest)
    file.unlink()
    with pytest.raises(EnvironmentFault, match="is missing"):
        store.get(digest)
