"""Prefect: its version, those of what it stands on, and the server that is named."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from flows.cli.checkup.finding import Finding
from flows.nouns.address import shown

TOO_NEW = {
    "fastapi": ((0, 151), "Prefect's server does not start with it"),
    "sqlalchemy": (
        (2, 1),
        "the scheduler of Prefect's server fails with it, and no schedule fires",
    ),
}
"""What breaks Prefect, from which version on, and what is seen of it."""


def prefect(api_url: str | None) -> Finding:
    try:
        of = {name: version(name) for name in ("prefect", *TOO_NEW)}
    except PackageNotFoundError as error:
        return Finding("prefect", False, f"{error.name} is not installed; install shotlist again")
    broken = [
        f"{name} {of[name]}: {seen}; pip install '{name}<{'.'.join(map(str, first))}'"
        for name, (first, seen) in TOO_NEW.items()
        if _number(of[name]) >= first
    ]
    if broken:
        return Finding("prefect", False, "; ".join(broken))
    names = f"{of['prefect']} with SQLAlchemy {of['sqlalchemy']}"
    if api_url is None:
        return Finding("prefect", True, f"{names}, its own local server for each run")
    if fault := unreachable(api_url):
        return Finding("prefect", False, fault)
    return Finding("prefect", True, f"{names}, server at {shown(api_url)}")


def _number(text: str) -> tuple[int, ...]:
    """`2.1.0b1` to (2, 1)."""
    return tuple(int(part) for part in text.split(".")[:2] if part.isdecimal())


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
