"""Marks an uploaded workbook by openpyxl: fills and comments on the cells, two columns beside the rows, a sheet of causes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from importers.annotate import AnnotatedRow
from importers.causes import causes, is_heading, summary_rows
from importers.marks import column_number
from importers.reader import Issue
from importers.synonyms import PERIOD
from wording.workbook import ADVICE, AUTHOR, RESULT, SUMMARY_SHEET, SUMMARY_TITLE

_BAD, _CAUTION, _HELD = "FFFBD0CB", "FFFFE9B0", "FFE8EEF7"
_OURS = frozenset({_BAD, _CAUTION, _HELD})
_OWN_NOTE = "\n――――\n"
"""Between a comment that stood there and ours."""
_MOST_COMMENT = 2_000
_OPENED, _MARKED = 45, 65
"""Percent of the work."""


def mark_workbook(
    path: Path,
    out: Path,
    rows: Iterable[AnnotatedRow],
    sheets: Sequence[Mapping[str, Any]],
    last_columns: Mapping[str, str],
    *,
    file_name: str,
    tell: Callable[[int], None] = lambda _percent: None,
) -> None:
    """Write the xlsx at `path` with its marks to `out`, and `tell` how many percent are done.

    Raises what openpyxl raises of a workbook that it cannot open.
    """
    with path.open("rb") as file:  # by its path it would be refused for a name without .xlsx
        book = openpyxl.load_workbook(file)
    tell(_OPENED)
    by_sheet: dict[str, list[AnnotatedRow]] = {}
    for row in rows:
        by_sheet.setdefault(row.sheet, []).append(row)
    for told in sheets:
        worksheet = book[told["name"]] if told["heading_row"] and told["name"] in book.sheetnames else None
        if isinstance(worksheet, Worksheet):
            _mark_sheet(worksheet, told, by_sheet.get(told["name"], []), last_columns.get(told["name"], ""))
    _add_summary(book, [row for found in by_sheet.values() for row in found], file_name)
    tell(_MARKED)
    book.save(out)


def _mark_sheet(worksheet: Worksheet, told: Mapping[str, Any], rows: Sequence[AnnotatedRow], last: str) -> None:
    heading_row: int = told["heading_row"]
    at = _added_columns(worksheet, heading_row, column_number(last) + 1 if last else min(worksheet.max_column, 200))
    orders = [(0, _places(told["columns"])), *((turn["row"], _places(turn["columns"])) for turn in told.get("turns", ()))]
    anchors = _Anchors(worksheet)
    for row in rows:
        _mark_row(row, next(places for first, places in reversed(orders) if row.row >= first), anchors)
        look = _BAD if row.errors else _CAUTION if row.warnings and row.held else _HELD if row.held else ""
        result, advice = worksheet.cell(row.row, at), worksheet.cell(row.row, at + 1)
        _put(result, row.result, look)
        _put(advice, "\n".join(issue["message"] for issue in (*row.errors, *row.warnings)), "")
        if isinstance(advice, Cell):
            advice.alignment = Alignment(vertical="top")


def _places(columns: Mapping[str, Mapping[str, str]]) -> dict[str, int]:
    return {name: column_number(each["column"]) + 1 for name, each in columns.items()}


def _added_columns(worksheet: Worksheet, heading_row: int, last: int) -> int:
    """The number of the column 結果; those of an earlier hand-back are taken again, and its marks go."""
    for at in range(1, last + 1):
        if worksheet.cell(heading_row, at).value == RESULT and worksheet.cell(heading_row, at + 1).value == ADVICE:
            _forget_marks(worksheet, heading_row, at)
            return at
    beside = worksheet.cell(heading_row, max(last, 1))
    for offset, (title, width) in enumerate(((RESULT, 12), (ADVICE, 80)), 1):
        cell = worksheet.cell(heading_row, last + offset)
        _put(cell, title, "")
        for part in ("font", "fill", "border", "alignment"):
            setattr(cell, part, copy(getattr(beside, part)))
        worksheet.column_dimensions[get_column_letter(last + offset)].width = width
    return last + 1


def _forget_marks(worksheet: Worksheet, heading_row: int, at: int) -> None:
    for row in worksheet.iter_rows(min_row=heading_row + 1):
        for cell in row:
            if not isinstance(cell, Cell):
                continue
            if cell.column in (at, at + 1):
                cell.value = None
            if cell.comment and cell.comment.author == AUTHOR:
                before = (cell.comment.text or "").partition(_OWN_NOTE)
                cell.comment = Comment(before[0], "") if before[1] else None
            fill: Any = cell.fill
            if fill.fill_type == "solid" and fill.fgColor.rgb in _OURS:
                cell.fill = PatternFill()


class _Anchors:
    """Which cell holds the value of a merged one."""

    def __init__(self, worksheet: Worksheet) -> None:
        self._worksheet = worksheet

    def of(self, row: int, column: int) -> Cell | None:
        """The cell itself, or the one that its merged range shows."""
        cell = self._worksheet.cell(row, column)
        if isinstance(cell, MergedCell):
            inside = next((each for each in self._worksheet.merged_cells.ranges if cell.coordinate in each), None)
            cell = self._worksheet.cell(inside.min_row, inside.min_col) if inside else cell
        return cell if isinstance(cell, Cell) else None


def _mark_row(row: AnnotatedRow, columns: Mapping[str, int], anchors: _Anchors) -> None:
    for issues, colour in ((row.warnings, _CAUTION), (row.errors, _BAD)):
        for issue in issues:
            column = _column_of(issue, columns)
            cell = anchors.of(row.row, column) if column else None
            if cell is not None:
                cell.fill = PatternFill("solid", fgColor=colour)
                _comment(cell, issue["message"])


def _column_of(issue: Issue, columns: Mapping[str, int]) -> int | None:
    return columns.get(issue["field"]) or (columns.get(PERIOD) if issue["field"] in ("starts_on", "ends_on") else None)


def _comment(cell: Cell, message: str) -> None:
    """Add to the cell's comment what it does not say yet; a comment of the file's own stays above ours."""
    held = cell.comment
    text = message
    if held and message in (held.text or ""):
        return
    if held:
        text = (held.text or "") + ("\n" if held.author == AUTHOR else _OWN_NOTE) + message
    text = text[-_MOST_COMMENT:]
    cell.comment = Comment(text, AUTHOR, width=340, height=60 + 20 * (len(text) // 24 + text.count("\n")))


def _put(cell: Cell | MergedCell, text: str, colour: str) -> None:
    """A text that stays one, whatever it begins with."""
    if not isinstance(cell, Cell):
        return
    cell.value = text or None
    if text:
        cell.data_type = "s"
    if colour:
        cell.fill = PatternFill("solid", fgColor=colour)


def _add_summary(book: openpyxl.Workbook, rows: Sequence[AnnotatedRow], file_name: str) -> None:
    name = _summary_name(book)
    sheet = book.create_sheet(name)
    for number, told in enumerate(summary_rows(rows, causes(rows), file_name=file_name), 1):
        for at, value in enumerate(told, 1):
            cell = sheet.cell(number, at, value)
            if isinstance(value, str) and isinstance(cell, Cell):
                cell.data_type = "s"
                if number == 1 or is_heading(told):
                    cell.font = Font(bold=True)
    for letters, width in zip("ABCDEF", (14, 22, 30, 8, 60, 40), strict=True):
        sheet.column_dimensions[letters].width = width


def _summary_name(book: openpyxl.Workbook) -> str:
    """Of an earlier hand-back the sheet is replaced; one of the same name that is not ours stays."""
    name, number = SUMMARY_SHEET, 2
    while name in book.sheetnames:
        held = book[name]
        if held["A1"].value == SUMMARY_TITLE:
            book.remove(held)
            break
        name, number = f"{SUMMARY_SHEET} ({number})", number + 1
    return name
