"""The hosts that the sandbox speaks for: one file each, found by its name.

A host module has `HOST: Host` (what the host is), `routes(world) -> list[BaseRoute]` (its API) and
`environment(base) -> dict` (the variables that point a client at it; `base` is the server's
address without a slash at the end). `flows/sandbox/world.py` tells how to write one.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from flows.sandbox.world import Host, World


class HostModule(Protocol):
    """What a file of this folder must have."""

    HOST: Host

    def routes(self, world: World) -> list[BaseRoute]:
        """The host's API, its paths beginning with one of its prefixes."""
        ...

    def environment(self, base: str) -> dict[str, str]:
        """Variables by name: addresses, one key, webhook secrets."""
        ...


def names() -> list[str]:
    """The hosts there are, in the alphabet's order; `fal_files.py` is a part of the host `fal`."""
    found = (module.name for module in pkgutil.iter_modules(__path__))
    return sorted(name for name in found if "_" not in name)


def modules() -> Iterator[HostModule]:
    """Every host's module, imported."""
    for name in names():
        yield cast("HostModule", importlib.import_module(f"{__name__}.{name}"))
