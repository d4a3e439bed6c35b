"""A sheet as it was found, before anything is understood."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import islice

from importers.marks import SheetMarks

BLOCK_ROWS = 2_000
LAST_ROW = 1_048_576

Cell = str | float | int | bool | date | datetime | time | timedelta
RawRows = list[list[Cell]]
Merge = tuple[int, int, int, int]
"""First row, first column, last row, last column; rows as Excel numbers them, columns from 0."""


@dataclass
class RawSheet:
    """One sheet as it was found."""

    name: str
    first_row: int = 1
    """The Excel number of the first row of `blocks`."""
    first_column: int = 0
    blocks: Iterator[RawRows] = field(default_factory=lambda: iter(()))
    marks: SheetMarks = field(default_factory=SheetMarks)
    merges: list[Merge] = field(default_factory=list[Merge])
    last_row: int = LAST_ROW
    """No value stands below it."""
    hidden: bool = False
    date1904: bool = False
    marks_read: bool = True
    far_cell: str = ""
    """Where a stray value makes the sheet too wide or too long to hold; then it has no rows."""
    encoding: str = ""


def blocks_of(rows: Iterator[list[Cell]]) -> Iterator[RawRows]:
    """`rows` in blocks of `BLOCK_ROWS`."""
    while block := list(islice(rows, BLOCK_ROWS)):
        yield block
