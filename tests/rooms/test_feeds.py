from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pandas as pd
import pytest
from defusedxml import ElementTree
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.feeds import feeds, paths
from flows.nouns.campaign import Feed
from flows.nouns.product import Product
from flows.nouns.rendition import RenditionRow
from tests.rooms.feed_factory import (
    CDN,
    GOOGLE,
    comma,
    manifest,
    product,
    rendition,
    tsv,
    wish,
    written,
)

FIFTY = [
    *(f"MUG-{number:02}" for number in range(44)),
    "001",
    "NA",
    "no",
    'Ø 5" pot, blue',
    "Tee & Kaffee <1>",
    "صاروخ",
]


def fifty() -> list[RenditionRow]:
    """Three pictures of each of fifty products; keys and paths that parsers stumble over."""
    return [
        rendition(key, name, channel=channel, alt=f'{key}: "calm", red')
        for key in FIFTY
        for name, channel in (("4x5", None), ("hero", None), ("gmc-lifestyle", "gmc-lifestyle"))
    ]


def urls_of(key: str, *names: str) -> list[str]:
    """What a browser shows of the addresses that a product's pictures have."""
    return [f"{CDN}/images/{key}/{name}.jpg" for name in names]


def decoded(cell: str) -> list[str]:
    found = cell.split(",") if cell else []
    for one in found:
        assert one.isascii()
        assert urlsplit(one).scheme == "https"
        assert not set(one) & set(" ,;|\"'&<>\t\n")
    return [unquote(one) for one in found]


ALL = ("4x5", "hero", "gmc-lifestyle")


def test_google_reads_fifty_products_from_tabs() -> None:
    file = written(
        fifty(),
        [
            wish("merchant"),
            wish("merchant", column="lifestyle_image_link", channel="gmc-lifestyle"),
        ],
    )
    assert file.path == "feeds/merchant.tsv"
    assert file.products == 50
    assert file.notes == ()
    rows = tsv(file.data)
    assert list(rows[0]) == ["id", "additional_image_link", "lifestyle_image_link"]
    assert [row["id"] for row in rows] == FIFTY
    for row in rows:
        assert decoded(row["additional_image_link"]) == urls_of(row["id"], *ALL)
        assert decoded(row["lifestyle_image_link"]) == urls_of(row["id"], "gmc-lifestyle")
    table = pd.read_csv(
        io.BytesIO(file.data), sep="\t", dtype=str, keep_default_na=False, quoting=3
    )
    assert table["id"].tolist() == FIFTY


def test_google_reads_fifty_products_from_xml() -> None:
    file = written(
        fifty(),
        [
            wish("merchant-xml"),
            wish("merchant-xml", column="lifestyle_image_link", channel="gmc-lifestyle"),
        ],
    )
    assert file.path == "feeds/merchant-xml.xml"
    root = ElementTree.fromstring(file.data)
    assert (root.tag, root.get("version")) == ("rss", "2.0")
    assert root.findtext("channel/title") == "Mugs & more"
    assert root.findtext("channel/link") == "https://cdn.acme.example/"
    items = root.findall("channel/item")
    assert [item.findtext(f"{GOOGLE}id") for item in items] == FIFTY
    for key, item in zip(FIFTY, items, strict=True):
        several = [one.text or "" for one in item.findall(f"{GOOGLE}additional_image_link")]
        assert [unquote(one) for one in several] == urls_of(key, *ALL)
        single = [one.text or "" for one in item.findall(f"{GOOGLE}lifestyle_image_link")]
        assert [unquote(one) for one in single] == urls_of(key, "gmc-lifestyle")


def test_meta_reads_fifty_products() -> None:
    file = written(fifty(), [wish("meta"), wish("meta", column="image_link", output="hero")])
    assert file.path == "feeds/meta.csv"
    rows = comma(file.data)
    assert [row["id"] for row in rows] == FIFTY
    for row in rows:
        assert decoded(row["image_link"]) == urls_of(row["id"], "hero")
        # the main picture is not said twice
        assert decoded(row["additional_image_link"]) == urls_of(row["id"], "4x5", "gmc-lifestyle")
    assert b"\r\nMUG-00,https" in file.data
    assert b',"https' in file.data


