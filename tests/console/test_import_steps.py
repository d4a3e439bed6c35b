"""The steps of an import before its plan is applied: the file's findings, its columns, its cells put right."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select
from starlette.types import ASGIApp

from models.database import transaction
from models.imports import BatchState, ImportBatch
from models.journal import JournalEntry
from rules.rights import Role
from tests.client import Page, filled_in
from tests.clock import Clock
from tests.console.test_imports import Center
from tests.workbooks import LINE, csv_of
from web.wiring import Wiring
from wording.imports import FIELD_LABELS


@pytest.fixture
def center(app: ASGIApp, wiring: Wiring, clock: Clock) -> Center:
    return Center(app, wiring, clock)


def renamed(content: bytes, **headings: str) -> bytes:
    """The csv with other headings."""
    text = content.decode()
    for old, new in headings.items():
        assert old in text
        text = text.replace(old, new, 1)
    return text.encode()


def send(center: Center, button: str, fields: dict[str, Any], *, expect: int = 200) -> Page:
    """Press a button with fields whose names are no words of Python."""
    return center.client.submit(button, expect=expect, **fields)


def mend(center: Center, text: str, *, expect: int = 200) -> Page:
    """Type into the one cell that is to be put right."""
    page = center.client.page
    assert page
    name = next(name for name, _ in filled_in(page.form("/corrections")) if name.startswith("value-"))
    return send(center, "/corrections", {name: text}, expect=expect)


def typed_in(center: Center, field: str, text: str) -> dict[str, str]:
    """The first form of a cell of that field with another text typed."""
    return {name: text if name.startswith("value-") else value for name, value in filled(center, field)}


def state_of(center: Center, path: str) -> BatchState:
    with transaction(center.engine, readonly=True) as session:
        return session.get_one(ImportBatch, int(path.rpartition("/")[2])).state


def acts_of(center: Center, path: str) -> list[str]:
    with transaction(center.engine, readonly=True) as session:
        mine = select(JournalEntry.act).where(JournalEntry.subject_kind == "import_batch", JournalEntry.subject_id == int(path.rpartition("/")[2]))
        return list(session.scalars(mine.order_by(JournalEntry.id)))


def test_a_missing_column_is_asked_for_once_and_remembered(center: Center) -> None:
    odd = renamed(csv_of({"serial": "A1"}), 終了日="おわり", サービス種類="社内備考")
    path = center.upload("見出し違い.csv", odd)
    center.plan()

    page = center.client.get(path)
    assert (page.path, page.heading) == (f"{path}/mapping", "列の対応")
    assert page.says("列「終了日」が見つかりません。", "列「サービス種類」が見つかりません。", "2027-03-31", "取り込まない列")
    assert center.client.get("/console/imports").says("列の対応待ち")

    center.client.get(path)
    told = send(center, "この対応で読み込む", {"column-0-G": "ends_on", "column-0-H": "ends_on"}, expect=422)
    assert told.says("「終了日」に、列 G と列 H の 2 つが選ばれています。") and told.value_of("column-0-H") == "ends_on"
    send(center, "この対応で読み込む", {"column-0-G": "ends_on", "column-0-H": "service"})
    assert state_of(center, path) == BatchState.RECEIVED
    center.plan()
    assert center.client.get(path).says("取込内容の確認", "証書 1件（1行）を反映します")

    again = center.upload("次の月.csv", renamed(csv_of({"serial": "A2"}), 終了日="おわり", サービス種類="社内備考"))
    center.plan()
    assert center.client.get(again).says("証書 1件（1行）を反映します", "前回の対応を使いました。")
    assert acts_of(center, path) == ["upload", "ask_mapping", "map_columns", "plan"]


def test_the_columns_are_looked_at_later_and_changed(center: Center) -> None:
    path = center.planned({"serial": "A1"}, {"serial": "A2", "ends_on": "2026-02-30"})
    center.client.get(path)
    mend(center, "2027/03/31")

    page = center.client.get(f"{path}/mapping")
    assert page.says("対応を変えて保存すると、ファイルを読み直します。") and page.value_of("column-0-E") == "serial"
    send(center, "この対応で読み直す", {"column-0-O": ""})
    center.plan()

    told = center.client.get(f"{path}/review")
    assert told.says("証書 1件（2行）を反映します", "画面で直したセル 1件")
    assert center.client.get(f"{path}/mapping").says("取り込まない列：エンドユーザーメール")


def test_a_sheet_is_left_out_and_another_heading_row_is_named(center: Center) -> None:
    book = openpyxl.Workbook()
    first, second = book.worksheets[0], book.create_sheet("控え")
    first.title = "明細"
    for row in (["保守 一覧", "2026 年度"], [FIELD_LABELS[name] for name in LINE], list(LINE.values())):
        first.append(row)
    for row in (["契約番号", "製品番号", "シリアル", "開始日", "終了日"], ["JSC26040123A", "SRX300-SYS-JB", "X9", "2026-04-01", "2027-03-31"]):
        second.append(row)
    content = BytesIO()
    book.save(content)
    path = center.upload("二枚.xlsx", content.getvalue())
    center.plan()
    assert center.client.get(path).says("シート「控え」", "列「サービス種類」が見つかりません。", "2行目：証書発行日｜契約番号")

    send(center, "この対応で読み込む", {"heading-0": "1", "read-1": False})
    center.plan()
    assert center.client.get(path).says("取り込める行がありませんでした。")
    center.client.get(f"{path}/mapping")
    send(center, "この対応で読み直す", {"heading-0": "2"})
    center.plan()

    assert center.client.get(path).says("証書 1件（1行）を反映します", "シート「控え」は、読み込まないことが選ばれています。")


def test_leaving_every_sheet_out_says_what_to_do(center: Center) -> None:
    path = center.planned({})
    center.client.get(f"{path}/mapping")

    page = send(center, "この対応で読み直す", {"read-0": False}, expect=422)

    assert page.says("読み込むシートを 1 つ以上選んでください。") and state_of(center, path) == BatchState.PLANNED


def test_the_doctor_tells_what_was_found_and_where(center: Center) -> None:
    path = center.planned({"serial": "ＡＢ１", "starts_on": "令和8年4月1日", "end_user_email": " kiban@osaka.tozai.example "}, {"serial": "〃"})

    page = center.client.get(f"{path}/file")

    assert page.heading == "ファイルの診断"
    assert page.says("和暦の日付", "F2", "西暦に直して読みました。", "全角の英数字", "E2", "前後の空白", "O2", "「〃」「同上」")


def test_a_cell_is_put_right_where_it_stands(center: Center) -> None:
    path = center.planned({"serial": "A1"}, {"serial": "A2", "ends_on": "2027/O3/31"}, {"serial": "A3", "end_user_email": "it@minato，example"})
    page = center.client.get(path)
    assert page.says("2027/03/31 にする", "英字を数字に直します", "反映できる証書はありません")

    told = center.client.submit("2027/03/31 にする")
    assert told.says("1セルを直し、その証書を確かめ直しました。")
    wrong = mend(center, "だれか", expect=422)
    assert wrong.says("エンドユーザーメール「だれか」はメールアドレスの形ではありません。") and wrong.value_of("end_user_email") == "だれか"
    told = center.client.submit("この行を直す", end_user_email="kiban@osaka.tozai.example")

    assert told.says("証書 1件（3行）を反映します", "画面で直したセル 2件")
    assert "correct_cells" in acts_of(center, path)


def test_one_cause_is_put_right_for_all_its_rows(center: Center) -> None:
    path = center.planned(*({"serial": f"A{n}", "contract": f"JSC2604000{n}A", "starts_on": f"2026.O4.0{n}"} for n in range(1, 5)))
    assert center.client.get(path).says("同じ原因の 4セルをまとめて直す")

    told = center.client.post(
        f"{path}/corrections",
        {**dict(filled(center, "starts_on")), "alike": "1"},
    )

    assert told.says("4セルを直し、", "証書 4件（4行）を反映します")


def test_the_same_text_is_put_right_wherever_it_stands(center: Center) -> None:
    path = center.planned(*({"serial": f"A{n}", "contract": f"JSC2604000{n}A", "family": "ZZZ"} for n in range(3)))
    assert center.client.get(path).says("「ZZZ」のほかの 2セルも、同じ値に直す")

    told = center.client.post(f"{path}/corrections", {**typed_in(center, "family", "juniper-srx"), "same": "1"})

    assert told.says("3セルを直し、", "証書 3件（3行）を反映します")


def test_corrections_are_shown_and_taken_back(center: Center) -> None:
    path = center.planned({"serial": "A1", "contract": "契約"}, {"serial": "A1"})
    center.client.get(path)
    assert mend(center, "JSC26040123A").says("2行目と同じ明細です")
    page = center.client.get(f"{path}/corrections")
    assert page.says("変更前：", "契約", "変更後：", "JSC26040123A", "中村さん")

    page = center.client.submit("すべて取り消す")

    assert page.says("1セルの修正を取り消し、ファイルの値に戻しました。", "直したセルはありません。")
    told = center.client.get(path)
    assert told.says("契約番号「契約」に使えない文字") and not told.says("と同じ明細です")


def test_a_ticked_warning_of_another_row_stays_ticked(center: Center) -> None:
    late = {"contact": "srx_support@jscom.co.jp"}
    path = center.planned({"serial": "A1", **late}, {"serial": "A2", "ends_on": "いつか"})
    center.client.get(path)
    center.client.submit("すべての警告を確認済みにする")

    told = mend(center, "2027/03/31")

    assert told.says("証書 1件（2行）を反映します")


def test_auditors_see_errors_and_no_way_to_change_them(center: Center) -> None:
    path = center.planned({"ends_on": "いつか"})
    auditor = center.sign_in("kansa", Role.AUDITOR)

    page = auditor.get(path)

    assert page.says("を日付として読めません。") and not page.root.all("form", action=f"{path}/corrections")
    assert not auditor.get(f"{path}/mapping").says("この対応で読み直す")


def test_the_part_below_a_row_comes_back_with_the_error(center: Center) -> None:
    path = center.planned({"ends_on": "いつか"})
    center.client.get(path)

    part = center.client.post(f"{path}/corrections", typed_in(center, "ends_on", "きのう"), expect=422, headers={"hx-request": "true"})

    assert "終了日「きのう」を日付として読めません。" in part.html and "<html" not in part.html and 'id="fixes-' in part.html


def filled(center: Center, field: str) -> list[tuple[str, str]]:
    """The first form of a cell of that field, as it stands."""
    page = center.client.page
    assert page
    form = next(form for form in page.root.all("form") if ("field", field) in filled_in(form))
    return filled_in(form)
