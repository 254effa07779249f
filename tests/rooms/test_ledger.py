"""The ledger's promises: the winner is told, states follow each other, strangers are refused."""

from __future__ import annotations

import threading
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from flows.errors import EnvironmentFault
from flows.ledger import IllegalStepError, Ledger, TakeStore, open_ledger
from flows.nouns.reference import Looked
from flows.nouns.take import FOLLOWS, Realm, Take, TakeState


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


def test_many_takes_are_read_as_each_is_alone(book: Ledger) -> None:
    recipes = [f"{number:064x}" for number in range(600)]
    for recipe in recipes:
        assert book.intend(take(recipe), run="r1", price_usd=Decimal("0.03"))
    bring_to_done(book, take())
    known = book.takes(Realm.LIVE, [*recipes, "e" * 64])
    assert known == {recipe: book.take(Realm.LIVE, recipe) for recipe in recipes}


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


def test_the_intent_of_a_live_run_is_not_taken_over_but_that_of_a_dead_one_is(
    book: Ledger,
) -> None:
    book.begin_dispatch("r1/fal", run="r1", account="f1", host="fal")
    assert book.intend(take(), run="r1", price_usd=None)
    assert not book.intend(take(), run="r2", price_usd=None)
    assert book.intend(take(), run="r1", price_usd=None)
    book.end_dispatch("r1/fal")
    assert book.intend(take(), run="r2", price_usd=None)
    with pytest.raises(IllegalStepError):
        book.step(take(), TakeState.SENT, run="r1")
    assert book.step(take(), TakeState.SENT, run="r2").intended_by == "r2"


def test_an_unknown_take_is_bought_again_where_that_is_asked_for(book: Ledger) -> None:
    assert book.intend(take(), run="r1", price_usd=None)
    book.step(take(), TakeState.SENT, run="r1")
    assert not book.intend(take(), run="r2", price_usd=None, rebuys=True)
    book.step(take(), TakeState.UNKNOWN, run="r1")
    assert book.intend(take(), run="r2", price_usd=None, rebuys=True)


def test_an_unknown_take_is_refused_only_where_it_is_proved_not_to_be_billed(book: Ledger) -> None:
    assert book.intend(take(), run="r1", price_usd=None)
    book.step(take(), TakeState.SENT, run="r1")
    book.step(take(), TakeState.UNKNOWN, run="r1")
    with pytest.raises(IllegalStepError):
        book.step(take(), TakeState.REFUSED, run="r1", billed=None)
    assert book.step(take(), TakeState.REFUSED, run="r1", billed=False).billed is False


def test_a_step_gives_the_take_as_it_is_now(book: Ledger) -> None:
    assert book.intend(take(), run="r1", price_usd=Decimal("0.03"))
    book.step(take(), TakeState.SENT, run="r1")
    now = book.step(
        take(), TakeState.ACCEPTED, run="r1", host_task_id="t1", host_notes={"region": "eu"}
    )
    assert now == book.take(Realm.LIVE, "a" * 64)
    assert (now.state, now.host_task_id, now.host_notes, now.price_usd, now.seed) == (
        TakeState.ACCEPTED,
        "t1",
        {"region": "eu"},
        Decimal("0.03"),
        7,
    )


def test_words_that_no_database_takes_do_not_keep_a_purchase_from_being_written_down(
    book: Ledger,
) -> None:
    assert book.intend(take(), run="r1", price_usd=None)
    book.step(take(), TakeState.SENT, run="r1")
    now = book.step(take(), TakeState.FAILED, run="r1", reason="no\0 \ud800!", billed=None)
    assert now.reason == "no\ufffd ?!"


def test_a_seed_may_have_all_the_bits_that_hosts_use(book: Ledger) -> None:
    assert book.intend(replace(take(), seed=2**63 - 1), run="r1", price_usd=None)
    found = book.take(Realm.LIVE, "a" * 64)
    assert found is not None
    assert found.seed == 2**63 - 1


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


def test_two_runs_may_plan_the_same_shots_at_once(book: Ledger, ledger_url: str) -> None:
    start = threading.Barrier(4)
    faults: list[Exception] = []

    def plan(number: int) -> None:
        with open_ledger(ledger_url) as own:
            start.wait()
            wanted = {f"{n}/1x1": [f"x{number}"] for n in range(50)}
            given = own.write([lambda pen: pen.plan_shots("mugs", Realm.LIVE, wanted, ())])
            faults.extend(one for one in given if one is not None)

    runs = [threading.Thread(target=plan, args=(number,)) for number in range(4)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert faults == []
    planned = book.shots("mugs", Realm.LIVE)
    assert set(planned) == {f"{n}/1x1" for n in range(50)}
    assert len(set(planned.values())) == 1


def test_contents_that_were_looked_at_are_remembered(book: Ledger) -> None:
    seen = Looked(sha256="e" * 64, size=9, width=3, height=2, format="jpeg")
    book.contents.remember({"/photos/a.jpg": ("9:1", seen)})
    book.contents.remember({"/photos/a.jpg": ("9:2", seen)})
    assert book.contents.known() == {"/photos/a.jpg": ("9:2", seen)}


def test_a_location_longer_than_a_database_indexes_is_not_remembered(book: Ledger) -> None:
    seen = Looked(sha256="e" * 64, size=9, width=3, height=2, format="jpeg")
    book.contents.remember({"https://photos.example/" + "a" * 4000: ("9:1", seen)})
    assert book.contents.known() == {}


def test_a_ledger_that_was_written_is_read_again(ledger_url: str) -> None:
    with open_ledger(ledger_url) as book:
        bring_to_done(book, take())
    with open_ledger(ledger_url) as book:
        assert book.takes(Realm.LIVE, ["a" * 64])["a" * 64].state == TakeState.DONE


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
