from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

from cyclopts import Parameter

from flows.cli import terminal
from flows.errors import EnvironmentFault, ShotlistError
from flows.nouns.address import shown

if TYPE_CHECKING:
    from flows.providers import Account, Provider
    from flows.providers.base import Limits
    from flows.settings import Settings


class Finding(NamedTuple):
    """One thing that was looked at. `ok` None: nothing to mend, but worth knowing."""

    what: str
    ok: bool | None
    said: str


def doctor(*, json: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Check Python, Prefect, network, hosts, callbacks, ledger, takes, and say what to do.

    No host is asked: whether a key is still good shows when it is used.

    Args:
        json: print the findings as one JSON document.
    """
    findings = list(_findings())
    if json:
        terminal.document({"findings": [finding._asdict() for finding in findings]})
    else:
        marks = {True: "ok  ", None: "    ", False: "BAD "}
        for finding in findings:
            terminal.result(f"{marks[finding.ok]}{finding.what}: {finding.said}")
    return EnvironmentFault.exit_code if any(one.ok is False for one in findings) else 0


def _findings() -> Iterator[Finding]:
    from flows.nouns.workspace import Workspace
    from flows.settings import Settings

    workspace = Workspace(Path.cwd())
    try:
        settings = Settings.load(workspace)
    except ShotlistError as error:
        yield Finding("settings", False, str(error))
        return
    yield Finding("python", sys.version_info >= (3, 11), sys.version.split()[0])
    yield _prefect(settings.prefect_api_url)
    yield _network()
    yield from _hosts(settings)
    if settings.callback_url is not None:
        yield _callbacks(settings, settings.callback_url)
    yield from _ledger(settings.ledger_url, settings.ledger_is_there())
    yield _takes(settings.takes_url)
    yield _writable(workspace.root / "outputs")


def _network() -> Finding:
    from flows.network import Proxies, trust

    try:
        proxies = Proxies.of_environment()
        trust()
    except EnvironmentFault as error:
        return Finding("network", False, str(error))
    through = ", ".join(sorted(proxies.by_scheme))
    way = f"through the proxy for {through}" if through else "no proxy"
    return Finding("network", True, f"{way}; certificates are checked")


def _hosts(settings: Settings) -> Iterator[Finding]:
    """Each host that sells, and what a run uses that names none."""
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


def _prefect(api_url: str | None) -> Finding:
    try:
        prefect, fastapi = version("prefect"), version("fastapi")
    except PackageNotFoundError as error:
        return Finding("prefect", False, f"{error.name} is not installed; install shotlist again")
    if tuple(int(part) for part in fastapi.split(".")[:2]) >= (0, 151):
        return Finding(
            "prefect",
            False,
            f"fastapi {fastapi} breaks Prefect's server; pip install 'fastapi<0.151'",
        )
    if api_url is None:
        return Finding("prefect", True, f"{prefect}, its own local server for each run")
    if fault := unreachable(api_url):
        return Finding("prefect", False, fault)
    return Finding("prefect", True, f"{prefect}, server at {shown(api_url)}")


def unreachable(api_url: str) -> str:
    """Why the Prefect server at `api_url` cannot be used; empty where it answers."""
    import httpx

    try:
        httpx.get(f"{api_url.rstrip('/')}/health", timeout=10).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return (
            f"PREFECT_API_URL does not answer ({type(error).__name__}); start that server or "
            f"unset the variable"
        )
    return ""


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


def _ledger(url: str, is_there: bool) -> Iterator[Finding]:
    from flows.ledger import open_ledger

    if not is_there:
        yield Finding("ledger", None, "not begun; the first run makes it in .shotlist/")
        return
    try:
        with open_ledger(url) as book:
            takes = sum(row[3] for row in book.tally())
            said = f"{book.shown}, {terminal.counted(takes, 'take')}; back it up together with the "
            yield Finding("ledger", True, f"{said}takes, while no run is going")
            file = book.pace_file
            if file is not None and file.exists():
                size = file.stat().st_size / 1e6
                at_work = terminal.counted(len(book.alive()), "account")
                said = f"{file}, {size:,.1f} MB, {at_work} at work now; needs no backup"
                yield Finding("pace", True, said)
    except ShotlistError as error:
        yield Finding("ledger", False, str(error))


def _takes(url: str) -> Finding:
    from flows.storage import Place

    try:
        sizes = Place(url).sizes()
    except ShotlistError as error:
        return Finding("takes", False, str(error))
    total = sum(sizes.values()) / 1e6
    return Finding(
        "takes", True, f"{shown(url)}, {terminal.counted(len(sizes), 'file')}, {total:,.1f} MB"
    )


def _writable(folder: Path) -> Finding:
    import tempfile

    place = folder if folder.is_dir() else folder.parent
    try:
        with tempfile.TemporaryFile(dir=place):
            return Finding("outputs", True, f"{folder} can be written")
    except OSError as error:
        return Finding("outputs", False, f"{folder} cannot be written: {error.strerror}")
