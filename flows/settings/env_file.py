"""`.env`: what a workspace's own file says."""

from __future__ import annotations

from flows.errors import EnvironmentFault
from flows.nouns.workspace import Workspace


def written(workspace: Workspace) -> dict[str, str]:
    """Its variables; empty where there is none.

    Raises:
        EnvironmentFault: it cannot be read.

    """
    from dotenv import dotenv_values

    file = workspace.root / ".env"
    try:
        found = dotenv_values(file)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8: save it as that"
        raise EnvironmentFault(f"{file}: cannot be read: {why}") from error
    return {name: value for name, value in found.items() if value is not None}
