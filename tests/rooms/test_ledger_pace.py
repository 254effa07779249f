"""The pace that processes share: no window ever holds more, the dead free their places."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, select, update

from flows.ledger import Ledger, open_ledger, tables
from flows.ledger.calls import Calls, Limit
from flows.ledger.dispatchers import Dispatchers
from flows.ledger.schema import opened, opened_pace

MINUTE: Limit = (3, 60.0, "requests")


class Hand:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self, _connection: Connection) -> float:
        return self.now


@pytest.fixture
def engine(ledger_url: str) -> Iterator[Engine]:
    ledger, shown = opened(ledger_url)
    pace = opened_pace(ledger, shown)
    yield pace
    pace.dispose()
    ledger.dispose()


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def calls(engine: Engine, hand: Hand) -> Calls:
    return Calls(engine, hand)


@pytest.fixture
def dispatchers(engine: Engine, hand: Hand) -> Dispatchers:
    return Dispatchers(engine, hand)


def admit(
    calls: Calls,
    *windows: Limit,
    account: str = "f1",
    owner: str = "o1",
    creates: int = 0,
    images: int = 0,
) -> tuple[int, float]:
    return calls.admit(account, owner, windows or (MINUTE,), creates=creates, images=images)


def test_a_full_window_says_how_long_to_wait_and_opens_again(calls: Calls, hand: Hand) -> None:
    ids = [admit(calls)[0] for _ in range(3)]
    assert len(set(ids)) == 3
    assert all(ids)
    calls.close(ids[:1])
    hand.now += 10
    calls.close(ids[1:])
    assert admit(calls) == (0, 50.0)
    hand.now += 49.5
    assert admit(calls) == (0, 0.5)
    hand.now += 0.5
    assert admit(calls)[1] == 0.0
    assert admit(calls) == (0, 10.0)


def test_a_request_counts_from_before_it_is_sent_until_a_window_after_its_answer(
    calls: Calls, dispatchers: Dispatchers, hand: Hand
) -> None:
    dispatchers.begin("o1", run="r1", account="f1", host="fal")
    first = admit(calls, (1, 60.0, "requests"))[0]
    hand.now += 500
    dispatchers.beat("o1")
    # were it answered now, its window would end a window from now
    assert admit(calls, (1, 60.0, "requests")) == (0, 60.0)
    calls.close([first])
    hand.now += 59
    assert admit(calls, (1, 60.0, "requests")) == (0, 1.0)


def test_all_windows_must_have_a_place_and_each_counts_its_own(calls: Calls, hand: Hand) -> None:
    limits: tuple[Limit, ...] = ((10, 60.0, "requests"), (1, 60.0, "creates"), (5, 20.0, "images"))
    call, _ = admit(calls, *limits, creates=1, images=4)
    calls.close([call])
    assert admit(calls, *limits, creates=1, images=1) == (0, 60.0)
    assert admit(calls, *limits, images=2) == (0, 20.0)
    assert admit(calls, *limits, images=1)[0] > 0
    assert [admit(calls, *limits)[1] for _ in range(8)] == [0.0] * 8
    assert admit(calls, *limits) == (0, 60.0)
    hand.now += 20
    assert admit(calls, (5, 20.0, "images"), images=4)[0] > 0


def test_accounts_do_not_wait_for_each_other(calls: Calls) -> None:
    assert admit(calls, (1, 60.0, "requests"))[0] > 0
    assert admit(calls, (1, 60.0, "requests"))[0] == 0
    assert admit(calls, (1, 60.0, "requests"), account="f2")[0] > 0


def test_without_a_limit_nobody_waits(calls: Calls) -> None:
    assert calls.admit("f1", "o1", [], creates=1, images=4)[1] == 0.0
    calls.close([])


def test_a_request_that_never_fits_is_refused(calls: Calls) -> None:
    with pytest.raises(ValueError, match="a request for 6 images never fits 5 in 20 s"):
        admit(calls, (5, 20.0, "images"), images=6)


def test_calls_of_the_dead_age_from_a_minute_after_their_last_heartbeat(
    calls: Calls, dispatchers: Dispatchers, hand: Hand
) -> None:
    dispatchers.begin("dead", run="r1", account="f1", host="fal")
    one: Limit = (1, 30.0, "requests")
    admit(calls, one, owner="dead")
    hand.now += 5
    assert dispatchers.beat("dead")
    hand.now += 59
    assert admit(calls, one) == (0, 30.0)
    hand.now += 1  # 60 s after the heartbeat
    assert admit(calls, one) == (0, 30.0)
    hand.now += 29
    assert admit(calls, one) == (0, 1.0)
    hand.now += 1
    assert admit(calls, one)[0] > 0


def test_calls_of_one_that_never_said_it_began_age_from_a_minute_after_them(
    calls: Calls, hand: Hand
) -> None:
    one: Limit = (1, 30.0, "requests")
    admit(calls, one, owner="stranger")
    hand.now += 61
    assert admit(calls, one) == (0, 29.0)


def test_one_that_ends_in_order_leaves_nothing_open(
    calls: Calls, dispatchers: Dispatchers, hand: Hand
) -> None:
    dispatchers.begin("o1", run="r1", account="f1", host="fal")
    one: Limit = (1, 30.0, "requests")
    admit(calls, one)
    dispatchers.end("o1")
    hand.now += 20
    assert admit(calls, one) == (0, 10.0)
    assert not dispatchers.beat("o1")


def test_a_clock_that_is_set_back_stops_nobody_for_longer_than_a_window(
    calls: Calls, hand: Hand
) -> None:
    calls.close([admit(calls, (1, 30.0, "requests"))[0]])
    hand.now -= 86_400
    assert admit(calls, (1, 30.0, "requests")) == (0, 30.0)


def test_old_calls_are_deleted_now_and_then(calls: Calls, engine: Engine, hand: Hand) -> None:
    for _ in range(255):
        calls.close([admit(calls, (1000, 60.0, "requests"))[0]])
    hand.now += 86_400
    assert admit(calls, (1000, 60.0, "requests")) == (256, 0.0)
    with engine.connect() as connection:
        assert len(connection.execute(select(tables.calls)).all()) == 1


def test_a_slot_is_held_until_it_is_freed_or_expires(calls: Calls, hand: Hand) -> None:
    def take(recipe: str, owner: str = "o1", account: str = "f1") -> bool:
        return calls.take_slot(account, recipe, owner, most=2, lasts_s=100.0)

    assert [take("a"), take("b"), take("c")] == [True, True, False]
    assert take("c", account="f2")
    calls.free_slot("f1", "a", "o1")
    assert [take("c"), take("d")] == [True, False]
    hand.now += 100
    assert [take("d"), take("e"), take("f")] == [True, True, False]


def test_a_resumed_take_takes_its_slot_over(calls: Calls, hand: Hand) -> None:
    assert calls.take_slot("f1", "a", "killed", most=1, lasts_s=100.0)
    hand.now += 90
    assert calls.take_slot("f1", "a", "resumed", most=1, lasts_s=100.0)
    calls.free_slot("f1", "a", "killed")
    hand.now += 90
    assert not calls.take_slot("f1", "b", "o1", most=1, lasts_s=100.0)
    calls.free_slot("f1", "a", "resumed")
    assert calls.take_slot("f1", "b", "o1", most=1, lasts_s=100.0)


def test_those_who_are_alive_are_told_by_run_and_account(
    calls: Calls, dispatchers: Dispatchers, hand: Hand
) -> None:
    dispatchers.begin("o1", run="r1", account="f1", host="fal")
    hand.now += 30
    dispatchers.begin("o2", run="r2", account="f1", host="fal")
    dispatchers.begin("o3", run="r2", account="g1", host="freepik")
    assert [one.owner for one in dispatchers.alive()] == ["o1", "o2", "o3"]
    assert [one.owner for one in dispatchers.alive(run="r2")] == ["o2", "o3"]
    assert [one.owner for one in dispatchers.alive(run="r2", account="f1")] == ["o2"]
    assert calls.sharers("f1") == 2
    hand.now += 30
    assert [one.owner for one in dispatchers.alive()] == ["o2", "o3"]
    assert calls.sharers("f1") == 1
    assert dispatchers.beat("o1")  # it only slept
    assert calls.sharers("f1") == 2
    (awake,) = dispatchers.alive(run="r1")
    assert (awake.run, awake.account, awake.host, awake.heartbeat_at) == (
        "r1",
        "f1",
        "fal",
        hand.now,
    )


def test_dispatchers_that_died_a_day_ago_are_forgotten(
    dispatchers: Dispatchers, hand: Hand
) -> None:
    dispatchers.begin("o1", run="r1", account="f1", host="fal")
    hand.now += 86_401
    dispatchers.begin("o2", run="r2", account="f1", host="fal")
    assert not dispatchers.beat("o1")


def test_the_pace_lies_beside_a_ledger_in_a_file_and_only_once_it_is_used(tmp_path: Path) -> None:
    with open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as book:
        book.tally()
        assert not (tmp_path / "ledger-pace.db").exists()
        assert book.calls.sharers("f1") == 0
        assert (tmp_path / "ledger-pace.db").exists()


def test_a_pace_that_is_broken_is_refused_with_words(tmp_path: Path) -> None:
    from flows.errors import EnvironmentFault

    (tmp_path / "ledger-pace.db").write_bytes(b"this is not a database" * 100)
    with (
        open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as book,
        pytest.raises(EnvironmentFault, match=r"ledger-pace\.db: the pace .* delete this file"),
    ):
        book.alive()


def test_the_ledgers_own_verbs_reach_the_dispatchers(book: Ledger) -> None:
    book.begin_dispatch("o1", run="r1", account="f1", host="fal")
    assert book.beat("o1")
    assert [one.owner for one in book.alive()] == ["o1"]
    book.end_dispatch("o1")
    assert book.alive() == []
    assert not book.beat("o1")


def _ask(url: str, owner: str, barrier: object, given: object) -> None:
    with open_ledger(url) as book:
        barrier.wait(120)  # type: ignore[attr-defined]
        won = 0
        for _ in range(40):
            call, _wait = book.calls.admit(
                "f1", owner, [(50, 3600.0, "requests")], creates=0, images=0
            )
            won += bool(call)
        given.put(won)  # type: ignore[attr-defined]


def test_two_processes_together_get_what_the_window_holds_and_no_more(ledger_url: str) -> None:
    open_ledger(ledger_url).close()
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    given = context.Queue()
    askers = [
        context.Process(target=_ask, args=(ledger_url, f"o{n}", barrier, given)) for n in range(2)
    ]
    for asker in askers:
        asker.start()
    won = [given.get(timeout=150) for _ in askers]
    for asker in askers:
        asker.join(60)
    assert sum(won) == 50


def test_time_is_one_for_all_who_share_a_database(engine: Engine) -> None:
    dispatchers = Dispatchers(engine)
    dispatchers.begin("o1", run="r1", account="f1", host="fal")
    (one,) = dispatchers.alive()
    # a machine whose clock is wrong by a year changes nothing: what it wrote is the database's time
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            at = connection.exec_driver_sql("select extract(epoch from now())::float8").scalar_one()
        assert 0 <= at - one.heartbeat_at < 60
    with engine.begin() as connection:
        connection.execute(update(tables.dispatchers).values(heartbeat_at=one.heartbeat_at - 61))
    assert dispatchers.alive() == []


def test_calls_that_have_ended_are_closed_with_the_next_admission(calls: Calls, hand: Hand) -> None:
    one: Limit = (1, 60.0, "requests")
    first, _ = admit(calls, one)
    hand.now += 10
    assert calls.admit("f1", "o1", [one], creates=0, images=0, ended=[first]) == (0, 60.0)
    hand.now += 59
    assert admit(calls, one) == (0, 1.0)


def test_a_place_whose_time_is_over_is_seen_as_free_by_who_only_looks(
    calls: Calls, hand: Hand
) -> None:
    assert calls.take_slot("f1", "a", "o1", most=1, lasts_s=100.0)
    assert not calls.take_slot("f1", "b", "o2", most=1, lasts_s=100.0)
    hand.now += 100
    assert calls.take_slot("f1", "b", "o2", most=1, lasts_s=100.0)
