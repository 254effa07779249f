"""Plot: rates with their intervals as one SVG picture that needs nothing beside itself."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flows.results.judge import Judgement
from flows.results.metric import Metric
from flows.results.rates import Rate
from flows.results.spoken import chance, percent
from flows.results.verdict import lead_of

MOST_ROWS = 60
"""Of variants; the best are drawn and the rest is counted."""

WIDTH = 960
_NAME_WIDTH = 240
_CHANCE_WIDTH = 290
_RATE_X = WIDTH - 150
_COUNT_X = _RATE_X - 90
_LEGEND = (
    "n: {what}. Dots: rates; bars: where the true rate lies with 95 %. All charts of one rate have"
    " one scale."
)
_ADJUSTED = " Adjusted: had all levels been shown on the same mix of all other factors."
_ROW = 28
_LETTERS = 32
_LETTERS_ACROSS = 135
_LETTERS_TITLE = 88

_TEMPLATE = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{{ width }}" height="{{ height }}" \
viewBox="0 0 {{ width }} {{ height }}" \
font-family="system-ui, sans-serif" font-size="13" role="img">
<title>{{ title }}</title>
<desc>{{ subtitle }}</desc>
<rect width="100%" height="100%" fill="#ffffff"/>
{% for line in title_lines -%}
<text x="24" y="{{ 34 + 24 * loop.index0 }}" font-size="18" font-weight="600" fill="#1a1a1a">\
{{ line }}</text>
{% endfor -%}
{% for line in subtitle_lines -%}
<text x="24" y="{{ words_y + 18 * loop.index0 }}" fill="#555555">{{ line }}</text>
{% endfor -%}
{% for panel in panels -%}
<g>
<text x="24" y="{{ panel.top }}" font-weight="600" fill="#1a1a1a">{{ panel.title }}</text>
<text x="{{ rate_x }}" y="{{ panel.top }}" text-anchor="end" fill="#555555">{{ panel.rate }}</text>
<text x="{{ count_x }}" y="{{ panel.top }}" text-anchor="end" fill="#555555">n</text>
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
<text x="{{ count_x }}" y="{{ row.y + 4 }}" text-anchor="end" fill="#555555">{{ row.count }}</text>
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
{% for line in legends -%}
<text x="24" y="{{ legend_y + 15 * loop.index0 }}" font-size="11" fill="#555555">{{ line }}</text>
{% endfor -%}
</svg>
"""

_ADJUSTED_RATE = "adjusted rate"
_LETTERS_LEGEND = 160
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
    count: str
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
    rate: str
    """What the column of rates is called."""


def plot(campaign: str, judgement: Judgement) -> bytes:
    """An SVG of the deciding rate by variant and by factor level, then of the other rates.

    Dots are rates, bars their 95 % intervals; what is named the winner is green and bold. The
    likeliest comes first, and what is drawn of one rate has one scale, so that a factor that does
    little looks it.
    """
    from jinja2 import Environment

    panels: list[_Panel] = []
    lines = [line for said in _said(judgement) for line in _wrapped(said, _LETTERS_ACROSS)]
    title = f"{campaign}: {'; '.join(_won(judgement))}"
    title_lines = _wrapped(title, _LETTERS_TITLE)
    top = 68.0 + 24 * len(title_lines) + 18 * (len(lines) - 1)
    for metric in judgement.metrics:
        families = list(_families(metric, judgement))
        shown = [rate for _, _, rates, _ in families for rate in _first(rates)]
        ticks = _ticks(min(one.low for one in shown), max(one.high for one in shown))
        for title, names, rates, winner in families:
            panel = _panel(title, names, rates, winner, top, ticks)
            panels.append(panel)
            top = panel.bottom + 58
    template = Environment(autoescape=True).from_string(_TEMPLATE)
    legend = _LEGEND.format(what=_counted(judgement))
    if any(panel.rate == _ADJUSTED_RATE for panel in panels):
        legend += _ADJUSTED
    legends = _wrapped(legend, _LETTERS_LEGEND)
    return template.render(
        width=WIDTH,
        height=round(top + 8 + 15 * (len(legends) - 1)),
        name_x=_NAME_WIDTH,
        rate_x=_RATE_X,
        count_x=_COUNT_X,
        title=title,
        title_lines=title_lines,
        words_y=32 + 24 * len(title_lines),
        subtitle=judgement.why,
        subtitle_lines=lines,
        panels=panels,
        legends=legends,
        legend_y=round(top - 8),
    ).encode("utf-8", "replace")


def _won(judgement: Judgement) -> Iterator[str]:
    """Who wins, for the heading: the variant, and the level of each factor that has one."""
    wins = "would win" if judgement.but else "wins"
    winner = judgement.winner or judgement.would_win
    yield f"{winner} {wins}" if winner else "no variant wins"
    for factor in judgement.metrics[0].factors:
        held = factor.contest
        if held is not None and held.winner is not None:
            yield f"{factor.name}: {factor.levels[held.winner]} {wins}"


def _counted(judgement: Judgement) -> str:
    clicks = [metric.title for metric in judgement.metrics if metric.name == "cvr"]
    return f"impressions, or clicks for {clicks[0]}" if clicks else "impressions"


def _said(judgement: Judgement) -> Iterator[str]:
    if judgement.but:
        yield f"But {judgement.but}."
    yield judgement.why
    for factor in judgement.metrics[0].factors:
        held = factor.contest
        if held is not None and held.winner is not None:
            lead = lead_of(held, factor.levels)
            best = factor.levels[held.winner]
            if lead:
                yield f"{factor.name}: {best} has {lead}"


def _families(
    metric: Metric, judgement: Judgement
) -> Iterator[tuple[str, Sequence[str], Sequence[Rate], int | None]]:
    but = bool(judgement.but)
    winner = metric.contest.winner if metric.contest and not but else None
    yield f"{metric.title}, by variant", [arm.id for arm in metric.arms], metric.rates, winner
    for factor in metric.factors:
        if factor.contest is not None:
            title = f"{metric.title}, by {factor.name}"
            winner = None if but else factor.contest.winner
            yield title, factor.levels, factor.rates, winner


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
    order = _likeliest(rates)
    left, right = _NAME_WIDTH + 20, WIDTH - 24 - _CHANCE_WIDTH - 20
    first, last = ticks[0], ticks[-1]

    def across(rate: float) -> float:
        return round(left + (rate - first) / (last - first) * (right - left), 1)

    rows = [
        _Row(
            name=names[at] if len(names[at]) <= _LETTERS else f"{names[at][: _LETTERS - 1]}…",
            y=top + 28 + _ROW * number,
            low=across(rates[at].low),
            at=across(rates[at].believed),
            high=across(rates[at].high),
            colour=_WINNER if at == winner else _PLAIN,
            rate=percent(rates[at].believed),
            chance=chance(rates[at].chance_best),
            count=f"{rates[at].trials:,}",
            told=(
                f"{names[at]}: {percent(rates[at].believed)}, {percent(rates[at].low)} to"
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
    adjusted = any(percent(one.believed) != percent(one.rate or 0.0) for one in rates)
    return _Panel(title, top, bottom, shown, rows, more, _ADJUSTED_RATE if adjusted else "rate")


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
