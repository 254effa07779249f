"""What is known of reference images, so that one that has not changed is not read again."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Engine, select

from flows.ledger import tables
from flows.ledger.engines import WRITES
from flows.ledger.rows import insert_or_replace
from flows.nouns.reference import Looked

LONGEST = 2000
"""Characters of a location; a longer one is looked at again each time."""


class Contents:
    """Location to its stamp (size and time, or ETag) and what was seen there."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = engine.execution_options(**{WRITES: True})

    def known(self) -> dict[str, tuple[str, Looked]]:
        """Everything that was seen."""
        with self._engine.connect() as connection:
            return {
                row.location: (
                    row.stamp,
                    Looked(
                        sha256=row.sha256,
                        size=row.bytes,
                        width=row.width,
                        height=row.height,
                        format=row.format,
                    ),
                )
                for row in connection.execute(select(tables.contents))
            }

    def remember(self, seen: Mapping[str, tuple[str, Looked]]) -> None:
        """Keep what was seen, over what was known."""
        with self._writer.begin() as connection:
            rows = [
                {
                    "location": location,
                    "stamp": stamp,
                    "sha256": looked.sha256,
                    "bytes": looked.size,
                    "width": looked.width,
                    "height": looked.height,
                    "format": looked.format,
                }
                for location, (stamp, looked) in sorted(seen.items())
                if len(location) <= LONGEST
            ]
            if rows:
                connection.execute(insert_or_replace(connection, tables.contents), rows)
