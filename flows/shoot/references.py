"""A reference's bytes as they came, made ready for a host: upright, sRGB, nothing private, within
its limits, with no loss that an eye can see.
"""

from __future__ import annotations

import hashlib
import io
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

from flows.nouns.campaign import Role
from flows.pictures import (
    Terms,
    UnreadableError,
    form_of,
    on_white,
    opening,
    shown,
    without_metadata,
)
from flows.providers.base import Picture, ReferenceLimits
from flows.providers.base.capabilities import LARGEST_SIDE

if TYPE_CHECKING:
    from PIL import Image

MOST_PIXELS = 100_000_000
QUALITIES = (95, 92, 90, 88)
"""JPEG, without subsampling: the first that fits. Below, loss begins to be seen, so from there on
the picture is made smaller."""
FEW_COLOURS = 256
"""A picture of no more is drawn, not photographed: JPEG would put noise around its edges."""
MOST_KEPT = 64
MOST_KEPT_BYTES = 200_000_000

_TERMS = Terms(most_pixels=MOST_PIXELS, enough=LARGEST_SIDE, follows_gamma=True)


class UnfitReferenceError(Exception):
    """This picture cannot be made ready for this host; the words are for a person."""


class TooSmallError(UnfitReferenceError):
    """It has fewer pixels than the host takes, and none are made up."""


def prepared(data: bytes, *, role: Role, limits: ReferenceLimits) -> Picture:
    """The picture that the host gets: the same bytes for the same arguments.

    Its own bytes where nothing is to be changed, and its own pixels where only metadata has to go.
    Else JPEG; PNG where it has transparency or few colours and that fits, on white where it does
    not. Sides beyond 4096 pixels are reduced; a shape beyond the limit is padded with the colour of
    its border, never cropped; nothing is enlarged. The role decides nothing but its own field.

    Raises:
        TooSmallError: fewer pixels on a side than the host takes (see `ReferenceLimits.refuses`).
        UnfitReferenceError: it cannot be read, or no size of it is within `limits.most_bytes`.

    """
    try:
        found = _untouched(data, limits)
        if found is None:
            found = _made(shown(data, _TERMS), limits)
    except UnreadableError as error:
        raise UnfitReferenceError(str(error)) from error
    body, form, (width, height) = found
    return Picture(
        role=role,
        data=body,
        media_type=f"image/{form}",
        width=width,
        height=height,
        sha256=hashlib.sha256(body).hexdigest(),
    )


class Prepared:
    """Pictures made ready, each once for all shots that share it: the latest of them, safe in
    threads. A catalogue's photos pass through; a campaign's own references stay.
    """

    def __init__(
        self, *, most_pictures: int = MOST_KEPT, most_bytes: int = MOST_KEPT_BYTES
    ) -> None:
        self._most_pictures = most_pictures
        self._most_bytes = most_bytes
        self._kept: OrderedDict[tuple[str, ReferenceLimits], Future[Picture]] = OrderedDict()
        self._lock = Lock()

    def picture(
        self, sha256: str, read: Callable[[], bytes], *, role: Role, limits: ReferenceLimits
    ) -> Picture:
        """The picture made of the bytes with this digest; `read` gives them, and is called only
        where they are needed. Who asks for one that is being made waits for it.

        Raises:
            UnfitReferenceError: as `prepared` raises it; what `read` raises passes through.

        """
        key = (sha256, limits)
        with self._lock:
            known = self._kept.get(key)
            if known is not None:
                self._kept.move_to_end(key)
            else:
                made: Future[Picture] = Future()
                self._kept[key] = made
        if known is not None:
            return replace(known.result(), role=role)
        try:
            picture = prepared(read(), role=role, limits=limits)
        except BaseException as error:
            with self._lock:
                self._kept.pop(key, None)
            made.set_exception(error)
            raise
        made.set_result(picture)
        self._forget_the_oldest()
        return picture

    def _forget_the_oldest(self) -> None:
        with self._lock:
            done = {key: len(one.result().data) for key, one in self._kept.items() if one.done()}
            pictures, total = len(done), sum(done.values())
            for key, size in done.items():
                if pictures <= self._most_pictures and total <= self._most_bytes:
                    return
                del self._kept[key]
                pictures, total = pictures - 1, total - size


