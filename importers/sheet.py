"""Opens a workbook of any kind that is read, and gives its sheets as blocks of raw rows with their marks."""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from importers.archive import FILLING, Kind, Package, SheetSinks, check_archive, tell_kind
from importers.package import Workbook, read_workbook_part
from importers.part import DENSE_CELLS, PartScan, Scans
from importers.pieces import USUAL, Ahead, Sizes, columns_of, rows_of
from importers.raw import Cell, RawSheet, blocks_of
from rules.refusal import Refused

WIDE_SHEET = 200
"""Columns beyond which a value is a stray one."""


def open_sheets(path: Path, *, sizes: Sizes = USUAL) -> tuple[Kind, Iterator[RawSheet]]:
    """The kind of the file, and its worksheets in order, each opened when its turn comes.

    `sizes` say which sheets of an xlsx are read in pieces.
    Refuses what `importers.archive` refuses, and workbook_encrypted or workbook_unreadable.
    """
    kind = tell_kind(path)
    match kind:
        case Kind.CSV:
            return kind, iter([_open_csv(path)])
        case Kind.XLS:
            from importers.legacy import open_xls

            return kind, open_xls(path)
        case Kind.XLSX:
            return kind, _open_xlsx(path, sizes)
        case Kind.XLSB | Kind.ODS:
            return kind, _open_unmarked(path, kind)


def _open_xlsx(path: Path, sizes: Sizes) -> Iterator[RawSheet]:
    scans = Scans(Ahead(sizes))
    try:
        package = _checked(path, Kind.XLSX, scans.make)
        return _read_values(path, read_workbook_part(package), scans)
    except Refused:
        scans.ahead.threads.shutdown(wait=False, cancel_futures=True)
        raise


def _open_unmarked(path: Path, kind: Kind) -> Iterator[RawSheet]:
    """xlsb and ods: the values only, their marks are told to be unread."""
    _checked(path, kind)
    return _read_values(path, Workbook({}, date1904=False), Scans(Ahead(USUAL)))


def _checked(path: Path, kind: Kind, sinks: SheetSinks | None = None) -> Package:
    try:
        return check_archive(path, kind, sinks)
    except (zipfile.BadZipFile, zlib.error, OSError) as fault:
        raise Refused("workbook_unreadable") from fault


def _read_values(path: Path, workbook: Workbook, scans: Scans) -> Iterator[RawSheet]:
    """The worksheets with the values python-calamine reads; it leaves the interpreter free, so another thread does that."""
    with scans.ahead.threads as beside:
        try:
            book = CalamineWorkbook.from_path(str(path))  # pyright: ignore[reportUnknownMemberType]
        except (CalamineError, OSError) as fault:
            raise Refused("workbook_unreadable") from fault
        for known in book.sheets_metadata:
            if known.typ is not SheetTypeEnum.WorkSheet:
                continue
            part = workbook.sheets.get(known.name, "")
            scan = scans.of.get(part)
            sheet = RawSheet(known.name, hidden=known.visible is not SheetVisibleEnum.Visible, date1904=workbook.date1904, marks_read=scan is not None)
            if scan and scan.is_dense:
                reach = scan.reach
                sheet.far_cell = reach.far_cell if reach.widest > WIDE_SHEET else f"{reach.last_row}行目"
                yield sheet
                continue
            values = beside.submit(_values, book, known.name, scan)
            if scan:
                sheet.marks, sheet.last_row = scan.marks(path, part), scan.reach.last_row
            try:
                _fill(sheet, values.result())
            except CalamineError as fault:
                raise Refused("workbook_unreadable") from fault
            yield sheet


def _values(book: CalamineWorkbook, name: str, scan: PartScan | None) -> CalamineSheet | deque[CalamineSheet]:
    """The sheet in pieces, where it could be read so, or whole."""
    pieces = scan.pieces.read() if scan and scan.pieces else None
    return pieces or book.get_sheet_by_name(name)


def _fill(sheet: RawSheet, values: CalamineSheet | deque[CalamineSheet]) -> None:
    if isinstance(values, CalamineSheet):
        # `iter_rows` leaves out the empty columns before the first value, and keeps the empty rows.
        sheet.first_column = values.start[1] if values.start else 0
        last, rows = values, iter(values.iter_rows())
    else:
        sheet.first_column, width = columns_of(values)
        last, rows = values[-1], rows_of(values, sheet.first_column, width)
    sheet.merges = [(top + 1, left, bottom + 1, right) for (top, left), (bottom, right) in last.merged_cell_ranges or []]
    sheet.blocks = blocks_of(rows)


_TOLD_BY, _LOOKED_AT_LINES = 100_000, 50
"""Characters and lines of a csv that tell what separates its cells."""
_GUARD = re.compile(r"'+[=+\-@\t\r＝＋－＠\u2212]")
"""Of several apostrophes one is the guard's: a text that begins with ``'=`` itself leaves with two."""
_AS_TEXT = re.compile(r'="(.*)"', re.DOTALL)


def _open_csv(path: Path) -> RawSheet:
    """A csv in UTF-8, UTF-16 with a mark, or cp932, separated by commas, tabs, semicolons or bars; its sheet has no name."""
    text, encoding = _decoded(path.read_bytes())
    # A title above the table has none of them, or another one.
    begins = "\n".join(text[:_TOLD_BY].splitlines()[:_LOOKED_AT_LINES])
    delimiter = max(",\t;|", key=begins.count)
    csv.field_size_limit(1_000_000)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        rows = _lenient(text, delimiter)
    width = max(map(len, rows), default=0)
    if width * len(rows) > DENSE_CELLS:
        raise Refused("workbook_too_large")
    return RawSheet("", blocks=blocks_of(_unguarded(row) + [""] * (width - len(row)) for row in rows), encoding=encoding)


def _lenient(text: str, delimiter: str) -> list[list[str]]:
    """Rows with quotes in odd places, as Excel reads them."""
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as fault:
        raise Refused("workbook_unreadable") from fault


def _decoded(content: bytes) -> tuple[str, str]:
    """The text: by its byte order mark, else strict UTF-8, else cp932 (never shift_jis, which lacks ㈱ and 髙)."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        candidates = (("utf-16", "UTF-16"),)
    else:
        content = content.rstrip(FILLING)
        candidates = (("utf-8-sig", "UTF-8"), ("cp932", "Shift_JIS（cp932）"))
    for codec, name in candidates:
        try:
            text = content.decode(codec)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return text, name
    raise Refused("workbook_unreadable")


def _unguarded(row: list[str]) -> list[Cell]:
    """Cells without the signs that keep Excel from reading them as formulas or numbers: ``'=x`` and ``="00012"``."""
    return [_plain(cell) if cell[:1] in ("'", "=") else cell for cell in row]


def _plain(cell: str) -> str:
    if _GUARD.match(cell):
        return cell[1:]
    quoted = _AS_TEXT.fullmatch(cell)
    return quoted.group(1).replace('""', '"') if quoted else cell
