"""Catalogues of real shops: found by their headers, folded to whole products."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.errors import BadInput
from flows.nouns.campaign import Products
from flows.nouns.product import Product
from flows.read.catalogue import Catalogue, products


@pytest.fixture
def read(tmp_path: Path):
    def reading(content: str, name: str = "products.csv", **wish: object) -> Catalogue:
        (tmp_path / name).write_text(content, encoding="utf-8")
        return products(Products.model_validate({"from": name, **wish}), folder=str(tmp_path))

    return reading


def from_data(test_data: Path, name: str, **wish: object) -> Catalogue:
    return products(Products.model_validate({"from": name, **wish}), folder=str(test_data))


def by_key(catalogue: Catalogue) -> dict[str, Product]:
    return {product.key: product for product in catalogue.products}


# How many products each catalogue has, counted in the files: rows with a name (vendure), different
# slugs (spree) and handles (shopify), rows that are no variation (woocommerce), different ids
# (merchant: 47 items, one id twice).
READ = {
    "vendure-demo/products.csv": 54,
    "spree-demo/products.csv": 37,
    "shopify-csv/shopify-partners-apparel.csv": 20,
    "shopify-csv/shopify-partners-home-and-garden.csv": 20,
    "shopify-csv/shopify-partners-jewelery.csv": 20,
    "shopify-csv/packt-product-data.csv": 20,
    "woocommerce-csv/sample_products.csv": 15,
    "woocommerce-csv/importer_sample.csv": 5,
    "odd-inputs/encoding-cp1252.csv": 3,
    "odd-inputs/encoding-utf16-bom.csv": 3,
    "odd-inputs/encoding-utf8-bom.csv": 3,
    "odd-inputs/delimiter-semicolon.csv": 3,
    "odd-inputs/delimiter-tab.tsv": 3,
    "odd-inputs/line-ends-cr-only.csv": 3,
    "odd-inputs/invalid-utf8.csv": 2,
}
REFUSED = {
    "merchant-feeds/arabic-rss-feed.xml": [
        ": line 799, column 'g:id': 'ميزان تحليل رقمي' stands here and on line 609"
    ],
    "spree-demo/product_translations.csv": [
        (
            ": line 3, column 'slug': 'automatic-espresso-machine' stands here and on line 2, once"
            " for each locale: these are translations, not products"
        )
    ],
    "odd-inputs/odd-products.csv": [
        ": line 11, column 'sku': the row has a key and nothing else",
        ": line 23, column 'sku': 'ODD-001' stands here and on line 3",
    ],
    "odd-inputs/ragged-rows.csv": [
        ": line 2, column 'price': 2 cells where the header has 3: nothing for 'price'",
        ": line 3, column 'price': 5 cells where the header has 3: no column for 'columns'",
        ": line 6, column 'title': the quote that opens this cell is never closed",
    ],
    "odd-inputs/duplicate-headers.csv": [
        ": header, column 3: 'Title' and 'title' (column 2) are the same name: title",
        ": header, column 4: 'title' and 'title' (column 2) are the same name: title",
    ],
    "odd-inputs/header-only.csv": [": there is a header but no product below it (0 products)"],
    "odd-inputs/empty.csv": [": the file is empty"],
    "odd-inputs/nul-byte.csv": [": line 2, column 'title': a NUL byte, which no text has"],
}


def test_every_real_catalogue_is_read_or_refused_by_name_with_the_reason(test_data):
    found = {
        str(path.relative_to(test_data))
        for ending in ("csv", "tsv", "xml")
        for path in test_data.rglob(f"*.{ending}")
    }
    assert found == {*READ, *REFUSED}
    counts = {name: len(from_data(test_data, name).products) for name in READ}
    assert counts == READ
    refused = {}
    for name in REFUSED:
        with pytest.raises(BadInput) as caught:
            from_data(test_data, name)
        refused[name] = [
            str(fault).split(";")[0].removeprefix(name) for fault in caught.value.faults
        ]
    assert refused == REFUSED


def test_what_is_wrong_in_a_catalogue_is_skipped_and_listed_when_asked(test_data):
    feed = from_data(test_data, "merchant-feeds/arabic-rss-feed.xml", on_bad_row="skip")
    odd = from_data(test_data, "odd-inputs/odd-products.csv", on_bad_row="skip")
    assert (len(feed.products), len(feed.skipped)) == (46, 1)
    assert (len(odd.products), [one.product for one in odd.skipped]) == (31, ["ODD-008", "ODD-001"])


def test_odd_products_keep_what_is_meant_and_lose_what_nobody_sees(test_data):
    odd = by_key(from_data(test_data, "odd-inputs/odd-products.csv", on_bad_row="skip"))
    assert odd["ODD-002"].title == "🧁🎉 Party cupcake stand 🎂✨ (👩‍👩‍👧‍👦 family size)"
    assert odd["ODD-003"].fields["description"] == "手作りの本革バッグです。\n改行のある説明。"
    assert odd["ODD-003"].fields["price"] == "12800"
    assert odd["ODD-005"].title == "Sac à main desrever bidi"
    assert odd["ODD-006"].fields["description"] == "Zerowidthspaces inside"
    assert odd["ODD-009"].title == "leading and trailing spaces"
    assert odd["ODD-009"].images == ("images/progressive.jpg",)
    assert odd["ODD-010"].title == "Bold title & entities <script>alert(1)</script>"
    assert odd["ODD-010"].fields["description"] == "HTML link"
    assert odd["ODD-012"].fields["description"] == "line1\nline2\nline3\nline4"
    assert odd["ODD-015"].images[0].startswith("data:image/png;base64,iVBOR")
    assert len(odd["ODD-015"].images) == 1
    assert odd["ODD-026"].fields["price"] == "twelve"
    assert [odd["ODD-027"].fields[name] for name in ("title", "description", "brand", "image")] == [
        "n/a", "NULL", "None", "undefined",
    ]  # fmt: skip
    assert {"00123", "odd-001", "ODD-001", "../../escape", "CON", 'a/b\\c:d*e?"f<g>h|i'} <= set(odd)


def test_database_records_are_refused_with_the_shape_that_is_expected(test_data):
    with pytest.raises(BadInput) as caught:
        from_data(test_data, "saleor-demo/populatedb_data.json")
    assert [fault.allowed for fault in caught.value.faults] == [
        'a list of objects, or {"products": [objects]}'
    ]


# Shopify

OLD = """Handle,Title,Body (HTML),Vendor,Type,Tags,Option1 Name,Option1 Value,Variant SKU,\
Variant Inventory Qty,Variant Price,Image Src,Image Position,Variant Image
mug,Mug,<p>Nice</p>,Acme,Kitchen,"a, b",Colour,Blue,M-B,2,9.90,https://x/2.jpg,2,https://x/blue.jpg
mug,,,,,,,Red,M-R,3,11,https://x/1.jpg,1,https://x/red.jpg
mug,,,,,,,,,,,https://x/3.jpg,3,
cup,Cup,,Acme,Kitchen,,Title,Default Title,,,5,https://x/cup.jpg,,
"""
NEW = (
    OLD.replace("Handle,", "URL handle,")
    .replace("Body (HTML)", "Description")
    .replace("Variant SKU", "SKU")
    .replace("Variant Inventory Qty", "Inventory quantity")
    .replace("Variant Price", "Price")
    .replace("Image Src", "Product image URL")
    .replace("Image Position", "Image position")
    .replace("Variant Image", "Variant image URL")
)


@pytest.mark.parametrize("content", [OLD, NEW])
def test_shopify_rows_of_one_handle_are_one_product_in_both_generations(read, content):
    catalogue = read(content)
    mug, cup = catalogue.products
    assert {
        name: mug.fields[name]
        for name in ("title", "description", "brand", "category", "price", "stock", "color", "sku")
    } == {
        "title": "Mug",
        "description": "Nice",
        "brand": "Acme",
        "category": "Kitchen",
        "price": "9.90",
        "stock": "5",
        "color": "Blue, Red",
        "sku": "M-B",
    }
    assert mug.images == tuple(f"https://x/{name}.jpg" for name in ("1", "2", "3", "blue", "red"))
    assert (mug.key, cup.key, "color" in cup.fields) == ("mug", "cup", False)
    assert catalogue.notes == ("products.csv was read as Shopify, by its columns",)


def test_two_shopify_titles_under_one_handle_name_both_lines(read):
    with pytest.raises(BadInput) as caught:
        read("Handle,Title,Image Src\na,One,1.jpg\nb,Two,2.jpg\na,Three,3.jpg\n")
    assert [str(fault).split(";")[0] for fault in caught.value.faults] == [
        "products.csv: line 4, column 'Handle': 'a' is 'Three' here and 'One' on line 2"
    ]


def test_shopify_pictures_of_the_jewellery_file_are_in_their_order(test_data):
    found = by_key(from_data(test_data, "shopify-csv/shopify-partners-jewelery.csv"))
    photos = "https://burst.shopifycdn.com/photos/"
    assert found["leather-anchor"].images == tuple(
        f"{photos}{name}_925x.jpg"
        for name in (
            "anchor-bracelet-mens",
            "anchor-bracelet-for-men",
            "leather-anchor-bracelet-for-men",
        )
    )
    assert found["leather-anchor"].fields["color"] == "Gold, Silver"


# WooCommerce

WOO = """ID,type,SKU,NAME,Description,Regular price,Stock,Categories,Images,PARENT,\
Attribute 1 name,Attribute 1 value(s)
1,variation,T-R,,,25,1,,red.jpg,T,Color,Red
2,variable,T,T-Shirt,<b>Soft</b>,,,"Clothing, Sale","a.jpg, b.jpg",,Color,"Red, Blue"
3,variation,T-B,,,27,2,,blue.jpg,id:2,Color,Blue
4,"simple, downloadable, virtual",,Album,,'-5,,Music,,,,
,grouped,,Best of – Shop,,,,Music,a.jpg,,,
"""


def test_woocommerce_variations_are_folded_into_their_parents(read):
    catalogue = read(WOO)
    shirt, album, best = catalogue.products
    assert (shirt.key, album.key, best.key) == ("T", "4", "best-of-shop")
    assert shirt.images == ("a.jpg", "b.jpg", "red.jpg", "blue.jpg")
    assert [shirt.fields[name] for name in ("title", "description", "price", "stock", "color")] == [
        "T-Shirt", "Soft", "25", "3", "Red, Blue",
    ]  # fmt: skip
    assert album.fields["price"] == "-5"
    assert catalogue.notes[1] == (
        "line 6 has neither SKU nor ID; its key is made from its name: best-of-shop"
    )


def test_a_variation_without_its_parent_is_bad(read):
    with pytest.raises(BadInput) as caught:
        read("Type,SKU,Name,Images,Parent\nvariation,A,a,,B\nvariation,C,c,,\nsimple,D,d,,\n")
    assert [str(fault).split(";")[0] for fault in caught.value.faults] == [
        "products.csv: line 2, column 'Parent': the variation's parent 'B' is not in the file",
        "products.csv: line 3, column 'Parent': a variation without a parent",
    ]


def test_woocommerce_samples_have_the_keys_that_were_counted_by_hand(test_data):
    assert list(by_key(from_data(test_data, "woocommerce-csv/importer_sample.csv"))) == [
        "WOOLOGO", "WOOALBUM", "woocommerce-product-csv-suite", "WOOIDEA", "best-woo-products",
    ]  # fmt: skip
    assert list(by_key(from_data(test_data, "woocommerce-csv/sample_products.csv"))) == [
        "cc-tee", "cc-hoodie", "cc-hoodie-with-logo", "cc-beanie", "cc-belt", "cc-cap",
        "cc-sunglasses", "cc-hoodie-with-pocket", "cc-album", "cc-single", "cc-tshirt-logo",
        "cc-beanie-logo", "cc-logo-collection", "cp-donation", "cc-scarf",
    ]  # fmt: skip


# Google and Meta


def test_a_merchant_feed_in_tabs_keeps_groups_as_fields(read):
    catalogue = read(
        "id\ttitle\titem_group_id\tprice\timage_link\tadditional_image_link\n"
        "A\tMug\tG\t9.90 EUR\thttps://x/a.jpg\thttps://x/b%2C1.jpg,https://x/c.jpg\n"
        "B\tMug\tG\t9.90 EUR\thttps://x/b.jpg\t\n",
        name="feed.tsv",
    )
    a, b = catalogue.products
    assert a.images == ("https://x/a.jpg", "https://x/b%2C1.jpg", "https://x/c.jpg")
    assert (a.fields["price"], a.fields["currency"], b.fields["item_group_id"]) == (
        "9.90",
        "EUR",
        "G",
    )
    assert catalogue.notes == ("feed.tsv was read as a Google Merchant feed, by its columns",)


@pytest.mark.parametrize("separator", [",", "; ", " ", " | "])
def test_meta_lists_are_separated_in_four_ways(read, separator):
    listed = separator.join(("https://x/b.jpg", "https://x/c,1.jpg"))
    catalogue = read(
        f'id,title,image_link,additional_image_link\nA,Mug,https://x/a.jpg,"{listed}"\n'
    )
    assert catalogue.products[0].images == (
        "https://x/a.jpg",
        "https://x/b.jpg",
        "https://x/c,1.jpg",
    )
    assert catalogue.notes == ("products.csv was read as a Meta catalogue, by its columns",)


def test_meta_pictures_by_path_are_read_in_their_order(read):
    (mug,) = read("id\ttitle\timage[1].url\timage[0].url\nA\tMug\tb.jpg\ta.jpg\n", "a.tsv").products
    assert mug.images == ("a.jpg", "b.jpg")


def test_the_arabic_feed_keeps_its_names_and_lines(test_data):
    feed = from_data(test_data, "merchant-feeds/arabic-rss-feed.xml", on_bad_row="skip")
    first = feed.products[0]
    assert (first.key, first.title, first.fields["price"], first.fields["currency"]) == (
        "صاروخ رش الحدائق",
        "صاروخ رش الحدائق",
        "17.00",
        "OMR",
    )
    assert "● يعمل بالضغط المائي" in first.fields["description"].splitlines()[6]
    assert len(first.images) == 1


# Spree and Vendure


def test_spree_variants_give_price_colours_stock_and_pictures(test_data):
    catalogue = from_data(test_data, "spree-demo/products.csv")
    machine = by_key(catalogue)["automatic-espresso-machine"]
    assert {
        name: machine.fields[name] for name in ("price", "color", "stock", "category", "sku")
    } == {
        "price": "879.99",
        "color": "Matte Black, Silver, White",
        "stock": "15000",
        "category": "Kitchen -> Coffee Machines",
        "sku": "AUTOMATIC-ESPRESSO-MACHINE",
    }
    assert [image.rpartition("/")[2] for image in machine.images] == [
        "automatic-espresso-machine.webp",
        "automatic-espresso-machine-matte-black.webp",
        "automatic-espresso-machine-silver.webp",
        "automatic-espresso-machine-white.webp",
    ]
    assert sum(len(one.images) for one in catalogue.products) == 124


def test_spree_translations_beside_the_products_are_joined_with_a_note(test_data):
    catalogue = from_data(test_data, "spree-demo/products.csv")
    assert all(set(one.translations) == {"de", "fr"} for one in catalogue.products)
    machine = by_key(catalogue)["automatic-espresso-machine"]
    assert machine.in_locale("de-AT")["title"] == "Kaffeevollautomat"
    assert machine.in_locale("en")["title"] == "Automatic Espresso Machine"
    assert catalogue.notes == (
        "spree-demo/products.csv was read as Spree, by its columns",
        "product_translations.csv was joined: 37 products in de, fr",
    )


def test_vendure_rows_without_a_name_continue_and_facets_become_fields(test_data):
    catalogue = from_data(test_data, "vendure-demo/products.csv")
    laptop = by_key(catalogue)["laptop"]
    assert {
        name: laptop.fields[name]
        for name in ("title", "price", "category", "brand", "ram", "screen_size", "stock")
    } == {
        "title": "Laptop",
        "price": "1299.00",
        "category": "Electronics, Computers",
        "brand": "Apple",
        "ram": "8GB, 16GB",
        "screen_size": "13 inch, 15 inch",
        "stock": "400",
    }
    assert (laptop.row_number, laptop.row["assets"]) == (2, "derick-david-409858-unsplash.jpg")
    photos = test_data / "vendure-demo" / "images"
    assert all(len(one.images) == 1 for one in catalogue.products)
    assert all((photos / one.images[0]).is_file() for one in catalogue.products)
    assert by_key(catalogue)["modern-cafe-chair"].fields["color"] == "mustard, mint, pearl"


def test_a_vendure_row_without_a_name_needs_its_product_above(read):
    with pytest.raises(BadInput) as caught:
        read("name,slug,assets,facets\n,,a.jpg,\nMug,mug,b.jpg,\n,cup,c.jpg,\n")
    assert [str(fault).split(";")[0] for fault in caught.value.faults] == [
        (
            "products.csv: line 2, column 'name': no name, and no product above that the row could"
            " continue"
        ),
        "products.csv: line 4, column 'name': no name, but 'cup' is not the product above",
    ]


def test_a_named_dialect_says_which_columns_it_misses(read):
    with pytest.raises(BadInput) as caught:
        read("sku,titel\nA,a\n", format="shopify")
    assert [fault.found for fault in caught.value.faults] == [
        "`format: shopify` needs a column handle or url_handle, which the file does not have",
        "`format: shopify` needs a column title, which the file does not have",
        (
            "`format: shopify` needs a column body_html or image_src or option1_name or"
            " product_image_url or variant_price or variant_sku, which the file does not have"
        ),
        "no column sku, id, handle or slug that would name a product",
    ]
    assert caught.value.faults[1].remedy == "is it 'titel'? Write `format: auto`"


def test_the_campaigns_columns_win_over_a_dialects(read):
    (mug, _) = read(
        OLD, columns={"title": "Vendor", "image": "Variant Image", "sku": "Handle"}
    ).products
    assert (mug.title, mug.key, mug.images) == (
        "Acme",
        "mug",
        ("https://x/blue.jpg", "https://x/red.jpg"),
    )
