from __future__ import annotations

from flows.cli import terminal


def schema() -> int:
    """Print the JSON Schema of a campaign file, for editors and checks."""
    from flows import read

    terminal.document(read.schema(), indent=2)
    return 0
