"""The workbook handed back in the console: its losses told first, then corrected and read again only the corrected rows move."""

from __future__ import annotations

import io

import openpyxl
import pytest
from starlette.types import ASGIApp

from rules.rights import Role
from tests.clock import Clock
from tests.console.test_imports import Center
from tests.workbooks import FAULTY, csv_of
from web.wiring import Wiring


@pytest.fixture
def center(app: ASGIApp, wiring: Wiring, clock: Clock) -> Center:
    return Center(app, wiring, clock)


def test_a_faulty_workbook_goes_back_is_corrected_and_only_those_rows_move(center: Center) -> None:
    path = center.upload(FAULTY.name, FAULTY.read_bytes())
    center.plan()

    page = center.client.get(f"{path}/workbook")
    file = center.client.get(page.link("ファイルを受け取る"))

    assert page.says("戻すファイルに残らないもの", "ありません。シート・書式・結合・非表示の行・コメント・入力規則は、そのまま残ります。")
    assert "filename*=UTF-8''%E8%AA%A4%E3%82%8A%E3%81%82%E3%82%8A_" in file.headers["content-disposition"]
    book = openpyxl.load_workbook(io.BytesIO(file.content))
    sheet = book.worksheets[0]
    results = [cell.value for column in sheet.iter_cols() if column[0].value == "結果" for cell in column]
    assert (results.count("エラー"), len(results)) == (14, sheet.max_row) and sheet.max_row > 15
    dates = next(cell for row in sheet.iter_rows() for cell in row if cell.value == "2026/02/30")
    dates.value = "2026/03/01"
    corrected = io.BytesIO()
    book.save(corrected)
    again = center.upload("直した.xlsx", corrected.getvalue())
    center.plan()
    rows = center.client.get(f"{again}?show=problem").text
    assert "2026/02/30" not in rows and "未定" in rows


def test_a_csv_gives_a_new_file_and_one_without_problems_nothing(center: Center) -> None:
    faulty = center.planned({"ends_on": "未定"}, {"contract": "JSC26040124B"})
    sound = center.planned({})

    assert center.client.get(f"{faulty}/workbook").says("新しい xlsx ファイルをお渡しします", "xlsx ではないため、")
    sheet = openpyxl.load_workbook(io.BytesIO(center.client.get(f"{faulty}/workbook/file").content)).worksheets[0]
    assert [sheet.cell(2, at).value for at in (2, 7, 16)] == ["JSC26040123A", "未定", "エラー"] and sheet.max_row == 2
    assert center.client.get(f"{sound}/workbook").says("直す行はありません。")


def test_nothing_is_handed_back_before_the_plan_nor_to_others(center: Center) -> None:
    path = center.upload("a.csv", csv_of({}))

    assert center.client.get(f"{path}/workbook").says("まだ確認の結果がありません。")
    assert center.client.get(f"{path}/workbook/file").says("まだ確認の結果がありません。")
    center.sign_in("hara", Role.SUPPORT).get(f"{path}/workbook/file", expect=404)
    center.client.get("/console/imports/99999/workbook", expect=404)
