"""Calling: the accounts whose hosts call back, and what keeps a host from being believed."""

from __future__ import annotations

from collections.abc import Iterator

from flows import providers
from flows.jobs.accounts import accounts
from flows.providers import Account, Provider
from flows.providers.base import Way
from flows.settings import Settings


def calling(settings: Settings) -> tuple[list[Provider], list[str]]:
    """The accounts with a key whose hosts call back, and what a person should know of them.

    Raises:
        EnvironmentFault: an address is none.

    """
    found = [providers.opened(account) for account in _accounts(settings)]
    return found, list(dict.fromkeys(said for one in found if (said := unbelieved(one))))


def nobody() -> str:
    """What to say where no account of a host that calls back has a key."""
    names = ", ".join(name for name in providers.names() if _calls_back(providers.host(name)))
    return f"no key of a host that calls back is set: those are {names}; write one into .env"


def unbelieved(host: Provider) -> str:
    """Why nothing that this host calls back with can be verified; empty where it can be."""
    if host.secret_variable is None or host.account.secret or host.callback_keys() is not None:
        return ""
    return (
        f"{host.name}: {host.secret_variable} is not set: its callbacks cannot be verified and are "
        f"refused"
    )


def _calls_back(host: type[Provider]) -> bool:
    return host.capabilities.treatments["callback"].way is not Way.NONE


def _accounts(settings: Settings) -> Iterator[Account]:
    for name in settings.keys:
        host = providers.host(name)
        if _calls_back(host):
            yield from accounts(host, settings)
