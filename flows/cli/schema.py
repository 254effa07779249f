from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from flows.cli import terminal


def schema(*, manifest: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Print the JSON Schema of a campaign file, for editors and checks.

    Args:
        manifest: print the one of a manifest instead: what a run leaves at its destination.
    """
    if manifest:
        from flows.publish.schema import manifest_schema

        terminal.document(manifest_schema(), indent=2)
        return 0
    from flows import read

    terminal.document(read.schema(), indent=2)
    return 0
