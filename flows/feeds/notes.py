"""Notes: what a feed leaves out, said once however many products it meets."""

from __future__ import annotations

MOST_NAMED = 3


class Notes:
    """Collects notes of one file; the products that share one become one line."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._met: dict[str, dict[str, None]] = {}

    def add(self, note: str, product: str = "") -> None:
        met = self._met.setdefault(note, {})
        if product:
            met[product] = None

    def all(self) -> tuple[str, ...]:
        """In the order of meeting, each with its products."""
        return tuple(f"{self._path}: {note}{_named(list(met))}" for note, met in self._met.items())


def _named(products: list[str]) -> str:
    if not products:
        return ""
    if len(products) == 1:
        return f" (product {products[0]})"
    more = " …" if len(products) > MOST_NAMED else ""
    return f" ({len(products):,} products: {', '.join(products[:MOST_NAMED])}{more})"
