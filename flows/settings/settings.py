"""Settings: keys, addresses and paths, as the environment and `.env` say."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from flows.errors import EnvironmentFault
from flows.nouns.workspace import Workspace
from flows.settings.env_file import written

if TYPE_CHECKING:
    from flows.nouns.account_wish import AccountWish

KEY_VARIABLES: Mapping[str, str] = {
    "aimlapi": "AIMLAPI_API_KEY",
    "byteplus": "ARK_API_KEY",
    "eachlabs": "EACHLABS_API_KEY",
    "evolink": "EVOLINK_API_KEY",
    "fal": "FAL_KEY",
    "freepik": "FREEPIK_API_KEY",
    "lumenfall": "LUMENFALL_API_KEY",
    "replicate": "REPLICATE_API_TOKEN",
}
"""Each host's own variable; several keys are separated by commas."""

ADDRESS_VARIABLES: tuple[str, ...] = (
    "AIMLAPI_BASE_URL",
    "BYTEPLUS_BASE_URL",
    "EACHLABS_BASE_URL",
    "EVOLINK_BASE_URL",
    "EVOLINK_FILES_URL",
    "FAL_API_URL",
    "FAL_CDN_URL",
    "FAL_QUEUE_URL",
    "FAL_REST_URL",
    "FAL_RUN_URL",
    "FREEPIK_BASE_URL",
    "LUMENFALL_ACCOUNT_URL",
    "LUMENFALL_BASE_URL",
    "REPLICATE_BASE_URL",
)
"""Base addresses of hosts; each host's file says the published ones."""

SECRET_VARIABLES: Mapping[str, str] = {
    "eachlabs": "EACHLABS_WEBHOOK_SECRET",
    "freepik": "FREEPIK_WEBHOOK_SECRET",
    "replicate": "REPLICATE_WEBHOOK_SECRET",
}
"""What callbacks are verified with, where the host gives or takes a secret."""


TASK_RUNNERS: tuple[str, ...] = ("threads", "processes", "dask", "ray")
"""Where files may be cut; `dask` and `ray` alone use this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """Who signs Content Credentials: places or PEM text, never shown."""

    certificate: str | None = field(default=None, repr=False)
    key: str | None = field(default=None, repr=False)
    callback: str | None = None
    """`module:function` of a function that signs, where the key lies elsewhere."""
    time_stamps: str | None = None
    """Address of an RFC 3161 authority."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment says. Keys are never shown: `repr` leaves them out."""

    ledger_url: str
    takes_url: str
    references_cache: Path
    staging: Path
    prefect_api_url: str | None
    keys: Mapping[str, tuple[str, ...]] = field(repr=False)
    """Host to its keys."""
    addresses: Mapping[str, str] = field(default_factory=dict)
    """Address variables that were set by hand."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Host to what its callbacks are verified with."""
    callback_url: str | None = None
    accounts: Mapping[str, AccountWish] = field(default_factory=dict)
    """Host to what differs from the published limits, prices and headers."""
    signing: Signing | None = None
    """None: nobody signs."""
    task_runner: str = "threads"
    """Where files are cut: a name of TASK_RUNNERS, or `dask:` or `ray:` and an address."""

    @classmethod
    def load(cls, workspace: Workspace) -> Settings:
        """Read the environment; a `.env` in the workspace fills in what it does not say.

        Nothing is changed: what storages are reached by is handed on by `hand_to_storages`.

        Raises:
            EnvironmentFault: `.env` cannot be read, or a variable says what cannot be used.

        """
        values = {**written(workspace), **os.environ}
        state = workspace.state
        return cls(
            ledger_url=values.get("SHOTLIST_LEDGER_URL") or f"sqlite:///{state / 'ledger.db'}",
            takes_url=values.get("SHOTLIST_TAKES_URL") or str(state / "takes"),
            references_cache=state / "references",
            staging=state / "staging",
            prefect_api_url=values.get("PREFECT_API_URL") or None,
            keys={
                host: keys
                for host, variable in KEY_VARIABLES.items()
                if (keys := _keys(variable, values.get(variable, "")))
            },
            addresses={
                name: values[name].strip().rstrip("/")
                for name in ADDRESS_VARIABLES
                if values.get(name, "").strip()
            },
            secrets={
                host: values[variable].strip()
                for host, variable in SECRET_VARIABLES.items()
                if values.get(variable, "").strip()
            },
            callback_url=values.get("SHOTLIST_CALLBACK_URL", "").strip() or None,
            accounts=_accounts(values.get("SHOTLIST_ACCOUNTS", "").strip(), workspace),
            signing=_signing(values),
            task_runner=_task_runner(values.get("SHOTLIST_TASK_RUNNER", "").strip()),
        )

    def ledger_is_there(self) -> bool:
        """False where a local ledger has not been begun; others are asked by opening them."""
        prefix = "sqlite:///"
        return (
            not self.ledger_url.startswith(prefix)
            or Path(self.ledger_url.removeprefix(prefix)).exists()
        )


def _keys(variable: str, text: str) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in text.split(",") if key.strip())
    if not all(re.fullmatch(r"[!-~]+", key) for key in keys):
        # told without the key: whatever is wrong with it, it stays a secret
        raise EnvironmentFault(
            f"{variable} holds a blank or a letter that no key has; copy the key again"
        )
    return keys


def _signing(values: Mapping[str, str]) -> Signing | None:
    variables = {
        "certificate": "SHOTLIST_C2PA_CERT",
        "key": "SHOTLIST_C2PA_KEY",
        "callback": "SHOTLIST_C2PA_SIGNER",
        "time_stamps": "SHOTLIST_C2PA_TSA",
    }
    said = {name: values.get(one, "").strip() or None for name, one in variables.items()}
    return Signing(**said) if any(said.values()) else None


def _task_runner(said: str) -> str:
    kind, colon, address = said.partition(":")
    has_address = kind in {"dask", "ray"} and bool(address.strip())
    if not said or (kind in TASK_RUNNERS and (has_address or not colon)):
        return said or "threads"
    raise EnvironmentFault(
        f"SHOTLIST_TASK_RUNNER: {said!r} is no task runner (allowed: {', '.join(TASK_RUNNERS)}, "
        f"dask:tcp://HOST:PORT, ray:ray://HOST:PORT)"
    )


def _accounts(name: str, workspace: Workspace) -> Mapping[str, AccountWish]:
    if not name:
        return {}
    from flows.read.accounts import accounts

    return accounts(workspace.root / name, KEY_VARIABLES)


def quiet_prefect(api_url: str | None, *, verbose: bool) -> None:
    """Set what Prefect reads as it is imported: no telemetry, no chatter between our lines.

    What a person has set in the environment wins; `verbose` lets Prefect speak.
    """
    if api_url is not None:
        os.environ["PREFECT_API_URL"] = api_url
    for name, value in {
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_CLI_PROMPT": "false",
        "DO_NOT_TRACK": "1",
        # the console alone: the Prefect page keeps its logs; errors are told in our own words
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "INFO" if verbose else "CRITICAL",
        "PREFECT_LOGGING_SERVER_LEVEL": "WARNING" if verbose else "CRITICAL",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    }.items():
        os.environ.setdefault(name, value)
