"""In: a host's name. Out: its provider.

Adding a host is adding a file: the file's name is the host's name.
"""

from __future__ import annotations

import importlib
import pkgutil

from flows.errors import BadInput, Fault, did_you_mean
from flows.providers.base import Provider

__all__ = ["Provider", "names", "provider"]


def names() -> tuple[str, ...]:
    """All hosts there are, in the order of their names."""
    return tuple(
        sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name != "base")
    )


def provider(name: str, *, place: str = "--provider") -> Provider:
    """The provider of that name; only its own file is imported.

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
    host: type[Provider] = importlib.import_module(f"{__name__}.{name}").Host
    return host()
