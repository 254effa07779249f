"""adcp.json: what was made, in the shape in which a creative agent of AdCP answers.

It is the answer with variants of `build_creative` (https://docs.adcontextprotocol.org, schemas in
https://github.com/adcontextprotocol/adcp under static/schemas/source), of which only what 3.1 has
is used. A group is a product in one output and locale; its variants are the A/B cells, and each is
a manifest of the kind `image` with one picture. A file format is no alternative: of each cell the
most widely taken one is handed over, and what that kind cannot carry (AVIF, TIFF) is not.

What was paid for a take stands at its first variant, and 0 at the others that are cut from it, so
that the sum is what was paid. Where a cost is not known, neither it nor the sum is said.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from flows.nouns.campaign import Adcp
from flows.nouns.rendition import FailureRow, Manifest, RenditionRow, TakeRow
from flows.nouns.shot import Shot

ADCP_JSON = "adcp.json"
TAKEN = ("jpeg", "png", "webp")
"""File formats that the kind `image` knows, first choice first (formats/canonical/image.json)."""

_VERSION = "3.1"
_CURRENCY = "USD"
_BUDGET = "budget"
_SOURCE_TYPES = frozenset(
    {
        "digital_capture", "digital_creation", "trained_algorithmic_media",
        "composite_with_trained_algorithmic_media", "algorithmic_media", "composite_capture",
        "composite_synthetic", "human_edits", "data_driven_media",
    }
)  # fmt: skip
_MAKERS = {"seedream": ("Seedream", "ByteDance")}

Json = dict[str, object]
Group = tuple[str, str, str]
"""Product, output and locale."""


def as_adcp(
    manifest: Manifest, *, shots: Sequence[Shot], wish: Adcp, names: Mapping[str, tuple[str, str]]
) -> bytes:
    """The answer as UTF-8, a group a line, in the plan's order. `shots` is the whole plan, `names`
    what each file's path is called where ads are set up: its `utm_content` and its creative's id.

    A platform knows a creative by its `build_variant_id`, so that is the id of the assignments,
    new where the bytes are; `utm_content` stands in `ext`. A group of which nothing can be handed
    over says why in `errors`.
    """
    groups = _groups(manifest, shots)
    leaves = {group: list(_leaves(rows)) for group, rows in groups.items()}
    shares = _shares(manifest, (row for rows in leaves.values() for row in rows))
    takes = {take["recipe"]: take for take in manifest["takes"]}
    by_shot = {shot.shot_id: shot for shot in shots}
    failed = _failures(manifest, by_shot)
    creatives: list[Json] = []
    for group, rows in leaves.items():
        product, name, locale = group
        creative: Json = {
            "build_creative_id": "/".join(
                part for part in (manifest["campaign"], product, name, locale) if part
            ),
            "catalog_item_ref": {"catalog_type": "product", "item_id": product},
        }
        if rows:
            creative["variants"] = [
                {
                    **_leaf(row, names[row["path"]][1], shares[row["path"]], manifest),
                    "creative_manifest": _creative_manifest(
                        row,
                        takes[row["recipe"]],
                        by_shot.get(row["shot_id"]),
                        manifest,
                        wish,
                        names[row["path"]][0],
                    ),
                }
                for row in rows
            ]
        else:
            creative["errors"] = list(_errors(failed.get(group, ()), groups[group]))
        creatives.append(creative)
    return _written(creatives, _head(manifest, leaves, shares, _wanted(shots, leaves)))


def _groups(manifest: Manifest, shots: Sequence[Shot]) -> dict[Group, list[RenditionRow]]:
    """The rows of each group, in the plan's order; a group of which nothing was made is there."""
    groups: dict[Group, list[RenditionRow]] = {
        (shot.product.key, output.name, shot.locale): []
        for shot in shots
        for output in shot.outputs
    }
    for row in manifest["renditions"]:
        groups.setdefault((row["product"], row["name"], row["locale"]), []).append(row)
    return groups


