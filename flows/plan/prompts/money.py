"""Money: an amount as a shop of that language prints it.

Decimals and codes are ISO 4217's (https://www.six-group.com/en/products-services/financial-information/data-standards.html);
marks, order and spacing follow Unicode's CLDR (https://cldr.unicode.org), with an ordinary space.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from flows.errors import did_you_mean
from flows.plan.prompts.refused import Refused

_CODES = frozenset(
    re.findall(
        r"\w+",
        """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP
    BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP
    GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES
    KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU
    MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON
    RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SYP SZL THB TJS TMT TND TOP
    TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG
        """,
    )
)
_NO_DECIMALS = frozenset(
    {
        "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV",
        "XAF", "XOF", "XPF",
    }
)  # fmt: skip
_THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})

_SYMBOLS = {
    "AUD": "A$", "BRL": "R$", "CAD": "CA$", "CNY": "CN¥", "CZK": "Kč", "DKK": "kr.", "EUR": "€",
    "GBP": "£", "HKD": "HK$", "HUF": "Ft", "ILS": "₪", "INR": "₹", "JPY": "¥", "KRW": "₩",
    "MXN": "MX$", "NOK": "kr", "NZD": "NZ$", "PHP": "₱", "PLN": "zł", "SEK": "kr", "TRY": "₺",
    "UAH": "₴", "USD": "$", "VND": "₫",
}  # fmt: skip
_AT_HOME = {
    ("AUD", "en-AU"): "$", ("CAD", "en-CA"): "$", ("CAD", "fr-CA"): "$", ("CNY", "zh"): "¥",
    ("HKD", "en-HK"): "$", ("MXN", "es-MX"): "$", ("NZD", "en-NZ"): "$",
}  # fmt: skip

_IN_FRONT, _BEHIND = "{symbol}{amount}", "{amount} {symbol}"
_SHAPES: dict[str, tuple[str, str, str]] = {
    "en": (",", ".", _IN_FRONT),
    "de": (".", ",", _BEHIND),
    "de-AT": (".", ",", "{symbol} {amount}"),
    "de-CH": ("’", ".", "{symbol} {amount}"),
    "fr": (" ", ",", _BEHIND),
    "fr-CH": (" ", ",", _BEHIND),
    "es": (".", ",", _BEHIND),
    "es-MX": (",", ".", _IN_FRONT),
    "it": (".", ",", _BEHIND),
    "it-CH": ("’", ".", "{symbol} {amount}"),
    "nl": (".", ",", "{symbol} {amount}"),
    "pt": (" ", ",", _BEHIND),
    "pt-BR": (".", ",", "{symbol} {amount}"),
    "da": (".", ",", _BEHIND),
    "sv": (" ", ",", _BEHIND),
    "nb": (" ", ",", _BEHIND),
    "no": (" ", ",", _BEHIND),
    "fi": (" ", ",", _BEHIND),
    "pl": (" ", ",", _BEHIND),
    "cs": (" ", ",", _BEHIND),
    "hu": (" ", ",", _BEHIND),
    "uk": (" ", ",", _BEHIND),
    "tr": (".", ",", _IN_FRONT),
    "ja": (",", ".", _IN_FRONT),
    "ko": (",", ".", _IN_FRONT),
    "zh": (",", ".", _IN_FRONT),
}
"""Locale: mark between thousands, mark before decimals, order."""

_LIMIT = Decimal(10) ** 15
_PLAIN = re.compile(r"[+-]?[0-9]+([.][0-9]+)?")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+([.][0-9]+)?")
_CONTINENTAL = re.compile(r"[+-]?([0-9]{1,3}([.][0-9]{3})+|[0-9]+),[0-9]{1,2}")


def number_from(text: str) -> Decimal | None:
    """The number that a catalogue wrote as 24.90, 1,299.00, 24,90 or 1.299,00; else None."""
    text = text.strip().replace("\N{NO-BREAK SPACE}", " ")
    if _PLAIN.fullmatch(text):
        return Decimal(text)
    if _GROUPED.fullmatch(text):
        return Decimal(text.replace(",", ""))
    if _CONTINENTAL.fullmatch(text):
        return Decimal(text.replace(".", "").replace(",", "."))
    return None


def money(amount: str | float | Decimal, code: str, locale: str) -> str:
    """An amount of a currency in a locale's spelling; an empty code takes the one in the text.

    Text must be exact: `1.299` as EUR is refused, because it may mean one or a thousand. Computed
    numbers are rounded half up.

    Raises:
        Refused: no number, an unknown code or locale, or more decimals than the currency has.

    """
    written = str(amount).strip()
    number, of_text = _amount(written)
    code = (code or of_text).strip().upper()
    if not code:
        raise Refused(f"'{written}' names no currency", "write it: |currency('EUR')")
    if code not in _CODES:
        raise Refused(f"'{code}' is no currency code (ISO 4217)", did_you_mean(code, _CODES))
    if of_text and of_text != code:
        raise Refused(f"'{written}' is {of_text}, not {code}", "amounts are not converted")
    decimals = 0 if code in _NO_DECIMALS else 3 if code in _THREE_DECIMALS else 2
    exact = number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    if isinstance(amount, str) and exact != number:
        raise Refused(
            f"'{written}' has more decimals than {code} has ({decimals})",
            "write the amount without marks between thousands, such as 1299.00",
        )
    known, (between, before, order) = _shape(locale)
    whole, _, rest = f"{abs(exact):,}".partition(".")
    spelled = whole.replace(",", between) + (before + rest if rest else "")
    symbol = _AT_HOME.get((code, locale.replace("_", "-"))) or _AT_HOME.get((code, known))
    symbol = symbol or _SYMBOLS.get(code, code)
    if order == _IN_FRONT and symbol.isalpha():
        order = "{symbol} {amount}"
    return ("-" if exact < 0 else "") + order.format(symbol=symbol, amount=spelled)


def _amount(written: str) -> tuple[Decimal, str]:
    """The number in a text such as `24.90`, `24.90 EUR` or `EUR 24.90`, and the code in it."""
    match = re.fullmatch(r"([A-Za-z]{3}) ?([^A-Za-z]+)|([^A-Za-z]+?) ?([A-Za-z]{3})", written)
    text, code = (match[2] or match[3], match[1] or match[4]) if match else (written, "")
    number = number_from(text)
    if number is None:
        try:
            number = Decimal(written) if re.search(r"[0-9][eE]", written) else None
        except InvalidOperation:
            number = None
    if number is None or abs(number) >= _LIMIT:
        raise Refused(
            f"'{written[:60]}' is not an amount", "an amount is a number, such as 24.90 or 24,90"
        )
    return number, code.upper()


def _shape(locale: str) -> tuple[str, tuple[str, str, str]]:
    whole = locale.replace("_", "-")
    for known in (whole, whole.split("-")[0]):
        if known in _SHAPES:
            return known, _SHAPES[known]
    raise Refused(
        f"no spelling of amounts is known for the locale '{locale}'",
        f"there are: {', '.join(_SHAPES)}",
    )
