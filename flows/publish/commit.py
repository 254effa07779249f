"""Writing what a run hands over: table and gallery first, the manifest last."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from flows.errors import EnvironmentFault
from flows.nouns.rendition import Manifest
from flows.nouns.shot import Shot
from flows.publish import gallery
from flows.publish.lying import lying_run
from flows.publish.manifest import (
    MANIFEST_CSV,
    MANIFEST_JSON,
    MANIFEST_PARQUET,
    as_csv,
    as_json,
    check,
)
from flows.publish.table import as_parquet
from flows.publish.thumbnails import thumbnail
from flows.storage import Condition, OvertakenError, Place, turn

PAGES = frozenset({MANIFEST_CSV, MANIFEST_PARQUET, gallery.GALLERY_HTML})
"""What is made anew from the manifest where it is missing."""

MOST_IN_PAGE = 200
"""Pictures up to which the thumbnails are in the page itself; beyond, they lie in gallery/."""

THREADS = 4
"""Thumbnails at a time: reading from far away waits, decoding releases the interpreter's lock."""

_SHORT = f"[0-9a-f]{{{gallery.SHORT}}}"
_IN_PAGE = re.compile(rf'"({_SHORT})":"(data:image/webp;base64,[A-Za-z0-9+/=]+)"')
_OURS = re.compile(rf"{_SHORT}\.webp")


def claim(place: Place, former: Manifest | None) -> Condition | None:
    """What the manifest at a place is now, to be handed to `commit`; None: the store cannot tell.

    Raises:
        EnvironmentFault: it is not the one that the run was planned on; or it is none of ours.

    """
    condition = place.condition(MANIFEST_JSON)
    lying = lying_run(place)
    if lying != (former["run"]["id"] if former is not None else None):
        raise EnvironmentFault(_overtaken(place, lying))
    return condition


def commit(
    place: Place,
    manifest: Manifest,
    *,
    shots: Sequence[Shot] = (),
    reference: Callable[[str], bytes | None] | None = None,
    fresh: Callable[[str], bytes | None] | None = None,
    settle: Callable[[], None] | None = None,
    claimed: Condition | None = None,
    beside: Collection[str] = (),
) -> None:
    """Write manifest.csv, gallery.html with its thumbnails, and manifest.json last.

    All files that the manifest names are there already, but for those that `settle` puts in the
    place of others: it is called just before the manifest is written. From the first of these
    files to the manifest no other run does the same at this place. `shots` is the whole plan,
    for titles and for the places of what was not made; `beside` are paths of what else is handed
    over, for the gallery; `reference` gives the bytes of a reference
    by its sha256, `fresh` those of a file that was made in this run, each None where they cannot
    be had. `claimed` is what `claim` gave: nothing is replaced where it does not hold any more.

    Raises:
        EnvironmentFault: the place cannot be written, or another run published there meanwhile.
        ValueError: the manifest is not true (see `check`): a defect, not a person's fault.

    """
    faults = check(manifest)
    if faults:
        raise ValueError("; ".join(faults[:10]))
    pictures, links = _pictures(place, manifest, reference or _nothing, fresh or _nothing)
    html = gallery.page(
        manifest, pictures=pictures, shots=shots, beside=[MANIFEST_PARQUET, *beside]
    )
    with turn(place) as ours:
        _still(place, claimed)
        place.write(MANIFEST_CSV, as_csv(manifest))
        place.write(MANIFEST_PARQUET, as_parquet(manifest))
        place.write(gallery.GALLERY_HTML, html.encode("utf-8", "backslashreplace"))
        if settle is not None:
            ours.check()
            _still(place, claimed)
            settle()
        ours.check()
        try:
            place.replace(MANIFEST_JSON, as_json(manifest), claimed)
        except OvertakenError as error:
            raise EnvironmentFault(_overtaken(place, lying_run(place))) from error
        for name in place.below("gallery").sizes():
            if _OURS.fullmatch(name) and f"gallery/{name}" not in links:
                place.remove(f"gallery/{name}")


def _still(place: Place, claimed: Condition | None) -> None:
    if claimed is not None and place.condition(MANIFEST_JSON) != claimed:
        raise EnvironmentFault(_overtaken(place, lying_run(place)))


def _overtaken(place: Place, lying: str | None) -> str:
    whose = f"run {lying} published there" if lying is not None else "its manifest was taken away"
    return (
        f"{place.full(MANIFEST_JSON)}: {whose} while this run was at work, so this one is not "
        f"published; what was made is kept: run again"
    )


def _nothing(_sha256: str) -> None:
    return None


def _pictures(
    place: Place,
    manifest: Manifest,
    reference: Callable[[str], bytes | None],
    fresh: Callable[[str], bytes | None],
) -> tuple[dict[str, str], set[str]]:
    """Addresses of thumbnails by sha256, and those that are files; made where they are missing."""
    paths = {row["sha256"]: row["path"] for row in manifest["renditions"]}
    references = {
        one["sha256"] for take in manifest["takes"] for one in take["references"]
    } - paths.keys()
    in_page = len(manifest["renditions"]) <= MOST_IN_PAGE and len(references) <= MOST_IN_PAGE
    there = _lying(place, in_page=in_page)

    def bytes_of(sha256: str) -> bytes | None:
        if sha256 not in paths:
            return reference(sha256)
        data = fresh(sha256)
        return place.read(paths[sha256]) if data is None else data

    def made(sha256: str) -> tuple[str, str | None]:
        known = there.get(sha256[: gallery.SHORT])
        if known is not None:
            return sha256, known
        data = bytes_of(sha256)
        small = thumbnail(data) if data is not None else None
        if small is None:
            return sha256, None
        if in_page:
            return sha256, gallery.data_uri(small)
        place.write(gallery.picture_path(sha256), small)
        return sha256, gallery.picture_path(sha256)

    with ThreadPoolExecutor(THREADS) as pool:
        found = _in_order(pool, made, [*paths, *sorted(references)])
    return found, set() if in_page else set(found.values())


def _in_order(
    pool: ThreadPoolExecutor,
    made: Callable[[str], tuple[str, str | None]],
    digests: Iterable[str],
) -> dict[str, str]:
    return {sha256: address for sha256, address in pool.map(made, digests) if address}


def _lying(place: Place, *, in_page: bool) -> dict[str, str]:
    """Thumbnails of the last run by the start of their picture's sha256."""
    if not in_page:
        names = place.below("gallery").sizes()
        return {name.split(".")[0]: f"gallery/{name}" for name in names if _OURS.fullmatch(name)}
    page = place.read(gallery.GALLERY_HTML)
    return dict(_IN_PAGE.findall(page.decode(errors="replace"))) if page else {}
