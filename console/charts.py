"""Bar charts as numbers: where each bar, label and line of an SVG stands. The template draws them; colours and patterns are the style sheet's."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_LEFT, _AREA, _VALUE = 16, 300, 114
WIDTH = _LEFT + _AREA + _VALUE
"""As narrow as a telephone's card, where letters of 16 units are 12 px high: a group's label stands above its bars, not beside them."""
_LABEL, _BAR, _GAP, _TOP, _FOOT = 22, 20, 12, 34, 26
_BETWEEN = 140
"""From one word of the legend to the next."""
_LETTERS = 25
"""Wide letters of a label that fit; the table says it in full."""
_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    series: int
    """0, 1, 2: its colour and pattern."""
    told: str
    """What a pointer on it says: group, series, value."""


@dataclass(frozen=True)
class Note:
    """A text, and where it begins."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Line:
    x: float
    text: str


@dataclass(frozen=True)
class Chart:
    """A chart ready to draw, `WIDTH` units wide."""

    id: str
    title: str
    about: str
    height: int
    bars: Sequence[Bar]
    labels: Sequence[Note]
    values: Sequence[Note]
    legend: Sequence[tuple[float, str, int]]
    grid: Sequence[Line]
    bottom: int
    """Where the bars end and the scale begins."""


def bar_chart(
    name: str,
    title: str,
    about: str,
    groups: Sequence[tuple[str, Sequence[float | None]]],
    series: Sequence[str],
    *,
    told: Callable[[float], str],
    scale: Callable[[float], str],
    stacked: bool = False,
    least: float = 0,
) -> Chart:
    """Groups below each other with a bar for each of `series` (one bar of parts where `stacked`); `told` words a value, `scale` one of the axis, whose lines
    stand at least `least` apart."""
    most = max((sum(value or 0 for value in values) if stacked else max((value or 0 for value in values), default=0) for _, values in groups), default=0)
    step = max(_step(most, whole=least >= 1), least)
    end = step * max(1, math.ceil(most / step))
    bars: list[Bar] = []
    labels: list[Note] = []
    words: list[Note] = []
    y = float(_TOP)
    for label, values in groups:
        labels.append(Note(_LEFT, y + _LABEL - 6, _short(label)))
        y += _LABEL
        x = float(_LEFT)
        for place, value in enumerate(values):
            width = (value or 0) / end * _AREA
            if width:
                bars.append(Bar(round(x, 1), y, round(max(width, 1), 1), place, f"{label} {series[place]} {told(value or 0)}"))
            if not stacked:
                words.append(Note(_LEFT + width + 6, y + _BAR - 4, "–" if value is None else told(value)))
                y += _BAR
            else:
                x += width
        if stacked:
            measured = [value for value in values if value is not None]
            words.append(Note(x + 6, y + _BAR - 4, told(sum(measured)) if measured else "–"))
            y += _BAR
        y += _GAP
    grid = [Line(round(_LEFT + place * step / end * _AREA, 1), scale(place * step)) for place in range(round(end / step) + 1)]
    legend = [(float(_LEFT + place * _BETWEEN), text, place) for place, text in enumerate(series)]
    return Chart(name, title, about, int(y) + _FOOT, bars, labels, words, legend, grid, int(y))


def _step(most: float, *, whole: bool) -> float:
    """A round distance of the lines, four or five of them; `whole` for things that are counted, where a line at 2.5 would have no true number."""
    if most <= 0:
        return 1
    ten = 10 ** math.floor(math.log10(most / 4))
    return next(step * ten for step in _STEPS if step * ten * 4.5 >= most and not (whole and step * ten % 1))


def _short(label: str) -> str:
    wide = sum(1 if sign.isascii() else 2 for sign in label)
    return label if wide <= _LETTERS * 2 else f"{label[: _LETTERS - 1]}…"
