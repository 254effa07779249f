"""The circuit: an account whose creates all fail is left alone, then tried by one, then used."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from flows.ledger import Ledger, TakeStore, open_ledger
from flows.nouns.take import TakeState
from flows.providers.base import RefusalKind, Reply
from flows.shoot import shoot
from flows.shoot.circuit import LONGEST_S, OPENS_AFTER, Circuit
from tests.rooms.test_shoot import INLINE, Scripted, said, some

BUSY = said(RefusalKind.AGAIN, "HTTP 503")


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def failed(circuit: Circuit, clock: Clock, times: int = 1, named_s: float | None = None) -> None:
    for _ in range(times):
        clock.now += 1
        circuit.failed(clock.now, named_s=named_s, expected_s=20)


def waits(dice: float, named_s: float | None = None) -> list[float]:
    """What each further failure of an open circuit costs, the wait before it being over."""
    clock = Clock()
    circuit = Circuit(clock, lambda: dice)
    failed(circuit, clock, OPENS_AFTER - 1)
    found = []
    for _ in range(6):
        failed(circuit, clock, named_s=named_s)
        found.append(round(circuit.wait_s, 3))
        clock.now += circuit.wait_s
    return found


def failing(reply: Reply | Exception) -> Scripted:
    """A host that answers every create so. Waits that double from 0.1 s on are few in any test."""
    host = Scripted(reply, name="down")
    host.account = replace(host.account, latency_s=0.4)
    return host


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as opened:
        yield opened


@pytest.fixture
def store(tmp_path: Path) -> TakeStore:
    return TakeStore(str(tmp_path / "takes"))


def test_it_opens_when_creates_fail_in_a_row() -> None:
    clock = Clock()
    circuit = Circuit(clock)
    failed(circuit, clock, OPENS_AFTER - 1)
    assert (circuit.is_open, circuit.lets_through(), circuit.lets_through()) == (False, True, True)
    circuit.passed()
    failed(circuit, clock, OPENS_AFTER - 1)
    assert not circuit.is_open
    failed(circuit, clock)
    assert (circuit.is_open, circuit.lets_through()) == (True, False)


def test_creates_that_left_together_fail_once() -> None:
    clock = Clock()
    circuit = Circuit(clock)
    for _ in range(100):
        circuit.failed(999.0, named_s=None, expected_s=20)
    assert not circuit.is_open


def test_one_probe_goes_at_a_time_and_the_first_that_passes_closes_it() -> None:
    clock = Clock()
    circuit = Circuit(clock)
    failed(circuit, clock, OPENS_AFTER)
    clock.now += circuit.wait_s
    assert [circuit.lets_through() for _ in range(3)] == [True, False, False]
    circuit.released()
    assert [circuit.lets_through() for _ in range(3)] == [True, False, False]
    circuit.passed()
    assert [circuit.lets_through() for _ in range(3)] == [True, True, True]
    assert (circuit.is_open, circuit.failing_s) == (False, 0.0)


def test_each_probe_that_fails_doubles_the_wait_up_to_a_bound() -> None:
    assert waits(1.0) == [5.0, 10.0, 20.0, 40.0, LONGEST_S, LONGEST_S]


def test_dice_shorten_the_wait_by_up_to_half() -> None:
    assert waits(0.0) == [2.5, 5.0, 10.0, 20.0, LONGEST_S / 2, LONGEST_S / 2]
    dice = random.Random(7).random
    clocks = [Clock() for _ in range(20)]
    circuits = [Circuit(clock, dice) for clock in clocks]
    for circuit, clock in zip(circuits, clocks, strict=True):
        failed(circuit, clock, OPENS_AFTER)
    assert len({circuit.wait_s for circuit in circuits}) == 20


def test_a_wait_that_the_host_names_is_kept_and_never_cut_short() -> None:
    assert waits(0.0, named_s=7.0) == [7.0] * 6
    assert waits(1.0, named_s=7.0) == [7.7] * 6


def test_it_is_given_up_sooner_where_another_host_waits() -> None:
    clock = Clock()
    circuit = Circuit(clock)
    failed(circuit, clock, OPENS_AFTER)
    clock.now += 60
    assert not circuit.is_given_up
    circuit.may_hand_over = True
    assert circuit.is_given_up
    circuit.may_hand_over = False
    clock.now += 540
    assert circuit.is_given_up
    circuit.passed()
    assert not circuit.is_given_up


def test_in_a_pool_the_others_make_what_a_failing_account_leaves(
    book: Ledger, store: TakeStore
) -> None:
    down, sound = failing(BUSY), Scripted(INLINE, name="sound")
    outcomes = list(
        shoot(some(60), hosts=[down, sound], policy="fastest", book=book, store=store, run="r1")
    )
    assert [(one.take.state, one.take.provider) for one in outcomes] == [
        (TakeState.DONE, "sound")
    ] * 60
    assert sound.asked_for == 60
    # what left together with the first failures, and probes
    assert down.asked_for <= OPENS_AFTER * down.limits_running + 10


def test_an_account_that_comes_back_is_used_again(book: Ledger, store: TakeStore) -> None:
    host = Scripted(*[BUSY] * 12, INLINE)
    outcomes = list(shoot(some(10), hosts=[host], book=book, store=store, run="r1"))
    assert [one.take.state for one in outcomes] == [TakeState.DONE] * 10
    assert host.asked_for == 22


def test_the_next_host_takes_over_from_one_that_passes_nothing(
    book: Ledger, store: TakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.shoot.circuit.HANDOVER_S", 0.3)
    down, sound = Scripted(BUSY, name="down"), Scripted(INLINE, name="sound")
    outcomes = list(shoot(some(30), hosts=[down, sound], book=book, store=store, run="r1"))
    assert [one.take.provider for one in outcomes] == ["sound"] * 30
    assert (sound.asked_for, down.asked_for < 30) == (30, True)


def test_an_account_that_loses_every_answer_is_not_fed_with_more_takes(
    book: Ledger, store: TakeStore
) -> None:
    """Each of them may have been paid for."""
    down = failing(httpx.ReadError("cut"))
    sound = Scripted(INLINE, name="sound")
    outcomes = list(
        shoot(some(60), hosts=[down, sound], policy="fastest", book=book, store=store, run="r1")
    )
    parked = [one for one in outcomes if one.take.state is TakeState.UNKNOWN]
    done = [one for one in outcomes if one.take.state is TakeState.DONE]
    assert len(parked) + len(done) == 60
    assert len(parked) == down.asked_for
    assert len(parked) <= OPENS_AFTER * down.limits_running + 10
