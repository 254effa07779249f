"""Shooting: a studio in a thread of its own. Outcomes are handed on as they come, so that finishing
overlaps with shooting.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from decimal import Decimal

from flows.ledger import Ledger, TakeStore
from flows.nouns.campaign import Moderation
from flows.nouns.take import OnUnknown
from flows.providers import Provider
from flows.shoot.bell import Bell
from flows.shoot.outcome import Outcome, Wanted
from flows.shoot.pool import Policy
from flows.shoot.purse import Purse
from flows.shoot.studio import Studio


def shoot(
    wanted: Sequence[Wanted],
    *,
    hosts: Sequence[Provider],
    policy: Policy = "failover",
    on_unknown: OnUnknown = "park",
    book: Ledger,
    store: TakeStore,
    run: str,
    cap_usd: Decimal | None = None,
    spent_usd: Decimal = Decimal(0),
    moderation: Moderation | None = None,
    callback: str | None = None,
    bell: Bell | None = None,
) -> Generator[Outcome]:
    """Make the takes that are missing; those that are there come back as they are. Each recipe
    once, in the order in which they are settled.

    `hosts` are the accounts, all of one realm, first choice first. `spent_usd` counts towards
    `cap_usd` from the start. `moderation` says what is done about prompts that a host refuses;
    None: they are reported. `callback` is the address at which a receiver writes what hosts call
    back with into the ledger; it rings `bell`. Closing the iterator stops buying and waits until
    what was sent is settled.
    """
    studio = Studio(
        wanted,
        hosts,
        policy,
        on_unknown,
        book,
        store,
        run=run,
        purse=Purse(cap_usd, spent_usd),
        moderation=moderation,
        callback=callback,
        bell=bell,
    )
    thread = threading.Thread(target=studio.run, name="studio", daemon=True)
    thread.start()
    try:
        while (item := studio.outcomes.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        studio.stop()
        thread.join()
