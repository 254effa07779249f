"""Addresses: where an account's requests may go, key and all."""

from __future__ import annotations

import httpx

from flows.errors import EnvironmentFault
from flows.providers.base.account import Account
from flows.providers.base.fields import link_in


def address_of(account: Account, variable: str) -> str:
    """The base address, without a slash at its end.

    Raises:
        EnvironmentFault: only its siblings were set, to a server of one's own.

    """
    base = account.addresses.get(variable)
    if base is None:
        raise EnvironmentFault(f"{account.host}: no address to send to; set {variable}")
    return base


def is_at(address: object, base: str) -> bool:
    """Whether an address that an answer gave has the scheme, host and port of `base`: the key goes
    nowhere else.
    """
    link = link_in(address)
    if link is None:
        return False
    given, ours = httpx.URL(link), httpx.URL(base)
    places = [(url.scheme, url.host, url.port) for url in (given, ours)]
    return places[0] == places[1] and not given.userinfo
