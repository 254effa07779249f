"""Receiving: while a run shoots, what its hosts call back with is received and written down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from flows.errors import EnvironmentFault
from flows.ledger import Ledger
from flows.providers import Provider
from flows.providers.base import Way
from flows.shoot import Bell


class _RungBook:
    """The ledger, with a bell that rings at each new letter."""

    def __init__(self, book: Ledger, bell: Bell) -> None:
        self._book = book
        self._bell = bell

    def hear(self, host: str, message_id: str, *, job: str, mark: str, document: str) -> bool:
        is_new = self._book.hear(host, message_id, job=job, mark=mark, document=document)
        self._bell.ring()
        return is_new


@contextmanager
def received(
    public: str | None, hosts: Sequence[Provider], book: Ledger
) -> Iterator[tuple[str | None, Bell]]:
    """Gives the address that hosts are told, None where there is none, and the bell that is rung.

    Where another process listens at the port already (`shotlist callbacks`, another run), that one
    writes the letters, and they are read from the ledger.

    Raises:
        EnvironmentFault: SHOTLIST_CALLBACK_URL is no address.

    """
    bell = Bell()
    calling = [one for one in hosts if one.capabilities.treatments["callback"].way is not Way.NONE]
    if public is None or not calling:
        yield None, bell
        return
    from flows.callbacks import Receiver, bound_to, listening

    token = book.callback_token()
    address = f"{public.rstrip('/')}/{token}"
    host, port = bound_to(public)
    with ExitStack() as open_here:
        with suppress(EnvironmentFault):  # somebody listens there: their letters are read
            open_here.enter_context(
                listening(Receiver(calling, _RungBook(book, bell), token), host, port)
            )
        yield address, bell