def test_shopify_reads_fifty_products_a_row_a_picture() -> None:
    handles = [f"mug-{number}" for number in range(50)]
    rows = [rendition(key, name, alt="A mug, “red”") for key in handles for name in ALL]
    file = written(rows, wish("shopify"))
    assert file.path == "feeds/shopify.csv"
    table = comma(file.data)
    assert list(table[0]) == [
        "URL handle", "Title", "Product image URL", "Image position", "Image alt text",
    ]  # fmt: skip
    assert list(dict.fromkeys(row["URL handle"] for row in table)) == handles
    assert [row["Image position"] for row in table] == ["1", "2", "3"] * 50
    assert [row["Title"] for row in table[:4]] == ["Mug mug-0", "", "", "Mug mug-1"]
    assert {row["Image alt text"] for row in table} == {"A mug, “red”"}
    assert [unquote(row["Product image URL"]) for row in table] == [
        url for key in handles for url in urls_of(key, *ALL)
    ]


def test_woocommerce_reads_fifty_products() -> None:
    file = written(fifty(), wish("woocommerce"))
    assert file.path == "feeds/woocommerce.csv"
    rows = comma(file.data)
    assert list(rows[0]) == ["SKU", "Images"]
    assert [row["SKU"] for row in rows] == FIFTY
    for row in rows:
        assert decoded(row["Images"]) == urls_of(row["SKU"], *ALL)


def test_pinterest_reads_all_products_of_the_catalogue() -> None:
    products = [
        product(
            key,
            ["https://shop.example/a.jpg"],
            {
                "id": key,
                "title": "Mug, large",
                "description": 'A "mug"\nin two lines',
                "link": f"https://shop.example/{number}?a=1&b=2",
                "image_link": "https://shop.example/a.jpg",
                "price": "12.00 EUR",
                "availability": "in_stock",
                "shipping": "DE:::4.90 EUR",
            },
        )
        for number, key in enumerate(FIFTY)
    ]
    file = written(fifty()[:3], wish("pinterest"), products)
    rows = comma(file.data)
    assert file.notes == ()
    assert file.products == 50
    assert [row["id"] for row in rows] == FIFTY
    assert rows[0] == {
        "id": "MUG-00",
        "title": "Mug, large",
        "description": 'A "mug"\nin two lines',
        "link": "https://shop.example/0?a=1&b=2",
        "image_link": "https://shop.example/a.jpg",
        "price": "12.00 EUR",
        "availability": "in stock",
        "additional_image_link": ",".join(urls_of("MUG-00", *ALL)),
        "shipping": "DE:::4.90 EUR",
    }
    assert rows[1]["additional_image_link"] == ""


def test_pinterest_says_what_the_catalogue_does_not() -> None:
    file = written([rendition("A"), rendition("B")], wish("pinterest"))
    assert file.notes == (
        (
            "feeds/pinterest.csv: a Pinterest catalogue needs description, link, image_link, price,"
            " availability, which the catalogue does not say (2 products: A, B)"
        ),
    )
    assert list(comma(file.data)[0]) == ["id", "title", "additional_image_link"]


def test_prices_without_a_currency_are_told_with_what_to_add() -> None:
    bare = Product(key="A", title="Mug", fields={"price": "12.00"}, row={"sku": "A"})
    merchant = {"id": "B", "title": "Mug", "image_link": "https://a.example/b.jpg", "price": "9"}
    rows = [rendition("A"), rendition("B")]
    file = written(rows, wish("pinterest"), [bare, product("B", row=merchant)])
    assert (
        "feeds/pinterest.csv: prices have no currency: add a column `currency` (EUR) to the"
        " catalogue, or write it behind each price (39.60 EUR) (2 products: A, B)"
    ) in file.notes
    assert not any("price," in note for note in file.notes)
    told = replace(bare, fields={"price": "12.00", "currency": "EUR"})
    assert not any(
        "currency" in note for note in written(rows[:1], wish("pinterest"), [told]).notes
    )


