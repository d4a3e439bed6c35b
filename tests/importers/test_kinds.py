"""Every kind of file that is read is told by its content: csv in its encodings, legacy xls, ods, unusual markup of xlsx."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from rules.refusal import Refused
from tests.importers.workbooks import CERTIFICATES, HEADINGS, cells, codes, first_sheet, line, read_rows, reading, save, warned

SHEET = "xl/worksheets/sheet1.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def as_csv(rows: list[list[Any]], delimiter: str = ",") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([list(HEADINGS), *rows])
    return text.getvalue()


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
def test_a_csv_is_read_in_every_encoding_and_its_sheet_has_no_name(tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = tmp_path / "一覧.csv"
    path.write_bytes(as_csv(cells(line(1, end_user_name="㈱髙﨑～商店"), line(2)), delimiter).encode(encoding))

    found = read_rows(path)

    assert [(row.sheet, row.row, row.values_by_field()["end_user_name"]) for row in found] == [("", 2, "㈱髙﨑～商店"), ("", 3, "みなと物流株式会社")]
    assert [codes(row) for row in found] == [[], []]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_a_title_above_a_csv_does_not_say_what_separates_its_cells(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "一覧.csv"
    path.write_text("保守契約一覧; J社, 御中|控\r\n\r\n" + as_csv(cells(line(1)), delimiter), encoding="utf-8")

    assert [codes(row) for row in read_rows(path)] == [[]]


@pytest.mark.parametrize("name", ["一覧.xlsx", "一覧.xls", "一覧.dat"])
def test_a_csv_by_any_other_name_is_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(as_csv(cells(line(1))), encoding="utf-8")

    with reading(path) as found:
        assert (found.kind, found.row_count) == ("csv", 1)


@pytest.mark.parametrize("filling", [b"\x1a", b"\r\n\x1a", b"\0" * 700])
def test_what_old_systems_write_behind_the_last_line_is_no_part_of_it(tmp_path: Path, filling: bytes) -> None:
    (tmp_path / "一覧.csv").write_bytes(as_csv(cells(line(1), line(2))).encode("cp932") + filling)

    assert [row.row for row in read_rows(tmp_path / "一覧.csv")] == [2, 3]


def test_csv_rows_are_numbered_as_excel_does(tmp_path: Path) -> None:
    path = tmp_path / "一覧.csv"
    body = as_csv(cells(line(1, end_user_name="みなと\n物流"), line(2))).replace("\r\nJSC", "\r\nJSC")
    path.write_text("一覧\r\n\r\n" + body, encoding="utf-8", newline="")

    found = read_rows(path)

    assert [(row.row, row.values_by_field()["end_user_name"]) for row in found] == [(4, "みなと 物流"), (5, "みなと物流株式会社")]


def test_csv_cells_guarded_against_excel_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "一覧.csv"
    path.write_text(as_csv(cells(line(1, serial='="000123"', agent_name="'=HYPERLINK()", end_user_name="'@名前"))), encoding="utf-8")

    values = read_rows(path)[0].values_by_field()

    assert (values["serial"], values["agent_name"], values["end_user_name"]) == ("000123", "=HYPERLINK()", "@名前")


def test_a_number_in_a_csv_date_column_is_a_serial_and_errors_are_errors(tmp_path: Path) -> None:
    path = tmp_path / "一覧.csv"
    path.write_text(as_csv(cells(line(1, starts_on="46113", operator_name="#N/A"))), encoding="utf-8")

    row = read_rows(path)[0]

    assert (warned(row), codes(row)) == ([("starts_on", "date_from_number")], [("operator_name", "formula_error")])


def test_quotes_in_odd_places_are_read_as_excel_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "一覧.csv"
    path.write_text(as_csv(cells(line(1))).replace("関西システム販売", '関西"システム"販売'), encoding="utf-8")

    assert read_rows(path)[0].values_by_field()["agent_name"] == '関西"システム"販売'


def test_a_legacy_workbook_by_the_name_of_an_xlsx_is_read(tmp_path: Path) -> None:
    path = tmp_path / "一覧.xlsx"
    path.write_bytes((CERTIFICATES / "旧契約一覧_2013-2018.xls").read_bytes())

    with reading(path) as found:
        assert (found.kind, found.row_count) == ("xls", 140)


def test_an_open_document_sheet_is_read_and_its_unread_marks_are_told(tmp_path: Path) -> None:
    rows = "".join(
        "<table:table-row>"
        + "".join(f'<table:table-cell office:value-type="string"><text:p>{"" if cell is None else cell}</text:p></table:table-cell>' for cell in row)
        + "</table:table-row>"
        for row in [list(HEADINGS), *cells(line(1), line(2))]
    )
    path = tmp_path / "一覧.ods"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "META-INF/manifest.xml", '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.2"/>'
        )
        archive.writestr(
            "content.xml",
            '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
            'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">'
            f'<office:body><office:spreadsheet><table:table table:name="一覧">{rows}</table:table></office:spreadsheet></office:body>'
            "</office:document-content>",
        )

    with reading(path) as found:
        assert (found.kind, [codes(row) for row in found.rows()]) == ("ods", [[], []])
        assert any("xlsx で保存し直すと確かめられます" in note for note in found.sheets[0].notes)


def _prefixed(part: str) -> str:
    part = re.sub(r"<(/?)([A-Za-z])", r"<\1x:\2", part)
    return part.replace(f'xmlns="{MAIN}"', f'xmlns:x="{MAIN}"')


def _single_quoted(part: str) -> str:
    return re.sub(r'="([^"\']*)"', r"='\1'", part)


def _without_references(part: str) -> str:
    return re.sub(r'(<(?:c|row)) r="[A-Z]*\d+"', r"\1", part)


SPELLINGS: list[Callable[[str], str]] = [
    _single_quoted,
    lambda part: part.replace("<sheetData>", "<sheetData><!-- a comment -->"),
    lambda part: re.sub(r'(<c r="[A-Z]+\d+")', r"\1\n ", part),
    lambda part: part.replace(' t="e"', ' t = "e"'),
    lambda part: re.sub(r'<c r="([A-Z]+\d+)"([^>]*?)(/?)>', r'<c\2 r="\1"\3>', part),
]


@pytest.mark.parametrize("number", range(len(SPELLINGS)))
def test_marks_are_found_however_the_markup_is_spelt(tmp_path: Path, number: int) -> None:
    book = openpyxl.Workbook()
    sheet = first_sheet(book)
    sheet.append(list(HEADINGS))
    for row in cells(line(1, operator_name="#REF!"), line(2, operator_name="=A1"), line(3, serial=123), line(4)):
        sheet.append(row)
    sheet["E4"].number_format = "000000"
    sheet.row_dimensions[5].hidden = True
    plain, odd = tmp_path / "plain.xlsx", tmp_path / "odd.xlsx"
    book.save(plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(odd, "w") as target:
        for name in source.namelist():
            part = source.read(name).decode()
            target.writestr(name, SPELLINGS[number](part) if name == SHEET else part)

    told = [(row.row, row.hidden, row.values, codes(row), warned(row)) for row in read_rows(odd)]

    assert told == [(row.row, row.hidden, row.values, codes(row), warned(row)) for row in read_rows(plain)]
    assert [one[3] for one in told] == [[("operator_name", "formula_error")], [("operator_name", "formula_without_value")], [], []]
    assert [one[1] for one in told] == [False, False, False, True]


@pytest.mark.parametrize("spell", [_prefixed, _without_references])
def test_other_name_spaces_and_cells_told_by_their_order_are_read(tmp_path: Path, spell: Callable[[str], str]) -> None:
    full = line(1, operator_name="運用", operator_email="noc@ops.example")
    plain, odd = save(tmp_path / "plain.xlsx", cells(full, full | {"contract": "JSC2", "operator_name": "#REF!"})), tmp_path / "odd.xlsx"
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(odd, "w") as target:
        for name in source.namelist():
            part = source.read(name).decode()
            target.writestr(name, spell(part) if name == SHEET else part)

    assert [(row.values, codes(row)) for row in read_rows(odd)] == [(row.values, codes(row)) for row in read_rows(plain)]


def test_a_formula_with_an_empty_text_for_a_result_has_a_value(tmp_path: Path) -> None:
    plain, odd = save(tmp_path / "plain.xlsx", cells(line(1, operator_name="=A1"))), tmp_path / "odd.xlsx"
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(odd, "w") as target:
        for name in source.namelist():
            part = source.read(name).decode()
            changed = re.sub(r'<c r="L2"([^>]*)><f>A1</f><v ?/?>(</v>)?', r'<c r="L2" t="str"><f>IF(A1=0,"",A1)</f><v></v>', part)
            target.writestr(name, changed if name == SHEET else part)

    row = read_rows(odd)[0]

    assert (codes(row), row.values_by_field()["operator_name"]) == ([], "")


def test_an_error_hidden_behind_a_character_reference_is_no_silent_blank(tmp_path: Path) -> None:
    plain, odd = save(tmp_path / "plain.xlsx", cells(line(1, operator_name="#REF!"))), tmp_path / "odd.xlsx"
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(odd, "w") as target:
        for name in source.namelist():
            part = source.read(name)
            target.writestr(name, part.replace(b' t="e"', b' t="&#101;"') if name == SHEET else part)

    try:
        found = [codes(row) for row in read_rows(odd)]
    except Refused as refused:
        found = [[("", refused.code)]]

    assert found in ([[("operator_name", "formula_error")]], [[("", "workbook_unreadable")]])
