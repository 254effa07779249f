"""What is known of reference images, so that one that has not changed is not read again."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Engine, insert, select

from flows.ledger import tables
from flows.nouns.reference import Looked

CHUNK = 500


class Contents:
    """Location to its stamp (size and time, or ETag) and what was seen there."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

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
        table = tables.contents
        with self._engine.begin() as connection:
            locations = list(seen)
            for start in range(0, len(locations), CHUNK):
                chunk = locations[start : start + CHUNK]
                connection.execute(table.delete().where(table.c.location.in_(chunk)))
            if seen:
                connection.execute(
                    insert(table),
                    [
                        {
                            "location": location,
                            "stamp": stamp,
                            "sha256": looked.sha256,
                            "bytes": looked.size,
                            "width": looked.width,
                            "height": looked.height,
                            "format": looked.format,
                        }
                        for location, (stamp, looked) in seen.items()
                    ],
                )
