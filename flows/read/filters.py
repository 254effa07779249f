"""`where`: a pandas query over whole products, of which only what is safe is let through.

A column whose values are all numbers compares as numbers; keys and ids stay text, so that `001`
is not 1, and so does a column that is searched with `.str`.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flows.errors import BadInput, Fault, did_you_mean
from flows.nouns.product import Product
from flows.read.dialects.names import snake

PLACE = "products.where"
ALLOWED = (
    "columns, texts and numbers with == != < <= > >= in not in, and, or, not, + - * / %,"
    " and .str.contains .str.startswith .str.endswith .str.lower .str.upper .str.len"
)
_LONGEST = 2_000
_METHODS = {"contains": 1, "startswith": 1, "endswith": 1, "lower": 0, "upper": 0, "len": 0}
_OPTIONS = frozenset(("case", "regex"))
_STAY_TEXT = frozenset(
    ("key", "sku", "id", "handle", "slug", "gtin", "ean", "upc", "isbn", "mpn", "barcode")
)
_NUMBER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_NODES = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.UAdd,
    ast.Invert, ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In,
    ast.NotIn, ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.BitAnd,
    ast.BitOr, ast.Name, ast.Load, ast.Constant, ast.List, ast.Tuple, ast.Call, ast.Attribute,
    ast.keyword,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was looked at: its text, the columns it names, those it searches as text."""

    text: str
    tree: ast.Expression
    names: tuple[str, ...]
    searched: frozenset[str]


