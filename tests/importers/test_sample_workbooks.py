"""The seven sample workbooks give exactly the rows, hidden marks, warnings and errors that are expected of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from importers.reader import ParsedRow
from rules.lines import FIELDS
from tests.importers.workbooks import CERTIFICATES, EXPECTED, MAILBOXES, read_rows, reading, warned

SAMPLES = sorted(path.name.removesuffix(".json") for path in EXPECTED.glob("*.*.json"))


def _as_expected(row: ParsedRow) -> dict[str, Any]:
    told: dict[str, Any] = {"sheet": row.sheet, "row": row.row, **row.values_by_field()}
    if row.hidden:
        told["hidden"] = True
    # The samples name what the cells themselves make doubtful; the old mailbox is a rule on top (below).
    doubtful = [field for field, code in warned(row) if code != "old_mailbox"]
    if doubtful:
        told["warned"] = doubtful
    return told


def test_all_seven_are_tried() -> None:
    assert len(SAMPLES) == 7


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_gives_exactly_its_expected_rows_and_errors(name: str) -> None:
    expected = json.loads((EXPECTED / f"{name}.json").read_text(encoding="utf-8"))

    rows = read_rows(CERTIFICATES / name)

    assert [_as_expected(row) for row in rows if not row.errors] == expected["rows"]
    assert [(row.sheet, row.row, error["field"], error["heading"]) for row in rows for error in row.errors] == [
        (error["sheet"], error["row"], error["field"], error["heading"]) for error in expected["errors"]
    ]


def test_the_errors_of_the_faulty_sample_are_told_in_sentences_that_say_what_to_do() -> None:
    messages = [error["message"] for row in read_rows(CERTIFICATES / "誤りあり.xlsx") for error in row.errors]

    assert messages == [
        "契約名が空です。証書の値を入力してください。",
        "エンドユーザーメール「network(at)hokusei.example」はメールアドレスの形ではありません。証書の表記をお確かめください。",
        "終了日が開始日より前です（2026-09-01 > 2026-08-31）。どちらかを直してください。",
        "開始日「2026/02/30」は存在しない日付です。正しい日付に直してください。",
        "終了日「未定」を日付として読めません。例：2026/04/01",
        "製品番号が空です。証書の値を入力してください。",
        "契約番号「契約その1」に使えない文字「契」が入っています。半角の英数字と「-」「_」「.」「/」に直してください。",
        "販売代理店・運用代行者・エンドユーザーのメールアドレスがどれも空です。1 つ以上入力してください（空のままでは、どなたも登録できません）。",
        "13行目と同じ明細です（契約・製品番号・シリアル・サービス種類）。どちらかを除いてください。",
        "種別「Junipr-SRX」は登録されていません。一覧から選んでください。",
        "開始日「令和元年4月1日」は、その元号にない日付です。元号か日付を直してください。",
        "証書発行日が空です。証書の値を入力してください。",
        "エンドユーザーメールに、メールアドレスが 2 件入っています。1 件だけにしてください。",
        "終了日の数式がエラー（#REF!）になっています。値を入力してください。",
    ]


def test_an_error_row_keeps_its_sound_values() -> None:
    row = next(row for row in read_rows(CERTIFICATES / "誤りあり.xlsx") if row.row == 8)

    values = row.values_by_field()
    assert (values["contract"], values["starts_on"], values["ends_on"]) == ("JSE26080001F", "", "2027-08-31")
    assert len(row.values) == len(FIELDS)


def test_sheets_without_headings_are_skipped_and_named() -> None:
    with reading(CERTIFICATES / "更新分_部署別.xlsx") as found:
        cover, *others = found.sheets

    assert (cover.name, cover.rows, cover.heading_row) == ("表紙", 0, None)
    assert cover.skipped == "シート「表紙」は、見出し行がないため読み込んでいません。"
    assert [(sheet.heading_row, sheet.skipped) for sheet in others] == [(4, None)] * len(others)


def test_the_remarks_column_is_named_as_unmapped() -> None:
    with reading(CERTIFICATES / "更新分_部署別.xlsx") as found:
        assert found.sheets[1].unmapped == ("備考",)


def test_a_line_from_august_2014_on_with_an_old_mailbox_is_warned_of_and_no_other() -> None:
    rows = read_rows(CERTIFICATES / "旧契約一覧_2013-2018.xls")

    late = {row.row for row in rows if ("contact", "old_mailbox") in warned(row)}

    values = {row.row: row.values_by_field() for row in rows}
    assert late == {number for number, told in values.items() if told["starts_on"] >= "2014-08-01" and told["contact"] in MAILBOXES}
    assert late
