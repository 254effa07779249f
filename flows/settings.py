"""Keys, addresses, paths: the only file that looks at the environment (and at `.env`)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flows.errors import EnvironmentFault
from flows.nouns.workspace import Workspace

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment says. Keys are never shown: `repr` leaves them out."""

    ledger_url: str
    takes_url: str
    references_cache: Path
    staging: Path
    prefect_api_url: str | None
    keys: Mapping[str, tuple[str, ...]] = field(repr=False)

    @classmethod
    def load(cls, workspace: Workspace) -> Settings:
        """Read the environment; a `.env` in the workspace fills in what it does not say."""
        from dotenv import dotenv_values

        file = workspace.root / ".env"
        try:
            written = dotenv_values(file)
        except (OSError, UnicodeDecodeError) as error:
            raise EnvironmentFault(f"{file}: cannot be read: {error}; save it as UTF-8") from error
        values = {**{k: v for k, v in written.items() if v is not None}, **os.environ}
        state = workspace.state
        return cls(
            ledger_url=values.get("SHOTLIST_LEDGER_URL") or f"sqlite:///{state / 'ledger.db'}",
            takes_url=values.get("SHOTLIST_TAKES_URL") or str(state / "takes"),
            references_cache=state / "references",
            staging=state / "staging",
            prefect_api_url=values.get("PREFECT_API_URL") or None,
            keys={
                host: tuple(key.strip() for key in values[variable].split(",") if key.strip())
                for host, variable in KEY_VARIABLES.items()
                if values.get(variable, "").strip()
            },
        )

    def ledger_is_there(self) -> bool:
        """False where a local ledger has not been begun; others are asked by opening them."""
        prefix = "sqlite:///"
        return (
            not self.ledger_url.startswith(prefix)
            or Path(self.ledger_url.removeprefix(prefix)).exists()
        )


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
