r"""Filters: what a prompt writer can do to a value.

| filter | what it gives | example |
|---|---|---|
| `plain` | HTML or Markdown as one plain line | `"<p>Fine <b>oak</b>"\|plain` → `Fine oak` |
| `shorten(n)` | at most n characters, whole words | `"A large mug"\|shorten(8)` → `A large…` |
| `sentence` | a capital first, one full stop last | `"soft oak"\|sentence` → `Soft oak.` |
| `listing(conj="and")` | a list or `a, b` in words | `"oak, ash"\|listing` → `oak and ash` |
| `currency(code, locale)` | as shops print it | `"24.9"\|currency("EUR", "de")` → `24,90 €` |
| `slug` | lower case, hyphens, no accents | `"Fjörd Mug"\|slug` → `fjord-mug` |
| `split(sep="")` | a list, cut at sep, or else `\|` or `,` | `"a,b"\|split\|last` → `b` |
| `default(x)` or `d` | x for what is unknown, blank or null | `nothing\|default("oak")` → `oak` |
| `lower` `upper` `title` `capitalize` `trim` | letters and edges | `"oak"\|title` → `Oak` |
| `replace(a, b)` `string` | text for text | `"oak"\|replace("o", "O")` → `Oak` |
| `join(sep="")` `first` `last` `length` | of a list | `["a", "b"]\|join("+")` → `a+b` |
| `sort(reverse=false)` `unique` `reverse` | a list in order | `[2, 1]\|sort\|first` → `1` |
| `min` `max` `list` `items` | of a list, of fields | `[2, 1]\|max` → `2` |
| `map(filter)` `select(test)` `reject(test)` | each entry | `["a"]\|map("upper")\|first` → `A` |
| `int` `float` `round(n=0)` `abs` | numbers, also from text | `"24.90"\|float * 2` → `49.8` |
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal

from jinja2 import Environment, Undefined, pass_context, pass_environment
from jinja2.filters import do_title
from jinja2.runtime import Context

from flows.errors import did_you_mean
from flows.plan.prompts.money import money
from flows.plan.prompts.plaintext import plain_text
from flows.plan.prompts.refused import Refused
from flows.plan.prompts.values import MAX_TEXT, entries, glued, kind, number, printable, whole


def _shorten(value: object, n: object, end: object = "…") -> str:
    text, mark = printable(value).strip(), printable(end)
    limit = whole(n, "shorten", 1, MAX_TEXT)
    if len(text) <= limit:
        return text
    room = limit - len(mark)
    if room < 1:
        return text[:limit]
    words = text[:room]
    if not (text[room].isspace() or words[-1].isspace()) and re.search(r"\s", words):
        words = words.rsplit(None, 1)[0]
    return words.rstrip(" \t\n,;:.-–—(/&") + mark


def _sentence(value: object) -> str:
    text = printable(value).strip()
    if len(text.split()) > 1 and text.isupper():
        text = text.lower()  # a shouted title
    text = text[:1].upper() + text[1:]
    if not text or text.endswith(("!", "?", "…", "。", "！", "？")):
        return text
    return text.rstrip(" .") + "." if text.rstrip(" .") else ""


def _split(value: object, sep: object = "") -> list[str]:
    text, mark = printable(value), printable(sep)
    parts = text.split(mark or ("|" if "|" in text else ","))
    return [part for one in parts if (part := one.strip())]


def _listing(value: object, conj: object = "and") -> str:
    if isinstance(value, (str, Undefined)):
        words = _split(value)
    else:
        words = [text for one in entries(value, "listing") if (text := printable(one).strip())]
    joint = printable(conj).strip()
    if len(words) < 2 or not joint:
        return ", ".join(words)
    return f"{', '.join(words[:-1])} {joint} {words[-1]}"


def _currency(value: object, code: object = "", locale: object = "en") -> str:
    amount = value if isinstance(value, (int, float)) else printable(value)
    if isinstance(amount, float) and not math.isfinite(amount):
        raise Refused(f"{amount} is not an amount")
    return money(amount, printable(code), printable(locale) or "en")


def _slug(value: object) -> str:
    apart = unicodedata.normalize("NFKD", printable(value))
    letters = "".join(one for one in apart if not unicodedata.combining(one))
    words = unicodedata.normalize("NFC", letters).casefold()
    return re.sub(r"[\W_]+", "-", words).strip("-")


def _default(value: object, otherwise: object = "", boolean: object = None) -> object:
    """As Jinja's, but a blank cell and null count as absent; an explicit false: only the unknown
    does, an explicit true: all that is empty.
    """
    if isinstance(value, Undefined):
        return otherwise
    if boolean is None:
        is_absent = value is None or (isinstance(value, str) and not value.strip())
    else:
        is_absent = bool(boolean) and not value
    return otherwise if is_absent else value


def _replace(value: object, old: object, new: object) -> str:
    text, before, after = printable(value), printable(old), printable(new)
    if not before:
        raise Refused("replace needs a text to look for")
    if len(text) + text.count(before) * (len(after) - len(before)) > MAX_TEXT:
        raise Refused(f"the text grows beyond {MAX_TEXT:,} characters")
    return text.replace(before, after)


def _join(value: object, sep: object = "") -> str:
    return glued(entries(value, "join"), printable(sep))


@pass_environment
def _first(environment: Environment, value: object) -> object:
    found = entries(value, "first")
    return found[0] if found else environment.undefined("the list has no first entry: it is empty")


@pass_environment
def _last(environment: Environment, value: object) -> object:
    found = entries(value, "last")
    return found[-1] if found else environment.undefined("the list has no last entry: it is empty")


def _length(value: object) -> int:
    return len(value) if isinstance(value, str) else len(entries(value, "length"))


def _sortable(value: object) -> tuple[int, float, str]:
    if isinstance(value, (int, float)):
        return (0, value, "")
    return (1, 0, printable(value).casefold())


def _sort(value: object, reverse: object = False) -> list[object]:  # noqa: FBT002
    return sorted(entries(value, "sort"), key=_sortable, reverse=bool(reverse))


def _unique(value: object) -> list[object]:
    return list({_sortable(one): one for one in reversed(entries(value, "unique"))}.values())[::-1]


def _reverse(value: object) -> list[object]:
    return entries(value, "reverse")[::-1]


def _items(value: object) -> list[object]:
    if not isinstance(value, Mapping):
        raise Refused(f"items needs a set of fields, this is {kind(value)}")
    return list(value.items())


@pass_context
def _map(context: Context, value: object, name: object = "", *rest: object) -> list[object]:
    """Each entry through a filter."""
    filter_name = printable(name)
    if filter_name not in FILTERS:
        raise Refused(f"no filter '{filter_name}'", did_you_mean(filter_name, FILTERS))
    call = context.environment.call_filter
    return [call(filter_name, one, rest, context=context) for one in entries(value, "map")]


def _kept(context: Context, found: list[object], test: str, rest: tuple[object, ...]) -> list[bool]:
    tests = context.environment.tests
    if test and test not in tests:
        raise Refused(f"no test '{test}'", did_you_mean(test, tests))
    call = context.environment.call_test
    return [bool(call(test, one, rest, context=context) if test else one) for one in found]


@pass_context
def _select(context: Context, value: object, test: object = "", *rest: object) -> list[object]:
    found = entries(value, "select")
    kept = _kept(context, found, printable(test), rest)
    return [one for one, keep in zip(found, kept, strict=True) if keep]


@pass_context
def _reject(context: Context, value: object, test: object = "", *rest: object) -> list[object]:
    found = entries(value, "reject")
    kept = _kept(context, found, printable(test), rest)
    return [one for one, keep in zip(found, kept, strict=True) if not keep]


def _round(value: object, n: object = 0) -> int | float:
    """Half up, as prices are."""
    digits = whole(n, "round", 0, 6)
    exact = Decimal(printable(number(value)))
    rounded = exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return float(rounded) if digits else int(rounded)


FILTERS: dict[str, Callable[..., object]] = {
    "plain": lambda value: plain_text(printable(value)),
    "shorten": _shorten,
    "sentence": _sentence,
    "listing": _listing,
    "currency": _currency,
    "slug": _slug,
    "split": _split,
    "default": _default,
    "d": _default,
    "lower": lambda value: printable(value).lower(),
    "upper": lambda value: printable(value).upper(),
    "title": lambda value: do_title(printable(value)),
    "capitalize": lambda value: printable(value).capitalize(),
    "trim": lambda value: printable(value).strip(),
    "replace": _replace,
    "string": printable,
    "join": _join,
    "first": _first,
    "last": _last,
    "length": _length,
    "count": _length,
    "sort": _sort,
    "unique": _unique,
    "reverse": _reverse,
    "min": lambda value: min(entries(value, "min"), key=_sortable),
    "max": lambda value: max(entries(value, "max"), key=_sortable),
    "list": lambda value: entries(value, "list"),
    "items": _items,
    "map": _map,
    "select": _select,
    "reject": _reject,
    "int": lambda value: int(number(value)),
    "float": lambda value: float(number(value)),
    "round": _round,
    "abs": lambda value: abs(number(value)),
}