_JPEG, _PNG = "jpeg", "png"
_Made = tuple[bytes, str, tuple[int, int]]
"""The file, its form and its size in pixels."""


def _untouched(data: bytes, limits: ReferenceLimits) -> _Made | None:
    """The picture with its own pixels, if they may be handed over as they are."""
    form = form_of(data)
    if form is None or form not in limits.formats:
        return None
    body = without_metadata(data)
    if body is None or len(body) > limits.most_bytes:
        return None
    with opening(data, most_pixels=MOST_PIXELS) as picture:
        size = picture.size
        if limits.reduced(*limits.padded(*size)) != size or limits.refuses(*size):
            return None
        picture.load()  # it may be damaged within
    return body, form, size


def _made(picture: Image.Image, limits: ReferenceLimits) -> _Made:
    if small := limits.refuses(*picture.size):
        raise TooSmallError(small)
    padded = limits.padded(*picture.size)
    size = limits.reduced(*padded)
    pixels = _brought(picture, padded, size)
    is_drawn = picture.mode == "RGBA" or picture.getcolors(FEW_COLOURS) is not None
    if is_drawn and _PNG in limits.formats:
        body = _png(pixels)
        if len(body) <= limits.most_bytes:
            return body, _PNG, size
    form = _JPEG if _JPEG in limits.formats else _PNG
    body = _best(pixels, form, limits.most_bytes)
    while len(body) > limits.most_bytes:
        smaller = _smaller(size, limits, len(body))
        if smaller == size:
            bound = f"{limits.most_bytes:,} bytes"
            raise UnfitReferenceError(f"no size of it that the host takes is within {bound}")
        size = smaller
        pixels = _brought(picture, padded, size)
        body = _png(pixels) if form == _PNG else _jpeg(on_white(pixels), QUALITIES[-1])
    return body, form, size


def _best(pixels: Image.Image, form: str, most_bytes: int) -> bytes:
    """The file that fits at the best quality, or the smallest."""
    if form == _PNG:
        return _png(pixels)
    flat = on_white(pixels)
    for quality in QUALITIES:
        body = _jpeg(flat, quality)
        if len(body) <= most_bytes:
            break
    return body


def _smaller(size: tuple[int, int], limits: ReferenceLimits, found: int) -> tuple[int, int]:
    """As many pixels less as bytes are too many; the same size where the host takes no smaller.

    The fewer pixels, the more bytes each of them takes: this rather leaves too many than too few.
    """
    area = size[0] * size[1]
    fewer = min(area * limits.most_bytes // found, area * 9 // 10)
    smaller = replace(limits, most_pixels=max(limits.least_side**2, fewer)).reduced(*size)
    return smaller if min(smaller) >= limits.least_side else size


def _brought(picture: Image.Image, padded: tuple[int, int], size: tuple[int, int]) -> Image.Image:
    """The picture at its share of `size`, in the middle of it."""
    from PIL import Image

    width, height = (
        min(most, max(1, round(own * most / full)))
        for own, full, most in zip(picture.size, padded, size, strict=True)
    )
    if (width, height) != picture.size:
        picture = picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    if (width, height) == size:
        return picture
    ground = Image.new(picture.mode, size, _of_border(picture, across=size[1] > height))
    ground.paste(picture, ((size[0] - width) // 2, (size[1] - height) // 2))
    return ground


def _of_border(picture: Image.Image, *, across: bool) -> tuple[int, ...]:
    """The median colour of the two edges that get company: top and bottom where `across`."""
    import numpy as np

    pixels = np.asarray(picture)
    edges = pixels[[0, -1]] if across else pixels[:, [0, -1]]
    return tuple(int(level) for level in np.median(edges, axis=(0, 1)))


# Files without a profile, which are sRGB to everyone, and without a word.


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    # `optimize` wants the whole file in one buffer, and Pillow's is too small for noise
    picture.save(out, "JPEG", quality=quality, subsampling="4:4:4")
    return out.getvalue()


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=4)
    return out.getvalue()