def _leaves(rows: Iterable[RenditionRow]) -> Iterator[RenditionRow]:
    """Of each cell and take the file that is handed over, if there is one."""
    cells: dict[tuple[str, int], list[RenditionRow]] = {}
    for row in rows:
        cells.setdefault((row["shot_id"], row["take"]), []).append(row)
    for files in cells.values():
        fit = [row for row in files if row["url"] and row["format"] in TAKEN]
        yield from sorted(fit, key=lambda row: TAKEN.index(row["format"]))[:1]


class _Share(NamedTuple):
    """What one variant answers for of the take behind it. A cost of None is not known."""

    cost: Decimal | None
    takes: int


def _shares(manifest: Manifest, leaves: Iterable[RenditionRow]) -> dict[str, _Share]:
    """Path to its share; the first variant of a take answers for all of it."""
    left = {
        take["recipe"]: _Share(
            None if take["cost_usd"] is None else Decimal(str(take["cost_usd"])), 1
        )
        for take in manifest["takes"]
    }
    shares: dict[str, _Share] = {}
    for row in leaves:
        cost, _ = shares[row["path"]] = left[row["recipe"]]
        left[row["recipe"]] = _Share(None if cost is None else Decimal(0), 0)
    return shares


def _leaf(row: RenditionRow, creative_id: str, share: _Share, manifest: Manifest) -> Json:
    leaf: Json = {"build_variant_id": creative_id, "recipe_hash": f"sha256:{row['recipe']}"}
    if row["variant"]:
        leaf["variant_axis_value"] = row["variant"]
    if share.cost is not None:
        leaf |= {"vendor_cost": float(share.cost), "currency": _CURRENCY}
    if manifest["realm"] != "proof":
        leaf["consumption"] = {"images_generated": share.takes}
    return leaf


def _creative_manifest(
    row: RenditionRow,
    take: TakeRow,
    shot: Shot | None,
    manifest: Manifest,
    wish: Adcp,
    utm_content: str,
) -> Json:
    assets: Json = {"image_main": _image(row)}
    link = shot.product.in_locale(row["locale"]).get("link", "") if shot is not None else ""
    if re.match(r"https?://[^\s/]", link):
        assets["landing_page_url"] = {"asset_type": "url", "url": link, "url_type": "clickthrough"}
    said: Json = {"format_kind": "image"}
    if row["name"] in wish.formats:
        said["format_option_ref"] = {
            "scope": "product",
            "format_option_id": wish.formats[row["name"]],
        }
    if wish.brand:
        said["brand"] = {"domain": wish.brand}
    said["provenance"] = _provenance(row, take, manifest)
    said["assets"] = assets
    ours = {name: row[name] for name in ("sha256", "shot_id", "variant", "locale", "stale")}
    said["ext"] = {
        "shotlist": {
            "campaign": manifest["campaign"],
            "realm": manifest["realm"],
            "utm_content": utm_content,
            **ours,
        }
    }
    return said


def _image(row: RenditionRow) -> Json:
    image: Json = {
        "asset_type": "image",
        "url": row["url"],
        "width": row["width"],
        "height": row["height"],
        "format": row["format"],
        "file_size_bytes": row["bytes"],
    }
    if row["alt"]:
        image["alt_text"] = row["alt"]
    return image


def _provenance(row: RenditionRow, take: TakeRow, manifest: Manifest) -> Json:
    """What is known of how a picture came to be; who it shows and what law asks is not."""
    said: Json = {}
    term = _snake((row["digital_source_type"] or "").rpartition("/")[2])
    if term in _SOURCE_TYPES:
        said["digital_source_type"] = term
    if manifest["realm"] != "proof":
        family, _, version = take["model"].partition("-")
        name, maker = _MAKERS.get(family, (take["model"], ""))
        said["ai_tool"] = {
            "name": name,
            **({"version": version, "provider": maker} if maker and version else {}),
        }
        if row["take"] == 1:  # a later one may have been chosen by a person, which is not told
            said["human_oversight"] = "prompt_only"
    said["declared_by"] = {"role": "tool"}
    said["created_time"] = take["created_at"]
    return said


