"""Merged cells count for every cell they cover."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from importers.marks import Mark
from importers.raw import Cell, Merge

NOTE_FIELDS = 4
"""A cell merged over so many fields is a note written across the table, not the value of each."""

Span = tuple[int, int, int]
"""First row, last row, the column of the cell that holds the value."""


class Merged:
    """The merged ranges of a sheet below its headings, by the column they cover."""

    def __init__(self, merges: Iterable[Merge], heading_row: int, last_row: int, fields: set[int], line_fields: set[int]) -> None:
        spans: dict[int, list[Span]] = {}
        for top, left, bottom, right in merges:
            if top <= heading_row or top > last_row:
                continue
            covered = [column for column in fields if left <= column <= right] if right > left else [left] if left in fields else []
            if len(covered) >= NOTE_FIELDS and not line_fields.isdisjoint(covered):
                continue
            for column in covered:
                spans.setdefault(column, []).append((top, min(bottom, last_row), left))
        self._spans = {column: _apart(found) for column, found in spans.items()}
        self._next = dict.fromkeys(self._spans, 0)
        self._value: dict[int, Cell] = {}

    def __len__(self) -> int:
        return sum(map(len, self._spans.values()))

    def fill(self, column: int, cells: list[Cell], first_row: int, raw: list[tuple[Cell, ...]], first_column: int) -> None:
        """Write the values into the covered cells of a block; blocks come in order."""
        spans = self._spans.get(column)
        if not spans:
            return
        after = first_row + len(cells)
        at = self._next[column]
        while at < len(spans) and spans[at][0] < after:
            top, bottom, left = spans[at]
            if top >= first_row:
                origin = left - first_column
                self._value[column] = raw[origin][top - first_row] if 0 <= origin < len(raw) else ""
            value = self._value.get(column, "")
            for index in range(max(top - first_row, 0), min(bottom + 1, after) - first_row):
                cells[index] = value
            if bottom >= after:
                break
            at += 1
        self._next[column] = at

    def spread(self, marks: Mapping[int, dict[int, Mark]]) -> Mapping[int, dict[int, Mark]]:
        """The marks of cells, those of a merged cell on every cell it covers."""
        if not marks or not self._spans:
            return marks
        spread = {column: dict(found) for column, found in marks.items()}
        for column, spans in self._spans.items():
            for top, bottom, left in spans:
                mark = marks.get(left, {}).get(top)
                if mark:
                    spread.setdefault(column, {}).update(dict.fromkeys(range(top, bottom + 1), mark))
        return spread


def _apart(spans: list[Span]) -> list[Span]:
    """In order, without those that overlap one before: no program writes them, a hostile file may."""
    found: list[Span] = []
    for span in sorted(spans):
        if not found or span[0] > found[-1][1]:
            found.append(span)
    return found
