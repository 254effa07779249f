"""The product of a photo, cut out along its contour; or the photo whole, where a cut is bad."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from PIL import Image

from flows.drawing.colour import Bytes
from flows.drawing.contour import refined
from flows.drawing.ground import SMALL, find_product
from flows.drawing.matte import Place, along_contour, bled
from flows.drawing.photo import open_photo
from flows.drawing.region import Mask, border, grown, opened, reached


@dataclass(frozen=True, slots=True)
class Found:
    """A photo that was looked at. `mask` is the product on a small copy of it, `fine` its contour.

    Without a mask the photo is to be shown whole, for the `reason` given. `by_alpha` says that the
    photo brings its own cut.
    """

    photo: Image.Image
    small: Image.Image
    mask: Mask | None
    by_alpha: bool
    reason: str
    fine: Bytes | None = None


def find(data: bytes) -> Found:
    """Look at a photo: a transparent one is cut by its alpha, one on plain ground by measure.

    Raises:
        BadInput: the bytes are not a picture that can be drawn (see `photo.open_photo`).

    """
    photo = open_photo(data)
    if photo.mode == "RGBA":
        alpha = np.asarray(_small(photo.getchannel("A")))
        if float(border(alpha < 16).mean()) > 0.5:
            kept = _body(alpha)
            if kept.any():
                return Found(photo, _small(photo.convert("RGB")), kept, by_alpha=True, reason="")
        photo = _on_white(photo)
    small = _small(photo)
    mask, reason, fine = _remembered(data, photo, small)
    return Found(photo, small, mask, by_alpha=False, reason=reason, fine=fine)


def cut_out(found: Found, box: tuple[int, int]) -> Image.Image:
    """As large as fits into `box`: the product (RGBA, trimmed) or the whole photo (RGB)."""
    if found.mask is None:
        return _fitted(found.photo, box)
    place = Place.around(found.mask, found.photo.size)
    picture = _fitted(found.photo.crop(place.box), box)
    if found.fine is None:
        stencil = place.sized(grown(found.mask, 1), picture.size)
        own = np.asarray(picture.getchannel("A"))
        picture.putalpha(Image.fromarray(np.minimum(own, stencil)))
        return trimmed(bled(picture, found.small, place))
    return trimmed(along_contour(picture, found.small, found.mask, found.fine, place))


def trimmed(picture: Image.Image) -> Image.Image:
    """Without empty rows and columns, so that the product's foot is the picture's."""
    seen = picture.getchannel("A").point([0] * 24 + [255] * 232).getbbox()
    return picture.crop(seen) if seen else picture


def _body(alpha: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Mask:
    """What is seen, less the faint shadow that some shops leave below the product."""
    seen, firm = alpha > 8, alpha > 140
    core = opened(firm, 1)
    kept = (reached(seen, core) & grown(firm, 2)) | reached(firm, core)
    return kept if kept.any() else seen


def _small(photo: Image.Image) -> Image.Image:
    scale = min(1.0, SMALL / max(photo.size))
    size = max(1, round(photo.width * scale)), max(1, round(photo.height * scale))
    return photo.resize(size, Image.Resampling.BOX)


def _fitted(photo: Image.Image, box: tuple[int, int]) -> Image.Image:
    scale = min(box[0] / photo.width, box[1] / photo.height)
    size = max(1, round(photo.width * scale)), max(1, round(photo.height * scale))
    how = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC
    return photo.resize(size, how, reducing_gap=2.0)


def _on_white(photo: Image.Image) -> Image.Image:
    white = Image.new("RGB", photo.size, (255, 255, 255))
    white.paste(photo, mask=photo.getchannel("A"))
    return white


# One product is drawn for many ratios and variants, and looking for its ground costs most of the
# cut. The mask depends on nothing but the bytes, so remembering it cannot change a drawing.
_Cut = tuple[Mask | None, str, Bytes | None]
_CUTS: OrderedDict[bytes, _Cut] = OrderedDict()
_CUTS_LOCK = threading.Lock()
_CUTS_KEPT = 32  # of up to 1.5 MB each


def _remembered(data: bytes, photo: Image.Image, small: Image.Image) -> _Cut:
    key = hashlib.sha256(data).digest()
    with _CUTS_LOCK:
        if key in _CUTS:
            _CUTS.move_to_end(key)
            return _CUTS[key]
    verdict = find_product(small)
    fine = None if verdict.product is None else refined(photo, verdict.product)
    cut = verdict.product, verdict.reason, fine
    with _CUTS_LOCK:
        _CUTS[key] = cut
        while len(_CUTS) > _CUTS_KEPT:
            _CUTS.popitem(last=False)
    return cut
