"""Prices as people write them to a decimal text, only where there is one way to read them."""

from __future__ import annotations

import re

_SIGNS = {"€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "₺": "TRY", "zł": "PLN", "Kč": "CZK"}
# Signs of several currencies: the number is read, the currency stays open.
_AMBIGUOUS = ("$", "¥", "￥", "円", "元", "kr", "R$", "US$", "₪", "₫", "₴", "฿", "Ft", "lei")
_SIGN = "|".join(map(re.escape, sorted((*_SIGNS, *_AMBIGUOUS), key=len, reverse=True)))
_PRICE = re.compile(
    rf"(?P<before>[A-Z]{{3}}|{_SIGN})?\s*(?P<minus>[-−])?\s*(?P<before2>{_SIGN})?\s*"
    rf"(?P<number>[0-9](?:[0-9.,'’\u00a0\u202f ]*[0-9])?)\s*(?P<after>[A-Z]{{3}}|{_SIGN})?"
)
# With three decimals (ISO 4217), so that `17,000` and `17.000` are seventeen as well as seventeen
# thousand.
_THREE_DECIMALS = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))


_LONGEST = 40


def decimal(text: str, currency: str = "") -> tuple[str, str]:
    """The number with a full stop for decimals, and the currency that stands with it or `""`.

    `24,90` is 24.90, `1.299,00 €` 1299.00, `¥12,800` 12800. What cannot be read in one way only
    comes back as it was.
    """
    match = _PRICE.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        return text, ""
    sign = match["before"] or match["before2"] or match["after"] or ""
    found = _SIGNS.get(sign, sign if sign.isascii() and sign.isupper() and len(sign) == 3 else "")
    number = _number(match["number"], currency or found)
    if number is None:
        return text, found
    return f"{'-' if match['minus'] else ''}{number}", found


def is_zero(price: str) -> bool:
    return bool(re.fullmatch(r"0+(?:\.0+)?", price))


def _number(text: str, currency: str) -> str | None:
    bare = re.sub(r"(?<=[0-9])['’\u00a0\u202f ](?=[0-9]{3}(?:[^0-9]|$))", "", text)
    if not re.fullmatch(r"[0-9.,]+", bare):
        return None
    stops, commas = bare.count("."), bare.count(",")
    if stops and commas:
        return _with_both(bare)
    if stops + commas > 1:
        sign = "." if stops else ","
        return bare.replace(sign, "") if _grouped(bare, sign) else None
    whole, comma, rest = bare.partition(",")
    if not comma:
        return bare
    if len(rest) != 3 or whole == "0":
        return f"{whole}.{rest}"
    return None if currency.upper() in _THREE_DECIMALS else whole + rest


def _with_both(text: str) -> str | None:
    """The later of comma and full stop begins the decimals, the other one groups."""
    decimal_sign = max(".,", key=text.rfind)
    grouping = "," if decimal_sign == "." else "."
    whole, _, rest = text.rpartition(decimal_sign)
    return f"{whole.replace(grouping, '')}.{rest}" if _grouped(whole, grouping) else None


def _grouped(text: str, sign: str) -> bool:
    return bool(re.fullmatch(rf"[0-9]{{1,3}}(?:{re.escape(sign)}[0-9]{{3}})*|[0-9]+", text))
