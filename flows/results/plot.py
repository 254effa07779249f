"""Plot: rates with their intervals as one SVG picture that needs nothing beside itself."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flows.results.judge import Judgement
from flows.results.metric import Metric
from flows.results.rates import Rate
from flows.results.verdict import digits_of, lead_of, percent

MOST_ROWS = 60
"""Of variants; the best are drawn and the rest is counted."""

WIDTH = 960
_NAME_WIDTH = 240
_CHANCE_WIDTH = 190
_RATE_X = WIDTH - 150
_LEGEND = (
    "Dots: rates; bars: where the true rate lies with 95 %. All panels of one rate have one scale."
)
_ROW = 28
_LETTERS = 32
_LETTERS_ACROSS = 135

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
<text x="{{ rate_x }}" y="{{ panel.top }}" text-anchor="end" fill="#555555">rate</text>
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
<text x="{{ rate_x }}" y="{{ row.y + 4 }}" text-anchor="end" fill="#1a1a1a"\
{% if row.is_winner %} font-weight="700"{% endif %}>{{ row.rate }}</text>
<text x="{{ width - 24 }}" y="{{ row.y + 4 }}" text-anchor="end" fill="#1a1a1a"\
{% if row.is_winner %} font-weight="700"{% endif %}>{{ row.chance }}</text>
{% endfor -%}
{% if panel.left -%}
<text x="{{ name_x }}" y="{{ panel.bottom - 4 }}" text-anchor="end" fill="#555555">\
and {{ panel.left }} more</text>
{% endif -%}
</g>
{% endfor -%}
<text x="24" y="{{ height - 16 }}" font-size="11" fill="#555555">{{ legend }}</text>
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
    rate: str
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

    Dots are rates, bars their 95 % intervals; what is named the winner is green and bold. The
    likeliest comes first, and what is drawn of one rate has one scale, so that a factor that does
    little looks it.
    """
    from jinja2 import Environment

    panels: list[_Panel] = []
    lines = [line for said in _said(judgement) for line in _wrapped(said, _LETTERS_ACROSS)]
    top = 92.0 + 18 * (len(lines) - 1)
    for metric in judgement.metrics:
        families = list(_families(metric, judgement))
        shown = [rate for _, _, rates, _ in families for rate in _first(rates)]
        ticks = _ticks(min(one.low for one in shown), max(one.high for one in shown))
        for title, names, rates, winner in families:
            panel = _panel(title, names, rates, winner, top, ticks)
            panels.append(panel)
            top = panel.bottom + 58
    template = Environment(autoescape=True).from_string(_TEMPLATE)
    won = f"{judgement.winner} wins" if judgement.winner else "no winner"
    return template.render(
        width=WIDTH,
        height=round(top + 8),
        name_x=_NAME_WIDTH,
        rate_x=_RATE_X,
        title=f"{campaign}: {won}",
        subtitle=judgement.why,
        subtitle_lines=lines,
        panels=panels,
        legend=_LEGEND,
    ).encode("utf-8", "replace")


def _said(judgement: Judgement) -> Iterator[str]:
    yield judgement.why
    for factor in judgement.metrics[0].factors:
        held = factor.contest
        if held is not None and held.winner is not None:
            lead = lead_of(held, factor.levels)
            best = factor.levels[held.winner]
            yield f"{factor.name}: {best} wins: {lead}" if lead else f"{factor.name}: {best} wins"


def _families(
    metric: Metric, judgement: Judgement
) -> Iterator[tuple[str, Sequence[str], Sequence[Rate], int | None]]:
    winner = metric.contest.winner if metric.contest and judgement.winner else None
    yield f"{metric.title}, by variant", [arm.id for arm in metric.arms], metric.rates, winner
    for factor in metric.factors:
        if factor.contest is not None:
            title = f"{metric.title}, by {factor.name}"
            yield title, factor.levels, factor.rates, factor.contest.winner


def _likeliest(rates: Sequence[Rate]) -> list[int]:
    return sorted(range(len(rates)), key=lambda at: -rates[at].chance_best)[:MOST_ROWS]


def _first(rates: Sequence[Rate]) -> list[Rate]:
    return [rates[at] for at in _likeliest(rates)]


def _panel(
    title: str,
    names: Sequence[str],
    rates: Sequence[Rate],
    winner: int | None,
    top: float,
    ticks: Sequence[float],
) -> _Panel:
    order, decimals = _likeliest(rates), digits_of(rates)
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
            rate=f"{(rates[at].rate or 0.0) * 100:.{decimals}f} %",
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

    return textwrap.wrap(text.replace(" %", "\u00a0%"), letters) or [""]
