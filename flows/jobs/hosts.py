"""Which hosts make the takes, and in which realm they count. No silent placeholder."""

from __future__ import annotations

from collections.abc import Sequence

from flows import providers
from flows.errors import EnvironmentFault
from flows.jobs.accounts import accounts
from flows.nouns.outline import Outline
from flows.nouns.rendition import Manifest
from flows.nouns.shot import Reading
from flows.nouns.take import Realm
from flows.plan import HostFacts
from flows.providers import Account, Provider
from flows.settings import KEY_VARIABLES, Settings


def choose(
    *,
    named: Sequence[str],
    reading: Reading,
    settings: Settings,
    is_local: bool,
    former: Manifest | None,
    destination: str,
) -> tuple[tuple[Account, ...], tuple[str, ...]]:
    """The accounts of a run, first choice first, and what should be said about the choice.

    The command line wins over the campaign, the campaign over the keys that are set. The proof
    stands in only where nobody named a host and no key is set, for a local destination that holds
    no live manifest (contract: realms).

    Raises:
        BadInput: a name that no host has.
        EnvironmentFault: a host is asked for and cannot be used.

    """
    wished = [providers.host(name) for name in named] or named_by(reading)
    if not wished:
        wished = [providers.host(name) for name in settings.keys]
    if wished:
        chosen = [one for host in dict.fromkeys(wished) for one in accounts(host, settings)]
        _refuse_mixed(chosen)
        return tuple(chosen), ()
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
    return tuple(accounts(providers.host("proof"), settings)), (
        "no provider named and no key set: drawing proofs, for position only",
    )


def named_by(reading: Reading | Outline) -> list[type[Provider]]:
    """The hosts that the campaign itself names.

    Raises:
        BadInput: a name that no host has.

    """
    return [
        providers.host(name, place=reading.places.get(f"providers.use.{number}", "providers"))
        for number, name in enumerate(reading.campaign.providers.use or ())
    ]


def require_keys(chosen: Sequence[Account]) -> None:
    """Before money is asked for.

    Raises:
        EnvironmentFault: a host has no key.

    """
    missing = [
        f"{variable} (for {one.host})"
        for one in chosen
        if not one.key and (variable := providers.host(one.host).key_variable)
    ]
    if missing:
        raise EnvironmentFault(
            f"no key: set {', '.join(missing)} in the environment or in the workspace's .env"
        )


def facts(chosen: Sequence[Account], *, is_named: bool) -> list[HostFacts]:
    """What a plan needs to know of the hosts; several accounts of one are one host."""
    by_host: dict[str, list[Account]] = {}
    for one in chosen:
        by_host.setdefault(one.host, []).append(one)
    return [_facts(together, is_named=is_named) for together in by_host.values()]


def _facts(together: Sequence[Account], *, is_named: bool) -> HostFacts:
    account, count = together[0], len(together)
    host = providers.host(account.host)
    limits = account.limits
    rates = [
        window.amount * 60 / window.per_s / (host.requests_per_take or 1)
        if window.counts == "requests"
        else window.amount * 60 / window.per_s
        for window in limits.windows
    ]
    return HostFacts(
        name=host.name,
        model=host.model,
        usd_per_image=account.usd_per_image,
        price_reason=host.price_note,
        requests_per_take=host.requests_per_take,
        takes_per_minute=count * min(rates) if rates else None,
        running=None if limits.running is None else count * limits.running,
        latency_s=account.latency_s,
        capabilities=host.capabilities,
        is_named=is_named,
    )


def _refuse_mixed(chosen: Sequence[Account]) -> None:
    realms: dict[Realm, list[str]] = {}
    for one in chosen:
        realms.setdefault(one.realm, []).append(one.host)
    if len(realms) > 1:
        told = "; ".join(
            f"{realm}: {', '.join(dict.fromkeys(hosts))}" for realm, hosts in realms.items()
        )
        raise EnvironmentFault(
            f"the hosts of one run must count in one realm, and these do not ({told}); name those "
            f"that you mean with --provider"
        )
