"""Assignments: which published file is which variant, as a table for whoever sets up the ads."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence

from flows.nouns.rendition import Manifest
from flows.results.arms import Arm, spelled
from flows.results.names import ad_names

# What a spreadsheet takes for a formula at the start of a cell
# (https://owasp.org/www-community/attacks/CSV_Injection), full-width forms among them.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


_FACTOR = "factor: "


def assignments(manifest: Manifest, arms: Sequence[Arm]) -> bytes:
    """`assignments.csv`: a row for each rendition, in the manifest's order; UTF-8 with BOM.

    Columns: product, variant, a `factor: <name>` for each factor of the experiment, weight (as the
    campaign says it), share (of all weights, 0 to 1), locale, shot_id, name, channel, format,
    path, url, utm_campaign, utm_content, creative_id, ad_name, stale. `utm_content` is the id to
    join by: `creative_id`, the id in adcp.json, begins with it, and `ad_name` holds it for
    platforms that report by an ad's name alone. Formats of one picture share it. A variant that
    left the campaign keeps its rows and has no weight.

    A text cell that a spreadsheet would run as a formula gets an apostrophe before it.
    """
    by_id = {arm.id: arm for arm in arms}
    whole = sum(arm.weight for arm in arms)
    factors = list(dict.fromkeys(name for arm in arms for name in arm.levels))
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(
        [
            "product", "variant", *(f"{_FACTOR}{name}" for name in factors), "weight", "share",
            "locale", "shot_id", "name", "channel", "format", "path", "url", "utm_campaign",
            "utm_content", "creative_id", "ad_name", "stale",
        ]
    )  # fmt: skip
    campaign = manifest["campaign"]
    names = ad_names(manifest, arms)
    for row in manifest["renditions"]:
        variant = row["variant"]
        content, creative = names[row["path"]]
        parts = (campaign, row["product"], variant, row["locale"], row["name"], content)
        known = by_id.get(variant)
        table.writerow(
            map(
                _cell,
                [
                    row["product"],
                    variant,
                    *(
                        spelled(known.levels[name]) if known and name in known.levels else ""
                        for name in factors
                    ),
                    f"{known.weight:g}" if known else "",
                    f"{known.weight / whole:.6g}" if known else "",
                    row["locale"],
                    row["shot_id"],
                    row["name"],
                    row["channel"] or "",
                    row["format"],
                    row["path"],
                    row["url"] or "",
                    campaign,
                    content,
                    creative,
                    " | ".join(part for part in parts if part),
                    "true" if row["stale"] else "false",
                ],
            )
        )
    return text.getvalue().encode("utf-8-sig", "replace")


def published(data: bytes) -> tuple[Arm, ...]:
    """The arms that an assignment file tells of, in its order; none where it is none of ours."""
    text = io.StringIO(data.decode("utf-8-sig", "replace"), newline="")
    arms: dict[str, Arm] = {}
    for row in csv.DictReader(text, restval=""):
        variant = _text(row.get("variant") or "")
        if variant and variant not in arms:
            levels = {
                name.removeprefix(_FACTOR): _text(cell)
                for name, cell in row.items()
                if name and name.startswith(_FACTOR) and cell
            }
            arms[variant] = Arm(variant, _weight(row.get("weight") or ""), levels)
    return tuple(arms.values())


def products(data: bytes) -> frozenset[str]:
    """The products that an assignment file tells of."""
    return _all_of(data, "product")


def campaigns(data: bytes) -> frozenset[str]:
    """The campaigns that an assignment file tells of: one, or none where it is none of ours."""
    return _all_of(data, "utm_campaign")


def _all_of(data: bytes, column: str) -> frozenset[str]:
    text = io.StringIO(data.decode("utf-8-sig", "replace"), newline="")
    rows = csv.DictReader(text, restval="")
    return frozenset(filter(None, (_text(row.get(column) or "") for row in rows)))


def _weight(cell: str) -> float:
    try:
        weight = float(cell)
    except ValueError:
        return 0.0
    return weight if 0 < weight < math.inf else 0.0


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _text(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell
