"""A second table below the first one whose columns stand in another order: from its headings on the rows are read by it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from importers.headings import Layout, classify, find_layout, heading_names, recalled
from importers.raw import Cell, RawRows, RawSheet
from importers.synonyms import PERIOD
from rules.lines import FIELDS

MOST_TURNS = 100
"""Of a sheet; headings beyond are rows like others."""
_HEADING_ROWS, _MOST_LOOKS = 2, 20
"""Rows that headings take, and rows of a block that are looked at for being other ones than those in force."""


class Stretch(NamedTuple):
    """Consecutive rows below the same headings."""

    first_row: int
    """As Excel numbers it."""
    rows: RawRows
    layout: Layout


def stretches(sheet: RawSheet, layout: Layout, blocks: Iterable[tuple[int, RawRows]], *, chosen: bool = False) -> Iterator[Stretch]:
    """The blocks, parted where other headings begin; where a person has `chosen` the columns, that holds for the same headings in another order too."""
    turns = 0
    for first_row, rows in blocks:
        while turns < MOST_TURNS and (found := _turn(sheet, layout, first_row, rows, chosen=chosen)):
            turns += 1
            if found.first_row > first_row:
                yield Stretch(first_row, rows[: found.first_row - first_row], layout)
            layout = found
            rows = rows[found.last_row + 1 - first_row :]
            first_row = found.last_row + 1
        if rows:
            yield Stretch(first_row, rows, layout)


def _turn(sheet: RawSheet, layout: Layout, first_row: int, rows: RawRows, *, chosen: bool) -> Layout | None:
    """The next headings that name other columns than those in force."""
    column = layout.columns.get("starts_on") or layout.columns.get(PERIOD)
    at = column.number - sheet.first_column if column else -1
    if not rows or not 0 <= at < len(rows[0]):
        return None
    cells = [row[at] for row in rows]
    words = {cell for cell in set(cells) if _is_heading(cell)}
    if not words:
        return None
    for index in islice((index for index, cell in enumerate(cells) if cell in words and not _repeats(layout, rows[index])), _MOST_LOOKS):
        found = find_layout(rows[index : index + _HEADING_ROWS], first_row + index, sheet.first_column, sheet.merges)
        if found and chosen:
            found = _as_chosen(layout, found, sheet.first_column)
        if found and _differ(layout, found):
            return found
    return None


def _as_chosen(layout: Layout, found: Layout, first_column: int) -> Layout | None:
    """The columns of the same headings in another order, None where they are others or one of them stands there twice."""
    names = heading_names(layout.headings)
    told = [name for name in names if name]
    if sorted(told) != sorted(filter(None, heading_names(found.headings))) or any("#" in name for name in told):
        return None
    places = {column.number - first_column: name for name, column in layout.columns.items()}
    return recalled(found, first_column, {name: places[at] for at, name in enumerate(names) if name and at in places})


def _is_heading(cell: Cell) -> bool:
    """Days have digits, headings a name."""
    return isinstance(cell, str) and cell != "" and not any(map(str.isdigit, cell)) and bool(classify(_text(cell)))


def _repeats(layout: Layout, row: list[Cell]) -> bool:
    """Whether a row is the headings in force once more."""
    return all(_text(cell) == heading for cell, heading in zip(row, layout.headings, strict=False))


def _text(cell: Cell) -> str:
    return " ".join(str(cell).split())


def _differ(layout: Layout, found: Layout) -> bool:
    """Whether a field stands elsewhere; the upper of two heading rows that come again names fewer of them, in their places."""
    both = [name for name in FIELDS if name in layout.columns and name in found.columns]
    return any(layout.columns[name].number != found.columns[name].number for name in both)
