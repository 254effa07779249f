"""The edge of a cut-out at full size: how much of each pixel is product, and of what colour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from flows.drawing.colour import Bytes, Floats
from flows.drawing.region import Mask, grown, shrunk

_MARGIN = 3  # small pixels left around the product


@dataclass(frozen=True, slots=True)
class Place:
    """Where a product lies: `box` in pixels of the photo, `part` in those of its small copy."""

    box: tuple[int, int, int, int]
    part: tuple[float, float, float, float]

    @classmethod
    def around(cls, mask: Mask, full: tuple[int, int]) -> Place:
        height, width = mask.shape
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        across, down = full[0] / width, full[1] / height
        left = int(max(0, int(columns[0]) - _MARGIN) * across)
        top = int(max(0, int(rows[0]) - _MARGIN) * down)
        right = min(full[0], round((int(columns[-1]) + 1 + _MARGIN) * across))
        bottom = min(full[1], round((int(rows[-1]) + 1 + _MARGIN) * down))
        box = left, top, max(left + 1, right), max(top + 1, bottom)
        return cls(box, (box[0] / across, box[1] / down, box[2] / across, box[3] / down))

    def sized(self, mask: Mask, size: tuple[int, int], blur: float = 0.0) -> Bytes:
        """This part of a small mask at `size`, 0 to 255."""
        picture = _stencil(mask)
        if blur:
            picture = picture.filter(ImageFilter.GaussianBlur(blur))
        return np.asarray(picture.resize(size, Image.Resampling.BILINEAR, box=self.part))

    def sampled(
        self,
        small: Floats,
        size: tuple[int, int],
        rows: NDArray[np.intp],
        columns: NDArray[np.intp],
    ) -> Floats:
        """Colours of the small copy at some pixels of a picture of this part."""
        left, top, right, bottom = self.part
        y = top + (rows + 0.5) * ((bottom - top) / size[1])
        x = left + (columns + 0.5) * ((right - left) / size[0])
        y = np.minimum(y.astype(np.intp), small.shape[0] - 1)
        x = np.minimum(x.astype(np.intp), small.shape[1] - 1)
        return np.asarray(small[y, x])


def along_contour(
    picture: Image.Image, small: Image.Image, mask: Mask, fine: Bytes, place: Place
) -> Image.Image:
    """The picture with its contour for alpha; the ground's share in its rim's colour taken out."""
    contour = Image.fromarray(fine)
    across, down = contour.width / mask.shape[1], contour.height / mask.shape[0]
    left, top, right, bottom = place.part
    part = left * across, top * down, min(right * across, contour.width), bottom * down
    part = *part[:3], min(part[3], contour.height)
    stencil = contour.resize(picture.size, Image.Resampling.BICUBIC, box=part)
    alpha = np.asarray(stencil)
    reach = max(1.0, 1.4 * picture.width / max(part[2] - part[0], 1.0))
    wide = np.asarray(stencil.filter(ImageFilter.GaussianBlur(reach)))
    rows, columns = np.nonzero((alpha > 0) & (wide < 252))
    pixels = np.asarray(picture).copy()
    front = place.sampled(_nearby(small, shrunk(mask, 2)), picture.size, rows, columns)
    behind = place.sampled(_nearby(small, ~grown(mask, 2)), picture.size, rows, columns)
    share = np.minimum(alpha[rows, columns], wide[rows, columns]).astype(np.float32) / 255
    colour = _unmixed(pixels[rows, columns].astype(np.float32), front, behind, share)
    pixels[rows, columns] = np.clip(np.rint(colour), 0, 255).astype(np.uint8)
    out = Image.fromarray(pixels)
    out.putalpha(stencil)
    return out


def bled(picture: Image.Image, small: Image.Image, place: Place) -> Image.Image:
    """Half-seen pixels take the product's colour beside them: what they came with may be pale."""
    alpha = np.asarray(picture.getchannel("A"))
    rows, columns = np.nonzero((alpha > 0) & (alpha < 200))
    if not len(rows):
        return picture
    firm = np.asarray(
        picture.getchannel("A").resize(small.size, Image.Resampling.BOX).point([0] * 250 + [1] * 6)
    )
    if not firm.any():  # glass: its own colours are all there is
        return picture
    # The small copy covers the whole photo, the picture only its place: look at the picture small.
    scaled = picture.convert("RGB").resize(small.size, Image.Resampling.BOX)
    whole = Place(place.box, (0.0, 0.0, float(small.width), float(small.height)))
    pixels = np.asarray(picture).copy()
    beside = whole.sampled(_nearby(scaled, firm > 0), picture.size, rows, columns)
    share = alpha[rows, columns].astype(np.float32)[:, None] / 255
    colour = beside + (pixels[rows, columns, :3] - beside) * share
    pixels[rows, columns, :3] = np.clip(np.rint(colour), 0, 255).astype(np.uint8)
    return Image.fromarray(pixels)


def _unmixed(seen: Floats, front: Floats, behind: Floats, share: Floats) -> Floats:
    """The product's colour in pixels of which at least `share` is product, the rest ground."""
    apart = front - behind
    length = (apart * apart).sum(axis=1)
    lies = np.clip(((seen - behind) * apart).sum(axis=1) / (length + 1), 0, 1)
    trust = length / (length + 900)
    # Where the two colours are alike nothing can be told, and the pixel is taken as it is.
    part = (1 - (1 - lies) * trust * np.clip(2 - 2 * share, 0, 1))[:, None]
    pure = np.clip((seen - (1 - part) * behind) / np.maximum(part, 0.25), 0, 255)
    return np.asarray(front + (pure - front) * part, dtype=np.float32)


def _nearby(picture: Image.Image, where: Mask) -> Floats:
    """Mean colour of the masked pixels near each pixel; its own where none is near."""
    stencil = _stencil(where)
    black = Image.new("RGB", picture.size)
    black.paste(picture, mask=stencil)
    out = np.asarray(picture, dtype=np.float32)
    for radius in (12, 4):
        blur = ImageFilter.BoxBlur(radius)
        share = np.asarray(stencil.filter(blur), dtype=np.float32)[..., None] / 255
        mean = np.asarray(black.filter(blur), dtype=np.float32) / np.maximum(share, 0.01)
        out = np.where(share > 0.06, np.minimum(mean, 255), out)
    return np.asarray(out, dtype=np.float32)


def _stencil(mask: Mask) -> Image.Image:
    return Image.fromarray(mask.astype(np.uint8) * np.uint8(255))
