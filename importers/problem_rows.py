"""The rows of a workbook that need a look, with their cells as they were read: handed back where the workbook itself cannot be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from importers.annotate import AnnotatedRow
from importers.causes import causes, is_heading, summary_rows
from importers.cells import DITTO_SIGNS, parse_padded
from importers.headings import NAME_COLUMN, classify
from importers.marks import column_number
from importers.raw import Cell, RawSheet
from importers.sheet import open_sheets
from importers.synonyms import PERIOD
from importers.xlsx_stream import Look, StreamCell, Styled, Table
from wording.imports import FIELD_LABELS
from wording.workbook import ADVICE, RESULT, SOURCE_ROW, SUMMARY_SHEET

_LABELS = {**FIELD_LABELS, NAME_COLUMN: "契約名", PERIOD: "契約期間"}
_CSV_SHEET = "証書一覧"


def problem_tables(path: Path, rows: Sequence[AnnotatedRow], sheets: Sequence[Mapping[str, Any]], *, file_name: str) -> Iterator[Table]:
    """A sheet for each of the workbook's that has rows to look at, and the summary."""
    wanted: dict[str, dict[int, AnnotatedRow]] = {}
    for row in rows:
        if row.held or row.errors:
            wanted.setdefault(row.sheet, {})[row.row] = row
    told = {each["name"]: each for each in sheets}
    for sheet in open_sheets(path)[1]:
        if sheet.name in wanted and sheet.name in told and not sheet.far_cell:
            yield _table(sheet, told[sheet.name], wanted[sheet.name])
    summary = summary_rows(rows, causes(rows), file_name=file_name)
    head = [[Styled(value, Look.HEADING) for value in each] if number == 0 or is_heading(each) else each for number, each in enumerate(summary)]
    yield Table(SUMMARY_SHEET, head, (14, 22, 30, 8, 60, 40), 0)


def _table(sheet: RawSheet, told: Mapping[str, Any], wanted: Mapping[int, AnnotatedRow]) -> Table:
    columns = {column_number(each["column"]): (name, each["heading"]) for name, each in told["columns"].items()}
    width = max(columns, default=0) + 1
    return Table(sheet.name or _CSV_SHEET, _rows(sheet, told, columns, wanted), [*[16] * width, 12, 80, 8])


def _rows(sheet: RawSheet, told: Mapping[str, Any], columns: Mapping[int, tuple[str, str]], wanted: Mapping[int, AnnotatedRow]) -> Iterator[list[StreamCell]]:
    heading_row: int = told["heading_row"]
    orders = [(turn["row"], {name: column_number(each["column"]) for name, each in turn["columns"].items()}) for turn in told.get("turns", ())]
    shown = max(columns, default=0) + 1
    width = max([shown, *(at + 1 for _, order in orders for at in order.values())])
    yield [Styled(title, Look.HEADING) for title in (*(_heading(*columns[at]) if at in columns else "" for at in range(shown)), RESULT, ADVICE, SOURCE_ROW)]
    places = {name: at for at, (name, _) in columns.items()}
    merges = sorted(merge for merge in sheet.merges if merge[0] > heading_row)
    held: dict[int, tuple[int, Cell]] = {}
    above: dict[int, Cell] = {}
    for number, raw in _numbered(sheet):
        if number <= heading_row:
            continue
        cells = _cells(sheet, number, raw, width)
        while merges and merges[0][0] <= number:
            _, left, bottom, right = merges.pop(0)
            for at in range(left, min(right + 1, width)):
                held[at] = (bottom, cells[left])
        for at, (bottom, value) in list(held.items()):
            if number <= bottom:
                cells[at] = value
            else:
                del held[at]
        for at, value in enumerate(cells):
            if isinstance(value, str) and value.strip() in DITTO_SIGNS:
                cells[at] = above.get(at, value)
            elif value != "":
                above[at] = value
        if number in wanted:
            order = next((order for first, order in reversed(orders) if number > first), places)
            yield _told(wanted[number], _in_order(cells[:shown], cells, places, order), places)


def _numbered(sheet: RawSheet) -> Iterator[tuple[int, list[Cell]]]:
    number = sheet.first_row
    for block in sheet.blocks:
        for row in block:
            yield number, row
            number += 1


def _cells(sheet: RawSheet, number: int, raw: Sequence[Cell], width: int) -> list[Cell]:
    """The cells from column A on: an error by its name, a padded number by its digits."""
    cells: list[Cell] = [*[""] * sheet.first_column, *raw, *[""] * width][:width]
    for at, marks in sheet.marks.cells.items():
        if at < width and number in marks:
            mark = marks[number]
            if mark.kind == "error":
                cells[at] = mark.text
            elif mark.kind == "format":
                cells[at] = str(parse_padded(cells[at], mark.text))
    return cells


def _in_order(line: list[Cell], cells: Sequence[Cell], places: Mapping[str, int], order: Mapping[str, int]) -> list[Cell]:
    """The cells below other headings, in the places of the first ones."""
    if order is not places:
        for name, at in places.items():
            line[at] = cells[order[name]] if name in order else ""
    return line


def _told(row: AnnotatedRow, cells: Sequence[Cell], places: Mapping[str, int]) -> list[StreamCell]:
    line: list[StreamCell] = list(cells)
    for issues, look in ((row.warnings, Look.CAUTION), (row.errors, Look.BAD)):
        for issue in issues:
            at = places.get(issue["field"], places.get(PERIOD) if issue["field"] in ("starts_on", "ends_on") else None)
            if at is not None:
                line[at] = Styled(cells[at], look)
    advice = "\n".join(issue["message"] for issue in (*row.errors, *row.warnings))
    return [*line, Styled(row.result, Look.BAD if row.errors else Look.PLAIN), advice, row.row]


def _heading(name: str, heading: str) -> str:
    """The heading of the file where the reader would know it again, else ours."""
    return heading if name in {field for _, field in classify(heading)} else _LABELS.get(name, heading)
