"""Hosts: keys, addresses, prices and limits, and who calls back. None of them is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from flows.cli import terminal
from flows.cli.checkup.finding import Finding
from flows.errors import ShotlistError
from flows.nouns.address import shown

if TYPE_CHECKING:
    from flows.providers import Account, Provider
    from flows.providers.base import Limits
    from flows.settings import Settings


def hosts(settings: Settings) -> Iterator[Finding]:
    """Each host that sells, what a run uses that names none, and what hosts call."""
    yield from _hosts(settings)
    if settings.callback_url is not None:
        yield _callbacks(settings, settings.callback_url)


def _hosts(settings: Settings) -> Iterator[Finding]:
    from flows import providers
    from flows.jobs.accounts import accounts

    usable: dict[str, Account] = {}
    for name in providers.names():
        host = providers.host(name)
        if host.key_variable is None:
            continue
        try:
            found = accounts(host, settings)
        except ShotlistError as error:
            yield Finding(name, False, str(error))
            continue
        yield _host(host, found)
        if found[0].key:
            usable[name] = found[0]
    yield _unnamed(usable)


def _host(host: type[Provider], found: list[Account]) -> Finding:
    account, selling = found[0], next(iter(host.addresses))
    if selling not in account.addresses:
        set_ = ", ".join(account.addresses)
        said = f"{set_} lead to this machine or a private network: set {selling} too, or none"
        return Finding(host.name, False, said)
    where = f"{account.realm} at {shown(account.addresses[selling])}"
    facts = "; ".join([where, _price(account), _limits(account.limits)])
    if account.key:
        return Finding(host.name, True, f"{terminal.counted(len(found), 'key')}; {facts}")
    remedy = f"no key: write {host.key_variable}=... into .env to use it"
    return Finding(host.name, None, f"{remedy}; {facts}")


def _price(account: Account) -> str:
    if account.usd_per_image is None:
        return "price not known (say usd_per_image in SHOTLIST_ACCOUNTS to hold a budget)"
    return f"${account.usd_per_image} an image"


def _limits(limits: Limits) -> str:
    told = [f"{one.amount:,} {one.counts} in {one.per_s:g} s" for one in limits.windows]
    if limits.running is not None:
        told.append(f"{limits.running} running")
    return ", ".join(told) or "no limits known"


def _unnamed(usable: dict[str, Account]) -> Finding:
    """What a run does where neither command line nor campaign names a host."""
    what, realms = "no host named", {account.realm for account in usable.values()}
    if not usable:
        return Finding(what, None, "no key is set: a run draws proofs, into a local folder alone")
    if len(realms) > 1:
        told = ", ".join(f"{name} {account.realm}" for name, account in usable.items())
        said = f"a run stops: the keys lead to different realms ({told}); name hosts by --provider"
        return Finding(what, None, said)
    names = ", ".join(usable)
    return Finding(what, True, f"a run uses {names} ({realms.pop()})")


def _callbacks(settings: Settings, public: str) -> Finding:
    from flows.callbacks import bound_to
    from flows.jobs.calling import calling, nobody

    try:
        host, port = bound_to(public)
        called, doubts = calling(settings)
    except ShotlistError as error:
        return Finding("callbacks", False, str(error))
    if not called:
        return Finding("callbacks", None, nobody())
    names = ", ".join(dict.fromkeys(one.name for one in called))
    said = (
        f"{names} call {shown(public)}; heard at {host}:{port} by a run, or by `shotlist callbacks`"
    )
    return Finding("callbacks", None if doubts else True, "; ".join([said, *doubts]))
