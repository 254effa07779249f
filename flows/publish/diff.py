"""What changed between two manifests: files, the takes behind them, failures and money, with why.

A file is the same wish in both where product, variant, locale, output and format are the same: its
path may follow its contents, and its shot may be called after another output. Of several takes of
one wish those with the same number are held together, then the others in their order. The run, when
a take came and its number at the host are no change: they differ between equal runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from flows.nouns.rendition import FailureRow, Manifest, RenditionRow, TakeRow
from flows.publish.reasons import (
    PLACE,
    Fields,
    fields_of,
    why_added,
    why_removed,
    why_replaced,
    why_said_otherwise,
)

DIFF_SCHEMA = "shotlist/diff/1"

Kind = Literal["replaced", "moved", "described"]
"""Other bytes; the same bytes elsewhere; the same file of which something else is said."""

_HEAD = ("campaign", "title", "realm", "spec_sha256", "totals")
_UNSAID = frozenset({"made_from"})
"""A digest that follows from other fields, or from what left no trace in the file."""
_OF_THE_HOUR = frozenset({"created_at", "host_task_id", "shot_ids"})


@dataclass(frozen=True, slots=True)
class Single:
    """A file that only one of the manifests has, and why as far as they tell."""

    row: RenditionRow
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A file that both have and that is not the same."""

    kind: Kind
    old: RenditionRow
    new: RenditionRow
    why: tuple[str, ...]
    fields: Fields


@dataclass(frozen=True, slots=True)
class Money:
    """What the takes of a manifest cost in USD; `unknown` counts those whose cost is not known."""

    usd: float
    unknown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """All that changed from one manifest to another. Lists are in the manifests' order."""

    head: Fields
    added: list[Single]
    removed: list[Single]
    changed: list[Change]
    unchanged: int
    takes_added: list[TakeRow]
    takes_removed: list[TakeRow]
    takes_changed: list[tuple[TakeRow, TakeRow, Fields]]
    failures_added: list[FailureRow]
    failures_removed: list[FailureRow]
    paid: tuple[Money, Money]
    """For all takes that the manifests name, before and after."""
    paid_for_new: Money
    """For takes that only the later one names, or that were made again."""

    @property
    def is_same(self) -> bool:
        """Nothing that is published differs; a changed spec alone is no difference."""
        lists: tuple[Sequence[object], ...] = (
            self.added, self.removed, self.changed, self.takes_added, self.takes_removed,
            self.takes_changed, self.failures_added, self.failures_removed,
        )  # fmt: skip
        return not any(lists) and self.head.keys() <= {"spec_sha256"}

    def of_kind(self, kind: Kind) -> list[Change]:
        return [change for change in self.changed if change.kind == kind]

    def document(self) -> dict[str, object]:
        """For `--json`: rows as they stand in the manifests, pairs as [before, after]."""
        return {
            "schema": DIFF_SCHEMA,
            "is_same": self.is_same,
            "head": self.head,
            "renditions": {
                "added": [{"why": one.why, "row": one.row} for one in self.added],
                "removed": [{"why": one.why, "row": one.row} for one in self.removed],
                **{
                    kind: [_told(change) for change in self.of_kind(kind)]
                    for kind in ("replaced", "moved", "described")
                },
                "unchanged": self.unchanged,
            },
            "takes": {
                "added": self.takes_added,
                "removed": self.takes_removed,
                "changed": [
                    {"recipe": new["recipe"], "shot_ids": new["shot_ids"], "fields": fields}
                    for _, new, fields in self.takes_changed
                ],
            },
            "failures": {"added": self.failures_added, "removed": self.failures_removed},
            "cost_usd": {
                "before": _money(self.paid[0]),
                "after": _money(self.paid[1]),
                "of_new_takes": _money(self.paid_for_new),
            },
        }


