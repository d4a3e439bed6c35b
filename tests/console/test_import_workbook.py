"""The workbook handed back in the console: its losses told first, then corrected and read again only the corrected rows move."""

from __future__ import annotations

import io
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import select, update
from starlette.types import ASGIApp

from importers.annotate import AnnotatedRow, annotate
from jobs.hand_back import Dropped
from jobs.sweep import sweep_uploads
from models.database import transaction
from models.imports import ImportBatch
from rules.rights import Role
from tests.client import Page
from tests.clock import Clock
from tests.console.test_imports import Center
from tests.workbooks import FAULTY, FIRST, csv_of
from web.wiring import Wiring


@pytest.fixture
def center(app: ASGIApp, wiring: Wiring, clock: Clock) -> Center:
    return Center(app, wiring, clock)


def test_a_faulty_workbook_goes_back_is_corrected_and_only_those_rows_move(center: Center) -> None:
    path = center.upload(FAULTY.name, FAULTY.read_bytes())
    center.plan()

    page, file = handed_back(center, path)

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

    page, file = handed_back(center, faulty)
    center.client.get(f"{sound}/workbook")
    center.client.submit("ファイルを作る")
    assert center.hand_back() == {"written": 1}

    assert page.says("新しい xlsx ファイルをお渡しします", "xlsx ではないため、")
    sheet = openpyxl.load_workbook(io.BytesIO(file.content)).worksheets[0]
    assert [sheet.cell(2, at).value for at in (2, 7, 16)] == ["JSC26040123A", "未定", "エラー"] and sheet.max_row == 2
    assert center.client.get(f"{sound}/workbook").says("直す行はありません。")


def test_nothing_is_handed_back_before_the_plan_nor_to_others(center: Center) -> None:
    path = center.upload("a.csv", csv_of({}))

    assert center.client.get(f"{path}/workbook").says("まだ確認の結果がありません。")
    assert center.client.get(f"{path}/workbook/file").says("まだ確認の結果がありません。")
    center.sign_in("hara", Role.SUPPORT).get(f"{path}/workbook/file", expect=404)
    center.client.get("/console/imports/99999/workbook", expect=404)


def test_the_file_is_written_while_its_page_shows_how_far_and_any_reader_fetches_it(center: Center) -> None:
    path = center.planned({"ends_on": "未定"})
    auditor = center.sign_in("kansa", Role.AUDITOR)
    center.client.get(f"{path}/workbook")
    waiting = center.client.submit("ファイルを作る")
    auditor.get(f"{path}/workbook")
    same = auditor.get(f"{path}/workbook")
    part = center.client.get(f"{path}/workbook", headers={"hx-request": "true"})

    assert waiting.says("順番を待っています。", "0%", "作成をやめる") and part.root.all("section", id="progress") and not part.heading
    assert same.says("ファイルを作っています") and not same.root.all("form", action=f"{path}/workbook/cancellation")
    auditor.post(f"{path}/workbook/cancellation", {"csrf_token": auditor.csrf_token()})
    assert auditor.get(f"{path}/workbook").says("ファイルを作っています")

    assert center.hand_back() == {"written": 1}
    moved = center.client.get(f"{path}/workbook", headers={"hx-request": "true"}, follow=False)
    assert moved.headers["hx-redirect"] == f"{path}/workbook"
    assert auditor.get(f"{path}/workbook").says("中村さんの依頼で", "まで受け取れます。")
    assert auditor.get(f"{path}/workbook/file").content[:2] == b"PK"

    with transaction(center.engine) as session:
        session.execute(update(ImportBatch).values(revision=ImportBatch.revision + 1))
    assert center.client.get(f"{path}/workbook").says("このファイルは、いまの内容と違います。", "いまの内容で作り直す")


def test_a_file_is_called_off_fails_in_words_and_goes_after_its_days(center: Center) -> None:
    path = center.planned({"ends_on": "未定"})
    center.client.get(f"{path}/workbook")
    center.client.submit("ファイルを作る")
    assert center.client.submit("作成をやめる").says("ファイルの作成をやめました。")
    assert center.hand_back() == {}

    with transaction(center.engine, readonly=True) as session:
        key = session.scalars(select(ImportBatch.storage_key)).one()
    kept = b"".join(center.wiring.store.chunks(key))
    center.wiring.store.delete(key)
    center.client.submit("もう一度作る")
    assert center.hand_back() == {"failed": 1}
    assert center.client.get(f"{path}/workbook").says("読み込んだファイルが保管されていないため、結果を書き込めません。", "もう一度作る")

    center.wiring.store.keep(key, [kept])
    _, file = handed_back(center, path, button="もう一度作る")
    assert file.content[:2] == b"PK" and len(list(center.wiring.store.listing("handed-back"))) == 1
    center.clock.advance(days=8)
    assert center.work("sweep_uploads", sweep_uploads)["handed_back"] == 3
    assert not list(center.wiring.store.listing("handed-back"))
    center.client = center.sign_in("nakata", Role.SERVICE_CENTER)
    assert center.client.get(f"{path}/workbook").says("ファイルを作る")


def test_calling_it_off_ends_the_process_that_writes(tmp_path: Path) -> None:
    rows = [AnnotatedRow(f"{number}", number, "エラー", held=True) for number in range(2, 300_000)]

    def called_off(_percent: int) -> None:
        raise Dropped

    with pytest.raises(Dropped):
        annotate(FIRST, FIRST.name, rows, tmp_path / "out.xlsx", sheets=[], watch=called_off)

    assert not (tmp_path / "out.xlsx").exists()


def handed_back(center: Center, path: str, *, button: str = "ファイルを作る") -> tuple[Page, Page]:
    """The page of the ready file, and the file."""
    center.client.get(f"{path}/workbook")
    center.client.submit(button)
    assert center.hand_back() == {"written": 1}
    page = center.client.get(f"{path}/workbook")
    return page, center.client.get(page.link("ファイルを受け取る"))
