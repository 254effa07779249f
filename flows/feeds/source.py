"""What the source catalogue says of a product: its id on a platform, its pictures, its cells."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flows.feeds.addresses import is_web
from flows.nouns.product import Product

_NO_WORD = re.compile(r"[\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_HANDLE = re.compile(r"[^\W_]+(?:-+[^\W_]+)*-*")


def plain_name(header: str) -> str:
    """`g:image_link`, `Image Link` and `imageLink` are image_link."""
    bare = header.strip()
    if bare[:2].casefold() == "g:":
        bare = bare[2:]
    return _NO_WORD.sub("_", _CAMEL.sub("_", bare)).strip("_").lower()


class Source:
    """One product's row by plain names. Cells are as the catalogue has them, but stripped."""

    def __init__(self, product: Product) -> None:
        self.product = product
        cells: dict[str, str] = {}
        for column, text in product.row.items():
            cells.setdefault(plain_name(column), text)
        self.cells: Mapping[str, str] = cells
        names = self.cells.keys()
        self.is_merchant = names >= {"id", "image_link"}
        """Google's, Meta's and Pinterest's catalogues name these columns alike."""
        self.is_shopify = bool(names & {"handle", "url_handle"})
        self.is_woocommerce = names >= {"type", "images"} and bool(names & {"sku", "id"})

    def cell(self, column: str) -> str | None:
        """A column of the catalogue, as it is spelled or by what it means; None: it has none."""
        if column in self.product.row:
            return self.product.row[column]
        return self.cells.get(plain_name(column))

    def merchant_id(self) -> str:
        return self.cells["id"] if self.is_merchant else self.product.key

    def handle(self) -> str:
        """The handle, or the key where it could be one; else nothing."""
        if self.is_shopify:
            return self.cells.get("url_handle") or self.cells.get("handle") or ""
        return self.product.key if _HANDLE.fullmatch(self.product.key) else ""

    def sku_and_number(self) -> tuple[str, str]:
        """SKU, or the shop's number of a product that has none; both empty where it has neither."""
        if not self.is_woocommerce:
            return self.product.key, ""
        sku = self.cells.get("sku", "")
        return sku, "" if sku else self.cells.get("id", "")

    def main(self) -> str:
        """The address of the picture that the catalogue shows first; empty: it has none."""
        if self.is_merchant:
            return self.cells["image_link"]
        first = self.product.images[0] if self.product.images else ""
        return first if is_web(first) else ""

    def additional(self) -> list[str]:
        """The addresses beside the main one, without the lifestyle picture."""
        apart = {self.main(), self.cells.get("lifestyle_image_link", "")}
        return [one for one in self.product.images if is_web(one) and one not in apart]

    def gallery(self) -> list[str]:
        """All pictures of a shop's product, the featured one first.

        In a WooCommerce cell a name without `://` is a file of the shop's media library
        (github.com/woocommerce/woocommerce, class-wc-product-csv-importer.php), and stays.
        """
        if self.is_woocommerce:
            return [part for one in self.cells["images"].split(",") if (part := one.strip())]
        return [one for one in self.product.images if is_web(one)]
