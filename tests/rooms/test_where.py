"""`where`: which products a query leaves, and what it may not say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.errors import BadInput
from flows.nouns.campaign import Products
from flows.nouns.product import Product
from flows.read import filters
from flows.read.catalogue import products


def product(key: str, **fields: str) -> Product:
    return Product(key=key, title=key, fields={"sku": key, **fields}, row={})


SHOP = (
    product("001", stock="3", price="9.90", category="mugs", brand="Acme", size=""),
    product("1", stock="0", price="24", category="Cups", brand="", size="2"),
    product("x", stock="12", price="5.00", category="mugs & cups", brand="Acme", size=""),
)


def keys(where: str) -> list[str]:
    return [one.key for one in filters.matching(SHOP, filters.query(where))]


def faults_of(where: str) -> list[str]:
    with pytest.raises(BadInput) as caught:
        keys(where)
    return [f"{fault.place}: {fault.found}" for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("where", "left"),
    [
        ("stock > 0", ["001", "x"]),
        ("stock > 0 and category == 'mugs'", ["001"]),
        ("price < 10", ["001", "x"]),
        ("5 < price <= 24", ["001", "1"]),
        ("not (stock > 0)", ["1"]),
        ("category in ['mugs', 'Cups']", ["001", "1"]),
        ("category not in ['mugs']", ["1", "x"]),
        ("sku == '1'", ["1"]),
        ("key == '001'", ["001"]),
        ("brand != ''", ["001", "x"]),
        ("size > 1", ["1"]),
        ("stock * price >= 29.7", ["001", "x"]),
        ("(stock > 0) & (price > 9)", ["001"]),
        ("category.str.contains('cup', case=False)", ["1", "x"]),
        ("~category.str.startswith('mugs')", ["1"]),
        ("category.str.lower() == 'cups'", ["1"]),
        ("category.str.len() > 4", ["x"]),
        ("sku.str.len() == 3", ["001"]),
        ("stock.str.endswith('2')", ["x"]),
        ("`stock` > 0\nand `Category` == 'mugs'", ["001"]),
        ("stock > 100", []),
        (r"sku.str.contains('^\d+$')", ["001", "1"]),
        ("sku.str.contains('(0|x)')", ["001", "x"]),
    ],
)
def test_a_query_leaves_the_products_it_holds_for(where, left):
    assert keys(where) == left


@pytest.mark.parametrize(
    "where",
    [
        "stock > @limit",
        "__import__('os').system('true')",
        "category.__class__ == 1",
        "category.str.__len__() > 1",
        "stock.apply(print) > 1",
        "(lambda: 1)() == 1",
        "[one for one in stock] == 1",
        "category.str.replace('a', 'b') == 'c'",
        "category.str == 1",
        "stock ** 99 > 1",
        "'a' * 99 == category",
        "category.str.contains(brand)",
        "category.str.contains('a', flags=2)",
        "stock := 3",
        "f'{stock}' == '3'",
        "brand == None",
        "stock[0] > 1",
        "sin(price) > 0",
        "import os",
        "stock",
        "stock + 1",
        "category.str.lower()",
        "stock > 0 and (yield)",
        "(" * 500,
        "stock > 0 " * 300,
        "",
        "   ",
    ],
)
def test_nothing_but_comparisons_is_let_through(where):
    with pytest.raises(BadInput) as caught:
        filters.matching(SHOP, filters.query(where))
    assert all(fault.place.startswith("products.where") for fault in caught.value.faults)
    assert caught.value.faults


def test_an_unknown_column_is_named_with_the_nearest():
    with pytest.raises(BadInput) as caught:
        keys("stok > 0 and categories == 'a'")
    assert [(fault.place, fault.found, fault.remedy) for fault in caught.value.faults] == [
        ("products.where, character 1", "no column 'stok'", "did you mean 'stock'?"),
        ("products.where, character 14", "no column 'categories'", "did you mean 'category'?"),
    ]


def test_text_and_numbers_are_not_compared_in_silence():
    assert faults_of("sku == 1 or stock == '3'") == [
        "products.where, character 1: 'sku' is text and is compared with the number 1",
        "products.where, character 13: 'stock' holds numbers and is compared with the text '3'",
    ]
    assert faults_of("category > 3") == [
        (
            "products.where, character 1: 'category' is text (there is 'mugs' in it) and is"
            " compared with the number 3"
        )
    ]


def test_one_equals_sign_gets_a_hint():
    with pytest.raises(BadInput) as caught:
        keys("category = 'mugs'")
    assert caught.value.faults[0].remedy == "a comparison is written with =="


def test_where_comes_after_folding_and_limit_after_where(tmp_path):
    (tmp_path / "a.csv").write_text("sku,title,stock\nA,a,1\n,,2\nB,b,5\nC,c,0\nD,d,9\n")

    def left(**wish: object) -> list[str]:
        wished = Products.model_validate({"from": "a.csv", "continuation": True, **wish})
        return [one.key for one in products(wished, folder=str(tmp_path)).products]

    assert left(where="stock >= 3") == ["A", "B", "D"]
    assert left(where="stock >= 3", limit=2) == ["A", "B"]


def test_a_query_that_leaves_nothing_says_so(tmp_path):
    (tmp_path / "a.csv").write_text("sku,title,stock\nA,a,1\n")
    wish = Products.model_validate({"from": "a.csv", "where": "stock > 5"})
    catalogue = products(wish, folder=str(tmp_path))
    assert (catalogue.products, catalogue.notes) == ((), ("`where` leaves none of 1 products",))


@pytest.mark.parametrize("where", ["sku.str.contains('(')", "price / 0 > stock", "price % 0 == 1"])
def test_what_pandas_cannot_answer_is_no_traceback(where):
    try:
        found = keys(where)
    except BadInput as error:
        found = [] if error.faults else ["refused without a fault"]
    assert set(found) <= {"001", "1", "x"}


@given(st.text("stock price and or not in()[]<>=!'\"@.,+-*/%`_01 str contains", max_size=40))
def test_any_text_is_answered_or_refused(where):
    try:
        found = keys(where)
    except BadInput as error:
        found = [] if error.faults else ["refused without a fault"]
    assert set(found) <= {"001", "1", "x"}


def test_what_is_left_out_is_told_with_the_key_that_does_it():
    items = [{"sku": key, "stock": stock} for key, stock in (("A", 9), ("B", 0), ("C", 5))]
    found = products(Products(items=items, where="stock > 0", limit=1), folder=".")
    assert [one.key for one in found.products] == ["A"]
    assert found.left_out == {"B": "where", "C": "limit"}
    assert products(Products(items=items), folder=".").left_out == {}
