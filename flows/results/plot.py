"""Plot: rates with their intervals as one SVG picture that needs nothing beside itself."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flows.results.judge import Judgement, Metric, percent
from flows.results.rates import Rate

MOST_ROWS = 60
"""Of variants; the best are drawn and the rest is counted."""

WIDTH = 960
_NAME_WIDTH = 240
_CHANCE_WIDTH = 110
_ROW = 28
_LETTERS = 32

_TEMPLATE = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{{ width }}" height="{{ height }}" \
viewBox="0 0 {{ width }} {{ height }}" \
font-family="system-ui, sans-serif" font-size="13" role="img">
<title>{{ title }}</title>
<desc>{{ subtitle }}</desc>
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="24" y="34" font-size="18" font-weight="600" fill="#1a1a1a">{{ title }}</text>
{% for line in subtitle_lines -%}
<text x="24" y="{{ 56 + 18 * loop.index0 }}" fill="#555555">{{ line }}</text>
{% endfor -%}
{% for panel in panels -%}
<g>
<text x="24" y="{{ panel.top }}" font-weight="600" fill="#1a1a1a">{{ panel.title }}</text>
<text x="{{ width - 24 }}" y="{{ panel.top }}" text-anchor="end" fill="#555555">\
chance to be best</text>
{% for x, label in panel.ticks -%}
<line x1="{{ x }}" x2="{{ x }}" y1="{{ panel.top + 10 }}" y2="{{ panel.bottom }}" stroke="#e3e3e3"/>
<text x="{{ x }}" y="{{ panel.bottom + 16 }}" text-anchor="middle" font-size="11" fill="#555555">\
{{ label }}</text>
{% endfor -%}
{% for row in panel.rows -%}
<text x="{{ name_x }}" y="{{ row.y + 4 }}" text-anchor="end" fill="#1a1a1a"\
{% if row.is_winner %} font-weight="700"{% endif %}>{{ row.name }}</text>
<line x1="{{ row.low }}" x2="{{ row.high }}" y1="{{ row.y }}" y2="{{ row.y }}" \
stroke="{{ row.colour }}" stroke-width="3" stroke-linecap="round" stroke-opacity="0.55"/>
<circle cx="{{ row.at }}" cy="{{ row.y }}" r="5" fill="{{ row.colour }}">\
<title>{{ row.told }}</title></circle>
<text x="{{ width - 24 }}" y="{{ row.y + 4 }}" text-anchor="end" fill="#1a1a1a"\
{% if row.is_winner %} font-weight="700"{% endif %}>{{ row.chance }}</text>
{% endfor -%}
{% if panel.left -%}
<text x="{{ name_x }}" y="{{ panel.bottom - 4 }}" text-anchor="end" fill="#555555">\
and {{ panel.left }} more</text>
{% endif -%}
</g>
{% endfor -%}
</svg>
"""

_PLAIN, _WINNER = "#4a6fa5", "#1b7f4d"


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    y: float
    low: float
    at: float
    high: float
    colour: str
    chance: str
    told: str
    is_winner: bool


@dataclass(frozen=True, slots=True)
class _Panel:
    title: str
    top: float
    bottom: float
    ticks: Sequence[tuple[float, str]]
    rows: Sequence[_Row]
    left: int


def plot(campaign: str, judgement: Judgement) -> bytes:
    """An SVG of the deciding rate by variant and by factor level, then of the other rates.

    Dots are rates, bars their 95 % intervals; what is named the winner is green and bold.
    """
    from jinja2 import Environment

    panels: list[_Panel] = []
    lines = _wrapped(judgement.why, 120)
    top = 92.0 + 18 * (len(lines) - 1)
    for title, names, rates, winner in _families(judgement):
        panel = _panel(title, names, rates, winner, top)
        panels.append(panel)
        top = panel.bottom + 58
    template = Environment(autoescape=True).from_string(_TEMPLATE)
    won = f"{judgement.winner} wins" if judgement.winner else "no winner"
    return template.render(
        width=WIDTH,
        height=round(top - 16),
        name_x=_NAME_WIDTH,
        title=f"{campaign}: {won}",
        subtitle=judgement.why,
        subtitle_lines=lines,
        panels=panels,
    ).encode("utf-8", "replace")


def _families(
    judgement: Judgement,
) -> Iterator[tuple[str, Sequence[str], Sequence[Rate], int | None]]:
    for metric in judgement.metrics:
        winner = metric.contest.winner if metric.contest and judgement.winner else None
        yield _title(metric), [arm.id for arm in metric.arms], metric.rates, winner
        for factor in metric.factors:
            if factor.contest is not None:
                title = f"{metric.title}, by {factor.name}"
                yield title, factor.levels, factor.rates, factor.contest.winner


def _title(metric: Metric) -> str:
    return f"{metric.title}, by variant"


def _panel(
    title: str, names: Sequence[str], rates: Sequence[Rate], winner: int | None, top: float
) -> _Panel:
    order = range(len(names))
    if len(names) > MOST_ROWS:
        order = sorted(order, key=lambda at: -rates[at].chance_best)[:MOST_ROWS]  # type: ignore[assignment]
    ticks = _ticks(min(rates[at].low for at in order), max(rates[at].high for at in order))
    left, right = _NAME_WIDTH + 20, WIDTH - 24 - _CHANCE_WIDTH - 20
    first, last = ticks[0], ticks[-1]

    def across(rate: float) -> float:
        return round(left + (rate - first) / (last - first) * (right - left), 1)

    rows = [
        _Row(
            name=names[at] if len(names[at]) <= _LETTERS else f"{names[at][: _LETTERS - 1]}…",
            y=top + 28 + _ROW * number,
            low=across(rates[at].low),
            at=across(rates[at].rate or 0.0),
            high=across(rates[at].high),
            colour=_WINNER if at == winner else _PLAIN,
            chance=percent(rates[at].chance_best),
            told=(
                f"{names[at]}: {percent(rates[at].rate or 0.0)}, {percent(rates[at].low)} to"
                f" {percent(rates[at].high)}, {rates[at].successes:,.10g} of {rates[at].trials:,}"
            ),
            is_winner=at == winner,
        )
        for number, at in enumerate(order)
    ]
    more = len(names) - len(rows)
    bottom = top + 18 + _ROW * (len(rows) + bool(more))
    digits = max(0, -math.floor(math.log10((ticks[1] - ticks[0]) * 100) + 1e-9))
    shown = [(across(one), f"{one * 100:.{digits}f} %") for one in ticks]
    return _Panel(title, top, bottom, shown, rows, more)


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers from below `low` to above `high`, four to nine of them."""
    span = max(high - low, 1e-9)
    power = 10.0 ** math.floor(math.log10(span))
    step = next(power * part for part in (0.1, 0.2, 0.5, 1.0, 2.0) if span / (power * part) <= 7)
    start, end = math.floor(low / step), math.ceil(high / step)
    return [number * step for number in range(start, max(end, start + 1) + 1)]


def _wrapped(text: str, letters: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, letters) or [""]