def test_what_is_to_be_said_of_all_feeds_is_said_once() -> None:
    row = rendition("A")
    files = feeds(manifest([row], "proof"), {"A": product("A")}, [wish("merchant"), wish("meta")])
    said = "feeds/: the pictures are of a proof run: hand no feed to a shop"
    assert [note for file in files for note in file.notes] == [said]


def test_a_column_is_known_however_its_letters_are_cased() -> None:
    rows = [rendition("A")]
    for name, column in (("woocommerce", "images"), ("meta", "Image Link")):
        known = {"woocommerce": "Images", "meta": "image_link"}[name]
        assert written(rows, wish(name, column=column)) == written(rows, wish(name, column=known))


FOUR = {"merchant": tsv, "meta": comma, "woocommerce": comma, "pinterest": comma}
LISTS = {"woocommerce": "Images"}


@pytest.mark.parametrize("name", FOUR)
def test_what_separates_addresses_is_encoded_in_them(name: str) -> None:
    row = rendition("A", url="https://cdn.example/ü,x/a b;c|d&e'f%20g%zz.jpg?v=1&w=2,3")
    cell = FOUR[name](written([row], wish(name)).data)[0][LISTS.get(name, "additional_image_link")]
    assert cell == ("https://cdn.example/%C3%BC%2Cx/a%20b%3Bc%7Cd%26e%27f%20g%25zz.jpg?v=1&w=2%2C3")


# no control characters and no surrogates: such ids are left out
TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp")), min_size=1)
KEYS = TEXT.map(str.strip).filter(lambda key: key and not key.startswith(("=", "+", "-", "@")))


@settings(max_examples=60, deadline=None)
@given(keys=st.lists(KEYS, min_size=1, max_size=5, unique=True), path=TEXT)
def test_any_id_and_any_path_come_back_through_any_reader(keys: list[str], path: str) -> None:
    rows = [
        rendition(key, path=f"images/{number}/{path}", alt=path) for number, key in enumerate(keys)
    ]
    urls = [f"{CDN}/images/{number}/{path}" for number in range(len(keys))]
    for name, column in (("merchant", "id"), ("meta", "id"), ("woocommerce", "SKU")):
        found = FOUR[name](written(rows, wish(name)).data)
        assert [row[column] for row in found] == keys
        cells = [row[LISTS.get(name, "additional_image_link")] for row in found]
        assert [unquote(cell) for cell in cells] == urls
        assert not any(set(cell) & set(" ,;|\"'<>\t\n") for cell in cells)
    root = ElementTree.fromstring(written(rows, wish("merchant-xml")).data)
    assert [one.text for one in root.iter(f"{GOOGLE}id")] == keys
    assert [unquote(one.text or "") for one in root.iter(f"{GOOGLE}additional_image_link")] == urls


def test_an_ampersand_of_a_query_survives_xml() -> None:
    file = written([rendition("A", url="https://cdn.example/a.jpg?v=1&w=2")], wish("merchant-xml"))
    root = ElementTree.fromstring(file.data)
    assert root.findtext(f".//{GOOGLE}additional_image_link") == "https://cdn.example/a.jpg?v=1&w=2"


def test_a_host_that_is_not_ascii_is_written_as_machines_read_it() -> None:
    row = rendition("A", url="https://bücher.example:8443/a.jpg")
    found = tsv(written([row], wish("merchant")).data)[0]["additional_image_link"]
    assert found == "https://xn--bcher-kva.example:8443/a.jpg"


