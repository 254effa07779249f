"""In: a host's name, an account. Out: its provider.

Adding a host is adding a file: the file's name is the host's name.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from flows.errors import BadInput, Fault, did_you_mean
from flows.providers.base import Account, Provider

__all__ = ["Account", "Provider", "host", "names", "opened"]


@cache
def names() -> tuple[str, ...]:
    """All hosts there are, in the order of their names."""
    return tuple(
        sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg)
    )


def host(name: str, *, place: str = "--provider") -> type[Provider]:
    """What is known of the host of that name; only its own file is imported.

    Raises:
        BadInput: there is none of that name.

    """
    if name not in names():
        raise BadInput(
            "the provider cannot be used",
            [
                Fault(
                    place,
                    f"no provider '{name}'",
                    ", ".join(names()),
                    did_you_mean(name, names()),
                )
            ],
        )
    found: type[Provider] = importlib.import_module(f"{__name__}.{name}").Host
    return found


def opened(account: Account) -> Provider:
    """The provider that speaks with this account."""
    return host(account.host)(account)
