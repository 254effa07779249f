"""What commits together: each stands or falls by itself, and all with the transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import event, func, select

from flows.ledger import IllegalStepError, Ledger, Pen, open_ledger, tables
from flows.nouns.take import Realm, Take, TakeState


def take(recipe: str) -> Take:
    return Take(
        recipe=recipe * 64,
        realm=Realm.LIVE,
        state=TakeState.INTENDED,
        provider="fal",
        model="seedream-4",
    )


def intend(recipe: str) -> Callable[[Pen], object]:
    return lambda pen: pen.intend(take(recipe), run="r1", price_usd=None)


def step(recipe: str, state: TakeState) -> Callable[[Pen], object]:
    return lambda pen: pen.step(take(recipe), state, run="r1").state


def test_each_gets_what_its_own_verb_gives(book: Ledger) -> None:
    given = book.write([intend("a"), intend("b"), step("a", TakeState.SENT)])
    assert given == [True, True, TakeState.SENT]
    known = book.takes(Realm.LIVE, ["a" * 64, "b" * 64])
    assert {recipe[0]: one.state for recipe, one in known.items()} == {
        "a": TakeState.SENT,
        "b": TakeState.INTENDED,
    }


def test_nothing_is_a_group_too(book: Ledger) -> None:
    assert book.write([]) == []


def test_one_that_is_refused_leaves_the_others_standing(book: Ledger) -> None:
    given = book.write(
        [intend("a"), step("z", TakeState.SENT), step("a", TakeState.DONE), intend("b")]
    )
    assert [type(one) for one in given] == [bool, IllegalStepError, IllegalStepError, bool]
    known = book.takes(Realm.LIVE, ["a" * 64, "b" * 64])
    assert [one.state for one in known.values()] == [TakeState.INTENDED, TakeState.INTENDED]


def test_what_a_refused_one_had_written_before_is_gone(book: Ledger) -> None:
    def half(pen: Pen) -> object:
        pen.intend(take("a"), run="r1", price_usd=None)
        raise ValueError("on second thoughts")

    given = book.write([half, intend("b")])
    assert repr(given[0]) == "ValueError('on second thoughts')"
    assert set(book.takes(Realm.LIVE, ["a" * 64, "b" * 64])) == {"b" * 64}


def test_a_database_error_of_one_leaves_the_others_standing(book: Ledger) -> None:
    def twice(pen: Pen) -> object:
        for _ in range(2):
            pen.begin_run("r1", campaign="c", realm=Realm.LIVE, spec_sha256="s", destination="d")
        return None

    given = book.write([intend("a"), twice, intend("b")])
    assert [type(one).__name__ for one in given] == ["bool", "IntegrityError", "bool"]
    assert set(book.takes(Realm.LIVE, ["a" * 64, "b" * 64])) == {"a" * 64, "b" * 64}
    assert book.runs() == []


def test_when_the_commit_fails_each_gets_the_fault_and_nothing_is_written(book: Ledger) -> None:
    broken = OSError("the disk is full")

    def fail(_connection: object) -> None:
        raise broken

    event.listen(book._engine, "commit", fail)
    given = book.write([intend("a"), step("z", TakeState.SENT)])
    event.remove(book._engine, "commit", fail)
    assert given == [broken, broken]
    assert book.takes(Realm.LIVE, ["a" * 64]) == {}
    assert book.write([intend("a")]) == [True]


def test_of_many_groups_at_once_each_take_is_intended_by_one(ledger_url: str) -> None:
    open_ledger(ledger_url).close()
    start = threading.Barrier(4)
    won: dict[str, list[str]] = {letter: [] for letter in "abcdef"}

    def race(number: int) -> None:
        run = f"r{number}"
        # half of them in the other order: databases that lock rows could lock each other
        letters = "abcdef" if number % 2 else "fedcba"
        with open_ledger(ledger_url) as own:
            own.begin_dispatch(run, run=run, account="f1", host="fal")
            start.wait()
            given = own.write(
                [
                    lambda pen, letter=letter: pen.intend(take(letter), run=run, price_usd=None)
                    for letter in letters
                ]
            )
            for letter, one in zip(letters, given, strict=True):
                if one is True:
                    won[letter].append(run)
                else:
                    assert one is False, one

    racers = [threading.Thread(target=race, args=(number,)) for number in range(4)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert {letter: len(runs) for letter, runs in won.items()} == dict.fromkeys("abcdef", 1)


def test_a_group_waits_for_another_process_to_write(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with open_ledger(url) as one, open_ledger(url) as other:
        began = threading.Event()
        go_on = threading.Event()

        def slow(pen: Pen) -> object:
            began.set()
            go_on.wait(5)
            return pen.intend(take("a"), run="r1", price_usd=None)

        given: list[object] = []
        writer = threading.Thread(target=lambda: given.extend(one.write([slow])))
        writer.start()
        began.wait(5)
        releaser = threading.Timer(0.05, go_on.set)
        releaser.start()
        assert other.write([intend("b")]) == [True]
        writer.join()
        releaser.join()
    assert given == [True]


@pytest.mark.parametrize("word", ["step", "intend", "settle"])
def test_the_pen_and_the_ledger_know_the_same_verbs(word: str) -> None:
    assert callable(getattr(Pen, word))
    assert callable(getattr(Ledger, word))


def test_what_happened_is_told_once_and_in_order_though_one_of_the_group_was_refused(
    book: Ledger,
) -> None:
    book.write([intend("a"), step("z", TakeState.SENT), intend("b")])
    book.write(
        [step("a", TakeState.SENT), step("a", TakeState.ACCEPTED), step("b", TakeState.SENT)]
    )
    with book._engine.connect() as connection:
        events = tables.events
        told = connection.execute(
            select(events.c.recipe, events.c.state).order_by(events.c.id)
        ).all()
        bought = connection.execute(
            select(tables.purchases.c.recipe, tables.purchases.c.state).order_by(
                tables.purchases.c.id
            )
        ).all()
    assert [(recipe[0], state) for recipe, state in told] == [
        ("a", "intended"),
        ("b", "intended"),
        ("a", "sent"),
        ("a", "accepted"),
        ("b", "sent"),
    ]
    assert [(recipe[0], state) for recipe, state in bought] == [("a", "accepted"), ("b", "sent")]


def test_only_the_latest_latencies_are_kept(book: Ledger) -> None:
    for first in range(0, 240, 60):
        book.write(
            [
                lambda pen, seconds=float(number): pen.remember_latency(
                    "fal", mode="text", tier="2K", seconds=seconds, exact=True
                )
                for number in range(first, first + 60)
            ]
        )
    known = book.latencies("fal", mode="text", tier="2K")
    assert known == [(float(number), True) for number in range(40, 240)]
    with book._engine.connect() as connection:
        kept = select(func.count()).select_from(tables.latencies)
        assert connection.scalar(kept) == len(known)