def many(count: int) -> list[RenditionRow]:
    return [rendition("A", f"s{number}") for number in range(count)]


@pytest.mark.parametrize(
    ("name", "most", "words"),
    [
        ("merchant", 10, "takes 10 pictures a product"),
        ("pinterest", 10, "takes 10 pictures a product"),
        ("meta", 20, "takes 20 pictures a product and 2,000 characters"),
    ],
)
def test_the_first_that_a_list_holds_are_written(name: str, most: int, words: str) -> None:
    exact = written(many(most), wish(name))
    file = written(many(most + 2), wish(name))
    cell = FOUR[name](file.data)[0]["additional_image_link"]
    assert cell == FOUR[name](exact.data)[0]["additional_image_link"]
    assert cell.split(",") == [row["url"] for row in many(most)]
    told = f"feeds/{name}.{'tsv' if name == 'merchant' else 'csv'}: additional_image_link {words}"
    assert [note for note in file.notes if "first" in note] == [
        f"{told}: the first are written (product A)"
    ]
    assert not [note for note in exact.notes if "first" in note]


def test_meta_counts_the_characters_of_the_whole_list() -> None:
    def of_length(number: int, length: int) -> RenditionRow:
        base = f"{CDN}/images/{number}-"
        return rendition("A", f"s{number}", url=base + "x" * (length - len(base)))

    # 999 + comma + 1000 = 2000
    fits = [of_length(1, 999), of_length(2, 1000)]
    assert len(comma(written(fits, wish("meta")).data)[0]["additional_image_link"]) == 2000
    too_long = [of_length(1, 999), of_length(2, 1001), of_length(3, 100)]
    file = written(too_long, wish("meta"))
    assert comma(file.data)[0]["additional_image_link"] == too_long[0]["url"]
    assert file.notes == (
        (
            "feeds/meta.csv: additional_image_link takes 20 pictures a product and"
            " 2,000 characters: the first are written (product A)"
        ),
    )


def test_an_address_of_2000_characters_is_the_longest() -> None:
    base = f"{CDN}/images/"
    longest = rendition("A", url=base + "x" * (2000 - len(base)))
    # encoded it is one of 2,002
    longer = rendition("A", "hero", url=base + "x" * (1999 - len(base)) + ",")
    file = written([longer, longest], wish("merchant"))
    assert tsv(file.data) == [{"id": "A", "additional_image_link": longest["url"]}]
    assert file.notes == (
        (
            "feeds/merchant.tsv: hero is left out: its address is longer than 2,000 characters"
            " (product A)"
        ),
    )


def test_one_picture_columns_get_the_first_and_say_so() -> None:
    rows = [rendition("A", variant="a"), rendition("A", variant="b"), rendition("B", variant="a")]
    both = written(rows, wish("merchant", column="lifestyle_image_link"))
    assert [row["lifestyle_image_link"] for row in tsv(both.data)] == [
        f"{CDN}/images/A/a/4x5.jpg",
        f"{CDN}/images/B/a/4x5.jpg",
    ]
    assert both.notes == (
        (
            "feeds/merchant.tsv: lifestyle_image_link takes one picture a product: the first is"
            " written (product A)"
        ),
    )
    one = written(rows, wish("merchant", column="lifestyle_image_link", variant="b"))
    assert tsv(one.data) == [{"id": "A", "lifestyle_image_link": f"{CDN}/images/A/b/4x5.jpg"}]
    assert one.notes == ()


def test_of_one_picture_the_first_file_that_the_column_takes_is_written() -> None:
    rows = [rendition("A", format=form) for form in ("avif", "webp", "jpeg")]
    assert [row["shot_id"] for row in rows] == ["A/4x5"] * 3

    def found(name: str, column: str) -> str:
        file = written(rows, wish(name, column=column))
        assert file.notes == ()
        return FOUR[name](file.data)[0][column].rpartition(".")[2]

    assert found("merchant", "additional_image_link") == "webp"
    assert found("merchant", "lifestyle_image_link") == "jpg"
    assert found("meta", "additional_image_link") == "jpg"
    assert found("woocommerce", "Images") == "avif"


