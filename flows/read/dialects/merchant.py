"""Google Merchant Center (TSV and XML) and Meta catalogues (CSV, TSV), which name fields alike.

support.google.com/merchants/answer/7052112; developers.facebook.com, commerce platform catalog
fields. `item_group_id` stays a field: each row is a product of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from flows.read.dialects.base import Dialect, Group, any_of, listed_images

_PATH = re.compile(r"image_(\d+)_url")
_BEFORE_ADDRESS = re.compile(r"[,;|\s]+(?=https?://)")

META_ONLY = frozenset(
    (
        "internal_label", "fb_product_category", "quantity_to_sell_on_facebook", "image_0_url",
        "video_0_url", "rich_text_description", "commerce_tax_category",
    )
)  # fmt: skip


def meta_pictures(group: Group, columns: Sequence[str]) -> list[str]:
    """`image_link` and `image[n].url`, then the list, which may be separated in four ways."""
    cells = group.main.cells
    paths = sorted((int(match[1]), name) for name in columns if (match := _PATH.fullmatch(name)))
    first = ["image_link"] if "image_link" in columns else []
    rest = [name for name in columns if name != "image_link" and not _PATH.fullmatch(name)]
    single = [cells.get(name, "") for name in [*first, *(name for _, name in paths)]]
    found = [one for one in single if one]
    for image in listed_images(group, rest):
        found += [image] if image.startswith("data:") else _BEFORE_ADDRESS.split(image)
    return found


_SIGNATURE = (
    any_of("id"),
    any_of("image_link", "image_0_url"),
    any_of("title", "structured_title", "availability", "price", "link"),
)
_NAMES = {
    "title": ("title", "structured_title"),
    "description": ("description", "rich_text_description", "structured_description", "summary"),
    "category": ("product_type", "google_product_category", "fb_product_category"),
}

MERCHANT = Dialect(
    name="merchant",
    label="a Google Merchant feed",
    signature=(any_of("id"), any_of("image_link"), _SIGNATURE[2]),
    key=("id",),
    names=_NAMES,
)
META = Dialect(
    name="meta",
    label="a Meta catalogue",
    signature=_SIGNATURE,
    key=("id",),
    names=_NAMES,
    images=meta_pictures,
)
