"""Accounts: each key of a host with its addresses, its limits and the realm its takes count in."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from flows.errors import BadInput, EnvironmentFault, Fault
from flows.nouns.account_wish import AccountWish, WindowWish
from flows.nouns.take import Realm
from flows.providers import Account, Provider
from flows.providers.base import Limits, Window
from flows.settings import Settings

NO_WISH = AccountWish()


def accounts(host: type[Provider], settings: Settings) -> list[Account]:
    """One account a key, in the order of the keys; one without a key where none is set, which is
    enough to plan with.

    Raises:
        EnvironmentFault: an address is none, or those of one host belong to different realms.
        BadInput: `SHOTLIST_ACCOUNTS` names a way to authenticate that the host does not have.

    """
    wish = settings.accounts.get(host.name, NO_WISH)
    if wish.auth is not None and wish.auth not in host.auth_ways:
        allowed = ", ".join(host.auth_ways) or "this host has one way only"
        fault = Fault(f"SHOTLIST_ACCOUNTS, {host.name}.auth", f"'{wish.auth}'", allowed)
        raise BadInput("SHOTLIST_ACCOUNTS cannot be used", [fault])
    realm, addresses = _reached(host, settings.addresses)
    keys = settings.keys.get(host.name) or ("",)
    return [
        Account(
            host=host.name,
            name=host.name if len(keys) == 1 else f"{host.name} {number}",
            realm=realm,
            key=key,
            addresses=addresses,
            limits=_limits(host.limits, wish),
            usd_per_image=(
                host.usd_per_image if wish.usd_per_image is None else wish.usd_per_image
            ),
            latency_s=host.latency_s if wish.latency_s is None else wish.latency_s,
            auth=wish.auth,
            secret=settings.secrets.get(host.name, ""),
        )
        for number, key in enumerate(keys, start=1)
    ]


def _reached(host: type[Provider], written: Mapping[str, str]) -> tuple[Realm, Mapping[str, str]]:
    """The realm and the addresses that may be used in it."""
    if not host.addresses:
        return Realm.PROOF, {}
    by_hand = {name: written[name] for name in host.addresses if name in written}
    private = {name for name, address in by_hand.items() if _is_private(name, address)}
    if not private:
        return Realm.LIVE, {**host.addresses, **by_hand}
    if others := by_hand.keys() - private:
        raise EnvironmentFault(
            f"{', '.join(sorted(private))} lead to this machine or a private network and "
            f"{', '.join(sorted(others))} elsewhere: a run is either a trial or paid; set all to "
            f"one server"
        )
    return Realm.SANDBOX, by_hand


def _is_private(name: str, address: str) -> bool:
    """Whether a base address lies on this machine or a private network."""
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise EnvironmentFault(f"{name} is not an http(s) address; write https://host/path")
    host = parts.hostname
    try:
        found = [ipaddress.ip_address(host)]
    except ValueError:
        if host == "localhost" or host.endswith(".localhost"):
            return True
        try:
            found = [
                ipaddress.ip_address(one[4][0])
                for one in socket.getaddrinfo(host, parts.port, type=socket.SOCK_STREAM)
            ]
        except (OSError, UnicodeError):
            # behind a proxy names may not be known here; nothing that answers here is private then
            return False
    if any(not one.is_global for one in found):
        return True
    if parts.scheme == "http":
        raise EnvironmentFault(f"{name} sends a key over plain http to a public host; use https")
    return False


def _limits(published: Limits, wish: AccountWish) -> Limits:
    return Limits(
        windows=(
            published.windows
            if wish.windows is None
            else tuple(_window(window) for window in wish.windows)
        ),
        running=published.running if wish.running is None else wish.running,
    )


def _window(wish: WindowWish) -> Window:
    if wish.requests is not None:
        return Window(amount=wish.requests, per_s=wish.per_s, counts="requests")
    if wish.creates is not None:
        return Window(amount=wish.creates, per_s=wish.per_s, counts="creates")
    return Window(amount=wish.images or 1, per_s=wish.per_s, counts="images")