def test_files_that_the_platform_refuses_are_left_out() -> None:
    rows = [
        rendition("A"),
        rendition("A", "webp", format="webp"),
        rendition("A", "huge", bytes=8_000_001),
        rendition("A", "small", width=499),
        rendition("A", "private", url=None),
        rendition("B", "webp", format="webp"),
    ]
    file = written(rows, wish("meta", column="image_link"))
    assert comma(file.data) == [{"id": "A", "image_link": f"{CDN}/images/A/4x5.jpg"}]
    assert file.products == 1
    told = "feeds/meta.csv: "
    assert file.notes == (
        f"{told}webp is left out: image_link takes no webp (2 products: A, B)",
        f"{told}huge is left out: image_link takes at most 8,000,000 bytes (product A)",
        f"{told}small is left out: image_link needs 500 pixels on each side (product A)",
        (
            f"{told}private is left out: it was published before `public_url` was set;"
            " run without --only (product A)"
        ),
    )


def test_a_picture_below_what_the_platform_advises_is_written_and_told() -> None:
    file = written([rendition("A", width=499)], wish("merchant"))
    assert len(tsv(file.data)) == 1
    assert file.notes == (
        (
            "feeds/merchant.tsv: additional_image_link asks for 500x500 pixels; 4x5 is smaller"
            " (product A)"
        ),
    )


def test_filters_leave_what_they_name() -> None:
    rows = [
        rendition("A", name, channel=channel, variant=variant, locale=locale)
        for name, channel in (("4x5", None), ("gmc-main", "gmc-main"))
        for variant in ("a", "b")
        for locale in ("de", "en")
    ]

    def found(**filters: str) -> list[str]:
        cell = tsv(written(rows, wish("merchant", **filters)).data)[0]["additional_image_link"]
        return [url.removeprefix(f"{CDN}/images/A/") for url in cell.split(",")]

    assert found(variant="b", locale="de") == ["b/de/4x5.jpg", "b/de/gmc-main.jpg"]
    assert found(channel="gmc-main", locale="en") == ["a/en/gmc-main.jpg", "b/en/gmc-main.jpg"]
    assert found(channel="google-merchant-main", variant="a") == [
        "a/de/gmc-main.jpg",
        "a/en/gmc-main.jpg",
    ]
    assert found(output="4x5", variant="a", locale="en") == ["a/en/4x5.jpg"]


def test_two_feeds_of_one_format_are_two_files() -> None:
    rows = [rendition("A", locale="de"), rendition("A", locale="en")]
    wishes = [
        wish("merchant", locale="de", file="google-de"),
        wish("merchant", locale="en", file="google-en"),
    ]
    assert paths(wishes) == ("feeds/google-de.tsv", "feeds/google-en.tsv")
    files = feeds(manifest(rows), {"A": product("A")}, wishes)
    assert [(file.path, tsv(file.data)[0]["additional_image_link"]) for file in files] == [
        ("feeds/google-de.tsv", f"{CDN}/images/A/de/4x5.jpg"),
        ("feeds/google-en.tsv", f"{CDN}/images/A/en/4x5.jpg"),
    ]


def test_products_without_a_picture_are_in_no_supplement() -> None:
    products = [product("A"), product("B")]
    for name in ("merchant", "meta", "woocommerce"):
        file = written([rendition("B")], wish(name), products)
        rows = FOUR[name](file.data)
        assert [row.get("id") or row["SKU"] for row in rows] == ["B"]


def test_a_feed_without_pictures_has_a_header_and_says_so() -> None:
    file = written([rendition("A")], wish("merchant", channel="gmc-main"))
    assert file.data == b"id\tadditional_image_link\n"
    assert file.notes == ("feeds/merchant.tsv: no picture of the campaign is in it",)


