"""Why a file is another one than before, as far as two manifests tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import cast

from flows.nouns.rendition import Manifest, RenditionRow, TakeRow
from flows.nouns.text_difference import told

Fields = dict[str, tuple[object, object]]
"""What differs, before and after, by field."""

PLACE = frozenset({"path", "url"})
_AXES = ("product", "variant", "locale", "output")
_WORDS = ("alt", "tags")


def fields_of(old: object, new: object, *, but: frozenset[str] = frozenset()) -> Fields:
    """The fields that differ between two rows, without those of `but`."""
    before, after = cast("dict[str, object]", old), cast("dict[str, object]", new)
    return {
        name: (before.get(name), value)
        for name, value in after.items()
        if name not in but and before.get(name) != value
    }


def why_replaced(
    old: RenditionRow, new: RenditionRow, old_take: TakeRow, new_take: TakeRow
) -> tuple[str, ...]:
    """Why the bytes of a file are others; never empty."""
    why = (*_picture(old, new, old_take, new_take), *_finish(fields_of(old, new)))
    return why or ("it was finished otherwise (quality, cut, overlays, rights, version)",)


def why_said_otherwise(fields: Fields) -> tuple[str, ...]:
    """What is said otherwise of a file whose bytes are the same."""
    return tuple(_said(fields))


def why_added(rows: Sequence[RenditionRow], old: Manifest) -> list[str]:
    """Why the earlier manifest has not had each of these files."""
    return _why_alone(
        rows, old, lambda noun: "its shot had failed" if noun == "failed" else f"the {noun} is new"
    )


def why_removed(rows: Sequence[RenditionRow], new: Manifest) -> list[str]:
    """Why the later manifest has each of these files no more."""
    said = {"failed": "its shot failed", "product": "its product is not chosen any more"}
    return _why_alone(rows, new, lambda noun: said.get(noun, f"the {noun} is gone"))


def _picture(
    old: RenditionRow, new: RenditionRow, old_take: TakeRow, new_take: TakeRow
) -> Iterator[str]:
    """Why the picture behind a file is another one; nothing where it is not."""
    if old["recipe"] == new["recipe"]:
        if old_take["sha256"] != new_take["sha256"]:
            yield f"its take was made again, at {new_take['provider']}"
        return
    why: list[str] = []
    if old["take"] != new["take"]:
        why.append(f"take {new['take']} instead of take {old['take']}")
    if old["prompt"] != new["prompt"]:
        why.append(f"the prompt changed: {told(old['prompt'], new['prompt'])}")
    why += _references(old_take, new_take)
    if old_take["model"] != new_take["model"]:
        why.append(f"the model is {new_take['model']} instead of {old_take['model']}")
    if not why and old_take["seed"] != new_take["seed"]:
        why.append("the seed changed")
    yield from why or ["the recipe changed: shape, resolution or a setting of the model"]


def _references(old: TakeRow, new: TakeRow) -> list[str]:
    def by_role(take: TakeRow) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for one in take["references"]:
            found.setdefault(one["role"], []).append(one["sha256"])
        return found

    before, after = by_role(old), by_role(new)
    roles = [*dict.fromkeys([*after, *before])]
    return [
        f"the {role} reference {_became(role in before, role in after)}"
        for role in roles
        if before.get(role) != after.get(role)
    ]


def _became(was_there: bool, is_there: bool) -> str:  # noqa: FBT001 - before and after
    if was_there and is_there:
        return "changed"
    return "is new" if is_there else "is gone"


def _finish(fields: Fields) -> Iterator[str]:
    """What is another in the file though the picture may be the same."""
    if "width" in fields or "height" in fields:
        yield "the size changed"
    words = [name for name in _WORDS if name in fields]
    if words:
        yield f"{' and '.join(words)} changed"
    if "digital_source_type" in fields:
        yield "the source type changed"


def _said(fields: Fields) -> Iterator[str]:
    if "path" in fields:
        yield "the path changed"
    elif "url" in fields:
        yield "the public address changed"
    if "stale" in fields:
        yield "its recipe is not wanted any more" if fields["stale"][1] else "it is wanted again"
    rest = [name for name in fields if name not in PLACE and name != "stale"]
    if rest:
        yield f"{', '.join(rest)} changed"


def _why_alone(
    rows: Sequence[RenditionRow], elsewhere: Manifest, words: Callable[[str], str]
) -> list[str]:
    """By the first axis of which the other manifest has nothing at all."""
    if not rows:
        return []
    failed = {row["shot_id"]: row["reason"] for row in elsewhere["failures"]}
    cells = {_cell(row) for row in elsewhere["renditions"]}
    known = [set(values) for values in zip(*cells, strict=True)] or [set() for _ in _AXES]

    def why(row: RenditionRow) -> str:
        if row["shot_id"] in failed:
            return f"{words('failed')}: {failed[row['shot_id']]}"
        for noun, value, there in zip(_AXES, _cell(row), known, strict=True):
            if value not in there:
                return words(noun)
        return words("format" if _cell(row) in cells else "combination")

    return [why(row) for row in rows]


def _cell(row: RenditionRow) -> tuple[str, ...]:
    return row["product"], row["variant"], row["locale"], row["name"]
