"""The formats that feeds are written in: their columns, and what each column takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from flows.feeds.source import plain_name

Style = Literal["supplement", "shopify", "woocommerce", "primary"]
"""How rows are made: an id and its pictures; a row a picture; SKU and list; all of a product."""

_JPEG_PNG = ("jpeg", "png")
_WITH_WEBP = (*_JPEG_PNG, "webp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column that takes pictures. None: the platform names no limit."""

    name: str
    takes: tuple[str, ...]
    """Formats of pictures, as a manifest names them."""
    most: int | None = None
    """Pictures of one product."""
    longest: int | None = None
    """Characters of one address."""
    longest_cell: int | None = None
    """Characters of all addresses of a product together, commas included."""
    most_bytes: int | None = None
    most_pixels: int | None = None
    least: int = 0
    """Pixels that each side has to have."""
    advised: tuple[int, int] = (0, 0)
    """Width and height below which a person is told; the picture is written all the same."""

    @property
    def is_list(self) -> bool:
        return self.most != 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFormat:
    """A format of feeds. `default` is the column that a wish without one means."""

    name: str
    label: str
    ending: str
    style: Style
    columns: tuple[Column, ...]
    default: str
    longest_id: int | None = None
    longest_alt: int | None = None

    def column(self, name: str | None) -> Column | None:
        """The column of that name, however its letters are cased and its words parted."""
        wanted = plain_name(name or self.default)
        return next((one for one in self.columns if plain_name(one.name) == wanted), None)


# support.google.com/merchants/answer/6324350 (image_link), 6324370 (additional_image_link),
# 9103186 (lifestyle_image_link: WebP is not in its list). 500 pixels become the floor for all
# products on 2027-01-31.
_GOOGLE_IMAGE = Column(
    name="image_link",
    takes=(*_WITH_WEBP, "tiff"),
    most=1,
    longest=2000,
    most_bytes=16_000_000,
    most_pixels=64_000_000,
    advised=(500, 500),
)
_GOOGLE = FeedFormat(
    name="merchant",
    label="a supplemental feed of Google Merchant Center",
    ending="tsv",
    style="supplement",
    columns=(
        _GOOGLE_IMAGE,
        replace(_GOOGLE_IMAGE, name="additional_image_link", most=10),
        replace(_GOOGLE_IMAGE, name="lifestyle_image_link", takes=(*_JPEG_PNG, "tiff")),
    ),
    default="additional_image_link",
)

# developers.facebook.com/docs/commerce-platform/catalog/fields
_META_IMAGE = Column(
    name="image_link", takes=_JPEG_PNG, most=1, longest=2000, most_bytes=8_000_000, least=500
)
_META_MORE = replace(_META_IMAGE, name="additional_image_link", most=20, longest_cell=2000, least=0)

# help.pinterest.com/en/business/article/before-you-get-started-with-catalogs
_PINTEREST_IMAGE = Column(
    name="image_link", takes=_JPEG_PNG, most=1, longest=2000, advised=(1000, 1500)
)
_PINTEREST_MORE = replace(
    _PINTEREST_IMAGE, name="additional_image_link", most=10, advised=(0, 0), least=75
)

FORMATS: Mapping[str, FeedFormat] = MappingProxyType(
    {
        one.name: one
        for one in (
            _GOOGLE,
            replace(_GOOGLE, name="merchant-xml", ending="xml"),
            FeedFormat(
                name="meta",
                label="a supplementary feed of a Meta catalogue",
                ending="csv",
                style="supplement",
                columns=(_META_IMAGE, _META_MORE),
                default="additional_image_link",
                longest_id=100,
            ),
            # help.shopify.com/en/manual/products/import-export/using-csv (columns) and
            # help.shopify.com/en/manual/products/product-media/product-media-types (pictures)
            FeedFormat(
                name="shopify",
                label="Shopify's product CSV",
                ending="csv",
                style="shopify",
                columns=(
                    Column(
                        name="Product image URL",
                        takes=_WITH_WEBP,
                        most=250,
                        most_bytes=20_000_000,
                        most_pixels=25_000_000,
                    ),
                ),
                default="Product image URL",
                longest_alt=512,
            ),
            # github.com/woocommerce/woocommerce, class-wc-product-csv-importer.php; what WordPress
            # shows: wordpress.org/documentation/article/wordpress-file-upload, AVIF since 6.5
            FeedFormat(
                name="woocommerce",
                label="WooCommerce's product CSV",
                ending="csv",
                style="woocommerce",
                columns=(Column(name="Images", takes=(*_WITH_WEBP, "avif")),),
                default="Images",
            ),
            FeedFormat(
                name="pinterest",
                label="a Pinterest catalogue",
                ending="csv",
                style="primary",
                columns=(_PINTEREST_IMAGE, _PINTEREST_MORE),
                default="additional_image_link",
                longest_id=127,
            ),
        )
    }
)


def channel_id(written: str) -> str:
    """The preset that a feed means: `google-merchant-…` says in full what presets call `gmc-…`."""
    prefix = "google-merchant-"
    return f"gmc-{written[len(prefix) :]}" if written.startswith(prefix) else written
