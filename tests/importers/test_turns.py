"""Several tables on one sheet: below each other in whatever order of columns, beside each other, handed back and corrected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from importers.annotate import AnnotatedRow, annotate
from rules.lines import FIELDS
from tests.importers.test_layouts import as_values
from tests.importers.workbooks import HEADINGS, cells, codes, first_sheet, line, read_rows, reading, save
from wording.workbook import RESULT

LINES = [line(number) for number in range(1, 5)]
SWAPPED_DAYS = [*range(5), 6, 5, *range(7, 15)]
SWAPPED_PARTIES = [*range(9), 13, 14, 11, 12, 9, 10]


def below(order: Sequence[int], *, right: int = 0, lines: Sequence[dict[str, Any]] = LINES) -> list[list[Any]]:
    """Two lines, the headings once more in another order, and the other lines below them."""
    rows = cells(*lines)
    again = [list(HEADINGS), *rows[2:]]
    return [*rows[:2], [], ["第 2 部"], *([*[None] * right, *(row[at] for at in order)] for row in again)]


@pytest.mark.parametrize(
    ("name", "order", "right"),
    [("一覧.xlsx", SWAPPED_DAYS, 0), ("一覧.csv", SWAPPED_PARTIES, 0), ("一覧.xlsx", range(14, -1, -1), 0), ("一覧.csv", range(15), 2)],
)
def test_the_lines_below_other_headings_are_read_by_them(tmp_path: Path, name: str, order: Sequence[int], right: int) -> None:
    path = saved(tmp_path / name, below(order, right=right))

    with reading(path) as found:
        assert [(row.row, row.values, row.errors) for row in found.rows()] == [(at, as_values(one), []) for at, one in zip((2, 3, 7, 8), LINES, strict=True)]
        assert "6行目の見出しで列の並びが変わるため、その下は新しい並びで読みました。" in found.sheets[0].notes


def saved(path: Path, rows: Sequence[Sequence[Any]]) -> Path:
    if path.suffix == ".xlsx":
        return save(path, rows)
    path.write_text("\n".join(",".join("" if cell is None else str(cell) for cell in row) for row in [HEADINGS, *rows]), "utf-8")
    return path


def test_a_column_that_the_second_table_lacks_is_told_on_its_rows(tmp_path: Path) -> None:
    found = read_rows(save(tmp_path / "一覧.xlsx", below([*range(3), *range(4, 15)])))

    assert [codes(row) for row in found] == [[], [], [("product_number", "column_missing")], [("product_number", "column_missing")]]


def test_what_a_person_chose_for_the_headings_holds_for_them_in_another_order(tmp_path: Path) -> None:
    letters = dict(zip(FIELDS, "ABCDEFGHINOLMJK", strict=True))

    with reading(save(tmp_path / "一覧.xlsx", below(SWAPPED_DAYS)), mapping={"証書一覧": {"heading_row": 1, "columns": letters}}) as found:
        rows = [row.values_by_field() for row in found.rows()]

    assert [row["ends_on"] for row in rows] == ["2027-03-31"] * 4
    assert {row["agent_email"] for row in rows} == {"it@minato.example"} and {row["end_user_name"] for row in rows} == {"関西システム販売"}


def test_a_table_beside_the_first_one_is_told(tmp_path: Path) -> None:
    rows = [[*left, None, *right] for left, right in zip(cells(*LINES[:2]), cells(*LINES[2:]), strict=True)]

    with reading(save(tmp_path / "一覧.xlsx", rows, headings=[*HEADINGS, "", *HEADINGS])) as found:
        assert [row.values for row in found.rows()] == [as_values(one) for one in LINES[:2]]
        assert "「証書発行日」の列から右に、もう 1 つの表があります。読み込んでいないため、別のシートに移して保存し直してください。" in found.sheets[0].notes


@pytest.mark.parametrize("name", ["一覧.xlsx", "一覧.csv"])
def test_its_errors_are_marked_where_they_stand_and_come_back_right(tmp_path: Path, name: str) -> None:
    faulty = [*LINES[:2], {**LINES[2], "ends_on": "未定"}, LINES[3]]
    path, out = saved(tmp_path / name, below(SWAPPED_DAYS, lines=faulty)), tmp_path / "戻し.xlsx"
    with reading(path) as found:
        sheets = [asdict(sheet) for sheet in found.sheets]
        rows = [AnnotatedRow(row.sheet, row.row, "エラー" if row.errors else "新規", row.errors, row.warnings, held=bool(row.errors)) for row in found.rows()]

    annotate(path, path.name, rows, out, sheets=sheets)
    book = openpyxl.load_workbook(out)
    sheet = first_sheet(book)
    cell = next(cell for row in sheet.iter_rows() for cell in row if cell.value == "未定")
    assert name.endswith("csv") or (cell.coordinate == "F7" and cell.comment and sheet["P7"].value == "エラー" and sheet["P1"].value == RESULT)
    cell.value = "2027/3/31"
    book.save(out)

    corrected = [(row.values, row.errors) for row in read_rows(out)]
    assert corrected == [(as_values(one), []) for one in (LINES if name.endswith("xlsx") else LINES[2:3])]
