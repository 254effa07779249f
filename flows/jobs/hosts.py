"""Which host makes the takes, and in which realm they count. No silent placeholder."""

from __future__ import annotations

from collections.abc import Sequence

from flows import providers
from flows.errors import EnvironmentFault
from flows.nouns.rendition import Manifest
from flows.nouns.shot import Reading
from flows.plan import HostFacts
from flows.providers import Provider
from flows.settings import KEY_VARIABLES, Settings


def choose(
    *,
    named: Sequence[str],
    reading: Reading,
    settings: Settings,
    is_local: bool,
    former: Manifest | None,
    destination: str,
) -> tuple[Provider, tuple[str, ...]]:
    """The provider of a run and what should be said about the choice.

    The proof stands in only where nobody named a host and no key is set, for a local destination
    that holds no live manifest (contract: realms).

    Raises:
        BadInput: a name that no host has.
        EnvironmentFault: a host is asked for and cannot be used.

    """
    written = wished(reading)
    if named:
        chosen = [providers.provider(name) for name in named]
        return chosen[0], ()
    if written:
        return written[0], ()
    if settings.keys:
        host = min(settings.keys)
        if host in providers.names():
            return providers.provider(host), ()
        raise EnvironmentFault(
            f"{KEY_VARIABLES[host]} is set, but this version has no adapter for {host} yet; "
            f"`--provider proof` draws for position only, free and offline"
        )
    if not is_local:
        raise EnvironmentFault(
            f"no provider is named and no key is set, and {destination} is not a local folder: "
            f"proofs are not put there by themselves; set a host's key "
            f"({', '.join(sorted(KEY_VARIABLES.values()))}) or say --provider proof"
        )
    if former is not None and former["realm"] == "live":
        raise EnvironmentFault(
            f"no provider is named and no key is set, and {destination} holds bought pictures: "
            f"proofs would replace them; set a host's key, or name another place with --to"
        )
    return providers.provider("proof"), (
        "no provider named and no key set: drawing proofs, for position only",
    )


def wished(reading: Reading) -> list[Provider]:
    """The hosts that the campaign itself names.

    Raises:
        BadInput: a name that no host has.

    """
    return [
        providers.provider(name, place=reading.places.get(f"providers.use.{number}", "providers"))
        for number, name in enumerate(reading.campaign.providers.use or ())
    ]


def facts(provider: Provider) -> HostFacts:
    """What a plan needs to know of a host."""
    windows = provider.limits.windows
    return HostFacts(
        name=provider.name,
        model=provider.model,
        usd_per_image=provider.usd_per_image,
        price_reason=provider.price_note,
        requests_per_take=provider.requests_per_take,
        per_minute=min((w.requests * 60 / w.per_s for w in windows), default=None),
        running=provider.limits.running,
        latency_s=provider.latency_s,
    )
