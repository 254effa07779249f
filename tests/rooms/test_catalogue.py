"""Catalogue reading: what any table becomes, and what is refused with its place."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.errors import BadInput
from flows.nouns.campaign import Products
from flows.read.catalogue import Catalogue, products
from flows.read.dialects.images import by_comma, several
from flows.read.dialects.names import snake
from flows.read.dialects.prices import decimal
from flows.read.plain import LIST, cell, one_line, plain, visible
from flows.read.tables import table


@pytest.fixture
def read(tmp_path: Path):
    """Writes a catalogue and reads it: text or bytes in, Catalogue out."""

    def reading(content: str | bytes, name: str = "products.csv", **wish: object) -> Catalogue:
        data = content.encode() if isinstance(content, str) else content
        (tmp_path / name).write_bytes(data)
        return products(Products.model_validate({"from": name, **wish}), folder=str(tmp_path))

    return reading


def faults_of(reading, *args, **wish) -> list[str]:
    with pytest.raises(BadInput) as caught:
        reading(*args, **wish)
    return [str(fault) for fault in caught.value.faults]


# Cells and text


def test_cells_are_stripped_and_stay_text(read):
    catalogue = read("sku,title,description,country\n 001 , A mug ,NA,no\n 1,B,NULL,0123\n")
    assert [
        (one.key, one.title, one.fields["description"], one.fields["country"])
        for one in catalogue.products
    ] == [("001", "A mug", "NA", "no"), ("1", "B", "NULL", "0123")]


def test_a_product_has_our_fields_the_original_row_and_its_line(read):
    (mug,) = read(
        "# exported\nSKU;Product name;Body (HTML);Preis\n"
        'M-1;"<b>Mug</b> &amp; lid";<p>Blue</p>;9,90 €\n',
        columns={"price": "Preis"},
    ).products
    assert dict(mug.fields) == {
        "sku": "M-1",
        "product_name": "<b>Mug</b> &amp; lid",
        "body_html": "<p>Blue</p>",
        "preis": "9,90 €",
        "title": "Mug & lid",
        "description": "Blue",
        "price": "9.90",
        "currency": "EUR",
    }
    assert dict(mug.row) == {
        "SKU": "M-1",
        "Product name": "<b>Mug</b> &amp; lid",
        "Body (HTML)": "<p>Blue</p>",
        "Preis": "9,90 €",
    }
    assert (mug.row_number, mug.source) == (3, "products.csv")


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("<p>One</p><p>Two<br>Three</p>", "One\nTwo\nThree"),
        ("<ul><li>a</li><li>b &amp; c</li></ul>", "a\nb & c"),
        ("x<script>alert(1)</script><style>p{}</style> y", "x y"),
        ("a < b and c > d, AT&T, R&reg", "a < b and c > d, AT&T, R&reg"),
        ("use the <Power> key", "use the <Power> key"),
        ("line one\nline two", "line one\nline two"),
        ("<b>line</b>\none", "line one"),
        ("&lt;script&gt;", "<script>"),
        ("<p>a<![if !supportLists]>b<![endif]></p><![CDATA[c]]>", "ab\nc"),
        ("a<!-- hidden -->b<br/>", "ab"),
        ("<p>never closed <a href='x", "never closed"),
    ],
)
def test_html_becomes_plain_words(html, words):
    assert plain(html) == words


def test_titles_are_one_line():
    assert one_line("<b>Red</b>\n  mug\twith lid") == "Red mug with lid"


def test_invisible_characters_go_and_joiners_of_emoji_and_scripts_stay():
    assert visible("a\u200bb\ufeffc\u202ed\u2066e\x00f\x1bg\ud800h") == "abcdefgh"
    assert visible("👩\u200d👧 می\u200cخواهم \u200fا") == "👩\u200d👧 می\u200cخواهم \u200fا"
    assert visible("cafe\u0301") == "café"
    hidden = "".join(chr(0xE0000 + ord(sign)) for sign in "obey")
    assert visible(f"mug{hidden}") == "mug"
    england = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
    assert visible(england) == england


def test_the_apostrophe_that_protects_formulas_is_taken_off():
    assert [cell("'=1+1"), cell("'-5"), cell("'twas"), cell(" '@x ")] == [
        "=1+1",
        "-5",
        "'twas",
        "@x",
    ]


@pytest.mark.parametrize(
    ("text", "number", "currency"),
    [
        ("24,90", "24.90", ""),
        ("¥12,800", "12800", ""),
        ("1.299,00 €", "1299.00", "EUR"),
        ("17.00 OMR", "17.00", "OMR"),
        ("$1,299.00", "1299.00", ""),
        ("1 299,00 zł", "1299.00", "PLN"),
        ("CHF 1'299.50", "1299.50", "CHF"),
        ("-5.00", "-5.00", ""),
        ("1.234.567", "1234567", ""),
        ("17,000 TND", "17,000 TND", "TND"),  # seventeen, or seventeen thousand
        ("twelve", "twelve", ""),
        ("NaN", "NaN", ""),
        ("from 12.00", "from 12.00", ""),
        ("1,2,3", "1,2,3", ""),
    ],
)
def test_prices_that_can_be_read_in_one_way_become_decimals(text, number, currency):
    assert decimal(text) == (number, currency)


@pytest.mark.parametrize(
    ("text", "images"),
    [
        ("a.jpg|b.png, c.avif", ["a.jpg", "b.png", "c.avif"]),
        ("Crème, large.jpg", ["Crème, large.jpg"]),
        (
            "https://x/w_1,h_2/a.jpg, https://x/b.jpg",
            ["https://x/w_1,h_2/a.jpg", "https://x/b.jpg"],
        ),
        ("data:image/png;base64,AA,BB", ["data:image/png;base64,AA,BB"]),
        (f"a, b.jpg{LIST}c.jpg", ["a, b.jpg", "c.jpg"]),
        ('[{"url": "https://x/a.jpg", "tag": ["front"]}]', ["https://x/a.jpg"]),
        ("", []),
    ],
)
def test_image_cells_are_split_only_between_images(text, images):
    assert several(text) == images


def test_woocommerce_cells_are_split_at_every_comma():
    assert by_comma("front, back.jpg") == ["front", "back.jpg"]
    assert by_comma("front.jpg|back.jpg") == ["front.jpg", "back.jpg"]


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("Body (HTML)", "body_html"),
        ("stockOnHand", "stock_on_hand"),
        ("g:image_link", "image_link"),
        ("Google Shopping / MPN", "google_shopping_mpn"),
        (" In stock? ", "in_stock"),
        ("image[0].url", "image_0_url"),
        ("Größe", "größe"),
    ],
)
def test_headers_become_field_names(header, name):
    assert snake(header) == name


def test_several_image_columns_are_one_list_without_repetitions(read):
    (mug,) = read(
        "sku,title,image,image_2,additional_image_link\nA,a,1.jpg,2.jpg,1.jpg|3.jpg\n"
    ).products
    assert mug.images == ("1.jpg", "2.jpg", "3.jpg")
    assert mug.fields["image"] == "1.jpg"


# Shapes of files


CSV = "sku,title,price\nA-1,Crème brûlée,1.50\nA-2,“Pro”,2\n"
EXPECTED = [("A-1", "Crème brûlée", "1.50"), ("A-2", "“Pro”", "2")]


@pytest.mark.parametrize(
    "data",
    [
        CSV.encode(),
        CSV.encode("utf-8-sig"),
        CSV.encode("utf-16"),
        CSV.encode("utf-32"),
        CSV.replace("\n", "\r").encode(),
        CSV.replace("\n", "\r\n").encode(),
        CSV.replace(",", ";").encode(),
        CSV.replace(",", "\t").encode(),
        CSV.replace(",", "|").encode(),
        b"sep=;\n" + CSV.replace(",", ";").encode(),
        b"# ref_application_id 123\n\n" + CSV.encode(),
        CSV.replace("A-2", '"A-2"   ').encode(),
        CSV.replace(",1.50", " , 1.50,  ").encode(),
        b"\n , , \n".join(CSV.encode().splitlines()),
    ],
)
def test_a_table_is_the_same_in_every_encoding_line_end_and_delimiter(read, data):
    found = read(data).products
    assert [(one.key, one.title, one.fields["price"]) for one in found] == EXPECTED


def test_windows_1252_is_read_with_a_word_about_it(read):
    catalogue = read(CSV.encode("cp1252"))
    assert [one.title for one in catalogue.products] == ["Crème brûlée", "“Pro”"]
    assert catalogue.notes == (
        (
            "products.csv is not UTF-8 (line 2) and was read as Windows-1252;"
            " save it as UTF-8 if words look wrong"
        ),
    )


def test_bytes_that_are_no_text_are_refused_with_the_line(read):
    assert faults_of(read, b"sku,title\nA,caf\xe9\nB,\x81\n") == [
        "products.csv: line 3: byte 0x81 is neither UTF-8 nor Windows-1252; save the file as UTF-8"
    ]


def test_damaged_utf8_is_not_taken_for_windows_1252(read):
    data = "sku,title\nA,Crème brûlée à la carte\nB,caf".encode() + b"\xe9\n"
    assert faults_of(read, data) == [
        (
            "products.csv: line 3: byte 0xE9 is not UTF-8, though the rest of the file is;"
            " mend the line and save the file as UTF-8"
        )
    ]


OBJECTS = [
    {"sku": "001", "title": "Mug", "price": 24.9, "images": ["a, b.jpg", "c.jpg"], "new": True},
    {"sku": "2", "title": "Cup", "price": None, "size": {"width": 3}},
]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", json.dumps(OBJECTS)),
        ("a.json", json.dumps({"products": OBJECTS, "count": 2})),
        ("a.json", "\ufeff" + json.dumps(OBJECTS)),
        ("a.jsonl", "\n".join(map(json.dumps, OBJECTS)) + "\n\n"),
        ("feed", json.dumps({"records": OBJECTS})),
    ],
)
def test_json_values_are_the_text_that_stands_there(read, name, content):
    mug, cup = read(content, name=name).products
    assert (mug.key, mug.fields["price"], mug.images, mug.fields["new"]) == (
        "001",
        "24.9",
        ("a, b.jpg", "c.jpg"),
        "true",
    )
    assert (cup.fields["price"], cup.fields["size_width"], cup.images) == ("", "3", ())


def test_numbers_in_json_keep_their_zeros(read):
    (mug,) = read('[{"sku": "1", "title": "Mug", "price": 24.90}]', name="a.json").products
    assert mug.fields["price"] == "24.90"


def test_parquet_keeps_whole_numbers_whole_and_blanks_blank(tmp_path):
    import pandas as pd

    frame = pd.DataFrame(
        {"sku": ["001", "2"], "title": ["Mug", "Cup"], "stock": pd.array([3, None], dtype="Int64")}
    )
    frame["images"] = [["a.jpg", "b.jpg"], None]
    frame.to_parquet(tmp_path / "a.parquet")
    wish = Products.model_validate({"from": "a.parquet"})
    mug, cup = products(wish, folder=str(tmp_path)).products
    assert (mug.key, mug.fields["stock"], mug.images) == ("001", "3", ("a.jpg", "b.jpg"))
    assert (cup.key, cup.fields["stock"], cup.images) == ("2", "", ())


ATOM = """<?xml version="1.0"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:shop="http://base.google.com/ns/1.0">
<entry><shop:id>A 1</shop:id><title>Mug &amp; lid</title>
<link rel="self" href="https://shop.example/feed"/><link href="https://shop.example/mug"/>
<shop:image_link>https://x/a,b.jpg</shop:image_link>
<shop:additional_image_link>https://x/c.jpg</shop:additional_image_link>
<shop:additional_image_link>https://x/d.jpg</shop:additional_image_link>
<shop:shipping><shop:country>DE</shop:country></shop:shipping>
<shop:price>17.00 OMR</shop:price></entry></feed>"""


def test_an_atom_feed_is_read_whatever_its_prefix(read):
    catalogue = read(ATOM, name="feed.xml")
    (mug,) = catalogue.products
    assert (mug.key, mug.title, mug.row_number) == ("A 1", "Mug & lid", 3)
    assert mug.images == ("https://x/a,b.jpg", "https://x/c.jpg", "https://x/d.jpg")
    assert {
        name: mug.fields[name] for name in ("link", "price", "currency", "shipping_country")
    } == {
        "link": "https://shop.example/mug",
        "price": "17.00",
        "currency": "OMR",
        "shipping_country": "DE",
    }
    assert catalogue.notes == ("feed.xml was read as a Google Merchant feed, by its columns",)


def test_entities_in_a_feed_are_refused(read):
    bomb = (
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
        "<rss><channel><item><id>&b;</id></item></channel></rss>"
    )
    (fault,) = faults_of(read, bomb, name="feed.xml")
    assert fault.startswith("feed.xml: it declares entities or a document type")


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("a.csv", "", "a.csv: the file is empty"),
        ("a.csv", "# only\n# comments\n", "a.csv: the file holds nothing but comments"),
        ("a.csv", "sku,title\n\n,\n", "a.csv: there is a header but no product below it"),
        ("a.json", "[]", "a.json: there is no product in it (0 products)"),
        ("a.json", '{"shop": 1}', "a.json: one JSON object with shop"),
        ("a.json", '[{"sku": 1,}]', "a.json: line 1, column 12: this is not JSON"),
        ("a.json", '[{"sku": 1, "sku": 2}]', "a.json: an object names the key 'sku' twice"),
        ("a.json", '["a"]', "a.json: item 1: the value 'a' instead of an object"),
        ("a.json", '[{"model": "m", "pk": 1, "fields": {}}]', "a.json: database records"),
        ("a.jsonl", '{"sku": 1}\n[1]\n', "a.jsonl: line 2: a list instead of an object"),
        ("a.xml", "<rss><channel/></rss>", "a.xml: the feed has no <item> or <entry>"),
        ("a.xml", "<rss>\n<item></rss>", "a.xml: line 2, column 9: this is not XML"),
        ("a.xml", "<catalog/>", "a.xml: XML whose outermost element is <catalog>"),
        ("a.csv", "<!DOCTYPE html><html></html>", "a.csv: the file is a web page"),
        ("a.csv", b"PK\x03\x04rest", "a.csv: the file is a workbook or a ZIP archive"),
        ("a.parquet", b"PAR1 broken", "a.parquet: this is not readable Parquet"),
    ],
)
def test_files_that_are_no_catalogue_are_refused_by_name(read, name, content, fault):
    assert faults_of(read, content, name=name)[0].startswith(fault)


# Rows that are wrong


RAGGED = 'sku,title,price\nA-1,Short\nA-2,a,b,c\nA-3,"Open,3\nA-4,Good,4\nA-5,nul\0,5\n'


def test_all_bad_rows_are_told_at_once_with_line_and_column(read):
    assert [fault.split(";")[0] for fault in faults_of(read, RAGGED)] == [
        "products.csv: line 2, column 'price': 2 cells where the header has 3: nothing for 'price'",
        "products.csv: line 3, column 'price': 4 cells where the header has 3: no column for 'c'",
        "products.csv: line 4, column 'title': the quote that opens this cell is never closed",
        "products.csv: line 6, column 'title': a NUL byte, which no text has",
    ]


def test_bad_rows_are_skipped_and_listed_when_asked(read):
    catalogue = read(RAGGED, on_bad_row="skip")
    assert [one.key for one in catalogue.products] == ["A-4"]
    assert [one.place for one in catalogue.skipped] == [
        "products.csv: line 2, column 'price'",
        "products.csv: line 3, column 'price'",
        "products.csv: line 4, column 'title'",
        "products.csv: line 6, column 'title'",
    ]


def test_text_after_a_closing_quote_is_refused(read):
    assert faults_of(read, 'sku,title\nA,"b" c\n') == [
        (
            "products.csv: line 2, column 'title': text goes on after the closing quote"
            " on line 2: 'c';"
            ' close the quote, or double it ("") where it is part of the text'
        )
    ]


def test_a_quote_is_a_quote_in_a_tab_separated_feed_without_quoting(read):
    found = read(
        'sku\ttitle\nA\t"Best" mug\nB\t"24 inch\nC\t"quoted\tcell"\n', name="a.tsv"
    ).products
    assert [one.title for one in found[:2]] == ['"Best" mug', '"24 inch']


def test_line_numbers_count_the_lines_inside_quoted_cells(read):
    assert faults_of(read, 'sku,title\nA,"one\ntwo"\nB\n')[0].startswith("products.csv: line 4, ")


def test_duplicate_keys_name_both_lines(read):
    assert faults_of(read, "sku,title\nA,one\nB,two\n A ,three\n") == [
        (
            "products.csv: line 4, column 'sku': 'A' stands here and on line 2;"
            " give each product a key of its own, or remove one of the rows"
        )
    ]


def test_keys_that_differ_in_case_or_zeros_are_different_products(read):
    found = read("sku,title\na,1\nA,2\n1,3\n01,4\n").products
    assert [one.key for one in found] == ["a", "A", "1", "01"]


def test_a_row_with_only_a_key_and_a_row_without_one_are_bad(read):
    assert [fault.split(";")[0] for fault in faults_of(read, "sku,title\nA,\n,b\n")] == [
        "products.csv: line 2, column 'sku': the row has a key and nothing else",
        "products.csv: line 3, column 'sku': the key is blank, so the row names no product",
    ]


def test_a_key_with_a_line_break_is_bad(read):
    (fault,) = faults_of(read, 'sku,title\n"a\nb",x\n')
    assert fault.startswith("products.csv: line 2, column 'sku': the key 'a\\nb' holds a control")


def test_headers_that_mean_the_same_are_refused(read):
    assert faults_of(read, "sku,title,Title,price\nA,a,b,1\n") == [
        (
            "products.csv: header, column 3: 'Title' and 'title' (column 2) are the same name:"
            " title;"
            " rename or remove one of them"
        )
    ]


def test_a_cell_below_no_header_is_bad_and_a_blank_column_is_not(read):
    assert [one.key for one in read("sku,,title\nA,,a\n").products] == ["A"]
    (fault,) = faults_of(read, "sku,,title\nA,lost,a\n")
    assert fault.startswith("products.csv: line 2, column 'cell 2': 'lost' stands in a column")


def test_a_title_that_is_missing_is_made_from_the_key_with_a_note(read):
    catalogue = read("slug,price\nblue-shirt,1\nMUG-01,2\n")
    assert [one.title for one in catalogue.products] == ["Blue shirt", "MUG-01"]
    assert catalogue.notes == ("2 without a title are called by their key: blue-shirt, MUG-01",)


# What the campaign says


def test_continued_rows_belong_to_the_product_above(read):
    content = "sku,title,color,stock,image\nA,Mug,blue,1,a.jpg\n,,red,2,b.jpg\nB,Cup,,,c.jpg\n"
    mug, cup = read(content, continuation=True).products
    assert (mug.images, mug.fields["stock"], mug.fields["color"]) == (
        ("a.jpg", "b.jpg"),
        "3",
        "blue",
    )
    assert cup.images == ("c.jpg",)
    (fault,) = faults_of(read, "sku,title\n,x\nA,a\n", continuation=True)
    assert "there is no product above" in fault


def test_the_key_is_the_first_of_sku_id_handle_slug_or_what_the_campaign_says(read):
    content = "slug,id,Art-Nr,title\na-b,7,X1,T\n"
    assert read(content).products[0].key == "7"
    assert read(content, key="Art-Nr").products[0].key == "X1"
    assert read(content, columns={"sku": "Art-Nr"}).products[0].key == "X1"


def test_unknown_columns_and_keys_are_all_told_with_the_nearest(read):
    faults = faults_of(
        read, "sku,Photo\nA,a.jpg\n", columns={"image": "Foto", "title": "Name"}, key="sk"
    )
    assert faults == [
        (
            "products.columns.image: no column 'Foto' in products.csv (allowed: sku, Photo);"
            " did you mean 'Photo'?"
        ),
        "products.columns.title: no column 'Name' in products.csv (allowed: sku, Photo)",
        "products.key: no column 'sk' in products.csv (allowed: sku, Photo); did you mean 'sku'?",
    ]


def test_a_table_without_a_key_says_how_to_name_one(read):
    assert faults_of(read, "Product,Price\nA,1\n") == [
        (
            "products.csv: no column sku, id, handle or slug that would name a product"
            " (allowed: Product, Price); say which column does: `key: …` under products"
        )
    ]


def test_inline_items_are_read_like_rows_of_a_file(tmp_path):
    wish = Products.model_validate(
        {"items": [{"sku": "1", "title": "A <b>mug</b>", "image": ["a.jpg", "b.jpg"], "new": True}]}
    )
    catalogue = products(wish, folder=str(tmp_path))
    (mug,) = catalogue.products
    assert (mug.title, mug.images, mug.fields["new"], mug.row_number) == (
        "A mug",
        ("a.jpg", "b.jpg"),
        "true",
        1,
    )
    assert catalogue.image_base == str(tmp_path)
    with pytest.raises(BadInput) as caught:
        products(
            Products.model_validate({"items": [{"sku": "1", "title": "a"}, {"title": "b"}]}),
            folder=str(tmp_path),
        )
    assert caught.value.faults[0].place == "products.items: item 2, column 'sku'"


def test_image_base_is_beside_the_catalogue_or_where_the_campaign_says(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("sku,title\nA,a\n")

    def base(**wish: object) -> str:
        wished = Products.model_validate({"from": "data/a.csv", **wish})
        return products(wished, folder=str(tmp_path)).image_base

    assert base() == str(tmp_path / "data")
    assert base(image_base="../photos/") == str(tmp_path.parent / "photos")
    assert base(image_base="/srv/photos") == "/srv/photos"
    assert base(image_base="https://cdn.example/p") == "https://cdn.example/p"


def test_catalogues_are_read_through_fsspec_and_secrets_are_not_shown():
    import fsspec

    with fsspec.open("memory://shop/a.csv", "wb") as file:
        file.write(b"sku,title\nA,a\n")
    catalogue = products(
        Products.model_validate({"from": "memory://shop/a.csv"}), folder="/nowhere"
    )
    assert (catalogue.products[0].key, catalogue.image_base) == ("A", "memory://shop")
    secret = Products.model_validate({"from": "memory://me:hunter2@shop/b.csv?token=hunter2"})
    with pytest.raises(BadInput) as caught:
        products(secret, folder="/nowhere")
    assert "hunter2" not in str(caught.value)


def test_a_missing_file_is_named_with_the_nearest(tmp_path):
    (tmp_path / "products.csv").write_text("sku,title\nA,a\n")
    with pytest.raises(BadInput) as caught:
        products(Products.model_validate({"from": "product.csv"}), folder=str(tmp_path))
    assert [str(fault) for fault in caught.value.faults] == [
        "product.csv: no such file; did you mean 'products.csv'?"
    ]


# Translations


def test_translations_are_joined_by_key_and_locale(read, tmp_path):
    (tmp_path / "words.csv").write_text(
        "sku,Locale,name,description\nA,de,Becher,<p>Blau</p>\nA,fr_CA,Tasse,\nX,de,Nichts,\n"
    )
    catalogue = read("sku,title,description\nA,Mug,Blue\n", translations="words.csv")
    (mug,) = catalogue.products
    assert {locale: dict(words) for locale, words in mug.translations.items()} == {
        "de": {"name": "Becher", "description": "Blau", "title": "Becher"},
        "fr-CA": {"name": "Tasse", "title": "Tasse"},
    }
    assert mug.in_locale("de-AT")["title"] == "Becher"
    assert catalogue.notes == (
        "words.csv was joined: 1 products in de, fr-CA",
        "words.csv has 1 products that the catalogue does not have: X",
    )


def test_faults_of_translations_are_all_told(read, tmp_path):
    (tmp_path / "words.csv").write_text("sku,locale,title\nA,de,x\nA,de,y\nA,German language,z\n")
    assert faults_of(read, "sku,title\nA,a\n", translations="words.csv") == [
        (
            "words.csv: line 3, column 'locale': 'A' in de stands here and on line 2;"
            " keep one of the two"
        ),
        (
            "words.csv: line 4, column 'locale': 'German language' is no locale"
            " (allowed: de, fr, pt-BR …)"
        ),
    ]


def test_translations_given_as_a_catalogue_are_recognised(read):
    (fault,) = faults_of(read, "slug,locale,name\na,de,A\na,fr,B\n")
    assert "once for each locale: these are translations, not products" in fault


# Any table


CELLS = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\u2028\u2029")
    | st.sampled_from("\n,;\t|\"' "),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=6),
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_whatever_a_csv_writer_writes_reads_back_equal(rows, delimiter, encoding, line_end):
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=line_end)
    writer.writerow(["sku", "left", "right"])
    for number, row in enumerate(rows):
        writer.writerow([f"K{number}", *row])
    found = table(buffer.getvalue().encode(encoding), "any.csv")
    assert found.bad == []
    assert [[text.strip() for text in row.cells] for row in found.rows] == [
        [f"K{number}", *(text.strip() for text in row)] for number, row in enumerate(rows)
    ]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=120).map(str.encode))
def test_any_bytes_are_a_table_or_refused_as_bad_input(data):
    try:
        found = table(data, "any")
    except BadInput as error:
        widths, faults = set(), len(error.faults)
    else:
        widths, faults = {len(row.cells) - len(found.columns) for row in found.rows}, 1
    assert widths <= {0}
    assert faults


@given(st.text() | st.text("<>!/[]-&;'= pbr\nCDATif"))
def test_plain_text_never_fails_and_holds_nothing_invisible(text):
    words = plain(text)
    assert visible(words) == words
    assert not any(sign in words for sign in "\u200b\ufeff\u202e\x00\x1b")