def test_pictures_of_a_proof_are_told_to_be_no_goods() -> None:
    file = written([rendition("A")], wish("merchant"), realm="proof")
    assert file.notes == ("feeds/: the pictures are of a proof run: hand no feed to a shop",)


@pytest.mark.parametrize(
    "name", ["merchant", "merchant-xml", "meta", "shopify", "woocommerce", "pinterest"]
)
def test_the_same_manifest_gives_the_same_bytes(name: str) -> None:
    assert written(fifty(), wish(name)) == written(fifty(), wish(name))


OLD = ["https://shop.example/main.jpg", "https://shop.example/side.jpg", f"{CDN}/images/A/old.jpg"]


def merchant_product() -> Product:
    row = {"g:id": "0A", "g:image_link": OLD[0], "g:price": "1 EUR"}
    return product(
        "A",
        [*OLD, "https://shop.example/life.jpg"],
        row | {"g:lifestyle_image_link": "https://shop.example/life.jpg"},
    )


def test_the_catalogues_further_pictures_stay_behind_the_new_ones() -> None:
    new = f"{CDN}/images/A/4x5.jpg"
    file = written([rendition("A")], wish("merchant"), [merchant_product()])
    # neither the main and the lifestyle picture, nor what an earlier run has put there
    assert tsv(file.data) == [{"id": "0A", "additional_image_link": f"{new},{OLD[1]}"}]
    replaced = written([rendition("A")], wish("merchant", existing="replace"), [merchant_product()])
    assert tsv(replaced.data) == [{"id": "0A", "additional_image_link": new}]


def test_a_full_list_loses_old_pictures_and_no_new_one() -> None:
    file = written(many(10), wish("merchant"), [merchant_product()])
    found = tsv(file.data)[0]["additional_image_link"].split(",")
    assert found == [row["url"] for row in many(10)]
    assert file.notes == (
        (
            "feeds/merchant.tsv: additional_image_link takes 10 pictures a product: of the"
            " catalogue's own pictures the last are left out (product A)"
        ),
    )


def test_a_shop_keeps_its_featured_picture_in_front() -> None:
    woo = product(
        "SHIRT",
        [],
        {"ID": "7", "Type": "simple", "SKU": "SHIRT", "Images": "main.jpg, https://a/b"},
    )
    file = written([rendition("SHIRT")], wish("woocommerce"), [woo])
    new = f"{CDN}/images/SHIRT/4x5.jpg"
    assert comma(file.data) == [{"SKU": "SHIRT", "Images": f"main.jpg,https://a/b,{new}"}]
    shirt = product(
        "blue", OLD[:2], {"Handle": "blue", "Title": "Blue, “L”", "Image Alt Text": "Old words"}
    )
    rows = comma(written([rendition("blue", alt="New words")], wish("shopify"), [shirt]).data)
    assert [tuple(row.values()) for row in rows] == [
        ("blue", "Blue, “L”", OLD[0], "1", "Old words"),
        ("blue", "", OLD[1], "2", ""),
        ("blue", "", f"{CDN}/images/blue/4x5.jpg", "3", "New words"),
    ]


def test_woocommerce_products_without_sku_go_by_their_number() -> None:
    def of_shop(key: str, number: str, sku: str) -> Product:
        return product(key, [], {"ID": number, "Type": "simple", "SKU": sku, "Images": ""})

    products = [of_shop("S", "7", "S"), of_shop("8", "8", ""), of_shop("a-name", "", "")]
    file = written([rendition(one.key) for one in products], wish("woocommerce"), products)
    assert [(row["SKU"], row["ID"]) for row in comma(file.data)] == [("S", ""), ("", "8")]
    assert file.notes == (
        (
            "feeds/woocommerce.csv: left out: the catalogue has no SKU and no ID of it"
            " (product a-name)"
        ),
    )