def _snake(term: str) -> str:
    """trainedAlgorithmicMedia, as IPTC spells it, to trained_algorithmic_media."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", term).lower()


def _failures(manifest: Manifest, by_shot: dict[str, Shot]) -> dict[Group, list[FailureRow]]:
    found: dict[Group, list[FailureRow]] = {}
    for row in manifest["failures"]:
        shot = by_shot.get(row["shot_id"])
        for output in shot.outputs if shot is not None else ():
            if shot is not None:
                key = (shot.product.key, output.name, shot.locale)
                found.setdefault(key, []).append(row)
    return found


def _errors(failures: Sequence[FailureRow], rows: Sequence[RenditionRow]) -> Iterator[Json]:
    """Why nothing of a group is handed over. The protocol's list of codes is open."""
    for failure in failures:
        is_capped = failure["stage"] == _BUDGET
        code = "BUDGET_CAP_REACHED" if is_capped else f"SHOTLIST_{failure['stage'].upper()}"
        yield {"code": code, "message": f"{failure['shot_id']}: {failure['reason']}"}
    if failures:
        return
    if any(row["format"] in TAKEN for row in rows):
        yield {"code": "SHOTLIST_NO_PUBLIC_URL", "message": "its files have no public address"}
    elif rows:
        there = ", ".join(dict.fromkeys(row["format"] for row in rows))
        message = f"it is there as {there}, and the kind image takes {', '.join(TAKEN)}"
        yield {"code": "SHOTLIST_NO_FORMAT", "message": message}
    else:
        yield {"code": "SHOTLIST_NOT_MADE", "message": "it has not been made yet"}


def _wanted(shots: Sequence[Shot], leaves: dict[Group, list[RenditionRow]]) -> int:
    """How many variants the plan wants, those that cannot be handed over left out."""
    made: dict[tuple[str, str], int] = {}
    for rows in leaves.values():
        for row in rows:
            made[row["shot_id"], row["name"]] = made.get((row["shot_id"], row["name"]), 0) + 1
    for shot in shots:
        for output in shot.outputs:
            if not set(TAKEN).isdisjoint(output.formats):
                made.setdefault((shot.shot_id, output.name), 1)
    return sum(made.values())


def _head(
    manifest: Manifest,
    leaves: dict[Group, list[RenditionRow]],
    shares: dict[str, _Share],
    wanted: int,
) -> Json:
    known = [share.cost for share in shares.values() if share.cost is not None]
    is_capped = any(row["stage"] == _BUDGET for row in manifest["failures"])
    head: Json = {
        "items_total": len({product for product, _, _ in leaves}),
        "items_returned": len({product for (product, _, _), rows in leaves.items() if rows}),
        "leaves_total": wanted,
        "leaves_returned": len(shares),
        "budget_status": "capped" if is_capped else "complete",
        "keep_mode_applied": "keep_all",
    }
    if shares and len(known) == len(shares):
        head |= {"vendor_cost": float(sum(known)), "currency": _CURRENCY}
    if is_capped:
        message = "the campaign's budget ended before all was made"
        head["errors"] = [{"code": "BUDGET_CAP_REACHED", "message": message}]
    if manifest["realm"] != "live":
        head["sandbox"] = True
    return head


def _written(creatives: Sequence[Json], head: Json) -> bytes:
    if not creatives:
        nothing = {"code": "SHOTLIST_NOTHING", "message": "the campaign wants no pictures"}
        answer = {"adcp_version": _VERSION, "status": "failed", "errors": [nothing]}
        return f"{json.dumps(answer)}\n".encode()
    start = json.dumps({"adcp_version": _VERSION, "status": "completed"})[:-1]
    groups = ",\n".join(json.dumps(one, ensure_ascii=False) for one in creatives)
    end = json.dumps(head, ensure_ascii=False)[1:]
    text = f'{start}, "creatives": [\n{groups}\n], {end}\n'
    return text.encode("utf-8", "backslashreplace")
