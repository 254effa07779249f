from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, NamedTuple

from cyclopts import Parameter

from flows.cli import terminal
from flows.errors import EnvironmentFault, ShotlistError
from flows.nouns.address import shown


class Finding(NamedTuple):
    """One thing that was looked at. `ok` None: nothing to mend, but worth knowing."""

    what: str
    ok: bool | None
    said: str


def doctor(*, json: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Check Python, Prefect, keys, ledger, takes and storage, and say what to do.

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
    from flows.providers import names
    from flows.settings import KEY_VARIABLES, Settings

    workspace = Workspace(Path.cwd())
    try:
        settings = Settings.load(workspace)
    except ShotlistError as error:
        yield Finding("settings", False, str(error))
        return
    yield Finding("python", sys.version_info >= (3, 11), sys.version.split()[0])
    yield _prefect(settings.prefect_api_url)
    for host, variable in sorted(KEY_VARIABLES.items()):
        keys = len(settings.keys.get(host, ()))
        if host not in names():
            set_ = f"{variable} is set, but " if keys else ""
            yield Finding(host, None, f"{set_}this version has no adapter for it yet")
            continue
        said = terminal.counted(keys, "key") if keys else f"no key; set {variable} to use it"
        yield Finding(host, True if keys else None, said)
    yield _ledger(settings.ledger_url, settings.ledger_is_there())
    yield _takes(settings.takes_url)
    yield _writable(workspace.root / "outputs")


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


def _ledger(url: str, is_there: bool) -> Finding:
    from flows.ledger import open_ledger

    if not is_there:
        return Finding("ledger", None, "not begun; the first run makes it in .shotlist/")
    try:
        with open_ledger(url) as book:
            takes = sum(row[3] for row in book.tally())
            shown = book.shown
    except ShotlistError as error:
        return Finding("ledger", False, str(error))
    return Finding(
        "ledger",
        True,
        f"{shown}, {terminal.counted(takes, 'take')}; back it up together with the takes, "
        f"while no run is going",
    )


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
