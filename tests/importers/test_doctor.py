"""What a workbook hides or spells oddly is counted, with the first places."""

from __future__ import annotations

from pathlib import Path

import openpyxl
from openpyxl.utils import get_column_letter

from importers.doctor import ORDER, PLACES, Doctor, traits_of
from tests.importers.workbooks import CERTIFICATES, HEADINGS, cells, first_sheet, line, reading
from wording.imports import FINDINGS


def findings(path: Path) -> dict[str, tuple[int, list[str]]]:
    """Code -> how often and where, of the first sheet."""
    with reading(path) as found:
        return {each["code"]: (each["count"], each["places"]) for each in found.sheets[0].findings}


def test_every_finding_has_words() -> None:
    assert set(ORDER) == set(FINDINGS)


def test_a_sheet_tells_all_it_hides(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = first_sheet(book)
    sheet.append(HEADINGS)
    for row in cells(*(line(number, contract="JSC26040001A", serial=f"CV{number:04}") for number in range(1, 9))):
        sheet.append(row)
    sheet["E3"], sheet["F3"], sheet["G3"] = "ＣＶ０００２", "2026/4/1", "令和9年3月31日"
    sheet["E4"], sheet["K4"], sheet["F5"] = 123456, " hosyu@kansai-sys.example　", "〃"
    sheet["H6"], sheet["G7"] = "=1/0", 46477
    sheet["G7"].number_format = "General"
    sheet["A11"], sheet["B11"] = "※ 更新分のみ", None
    sheet.merge_cells("L2:L9")
    sheet.row_dimensions[8].hidden = True
    sheet.column_dimensions[get_column_letter(10)].hidden = True
    sheet.auto_filter.ref = "A1:O9"
    path = tmp_path / "hiding.xlsx"
    book.save(path)

    assert findings(path) == {
        "hidden_rows": (1, ["8"]),
        "hidden_columns": (1, ["J"]),
        "filter": (1, []),
        "merged": (1, ["L2:L9"]),
        "formula_without_value": (1, ["H6"]),
        "number_for_code": (1, ["E4"]),
        "date_from_number": (1, ["G7"]),
        "text_date": (1, ["F3"]),
        "wareki": (1, ["G3"]),
        "full_width": (1, ["E3"]),
        "blanks": (1, ["K4"]),
        "ditto": (1, []),
        "notes": (1, ["11"]),
    }


def test_a_tidy_workbook_hides_nothing() -> None:
    assert findings(CERTIFICATES / "2026-11_証書一覧.xlsx").keys() <= {
        "hidden_rows",
        "hidden_columns",
        "filter",
        "merged",
        "text_date",
        "full_width",
        "blanks",
        "notes",
    }


def test_places_are_told_for_the_first_few_only() -> None:
    doctor = Doctor()

    doctor.written("E", 2, [" A"] * 3 + [f" B{number}" for number in range(50)], {" A": ("blanks",), **{f" B{number}": ("blanks",) for number in range(50)}})

    assert doctor.told() == [{"code": "blanks", "count": 53, "places": ["E2", "E5", "E6", "E7", "E8"]}] and PLACES == 5


def test_how_a_cell_is_written() -> None:
    assert traits_of("R8.4.1", "2026-04-01", dates=True) == ("wareki",)
    assert traits_of("　２０２６／４／１", "2026-04-01", dates=True) == ("blanks", "full_width", "text_date")
    assert traits_of("ａ@x.example", "a@x.example", dates=False) == ("full_width",)
    assert traits_of("未定", "", dates=True) == ()
