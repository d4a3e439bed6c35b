"""The lines of one certificate agree, none stands twice, each has what it needs."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import openpyxl
import pytest

from rules.lines import REQUIRED_FIELDS
from tests.importers.workbooks import HEADINGS, cells, codes, first_sheet, line, read_rows, save, warned


@pytest.mark.parametrize("field", REQUIRED_FIELDS)
def test_a_required_cell_that_is_empty_is_told(tmp_path: Path, field: str) -> None:
    found = read_rows(save(tmp_path / "一覧.xlsx", cells(line(1, **{field: ""}))))

    assert codes(found[0]) == [(field, "missing")]


def test_a_serial_may_be_empty(tmp_path: Path) -> None:
    assert codes(read_rows(save(tmp_path / "一覧.xlsx", cells(line(1, serial=""))))[0]) == []


def test_a_line_without_any_address_is_told_at_the_agent(tmp_path: Path) -> None:
    found = read_rows(save(tmp_path / "一覧.xlsx", cells(line(1, agent_email="", end_user_email=""))))

    assert codes(found[0]) == [("agent_email", "no_party_email")]


def test_an_address_that_cannot_be_read_is_not_told_as_missing_too(tmp_path: Path) -> None:
    found = read_rows(save(tmp_path / "一覧.xlsx", cells(line(1, agent_email="", end_user_email="x"))))

    assert codes(found[0]) == [("end_user_email", "not_an_email")]


@pytest.mark.parametrize(
    ("field", "other"), [("issued_on", date(2026, 3, 11)), ("agent_name", ""), ("operator_name", "運用"), ("end_user_email", "other@minato.example")]
)
def test_lines_that_disagree_name_both_rows_and_both_values(tmp_path: Path, field: str, other: object) -> None:
    lines = [line(1), line(1, serial="CV2"), line(1, serial="CV3", **{field: other})]

    found = read_rows(save(tmp_path / "一覧.xlsx", cells(*lines)))

    assert [codes(row) for row in found] == [[], [], [(field, "not_consistent")]]
    first, second = (str(one[field]) or "空" for one in (lines[0], lines[2]))
    assert f"2行目（{first}）と 4行目（{second}）で異なります" in found[2].errors[0]["message"]


def test_addresses_agree_regardless_of_case(tmp_path: Path) -> None:
    found = read_rows(save(tmp_path / "一覧.xlsx", cells(line(1), line(1, serial="CV2", end_user_email="IT@minato.example"))))

    assert [codes(row) for row in found] == [[], []]


def test_cells_that_could_not_be_read_are_not_compared_and_later_ones_are(tmp_path: Path) -> None:
    lines = [line(1, end_user_email="?"), line(1, serial="CV2"), line(1, serial="CV3", end_user_email="other@minato.example")]

    found = read_rows(save(tmp_path / "一覧.xlsx", cells(*lines)))

    assert [codes(row) for row in found] == [[("end_user_email", "not_an_email")], [], [("end_user_email", "not_consistent")]]
    assert "3行目" in found[2].errors[0]["message"]


def test_the_same_line_on_another_sheet_is_told_with_that_sheets_name(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    first_sheet(book).title = "4月"
    book.create_sheet("5月")
    for sheet in book.worksheets:
        sheet.append(list(HEADINGS))
        sheet.append(cells(line(1))[0])
    book.save(tmp_path / "一覧.xlsx")

    found = read_rows(tmp_path / "一覧.xlsx")

    assert [codes(row) for row in found] == [[], [("serial", "same_line")]]
    assert found[1].errors[0]["message"].startswith("シート「4月」の 2行目と同じ明細です")


def test_the_same_line_is_known_in_full_width_and_lower_case(tmp_path: Path) -> None:
    found = read_rows(save(tmp_path / "一覧.xlsx", cells(line(1), line(1, contract="ｊｓｃ２６０４０００１ａ", serial="cv0000000001"))))

    assert [codes(row) for row in found] == [[], [("serial", "same_line")]]


def test_one_row_may_have_several_errors_in_the_order_of_the_fields(tmp_path: Path) -> None:
    found = read_rows(save(tmp_path / "一覧.xlsx", cells(line(1, end_user_email="x", issued_on="", product_number="", starts_on="2026/2/30"))))

    assert codes(found[0]) == [("issued_on", "missing"), ("product_number", "missing"), ("starts_on", "no_such_date"), ("end_user_email", "not_an_email")]


@pytest.mark.parametrize(
    ("starts_on", "contact", "expected"),
    [
        (date(2014, 7, 31), "ns_support@jscom.co.jp", []),
        (date(2014, 8, 1), "ns_support@jscom.co.jp", [("contact", "old_mailbox")]),
        (date(2014, 8, 1), "ＮＳ_Support@jscom.co.jp", [("contact", "old_mailbox")]),
        (date(2014, 8, 1), "J's チケットシステム", []),
    ],
)
def test_an_old_mailbox_is_warned_of_from_august_2014_on(tmp_path: Path, starts_on: date, contact: str, expected: list[tuple[str, str]]) -> None:
    found = read_rows(save(tmp_path / "一覧.xlsx", cells(line(1, starts_on=starts_on, contact=contact))))

    assert (codes(found[0]), warned(found[0])) == ([], expected)
