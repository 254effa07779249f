"""Where a text may be broken into lines, and how gladly.

Opportunities by UAX #14 (https://www.unicode.org/reports/tr14/); in Japanese, Chinese and Thai the
ends of phrases that BudouX finds are liked better than breaks within one; hyphens by the
dictionaries of LibreOffice, and wherever the writer put a soft hyphen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from flows.lettering.words import SOFT_HYPHEN, language_of

if TYPE_CHECKING:
    from pyphen import Pyphen

SHORTEST_HYPHENATED = 9
"""Letters; shorter words of a headline are left whole."""
_LETTERS_KEPT = 4
"""At either side of a hyphen: stumps look like mistakes in large type."""

_WITHIN_PHRASE = 0.3
_HYPHEN, _HYPHEN_IN_A_SEAM = 0.28, 0.1
_AFTER_SHORT_WORD, _AFTER_A_SENTENCE_BEGAN = 0.1, 0.14
_WITHIN_QUOTES = 0.08
_AFTER_A_SENTENCE = -0.06
"""What a typesetter thinks of a break there, on the scale of `lines.even`."""

# What belongs together though blanks are between: a number and its unit or currency, and the
# signs that French sets off with a blank.
_UNITS = "EUR|USD|CHF|GBP|SEK|NOK|DKK|PLN|CZK|Kč|kr|zł|ml|cl|l|g|kg|mm|cm|m|km|h|min"
_SIGNS = "€$£¥₹₩₺₽₪"
_GLUED = re.compile(
    rf"(?<=[0-9]) (?=[%‰°{_SIGNS}]|(?:{_UNITS})\b)|(?<=[{_SIGNS}]) (?=[0-9])"
    r"|(?<=\b(?:CHF|EUR|USD|GBP)) (?=[0-9])| (?=[!?:;»])|(?<=«) "
)
_WORD = re.compile(r"[^\W\d_]+")
_QUOTED = re.compile('«[^«»]*»|„[^„“]*“|“[^“”]*”|"[^"]*"|\\([^()]*\\)|「[^」]*」')
_SENTENCE_ENDS = re.compile(r"[.!?…:;。！？؟।][\"”»“')\]]*$")
_LINKS = ("", "s", "es", "n", "en")
"""What German puts between the parts of a compound."""


@dataclass(frozen=True, slots=True)
class Break:
    """A place where a line may end."""

    at: int
    """Index of the first character of the next line."""
    cost: float = 0.0
    hyphen: bool = False
    forced: bool = False


def breaks(text: str, locale: str, *, hyphenate: bool) -> list[Break]:
    """All places in order; the last is the end of the text."""
    glued = {match.end() for match in _GLUED.finditer(text)}
    quoted = {i for match in _QUOTED.finditer(text) for i in range(match.start() + 1, match.end())}
    liked = _phrases(text, locale)
    found: dict[int, Break] = {}
    for at in _boundaries(text):
        soft = text[at - 1] == SOFT_HYPHEN
        forced = text[at - 1] == "\n" or at == len(text)
        if (at in glued and not forced) or (soft and not hyphenate):
            continue
        if soft:
            found[at] = Break(at, cost=_HYPHEN / 2, hyphen=True)
        else:
            cost = _cost(text, at, liked) + (_WITHIN_QUOTES if at in quoted else 0.0)
            found[at] = Break(at, cost=cost, forced=forced)
    for at in liked or ():
        if at not in found and _is_inside_thai(text, at):
            found[at] = Break(at)
    if hyphenate:
        for at, is_seam in _hyphens(text, locale):
            cost = _HYPHEN_IN_A_SEAM if is_seam else _HYPHEN
            found.setdefault(at, Break(at, cost=cost, hyphen=True))
    return [found[at] for at in sorted(found)]


@lru_cache(maxsize=1024)
def _boundaries(text: str) -> tuple[int, ...]:
    from uniseg.linebreak import line_break_boundaries

    return tuple(line_break_boundaries(text))


def _cost(text: str, at: int, liked: frozenset[int] | None) -> float:
    if at == len(text):
        return 0.0
    before = text[:at].rstrip(" \n")
    if _SENTENCE_ENDS.search(before):
        return _AFTER_A_SENTENCE
    if text[at - 1] in " \n":
        return _cost_after(before.rsplit(maxsplit=2))
    within = liked is not None and at not in liked and ord(text[at - 1]) > 0x2E80
    return _WITHIN_PHRASE if within else 0.0


def _cost_after(words: Sequence[str]) -> float:
    """Short words want to be with what follows them."""
    if len(words[-1]) > 3 or not words[-1].isalpha():
        return 0.0
    if len(words) > 1 and _SENTENCE_ENDS.search(words[-2]):
        return _AFTER_A_SENTENCE_BEGAN
    return _AFTER_SHORT_WORD if len(words[-1]) <= 2 else 0.0


def _is_inside_thai(text: str, at: int) -> bool:
    return 0 < at < len(text) and all("\u0e00" <= text[i] <= "\u0e7f" for i in (at - 1, at))


def _phrases(text: str, locale: str) -> frozenset[int] | None:
    """The ends of phrases; None for a language whose words stand apart."""
    parser = _phrase_parser(_phrase_language(text, locale))
    if parser is None:
        return None
    ends, at = set(), 0
    for line in text.split("\n"):
        start = at
        for phrase in parser(line) if line else []:
            start += len(phrase)
            ends.add(start)
        at += len(line) + 1
    return frozenset(ends)


def _phrase_language(text: str, locale: str) -> str:
    language = language_of(locale)
    if language in ("ja", "th"):
        return language
    if language == "zh":
        parts = set(re.split("[-_]", locale.casefold()))
        return "zh-hant" if parts & {"hant", "tw", "hk", "mo"} else "zh-hans"
    if re.search("[\u3040-\u30ff]", text):
        return "ja"
    return "th" if re.search("[\u0e00-\u0e7f]", text) else ""


@cache
def _phrase_parser(language: str) -> Callable[[str], list[str]] | None:
    import budoux

    loaders: dict[str, Callable[[], Any]] = {
        "ja": budoux.load_default_japanese_parser,
        "zh-hans": budoux.load_default_simplified_chinese_parser,
        "zh-hant": budoux.load_default_traditional_chinese_parser,
        "th": budoux.load_default_thai_parser,
    }
    if language not in loaders:
        return None
    parser = loaders[language]()

    def phrases(line: str) -> list[str]:
        return [str(phrase) for phrase in parser.parse(line)]

    return phrases


def _hyphens(text: str, locale: str) -> Iterator[tuple[int, bool]]:
    """Where a word may be divided, and whether that is the seam of a compound."""
    dictionary = _dictionary(locale)
    if dictionary is None:
        return
    for word in _WORD.finditer(text.replace(SOFT_HYPHEN, "_")):
        if len(word[0]) < SHORTEST_HYPHENATED:
            continue
        for position in dictionary.positions(word[0]):
            # positions that change the spelling carry data; German has had none since 1996
            spelt_alike = getattr(position, "data", None) is None
            if spelt_alike and _LETTERS_KEPT <= position <= len(word[0]) - _LETTERS_KEPT:
                at = int(position)
                yield word.start() + at, _is_seam(word[0].casefold(), at, locale)


def _is_seam(word: str, at: int, locale: str) -> bool:
    """Whether a German word begins there and another ends, as far as the dictionary knows words."""
    if language_of(locale) != "de":
        return False
    known = _known_words(locale)
    if not any(word[at:end] in known for end in range(at + 5, len(word) + 1)):
        return False
    ends = (word[:at].removesuffix(link) for link in _LINKS if word[:at].endswith(link))
    return any(end[start:] in known for end in ends for start in range(max(0, len(end) - 3)))


@cache
def _known_words(locale: str) -> frozenset[str]:
    """The patterns of LibreOffice's German dictionary that are whole words, some 60,000."""
    dictionary = _dictionary(locale)
    patterns = dictionary.hd.patterns if dictionary else {}
    return frozenset(one.strip(".") for one in patterns if len(one) >= 4)


@cache
def _dictionary(locale: str) -> Pyphen | None:
    import pyphen

    if not language_of(locale):
        return None
    name = pyphen.language_fallback(locale.replace("-", "_"))
    return pyphen.Pyphen(lang=name) if name else None
