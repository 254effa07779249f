"""Ears: what hosts called back with, from the ledger's letters to whoever follows the job."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from flows.ledger import Ledger
from flows.providers.base.wire import read
from flows.shoot.bell import Bell
from flows.shoot.dispatcher import Dispatcher

LOOK_S = 1.0
"""How often the letters are looked through without a ring: another process may receive them."""
PAGE = 1000


class Ears:
    """Reads letters once each, in the order in which they came."""

    def __init__(self, dispatchers: Sequence[Dispatcher], book: Ledger, bell: Bell) -> None:
        self._dispatchers = dispatchers
        self._book = book
        self._bell = bell
        self._last = 0

    async def catch_up(self) -> None:
        """Everything that was heard so far: it may tell of a create whose answer was lost."""
        while await self._read() == PAGE:
            continue

    async def listen(self) -> None:
        """Go on reading until cancelled."""
        self._bell.bind()
        while True:
            await self.catch_up()
            await self._bell.wait(LOOK_S)

    async def _read(self) -> int:
        letters = await asyncio.to_thread(self._book.heard, self._last, PAGE)
        for letter in letters:
            self._last = letter.id
            for one in self._dispatchers:
                if one.host == letter.host:
                    one.take_letter(letter.job, letter.mark, read(letter.document))
        return len(letters)
