"""Offices vary: the headings are found wherever they stand, in one row or two, by whatever name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from rules.lines import FIELDS
from tests.importers.workbooks import HEADINGS, cells, codes, first_sheet, line, read_rows, reading, save, warned

OTHER_HEADINGS = (
    ("発行日", "契約番号", "製品種別", "型番", "S/N", "保守開始日", "保守終了日", "サービス内容", "お問合せ先",
     "販売店", "販売店E-mail", "運用代行会社", "運用代行会社メールアドレス", "お客様名", "お客様メール"),
    ("証書\n発行日", "契約番号/契約名 ※必須", "メーカー", "製品型番", "シリアルNo.", "契約開始", "満了日", "保守内容", "お問い合わせ先",
     "代理店名", "代理店 メールアドレス", "運用代行", "運用代行者アドレス", "設置先名", "設置先 E-Mail"),
    ("証書発行日（必須）", "ご契約No.", "種別", "品番", "製造番号", "開始", "終了", "保守種別", "窓口",
     "販売代理店様", "販売代理店様メアド", "運用代行者様", "運用代行者様メールアドレス", "エンドユーザー様", "エンドユーザー様 保守登録メール"),
    ("Issue Date", "Contract No.", "Vendor", "Part Number", "Serial Number", "Start Date", "End Date", "Service Type", "Contact",
     "Reseller", "Reseller E-mail", "Operator", "Operator E-mail", "End User", "End User E-mail"),
    ("ＩＳＳＵＥＤ　ＯＮ", "ＣＯＮＴＲＡＣＴ", "Family", "P/N", "ＳＥＲＩＡＬ", "From", "To", "Service", "Contact",
     "Dealer Name", "Dealer Email Address", "MSP", "MSP Mail", "Customer Company Name", "Customer E-Mail Address"),
    ("証書日付", "契約名", "製品群", "型式", "シリアルナンバー", "始期", "終期", "サポート種別", "受付窓口",
     "販社名", "メールアドレス(販売代理店)", "運用会社", "保守登録メール(運用代行者)", "設置先(エンドユーザ)", "メールアドレス（エンドユーザー）"),
    ("①証書発行日", "②契約名", "③種別", "④製品番号", "⑤シリアル", "⑥開始日", "⑦終了日", "⑧サービス種類", "⑨問合せ先",
     "⑩販売代理店", "メール", "⑪運用代行者", "メールアドレス", "⑫エンドユーザー", "Eメール"),
    ("1.証書発行日", "2.契約名", "3.種別", "4.製品番号", "5.シリアル", "6.開始日", "7.終了日", "8.サービス種類", "9.問合せ先",
     "10.販売代理店", "11.保守登録メール", "12.運用代行者", "13.保守登録メール", "14.エンドユーザー", "15.保守登録メール"),
)  # fmt: skip


def only_values(path: Path) -> list[tuple[str, ...]]:
    return [row.values for row in read_rows(path)]


def as_values(one: dict[str, Any]) -> tuple[str, ...]:
    return tuple(value.isoformat() if isinstance(value, date) else str(value) for value in one.values())


@pytest.mark.parametrize("headings", OTHER_HEADINGS)
def test_other_offices_headings_are_known(tmp_path: Path, headings: Sequence[str]) -> None:
    lines = [line(1), line(2, operator_name="運用サービス", operator_email="noc@ops.example")]

    path = save(tmp_path / "一覧.xlsx", cells(*lines), headings=headings)

    with reading(path) as found:
        assert [row.values for row in found.rows()] == [as_values(one) for one in lines]
        assert found.sheets[0].unmapped == ()


def test_the_person_s_details_may_stand_between_a_party_and_its_address(tmp_path: Path) -> None:
    headings = [*HEADINGS[:9], "販売代理店", "担当者", "電話番号", "メール", "エンドユーザー", "部署名", "保守登録メール"]
    row = cells(line(1))[0]

    with reading(save(tmp_path / "一覧.xlsx", [[*row[:10], "山田", "03-0000-0000", row[10], row[13], "情報部", row[14]]], headings=headings)) as found:
        assert [each.values for each in found.rows()] == [as_values(line(1))]
        assert found.sheets[0].unmapped == ("担当者", "電話番号", "部署名")


def test_the_heading_row_stands_below_titles_notes_and_blanks_and_right_of_empty_columns(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        [],
        [None, None, "保守契約一覧", None, "作成日", "2026/4/1"],
        [None, None, "※契約番号と開始日を確認のこと"],
        [],
        [None, None, *HEADINGS],
    ]
    rows += [[None, None, *row] for row in cells(line(1), line(2))]

    with reading(save(tmp_path / "一覧.xlsx", rows, headings=None)) as found:
        assert [(row.row, row.values) for row in found.rows()] == [(6, as_values(line(1))), (7, as_values(line(2)))]
        assert found.sheets[0].heading_row == 5
        assert found.sheets[0].columns["serial"] == {"column": "G", "heading": "シリアル"}


def test_columns_come_in_any_order_with_others_between(tmp_path: Path) -> None:
    order = [7, 3, 14, 0, 11, 5, 1, 9, 13, 2, 6, 4, 10, 8, 12]
    headings = ["No.", *[HEADINGS[at] for at in order], "備考", "電話番号"]
    rows = [[number, *[row[at] for at in order], "なし", "03-0000-0000"] for number, row in enumerate(cells(line(1), line(2)))]

    with reading(save(tmp_path / "一覧.xlsx", rows, headings=headings)) as found:
        assert [row.values for row in found.rows()] == [as_values(line(1)), as_values(line(2))]
        assert found.sheets[0].unmapped == ("備考", "電話番号")
        assert "列「備考」は読み込んでいません。" in found.sheets[0].notes


@pytest.mark.parametrize("merged", [True, False])
def test_two_heading_rows_are_read_as_one(tmp_path: Path, *, merged: bool) -> None:
    book = openpyxl.Workbook()
    sheet = first_sheet(book)
    sheet.append(["2026年度 一覧"])
    sheet.append([*HEADINGS[:5], "契約期間", None, *HEADINGS[7:9], "販売代理店", None, "運用代行者", None, "エンドユーザー", None, None])
    sheet.append([*[None] * 5, "開始日", "終了日", None, None, "会社名", "メール", "会社名", "メール", "会社名", "メール", "部署"])
    if merged:
        for area in ("F2:G2", "J2:K2", "L2:M2", "N2:P2", "A2:A3", "B2:B3", "C2:C3", "H2:H3"):
            sheet.merge_cells(area)
    for row in cells(line(1)):
        sheet.append([*row, "情報部"])
    book.save(tmp_path / "一覧.xlsx")

    with reading(tmp_path / "一覧.xlsx") as found:
        assert [row.values for row in found.rows()] == [as_values(line(1))]
        assert found.sheets[0].heading_row == 2
        assert found.sheets[0].unmapped == ("エンドユーザー 部署",)
        assert found.sheets[0].columns["agent_email"]["heading"] == "販売代理店 メール"


def test_a_period_in_one_column_is_split(tmp_path: Path) -> None:
    headings = [*HEADINGS[:5], "契約期間", *HEADINGS[7:]]
    periods = [
        "2026/4/1～2027/3/31", "令和8年4月1日 から 令和9年3月31日 まで", "2026/4/1 - 2027/3/31", "2026/4/1\n2027/3/31", "2026年4月1日 to 2027年3月31日", "未定",
    ]  # fmt: skip
    rows = [[*row[:5], period, *row[7:]] for row, period in zip(cells(*map(line, range(6))), periods, strict=True)]

    found = read_rows(save(tmp_path / "一覧.xlsx", rows, headings=headings))

    assert [row.values for row in found[:5]] == [as_values(line(number)) for number in range(5)]
    assert codes(found[5]) == [("starts_on", "not_a_date"), ("ends_on", "not_a_date")]
    assert found[5].errors[0]["heading"] == "契約期間"


def test_a_period_merged_over_two_columns_heads_both_days(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = first_sheet(book)
    sheet.append([*HEADINGS[:5], "保守期間", None, *HEADINGS[7:]])
    sheet.merge_cells("F1:G1")
    sheet.append(cells(line(1))[0])
    book.save(tmp_path / "一覧.xlsx")

    assert only_values(tmp_path / "一覧.xlsx") == [as_values(line(1))]


def test_of_a_number_and_a_name_the_issue_date_chooses(tmp_path: Path) -> None:
    headings = [HEADINGS[0], "契約番号", "契約名", *HEADINGS[2:]]
    old, new, single = cells(line(1, issued_on=date(2018, 12, 31)), line(2, issued_on=date(2019, 1, 1)), line(3))
    rows = [[old[0], "SD-100000-H", "NAME-1", *old[2:]], [new[0], "SD-200000-H", "NAME-2", *new[2:]], [single[0], "SD-300000-H", None, *single[2:]]]

    found = read_rows(save(tmp_path / "一覧.xlsx", rows, headings=headings))

    assert [row.values_by_field()["contract"] for row in found] == ["SD-100000-H", "NAME-2", "SD-300000-H"]


def test_without_a_family_column_the_sheet_names_the_family(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    first_sheet(book).title = "表紙"
    for number, title in enumerate(["Juniper-MAG_SA", "Ruckus（4月更新分）", "Sheet3"]):
        sheet = book.create_sheet(title)
        sheet.append([heading for heading in HEADINGS if heading != "種別"])
        row = cells(line(number))[0]
        sheet.append(row[:2] + row[3:])
    book.save(tmp_path / "一覧.xlsx")

    with reading(tmp_path / "一覧.xlsx") as found:
        rows = list(found.rows())
        assert [row.values_by_field()["family"] for row in rows] == ["Juniper-MAG/SA", "Ruckus", ""]
        assert codes(rows[2]) == [("family", "column_missing")]
        assert rows[2].errors[0]["message"] == "列「種別」が見つかりません。列の対応で選んでください。"
        assert found.sheets[1].notes == ("種別の列がないため、シートの名前から「Juniper-MAG/SA」としました。",)
        assert found.sheets[3].missing == ("family",)


def test_a_product_name_is_the_product_number_where_there_is_no_other(tmp_path: Path) -> None:
    headings = [*HEADINGS[:3], "製品名", *HEADINGS[4:]]

    assert only_values(save(tmp_path / "一覧.xlsx", cells(line(1)), headings=headings)) == [as_values(line(1))]


def test_totals_notes_blanks_and_repeated_headings_are_skipped(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        *cells(line(1)),
        [],
        [None, None, None, "小計", 1],
        ["Juniper 分"],
        list(HEADINGS),
        *cells(line(2)),
        ["合計", 2],
        [None, None, None, "※製品番号は証書のとおり"],
        ["※本一覧に関するお問い合わせはサービス管理センターまで"],
    ]

    assert [row.row for row in read_rows(save(tmp_path / "一覧.xlsx", rows))] == [2, 7]


@pytest.mark.parametrize(
    "legend",
    [
        ["(YYYY/MM/DD)", None, None, None, None, "(YYYY/MM/DD)", "(YYYY/MM/DD)"],
        ["日付", *["文字列"] * 4, "日付", "日付", *["半角英数字"] * 3],
        [f"({number})" for number in range(1, 16)],
        ["年月日", "30文字以内", "選択式", "必須", "任意", "西暦/月/日", "yyyy-mm-dd"],
    ],
)
def test_a_row_that_says_what_is_to_be_written_in_the_columns_is_no_line(tmp_path: Path, legend: Sequence[str | None]) -> None:
    assert [row.row for row in read_rows(save(tmp_path / "一覧.xlsx", [list(legend), *cells(line(1))]))] == [3]


@pytest.mark.parametrize("at", range(8))
def test_a_note_or_a_total_is_no_line_in_whatever_column_it_begins(tmp_path: Path, at: int) -> None:
    rows: list[list[Any]] = [[None] * at + [text] for text in ("※社外秘", "注 返却のこと")]
    rows += [[None] * at + [total, None, amount] for total, amount in (("合計", 12), ("小計", "3件"), ("総計", "¥1,200"))]

    assert [row.row for row in read_rows(save(tmp_path / "一覧.xlsx", [*cells(line(1)), *rows]))] == [2]


def test_headings_repeated_without_their_ornaments_are_skipped(tmp_path: Path) -> None:
    headings = [f"【{heading}】\n(必須)" for heading in HEADINGS]

    assert [row.row for row in read_rows(save(tmp_path / "一覧.xlsx", [*cells(line(1)), list(HEADINGS), *cells(line(2))], headings=headings))] == [2, 4]


def test_a_line_with_a_total_among_its_values_stays_one(tmp_path: Path) -> None:
    assert [row.row for row in read_rows(save(tmp_path / "一覧.xlsx", cells(line(1, product_number="合計"))))] == [2]


def test_a_note_merged_across_the_table_is_no_line(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = first_sheet(book)
    sheet.append(list(HEADINGS))
    sheet.append(cells(line(1))[0])
    sheet.append(["※本一覧に関するお問い合わせはサービス管理センターまで"])
    sheet.merge_cells("A3:O3")
    book.save(tmp_path / "一覧.xlsx")

    assert [row.row for row in read_rows(tmp_path / "一覧.xlsx")] == [2]


def test_merged_cells_count_for_every_row_and_column_they_cover(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = first_sheet(book)
    sheet.append(list(HEADINGS))
    same = line(1, end_user_name="it@minato.example")
    for row in cells(same, same | {"serial": "CV2"}, same | {"serial": "CV3"}):
        sheet.append(row)
    for area in ("A2:A4", "B2:B4", "C2:C4", "I2:I4", "J2:J4", "K2:K4", "N2:O4"):
        sheet.merge_cells(area)
    book.save(tmp_path / "一覧.xlsx")

    found = read_rows(tmp_path / "一覧.xlsx")

    assert {row.values[:2] for row in found} == {("2026-03-10", "JSC26040001A")}
    assert [codes(row) for row in found] == [[], [], []]


def test_repetition_signs_repeat_the_line_above_beyond_blank_rows(tmp_path: Path) -> None:
    first, second, third = cells(line(1), line(1, serial="CV2"), line(1, serial="CV3"))
    second[:3] = third[:3] = ["〃", "同上", "″"]
    second[5:9] = ["〃", "同上", "〃", "〃"]
    second[9:11] = third[9:11] = ["同上", "〃"]

    found = read_rows(save(tmp_path / "一覧.xlsx", [first, second, [], third]))

    assert [row.values for row in found] == [as_values(line(1)), as_values(line(1, serial="CV2")), as_values(line(1, serial="CV3"))]


def test_a_repetition_sign_with_nothing_above_and_one_below_an_error_are_told(tmp_path: Path) -> None:
    first, second, third = cells(line(1, contract="〃"), line(2, starts_on="未定"), line(2, serial="CV3", starts_on="同上"))

    found = read_rows(save(tmp_path / "一覧.xlsx", [first, second, third]))

    assert [codes(row) for row in found] == [[("contract", "nothing_above")], [("starts_on", "not_a_date")], [("starts_on", "not_a_date")]]


def test_a_column_that_is_missing_is_told_on_its_rows_and_sheet(tmp_path: Path) -> None:
    at = FIELDS.index("ends_on")
    headings = HEADINGS[:at] + HEADINGS[at + 1 :]
    rows = [row[:at] + row[at + 1 :] for row in cells(line(1))]

    with reading(save(tmp_path / "一覧.xlsx", rows, headings=headings)) as found:
        assert [codes(row) for row in found.rows()] == [[("ends_on", "column_missing")]]
        assert "列「終了日」が見つかりません。列の対応で選んでください。" in found.sheets[0].notes


def test_a_person_may_choose_the_columns_and_leave_sheets_out(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for title in ("一覧", "控え"):
        sheet = book.create_sheet(title)
        sheet.append([*HEADINGS[:4], "謎の列", *HEADINGS[5:]])
        sheet.append(cells(line(1))[0])
    book.remove(book.worksheets[0])
    book.save(tmp_path / "一覧.xlsx")
    letters = {name: "ABCDEFGHIJKLMNO"[at] for at, name in enumerate(FIELDS)}

    with reading(tmp_path / "一覧.xlsx", mapping={"一覧": {"heading_row": 1, "columns": letters}, "控え": {"skip": True}}) as found:
        assert [row.values for row in found.rows()] == [as_values(line(1))]
        assert found.sheets[0].columns["serial"] == {"column": "E", "heading": "謎の列"}
        assert found.sheets[1].skipped == "シート「控え」は、読み込まないことが選ばれています。"


def test_hidden_rows_columns_and_sheets_are_read_marked_and_told(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = first_sheet(book)
    sheet.append(list(HEADINGS))
    for row in cells(line(1), line(2), line(3)):
        sheet.append(row)
    sheet.row_dimensions[3].hidden = True
    sheet.column_dimensions["E"].hidden = True
    sheet.auto_filter.ref = "A1:O4"
    other = book.create_sheet("控え")
    other.append(list(HEADINGS))
    other.append(cells(line(4))[0])
    other.sheet_state = "hidden"
    book.save(tmp_path / "一覧.xlsx")

    with reading(tmp_path / "一覧.xlsx") as found:
        assert [(row.row, row.hidden) for row in found.rows()] == [(2, False), (3, True), (4, False), (2, True)]
        assert found.sheets[0].notes == (
            "非表示の行が 1 行あります。読み込んで、印を付けています。",
            "非表示の列があります（E）。値は読み込んでいます。",
            "フィルターが設定されています。隠れている行も読み込んでいます。",
        )
        assert found.sheets[1].hidden


def test_numbers_formulas_and_errors_are_never_a_silent_blank(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = first_sheet(book)
    sheet.append(list(HEADINGS))
    for row in cells(line(1, serial=123), line(2, serial=456), line(3, agent_name="=A1"), line(4, operator_name="#DIV/0!"), line(5, starts_on=46113)):
        sheet.append(row)
    sheet["E3"].number_format = "00000000"
    sheet["F6"].number_format = "General"
    book.save(tmp_path / "一覧.xlsx")

    found = read_rows(tmp_path / "一覧.xlsx")

    assert [row.values_by_field()["serial"] for row in found[:2]] == ["123", "00000456"]
    assert [warned(row) for row in found] == [[("serial", "number_for_code")], [("serial", "number_for_code")], [], [], [("starts_on", "date_from_number")]]
    assert [codes(row) for row in found[2:4]] == [[("agent_name", "formula_without_value")], [("operator_name", "formula_error")]]


def test_dates_of_the_1904_calendar_are_read(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    sheet = first_sheet(book)
    sheet.append(list(HEADINGS))
    sheet.append(cells(line(1))[0])
    sheet.append(cells(line(2, starts_on=44651))[0])
    sheet["F3"].number_format = "General"
    book.save(tmp_path / "一覧.xlsx")

    assert only_values(tmp_path / "一覧.xlsx") == [as_values(line(1)), as_values(line(2))]