def difference(old: Manifest, new: Manifest) -> Difference:
    """What changed from `old` to `new`."""
    before = {take["recipe"]: take for take in old["takes"]}
    after = {take["recipe"]: take for take in new["takes"]}
    added: list[RenditionRow] = []
    removed: list[RenditionRow] = []
    changed: list[Change] = []
    unchanged = 0
    for one, other in _pairs(old["renditions"], new["renditions"]):
        if one is None or other is None:
            if one is not None:
                removed.append(one)
            if other is not None:
                added.append(other)
        elif change := _change(one, other, before[one["recipe"]], after[other["recipe"]]):
            changed.append(change)
        else:
            unchanged += 1
    takes_changed = [
        (before[recipe], take, fields)
        for recipe, take in after.items()
        if recipe in before and (fields := fields_of(before[recipe], take, but=_OF_THE_HOUR))
    ]
    takes_added = [take for recipe, take in after.items() if recipe not in before]
    made_again = [take for _, take, fields in takes_changed if "sha256" in fields]
    return Difference(
        head={name: pair for name, pair in fields_of(old, new).items() if name in _HEAD},
        added=[Single(row, why) for row, why in zip(added, why_added(added, old), strict=True)],
        removed=[
            Single(row, why) for row, why in zip(removed, why_removed(removed, new), strict=True)
        ],
        changed=changed,
        unchanged=unchanged,
        takes_added=takes_added,
        takes_removed=[take for recipe, take in before.items() if recipe not in after],
        takes_changed=takes_changed,
        failures_added=_without(new["failures"], old["failures"]),
        failures_removed=_without(old["failures"], new["failures"]),
        paid=(_paid(old["takes"]), _paid(new["takes"])),
        paid_for_new=_paid([*takes_added, *made_again]),
    )


Pair = tuple[RenditionRow | None, RenditionRow | None]
Wish = tuple[str, str, str, str, str]


def _pairs(old: Sequence[RenditionRow], new: Sequence[RenditionRow]) -> Iterator[Pair]:
    """Rows of one wish side by side, in the order of the new ones; what is gone comes last."""
    before, after = _by_wish(old), _by_wish(new)
    for wish, rows in after.items():
        left = before.get(wish, [])
        if len(rows) == len(left) == 1:
            yield left[0], rows[0]
            continue
        left = [*left]
        same = [_taken_out(left, row["take"]) for row in rows]
        rest = iter(left)
        for row, former in zip(rows, same, strict=True):
            yield former or next(rest, None), row
        yield from ((row, None) for row in rest)
    for wish, rows in before.items():
        if wish not in after:
            yield from ((row, None) for row in rows)


def _taken_out(rows: list[RenditionRow], take: int) -> RenditionRow | None:
    at = next((at for at, row in enumerate(rows) if row["take"] == take), None)
    return None if at is None else rows.pop(at)


def _by_wish(rows: Iterable[RenditionRow]) -> dict[Wish, list[RenditionRow]]:
    found: dict[Wish, list[RenditionRow]] = {}
    for row in rows:
        wish = (row["product"], row["variant"], row["locale"], row["name"], row["format"])
        found.setdefault(wish, []).append(row)
    return found


def _change(
    old: RenditionRow, new: RenditionRow, old_take: TakeRow, new_take: TakeRow
) -> Change | None:
    fields = fields_of(old, new, but=_UNSAID) if old != new else {}
    if "sha256" in fields:
        why = why_replaced(old, new, old_take, new_take)
        return Change(kind="replaced", old=old, new=new, why=why, fields=fields)
    if not fields:
        return None
    kind: Kind = "moved" if PLACE & fields.keys() else "described"
    return Change(kind=kind, old=old, new=new, why=why_said_otherwise(fields), fields=fields)


def _without(rows: Sequence[FailureRow], others: Sequence[FailureRow]) -> list[FailureRow]:
    known = {_facts(row) for row in others}
    return [row for row in rows if _facts(row) not in known]


def _facts(row: FailureRow) -> tuple[object, ...]:
    return row["shot_id"], row["stage"], row["reason"], row["provider"], row["billed"]


def _paid(takes: Iterable[TakeRow]) -> Money:
    costs = [take["cost_usd"] for take in takes]
    known = [Decimal(str(cost)) for cost in costs if cost is not None]
    return Money(usd=float(sum(known)), unknown=len(costs) - len(known))


def _money(paid: Money) -> dict[str, object]:
    return {"usd": paid.usd, "takes_of_unknown_cost": paid.unknown}


def _told(change: Change) -> dict[str, object]:
    return {
        "path": change.new["path"],
        "shot_id": change.new["shot_id"],
        "why": list(change.why),
        "fields": change.fields,
    }