def query(where: str) -> Query:
    """The query, if there is nothing in it but comparisons.

    Raises:
        BadInput: with all that is not allowed, each with its column in the text.

    """
    # `Product name` in backticks is how pandas writes such columns; ours have no spaces.
    text = re.sub(r"`([^`\n]+)`", lambda match: snake(match[1]), where).strip()
    if len(text) > _LONGEST:
        raise _refused([Fault(PLACE, f"the query is longer than {_LONGEST} characters")])
    if "@" in re.sub(r"'[^']*'|\"[^\"]*\"", "", text):
        raise _refused(
            [Fault(PLACE, "`@` reaches for variables, and there are none", allowed=ALLOWED)]
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # `\d` in a text is meant for the search, not for Python
            tree = ast.parse(" ".join(text.splitlines()), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        column = getattr(error, "offset", None)
        at = f"{PLACE}, character {column}" if column else PLACE
        hint = "a comparison is written with ==" if re.search(r"[^=<>!]=[^=]", text) else ""
        reason = getattr(error, "msg", None) or str(error)
        raise _refused(
            [Fault(at, f"this is no query: {reason}", allowed=ALLOWED, remedy=hint)]
        ) from error
    if faults := list(_unsafe(tree)):
        raise _refused(faults)
    names = dict.fromkeys(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
    searched = frozenset(
        inner.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Name)
    )
    return Query(" ".join(text.splitlines()), tree, tuple(names), searched)


def matching(products: Sequence[Product], asked: Query) -> tuple[Product, ...]:
    """The products that the query holds for, in their order.

    Raises:
        BadInput: an unknown column (with the nearest), or text compared with a number.

    """
    import pandas as pd

    known = dict.fromkeys(name for product in products for name in product.fields)
    known.setdefault("key")
    faults = [
        Fault(
            _at(node),
            f"no column '{node.id}'",
            allowed=", ".join(sorted(known)[:40]),
            remedy=did_you_mean(node.id, known),
        )
        for node in ast.walk(asked.tree)
        if isinstance(node, ast.Name) and node.id not in known
    ]
    if faults:
        raise _refused(faults)
    frame: dict[str, Any] = {}
    texts: dict[str, str] = {}
    for name in asked.names:
        values = [
            product.key if name == "key" else product.fields.get(name, "") for product in products
        ]
        odd = None if _stays_text(name, asked) else _not_a_number(values)
        if odd is None and not _stays_text(name, asked):
            frame[name] = pd.to_numeric(pd.Series([value or None for value in values]))
        else:
            frame[name] = pd.Series(values, dtype="str")
            texts[name] = odd or ""
    if faults := list(_mixed(asked.tree, frame, texts)):
        raise _refused(faults)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            kept = pd.DataFrame(frame, index=range(len(products))).query(
                asked.text, engine="python", local_dict={}, global_dict={}
            )
    except (ArithmeticError, AttributeError, LookupError, NameError, NotImplementedError,
            SyntaxError, TypeError, ValueError, re.error) as error:  # fmt: skip
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise _refused([Fault(PLACE, f"the query cannot be answered: {reason}")]) from error
    return tuple(products[position] for position in kept.index)


def _refused(faults: Sequence[Fault]) -> BadInput:
    return BadInput("`where` cannot be used", faults)


def _at(node: ast.expr) -> str:
    return f"{PLACE}, character {node.col_offset + 1}"


def _unsafe(tree: ast.Expression) -> Iterator[Fault]:
    """Everything in the query that is neither a comparison nor part of one."""
    methods = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}
    accessors = {node.value for node in methods if isinstance(node, ast.Attribute)}
    if not _says_yes_or_no(tree.body):
        yield Fault(
            _at(tree.body), "this is a value, not a comparison", remedy="compare it: == > …"
        )
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node in methods:
            continue
        if isinstance(node, ast.Attribute) and node in accessors and node.attr == "str":
            continue
        if what := _unsafe_node(node):
            at = _at(node) if isinstance(node, ast.expr) else PLACE
            yield Fault(at, f"{what} is not allowed in `where`", allowed=ALLOWED)


def _unsafe_node(node: ast.AST) -> str:
    what = "" if isinstance(node, _NODES) else type(node).__name__.lower()
    match node:
        case ast.Call():
            what = _unsafe_call(node)
        case ast.Attribute(attr=name):
            what = f"'.{name}'"
        case ast.Name(id=name) if name.startswith("__"):
            what = f"'{name}'"
        case ast.Constant(value=value) if not isinstance(value, str | int | float):
            what = f"{value!r} (a blank cell is '')"
        case ast.BinOp(left=ast.Constant(value=str())) | ast.BinOp(right=ast.Constant(value=str())):
            what = "arithmetic with text"
    return what


def _unsafe_call(node: ast.Call) -> str:
    method = node.func
    if not isinstance(method, ast.Attribute):
        return f"'{ast.unparse(method)}(…)'"
    accessor = method.value
    if not (isinstance(accessor, ast.Attribute) and accessor.attr == "str"):
        return f"'.{method.attr}()'"
    if method.attr not in _METHODS:
        near = did_you_mean(method.attr, _METHODS)
        return f"'.str.{method.attr}()'{f' ({near})' if near else ''}"
    arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
    if len(node.args) != _METHODS[method.attr] or not all(
        isinstance(one, ast.Constant) for one in arguments
    ):
        return f"'.str.{method.attr}' with these arguments"
    if any(keyword.arg not in _OPTIONS for keyword in node.keywords):
        return f"an option of '.str.{method.attr}' other than case and regex"
    return ""


def _says_yes_or_no(node: ast.expr) -> bool:
    match node:
        case ast.Compare() | ast.BoolOp():
            return True
        case ast.UnaryOp(op=ast.Not() | ast.Invert(), operand=inner):
            return _says_yes_or_no(inner)
        case ast.BinOp(op=ast.BitAnd() | ast.BitOr()):
            return True
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in ("contains", "startswith", "endswith")
        case _:
            return not isinstance(node, ast.Name | ast.Constant | ast.BinOp | ast.UnaryOp)


def _stays_text(name: str, asked: Query) -> bool:
    return name in _STAY_TEXT or name.endswith("_id") or name in asked.searched


def _not_a_number(values: Sequence[str]) -> str | None:
    """The first value that is no number, or None where all are; all blank is text."""
    odd = next((value for value in values if value and not _NUMBER.fullmatch(value)), None)
    return odd if odd is not None or any(values) else ""


def _mixed(tree: ast.Expression, frame: dict[str, Any], texts: dict[str, str]) -> Iterator[Fault]:
    """Comparisons of a column with a constant of the other kind, which would never hold."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare):
            continue
        sides = [node.left, *node.comparators]
        names = [side.id for side in sides if isinstance(side, ast.Name)]
        constants = [
            one.value
            for side in sides
            for one in (side.elts if isinstance(side, ast.List | ast.Tuple) else [side])
            if isinstance(one, ast.Constant)
        ]
        for name in names:
            numbers = [one for one in constants if not isinstance(one, str)]
            words = [one for one in constants if isinstance(one, str)]
            if name in texts and numbers:
                odd = texts[name]
                why = f" (there is '{odd}' in it)" if odd else ""
                yield Fault(
                    _at(node),
                    f"'{name}' is text{why} and is compared with the number {numbers[0]!r}",
                    remedy=f"write it in quotes: '{numbers[0]!r}'",
                )
            elif name in frame and name not in texts and words:
                yield Fault(
                    _at(node),
                    f"'{name}' holds numbers and is compared with the text {words[0]!r}",
                    remedy="write the number without quotes",
                )
