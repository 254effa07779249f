"""Sharing: processes on one account stay inside together, and each gets its part."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from flows.ledger import Ledger, open_ledger
from flows.nouns.take import Realm
from flows.providers.base import Account, Limits, Window
from flows.shoot import sharing as sharings
from flows.shoot.pace import Pace
from flows.shoot.sharing import Sharing


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as opened:
        yield opened


def account(running: int = 4, amount: int = 100) -> Account:
    return Account(
        host="eachlabs",
        name="eachlabs",
        realm=Realm.SANDBOX,
        key="k",
        addresses={},
        limits=Limits(windows=(Window(amount=amount, per_s=60.0),), running=running),
        usd_per_image=Decimal("0.03"),
        latency_s=2.0,
    )


async def settled(*sharing: Sharing) -> None:
    """What each says of the others is what the ledger says."""
    for one in sharing:
        one.sharers = await one._call(one._counted)


def test_one_that_was_taken_for_dead_begins_again_and_takes_its_places_again(
    book: Ledger,
) -> None:
    async def work() -> tuple[int, list[bool], list[bool], int]:
        one = Sharing(book, account(running=2), "r1")
        await one.begin()
        await one.sit("a")
        await one.sit("b")
        await one.rise("a")
        book.end_dispatch(one._owner)
        book.calls.free_slot(account().fingerprint, "b", one._owner)
        buried = len(book.alive())
        await one.beat()
        alive = [found.owner == one._owner for found in book.alive()]
        free = [
            book.calls.take_slot(account().fingerprint, recipe, "o", 2, 60.0) for recipe in "cd"
        ]
        await one.end()
        return buried, alive, free, len(book.alive())

    # of two places `b` holds one again
    assert asyncio.run(work()) == (0, [True], [True, False], 0)


def test_a_beat_of_one_that_lives_changes_nothing(book: Ledger) -> None:
    async def work() -> int:
        one = Sharing(book, account(), "r1")
        await one.begin()
        await one.beat()
        alive = len(book.alive())
        await one.end()
        return alive

    assert asyncio.run(work()) == 1


def test_beats_are_sent_by_themselves(book: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharings, "COUNT_EVERY_S", 0.005)
    monkeypatch.setattr(sharings, "BEAT_S", 0.01)

    async def work() -> tuple[int, int]:
        one = Sharing(book, account(), "r1")
        await one.begin()
        book.end_dispatch(one._owner)
        other = Sharing(book, account(), "r2")
        await other.begin()
        async with asyncio.timeout(20):
            while len(book.alive()) < 2 or one.sharers < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        found = len(book.alive()), one.sharers
        await one.end()
        await other.end()
        return found

    assert asyncio.run(work()) == (2, 2)


def test_who_has_fewer_places_than_a_fair_share_gets_the_next_one(
    book: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharings, "YIELDS", 30)

    async def work() -> list[str]:
        first, second = (Sharing(book, account(), run) for run in ("r1", "r2"))
        await first.begin()
        for recipe in ("a1", "a2", "a3", "a4"):
            await first.sit(recipe)
        await second.begin()
        await settled(first, second)
        got: asyncio.Queue[str] = asyncio.Queue()

        async def sits(one: Sharing, recipe: str) -> None:
            await one.sit(recipe)
            await got.put(recipe)

        waiting = [asyncio.create_task(sits(first, recipe)) for recipe in ("a5", "a6")]
        waiting += [asyncio.create_task(sits(second, recipe)) for recipe in ("b1", "b2", "b3")]
        order = []
        for leaves in ("a1", "a2", "a3"):
            await first.rise(leaves)
            order.append(await asyncio.wait_for(got.get(), 20))
        await second.rise("b1")
        order.append(await asyncio.wait_for(got.get(), 20))
        # the other one wants no more: what is free is taken, by whoever waits
        await first.rise("a4")
        order.append(await asyncio.wait_for(got.get(), 20))
        await asyncio.gather(*waiting)
        await first.end()
        await second.end()
        return order

    # each has a share of two: at first the second run gets what the first one gives back
    assert asyncio.run(work()) == ["b1", "b2", "a5", "b3", "a6"]


def test_all_places_are_used_by_the_one_that_wants_them(book: Ledger) -> None:
    async def work() -> int:
        first, second = (Sharing(book, account(), run) for run in ("r1", "r2"))
        await first.begin()
        await second.begin()
        await settled(first, second)
        async with asyncio.timeout(20):
            for recipe in ("a1", "a2", "a3", "a4"):
                await first.sit(recipe)
        sharers = first.sharers
        await first.end()
        await second.end()
        return sharers

    assert asyncio.run(work()) == 2


def test_who_gives_up_waiting_for_a_place_leaves_none_behind(book: Ledger) -> None:
    async def work() -> bool:
        one = Sharing(book, account(running=1), "r1")
        await one.begin()
        await one.sit("a")
        waits = asyncio.create_task(one.sit("b"))
        await asyncio.sleep(0.03)
        waits.cancel()
        await asyncio.gather(waits, return_exceptions=True)
        await one.rise("a")
        await one.end()
        return book.calls.take_slot(account().fingerprint, "c", "o", 1, 60.0)

    assert asyncio.run(work())


def test_a_lower_limit_that_the_host_told_is_kept_in_the_shared_windows_too(book: Ledger) -> None:
    async def work() -> list[bool]:
        one = Sharing(book, account(amount=5), "r1")
        await one.begin()
        pace = Pace(account(amount=5).limits.windows, one)
        async with pace.request():
            pass
        pace.allow((Window(amount=3, per_s=60.0),))
        admitted = []
        for _ in range(4):
            call, _wait_s = await one.admit(creates=0, images=0)
            admitted.append(call > 0)
        await one.end()
        return admitted

    assert asyncio.run(work()) == [True, True, False, False]
