"""A column that holds both days of a period: ``2026/4/1～2027/3/31``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from importers.cells import shown
from importers.raw import Cell

_BETWEEN = re.compile(r"\s*(?:[~～〜→]|から|より|\s[-‐–—―−ー－]\s)\s*")
_BLANKS = re.compile(r"(?<=[\d日])(?:\s+to\s+|\s*(?:…|\.{2,3})\s*|\s+)(?=(?:\d{4}[/.年-]|[RHrhｒｈ令平]))")
_HYPHENS = re.compile(r"(?<=[\d日])\s*[-‐–—―−ー－]\s*(?=(?:\d{4}[/.年]|[A-Za-z令平昭]))")


def split_periods(cells: Sequence[Cell]) -> tuple[list[Cell], list[Cell]]:
    """The first and the last days; a cell that cannot be split stands in both, so that both are told as errors."""
    pairs = {cell: _split(cell) for cell in set(cells)}
    return [pairs[cell][0] for cell in cells], [pairs[cell][1] for cell in cells]


def _split(cell: Cell) -> tuple[Cell, Cell]:
    text = shown(cell).strip().removeprefix("自").removesuffix("まで").strip()
    for sign in (_BETWEEN, _HYPHENS, _BLANKS):
        parts = [part for part in sign.split(text) if part]
        if len(parts) == 2:
            return parts[0].strip(), parts[1].removeprefix("至").strip()
    return (cell, cell) if isinstance(cell, str) else (text, text)
