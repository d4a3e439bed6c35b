"""Files that leave: read again they say the same, and no spreadsheet computes what stands in them."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importers.export import as_csv, as_xlsx, guarded
from importers.template import template_workbook
from rules.lines import FIELDS, Values
from rules.text import one_line
from tests.importers.workbooks import FAMILIES, first_sheet, line, read_rows

DANGEROUS = [
    "=HYPERLINK(A1)",
    "+cmd|x",
    "-1",
    "@SUM(1)",
    "'=x",
    "''-1",
    "＝1",
    "−1+1",
    ',"=',
    '"quoted"',
    "a;b",
    "'plain",
    '="00012"',
    "_x0041_",
    "㈱髙﨑①",
    "〜—−",
    "<&>",
]


def values_of(number: int, name: str) -> Values:
    return tuple(str(value) for value in line(number, end_user_name=name, product_number=name if name.isascii() else "SRX340").values())


@pytest.mark.parametrize("name", ["=1", "+1", "-1", "@x", "\tx", "＝1", "−1", "'−1", "'=1", "''+1"])
def test_what_begins_like_a_formula_is_guarded_in_a_csv(name: str) -> None:
    assert guarded(name) == f"'{name}"


@pytest.mark.parametrize("name", ["x=1", "'x", "1-1", ""])
def test_what_does_not_stays_as_it_is(name: str) -> None:
    assert guarded(name) == name


def check_comes_back(folder: Path, lines: list[Values], kinds: tuple[str, ...] = ("xlsx", "utf-8", "cp932")) -> None:
    for kind in kinds:
        path = folder / f"export-{kind}"
        path.write_bytes(b"".join(as_xlsx(lines) if kind == "xlsx" else as_csv(lines, encoding=kind)))

        rows = read_rows(path)

        assert [row.values for row in rows] == lines
        assert not any(row.warnings or row.errors for row in rows)


def test_every_kind_of_file_comes_back_equal(tmp_path: Path) -> None:
    lines = [values_of(number, name) for number, name in enumerate(DANGEROUS, 1)]

    check_comes_back(tmp_path, lines, ("xlsx", "utf-8"))
    check_comes_back(tmp_path, [each for each in lines if not {"〜", "−"} & set(each[FIELDS.index("end_user_name")])], ("cp932",))

    sheet = first_sheet(openpyxl.load_workbook(io.BytesIO((tmp_path / "export-xlsx").read_bytes())))
    assert not any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)
    assert b"\n=" not in (tmp_path / "export-utf-8").read_bytes() and b",=" not in (tmp_path / "export-utf-8").read_bytes()


NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cf", "Co", "Cn", "Zl", "Zp", "Mn")), min_size=1, max_size=12).filter(
    lambda text: one_line(text) == text and not text.startswith("#") and text.strip("〃〻仝″”\"'′") != "" and text not in ("同上", "同じ")
)


@settings(max_examples=5)
@given(names=st.lists(NAMES, min_size=5, max_size=30))
def test_any_names_come_back_equal(tmp_path: Path, names: list[str]) -> None:
    lines = [tuple(str(value) for value in line(number, end_user_name=name).values()) for number, name in enumerate(names, 1)]

    check_comes_back(tmp_path, lines, ("xlsx", "utf-8"))


def test_a_sign_that_cp932_lacks_is_replaced_visibly() -> None:
    text = b"".join(as_csv([values_of(1, "葛飾🗼〜")], encoding="cp932")).decode("cp932")

    assert "葛飾〓～" in text


def test_the_template_is_read_as_empty_and_filled_in_as_sound(tmp_path: Path) -> None:
    path = tmp_path / "template.xlsx"
    path.write_bytes(template_workbook(families=[*FAMILIES][:15], services=["センドバック保守", "=1"], today=date(2026, 12, 1)))

    assert read_rows(path) == []
    book = openpyxl.load_workbook(path)
    sheet = first_sheet(book)
    assert [sheet.cell(3, at).comment is not None for at in range(1, 16)] == [True] * 15
    assert {str(rule.sqref): rule.formula1 for rule in sheet.data_validations.dataValidation} == {
        "C4:C5003": "選択肢!$A$2:$A$16",
        "H4:H5003": "選択肢!$B$2:$B$3",
        "I4:I5003": "選択肢!$C$2:$C$2",
    }
    assert sheet["B2"].value == "JSC26040123A"
    for at, value in enumerate(line(1).values(), 1):
        sheet.cell(4, at, value or None)
    book.save(path)
    rows = read_rows(path)
    assert [(row.row, row.errors, row.warnings) for row in rows] == [(4, [], [])]
    assert rows[0].values == tuple(str(value) for value in line(1).values())


def test_an_export_leaves_in_pieces() -> None:
    lines = (values_of(number, f"会社{number}") for number in range(6_000))

    pieces = list(as_csv(lines, encoding="utf-8"))

    assert len(pieces) == 7
    assert io.BytesIO(b"".join(pieces)).readline().startswith(b"\xef\xbb\xbf")
