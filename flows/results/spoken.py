"""Spoken: rates and chances as a person reads them, three digits of each."""

from __future__ import annotations

import math

_DIGITS = 3


def percent(share: float) -> str:
    """A share with three digits: 0.0123 is `1.23 %`, 0.02 is `2.00 %`; never rounded to all."""
    if share == 0 or not math.isfinite(share):
        return f"{share * 100:.0f} %"
    if 0.9995 <= share < 1:
        return "over 99.9 %"
    shown = float(f"{share * 100:.{_DIGITS}g}")
    after = max(0, _DIGITS - 1 - math.floor(math.log10(abs(shown))))
    return f"{shown:,.{after}f} %"


def chance(share: float) -> str:
    """The same of a chance, which nobody knows finer than to a tenth of a percent."""
    return "under 0.1 %" if 0 < share < 0.001 else percent(share)
