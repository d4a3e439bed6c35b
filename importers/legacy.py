"""Legacy .xls through xlrd: values and marks in one reading."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import cast

import xlrd
from xlrd.biffh import XLRDError, error_text_from_code
from xlrd.book import Book
from xlrd.compdoc import CompDocError
from xlrd.sheet import Sheet

from importers.cells import LEAP_BUG, day_of_serial
from importers.marks import SheetMarks, mark, padding_places
from importers.raw import Cell, RawSheet, blocks_of
from rules.refusal import Refused

BROKEN = (XLRDError, CompDocError, struct.error, AssertionError, LookupError, ValueError, ArithmeticError, TypeError, AttributeError, EOFError)
"""What xlrd runs into where a file breaks the format: it believes what the bytes say of themselves."""


def open_xls(path: Path) -> Iterator[RawSheet]:
    """The worksheets of a legacy workbook. Refuses workbook_encrypted, workbook_unreadable."""
    try:
        book = xlrd.open_workbook(str(path), formatting_info=True, on_demand=True, ragged_rows=True, logfile=_Silence())
        count = book.nsheets
    except XLRDError as fault:
        raise Refused("workbook_encrypted" if "encrypted" in str(fault).lower() else "workbook_unreadable") from fault
    except BROKEN as fault:
        raise Refused("workbook_unreadable") from fault
    for index in range(count):
        try:
            sheet = book.sheet_by_index(index)
        except BROKEN as fault:
            raise Refused("workbook_unreadable") from fault
        yield _raw(book, sheet)
        book.unload_sheet(index)


class _Silence:
    """xlrd writes its doubts to a file; nobody reads them."""

    def write(self, text: str) -> int:
        """Drop `text`."""
        return len(text)

    def flush(self) -> None:
        """Nothing waits."""


def _raw(book: Book, sheet: Sheet) -> RawSheet:
    return RawSheet(
        sheet.name,
        blocks=blocks_of(_rows(book, sheet)),
        marks=_marks(book, sheet),
        merges=[(top + 1, left, bottom, right - 1) for top, bottom, left, right in sheet.merged_cells],
        last_row=sheet.nrows,
        hidden=sheet.visibility != 0,
        date1904=book.datemode == 1,
    )


def _marks(book: Book, sheet: Sheet) -> SheetMarks:
    marks = SheetMarks()
    marks.hidden_rows = {number + 1 for number, row in sheet.rowinfo_map.items() if row.hidden or row.height == 0}
    marks.hidden_columns = [(number, number) for number, column in sheet.colinfo_map.items() if column.hidden and number < sheet.ncols]
    padding = {index: code for index, style in enumerate(book.xf_list) if padding_places(code := book.format_map[style.format_key].format_str)}
    for row in range(sheet.nrows):
        for column, kind in enumerate(sheet.row_types(row)):
            if kind == xlrd.XL_CELL_ERROR:
                error = cast(int, sheet.cell_value(row, column))
                marks.add(column, row + 1, mark("error", error_text_from_code.get(error, "#N/A")))
            elif kind == xlrd.XL_CELL_DATE and cast(float, sheet.cell_value(row, column)) == LEAP_BUG and not book.datemode:
                marks.add(column, row + 1, mark("sixty"))
            elif kind == xlrd.XL_CELL_NUMBER and padding and (style := sheet.cell_xf_index(row, column)) in padding:
                marks.add(column, row + 1, mark("format", padding[style]))
    return marks


def _rows(book: Book, sheet: Sheet) -> Iterator[list[Cell]]:
    for row in range(sheet.nrows):
        cells: list[Cell] = list(sheet.row_values(row))
        for column, kind in enumerate(sheet.row_types(row)):
            if kind == xlrd.XL_CELL_DATE:
                cells[column] = _day(cast(float, cells[column]), date1904=book.datemode == 1)
            elif kind == xlrd.XL_CELL_BOOLEAN:
                cells[column] = bool(cells[column])
            elif kind == xlrd.XL_CELL_ERROR:
                cells[column] = ""
        yield cells + [""] * (sheet.ncols - len(cells))


def _day(serial: float, *, date1904: bool) -> Cell:
    """A date cell; a time of day without a date, and day 60 (marked), stay what they are."""
    if int(serial) == LEAP_BUG and not date1904:
        return date(1900, 2, 28)
    return day_of_serial(serial, date1904=date1904) or timedelta(days=serial)
