"""A text as it was written, made ready: one normal form, no emoji, no hidden controls."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

RIGHT_TO_LEFT = frozenset(
    ("ar", "arc", "ckb", "dv", "fa", "he", "iw", "ks", "ku", "nqo", "ps", "sd", "ug", "ur", "yi")
)
"""Languages whose usual script runs to the left (https://www.unicode.org/cldr/, layout data)."""
_LEFTWARD_SCRIPTS = frozenset({"arab", "hebr", "thaa", "syrc", "nkoo", "adlm", "rohg"})

SOFT_HYPHEN = "\u00ad"
MOST_CHARACTERS = 1000

# Embeddings, overrides and isolates: a line that is broken anew would tear them apart.
_BIDI_CONTROLS = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
_VARIATIONS = dict.fromkeys((*range(0xFE00, 0xFE10), 0x20E3))
_BREAK = re.compile("\r\n|[\n\r\v\f\x85\u2028\u2029]")


def ready(text: str) -> tuple[str, tuple[str, ...]]:
    """The text in NFC with plain blanks and line ends, and the emoji that were taken out of it.

    Colour emoji are pictures, which no font of letters holds; without this they would be boxes.
    """
    text = unicodedata.normalize("NFC", text).translate(_BIDI_CONTROLS)
    kept, emoji = [], []
    for cluster in clusters(text):
        if _is_emoji(cluster):
            emoji.append(cluster)
        else:
            kept.append(cluster.translate(_VARIATIONS))
    lines = [_spaced(line) for line in _BREAK.split("".join(kept))]
    return "\n".join(line for line in lines if line), tuple(dict.fromkeys(emoji))


def _spaced(line: str) -> str:
    """No-break spaces stay: they say something."""
    printed = "".join(
        " " if unicodedata.category(one) == "Cc" else one for one in line if one != "\ufeff"
    )
    return re.sub("[ \u2000-\u2006\u2008-\u200a\u205f]+", " ", printed).strip(" ")


def _is_emoji(cluster: str) -> bool:
    from uniseg.emoji import emoji_presentation, extended_pictographic

    first = cluster[0]
    return emoji_presentation(first) or (
        extended_pictographic(first) and len(cluster) > 1 and ord(first) > 0x203C
    )


@lru_cache(maxsize=4096)
def clusters(text: str) -> tuple[str, ...]:
    """What a reader takes for single letters (UAX #29)."""
    from uniseg.graphemecluster import grapheme_clusters

    return tuple(grapheme_clusters(text))


def language_of(locale: str) -> str:
    """`pt_BR` and `pt-BR` to `pt`."""
    return re.split("[-_]", locale.casefold())[0]


def reads_leftward(text: str, locale: str) -> bool:
    """The base direction: the language's, and where that is not known the first strong letter's."""
    parts = set(re.split("[-_]", locale.casefold()))
    if parts & _LEFTWARD_SCRIPTS:
        return True
    if language_of(locale) in RIGHT_TO_LEFT and not parts & {"latn", "cyrl"}:
        return True
    strong = next(_strong(text), "L")
    return strong != "L"


def _strong(text: str) -> Iterator[str]:
    return (kind for kind in map(unicodedata.bidirectional, text) if kind in ("L", "R", "AL"))


@lru_cache(maxsize=4096)
def script_of(letter: str) -> str:
    """ISO 15924 code; Zyyy and Zinh for what all scripts share."""
    from fontTools import unicodedata as scripts

    return str(scripts.script(letter))


def scripts_in(text: str) -> tuple[str, ...]:
    """The scripts of a text, in the order in which they appear, without the shared signs."""
    found = dict.fromkeys(map(script_of, text))
    return tuple(one for one in found if one not in ("Zyyy", "Zinh", "Zzzz"))
