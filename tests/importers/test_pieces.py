"""A worksheet that is read in pieces gives what it gives when it is read whole."""

from __future__ import annotations

import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from importers.archive import Kind, check_archive
from importers.part import Scans
from importers.pieces import Ahead, Sizes
from importers.sheet import open_sheets
from tests.importers.workbooks import CERTIFICATES, cells, first_sheet, line, save

SHEET = "xl/worksheets/sheet1.xml"
WHOLE, IN_PIECES = Sizes(least_part=10**9), Sizes(piece=300, least_part=0)


def found(path: Path, sizes: Sizes) -> list[tuple[Any, ...]]:
    """All that is known of the sheets, the cells with their types."""
    told: list[tuple[Any, ...]] = []
    for sheet in open_sheets(path, sizes=sizes)[1]:
        rows = [[(type(cell), cell) for cell in row] for block in sheet.blocks for row in block]
        told.append((sheet.name, sheet.first_column, rows, sheet.marks, sheet.merges, sheet.last_row, sheet.far_cell))
    return told


def pieces_of(path: Path) -> int:
    """In how many pieces the first sheet is read, 0 where it is read whole."""
    scans = Scans(Ahead(IN_PIECES))
    check_archive(path, Kind.XLSX, scans.make)
    pieces = scans.of[SHEET].pieces
    return len((pieces and pieces.read()) or ())


def changed(path: Path, changes: dict[str, str]) -> Path:
    """The workbook with other words in the markup of its sheet."""
    out = path.with_name("changed.xlsx")
    with zipfile.ZipFile(path) as read, zipfile.ZipFile(out, "w") as written:
        for name in read.namelist():
            content = read.read(name)
            for was, now in changes.items() if name == SHEET else ():
                assert was.encode() in content
                content = content.replace(was.encode(), now.encode())
            written.writestr(name, content)
    return out


@pytest.mark.parametrize("path", sorted(CERTIFICATES.glob("*.xlsx")), ids=[path.stem for path in sorted(CERTIFICATES.glob("*.xlsx"))])
def test_the_sample_workbooks_are_the_same_in_pieces(path: Path) -> None:
    assert found(path, IN_PIECES) == found(path, WHOLE)


def test_gaps_and_narrow_rows_and_merged_cells_stay_where_they_are(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = first_sheet(book)
    for row in (3, 4, 5, 40, 41, 90):
        sheet.cell(row, 3 + row % 3, f"西{row}")
        sheet.cell(row, 5 + row % 2, date(2026, 4, row % 28 + 1))
    sheet["H60"], sheet["B61"], sheet["D62"] = 1.5, True, "=1/0"
    sheet.merge_cells("B90:D92")
    sheet.row_dimensions[41].hidden = True
    book.save(tmp_path / "gaps.xlsx")

    assert found(tmp_path / "gaps.xlsx", IN_PIECES) == found(tmp_path / "gaps.xlsx", WHOLE)
    assert pieces_of(tmp_path / "gaps.xlsx") > 2


@pytest.mark.parametrize(
    "changes",
    [
        {'<c r="B5"': '<c r="B4"'},
        {'<row r="5"': '<row r="3"', 'r="B5"': 'r="B3"'},
        {"<sheetData>": "<sheetData >"},
        {'<row r="6"': '<!-- </row> --><row r="6"'},
        {'<row r="6"': '<?x </row> ?><row r="6"'},
        {'<c r="C7"': '<c r="XFA7"'},
    ],
    ids=["a cell of another row", "rows out of order", "a blank in a tag", "a comment with a tag", "an instruction with a tag", "a cell far off"],
)
def test_what_may_not_be_cut_is_read_whole(tmp_path: Path, changes: dict[str, str]) -> None:
    plain = save(tmp_path / "plain.xlsx", cells(*(line(number) for number in range(1, 12))))
    odd = changed(plain, changes)

    assert pieces_of(plain) > 2
    assert found(odd, IN_PIECES) == found(odd, WHOLE)