def test_a_sku_that_looks_like_a_formula_is_guarded_as_woocommerce_reads_it() -> None:
    file = written([rendition("-20-COOLER")], wish("woocommerce"))
    assert comma(file.data)[0]["SKU"] == "'-20-COOLER"


def test_alt_texts_are_guarded_on_one_line_and_not_too_long() -> None:
    rows = [
        rendition("a", alt="=HYPERLINK(1)"),
        rendition("b", alt="two\r\nlines, “x”"),
        rendition("c", alt="x" * 600),
    ]
    file = written(rows, wish("shopify"))
    assert [row["Image alt text"] for row in comma(file.data)] == [
        "'=HYPERLINK(1)",
        "two lines, “x”",
        "x" * 512,
    ]
    assert file.notes == ("feeds/shopify.csv: alt texts are cut after 512 characters (product c)",)


def test_a_key_that_is_no_handle_is_left_out_of_shopify() -> None:
    file = written([rendition("MUG 01/b"), rendition("mug-02")], wish("shopify"))
    assert [row["URL handle"] for row in comma(file.data)] == ["mug-02"]
    assert file.notes == (
        "feeds/shopify.csv: left out: the catalogue has no handle of it (product MUG 01/b)",
    )


def test_a_column_of_the_catalogue_can_be_the_id() -> None:
    def of_row(key: str, offer: str) -> Product:
        return product(key, [], {"sku": key, "Offer ID": offer})

    products = [
        of_row("A", "online:de:001"),
        of_row("B", ""),
        of_row("C", "a\tb"),
        of_row("D", "online:de:001"),
    ]
    rows = [rendition(one.key) for one in products]
    file = written(rows, wish("merchant", id="offer id"), products)
    assert [row["id"] for row in tsv(file.data)] == ["online:de:001"]
    assert file.notes == (
        "feeds/merchant.tsv: left out: the catalogue has no id of it (product B)",
        (
            "feeds/merchant.tsv: left out: its id holds a tab, a line end or a control character"
            " (product C)"
        ),
        "feeds/merchant.tsv: left out: a product above has the same id (product D)",
    )


def test_ids_that_are_too_long_for_the_platform_are_left_out() -> None:
    keys = ["x" * 100, "y" * 101, "z" * 128]
    rows = [rendition(key) for key in keys]
    meta = written(rows, wish("meta"))
    assert [row["id"] for row in comma(meta.data)] == keys[:1]
    pinterest = written(rows, wish("pinterest"))
    assert [row["id"] for row in comma(pinterest.data)] == keys[:2]


CATALOGUES = {
    "vendure-demo/products.csv": "slug",
    "spree-demo/products.csv": "slug",
    "woocommerce-csv/sample_products.csv": "SKU",
    "shopify-csv/shopify-partners-apparel.csv": "Handle",
    "merchant-feeds/arabic-rss-feed.xml": "g:id",
}


def read_products(path: Path) -> Sequence[Product]:
    from flows.nouns.campaign import Products
    from flows.read.catalogue import products

    wanted = Products.model_validate({"from": str(path), "on_bad_row": "skip"})
    return products(wanted, folder=str(path.parent)).products


@pytest.mark.parametrize("name", CATALOGUES)
def test_ids_of_real_catalogues_come_back_as_they_were(name: str, test_data: Path) -> None:
    products = read_products(test_data / name)
    ids = [one.row[CATALOGUES[name]] for one in products]
    rows = [rendition(one.key) for one in products]
    own: list[tuple[Feed, str]] = [(wish("merchant"), "id"), (wish("meta"), "id")]
    if name.startswith("woo"):
        own = [(wish("woocommerce"), "SKU")]
    if name.startswith("shopify"):
        own = [(wish("shopify"), "URL handle")]
    for asked, column in own:
        found = FOUR.get(asked.name, comma)(written(rows, asked, products).data)
        assert list(dict.fromkeys(row[column] for row in found)) == [
            one for one in ids if len(one) <= 100
        ]
