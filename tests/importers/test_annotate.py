"""The workbook handed back: marked, commented, counted; read again it is the same workbook, and what was corrected moves."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.cell.cell import Cell
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from importers.annotate import MOST_ROWS, AnnotatedRow, annotate
from importers.losses import Losses, find_losses
from importers.marking import mark_workbook
from importers.reader import ParsedRow
from tests.importers.workbooks import CERTIFICATES, HEADINGS, cells, first_sheet, line, read_rows, reading, save
from wording.workbook import ADVICE, RESULT, SUMMARY_SHEET


def annotated(path: Path, out: Path) -> Losses:
    """Hand `path` back as a plan of nothing but its reading would."""
    with reading(path) as found:
        sheets = [{"name": sheet.name, "heading_row": sheet.heading_row, "columns": sheet.columns} for sheet in found.sheets]
        rows = [_row(row) for row in found.rows()]
    return annotate(path, path.name, rows, out, sheets=sheets)


def _row(row: ParsedRow) -> AnnotatedRow:
    return AnnotatedRow(row.sheet, row.row, "エラー" if row.errors else "新規", row.errors, row.warnings, held=bool(row.errors))


def values(rows: Sequence[ParsedRow]) -> list[tuple[int, tuple[str, ...], bool]]:
    return [(row.row, row.values, row.hidden) for row in rows]


def edit(path: Path, change: Callable[[Any], None]) -> None:
    """Open `path` as a person would, change its first sheet and save it."""
    book = openpyxl.load_workbook(path)
    change(book.worksheets[0])
    book.save(path)


def edited(place: str, value: object) -> Callable[[Any], None]:
    return lambda sheet: sheet.__setitem__(place, value)


def test_error_cells_are_marked_where_they_stand_and_corrected_cells_move(tmp_path: Path) -> None:
    path, out, again = tmp_path / "a.xlsx", tmp_path / "b.xlsx", tmp_path / "c.xlsx"
    lines = [line(1), line(1, serial="X2", ends_on="未定"), line(2, product_number="=SUM(1)"), line(3, agent_email="no address")]
    save(path, [*cells(*lines), *cells(line(3, serial="Y9", agent_name="", agent_email=""))])
    edit(path, _dress)

    found = annotated(path, out)

    sheet = first_sheet(openpyxl.load_workbook(out))
    assert (found.kept_workbook, found.lost) == (True, ())
    assert [sheet.cell(1, at).value for at in (16, 17)] == [RESULT, ADVICE]
    assert [sheet.cell(row, 16).value for row in range(2, 7)] == ["新規", "エラー", "新規", "エラー", "エラー"]
    assert "終了日「未定」を日付として読めません" in str(sheet["Q3"].value)
    assert "no address" in _comment(sheet["K5"]) and not isinstance(sheet["K6"], Cell)
    assert _comment(sheet["G3"]).startswith("期日は確認中です。") and "日付として読めません" in _comment(sheet["G3"])
    assert (sheet["A2"].font.b, sheet.row_dimensions[4].hidden, sheet["D4"].data_type, sheet["D4"].value) == (True, True, "s", "=SUM(1)")
    assert values(read_rows(out)) == values(read_rows(path))

    edit(out, edited("G3", "2027/03/31"))
    edit(out, edited("K5", "hosyu@kansai-sys.example"))
    annotated(out, again)

    sheet = first_sheet(openpyxl.load_workbook(again))
    assert [sheet.cell(1, at).value for at in (16, 17, 18)] == [RESULT, ADVICE, None]
    assert [sheet.cell(row, 16).value for row in range(2, 7)] == ["新規"] * 5
    assert (_comment(sheet["G3"]), _comment(sheet["K5"]), sheet["K5"].fill.fill_type) == ("期日は確認中です。", "", None)
    assert openpyxl.load_workbook(again).sheetnames == ["証書一覧", SUMMARY_SHEET]


def _dress(sheet: Any) -> None:
    """Formats, a comment, a hidden row, a text that looks like a formula, and parties merged over two rows."""
    sheet["A2"].font = Font(bold=True)
    sheet["G3"].comment = Comment("期日は確認中です。", "木村")
    sheet.row_dimensions[4].hidden = True
    sheet["D4"].data_type = "s"
    for column in "JK":
        sheet.merge_cells(f"{column}5:{column}6")


def _comment(cell: Any) -> str:
    return cell.comment.text if cell.comment else ""


def test_the_summary_counts_the_causes(tmp_path: Path) -> None:
    out = tmp_path / "out.xlsx"

    annotated(CERTIFICATES / "誤りあり.xlsx", out)

    told = [[cell.value for cell in row] for row in openpyxl.load_workbook(out)[SUMMARY_SHEET].iter_rows()]
    assert told[0][0] == "取込の結果と直し方のまとめ"
    assert ["エラー", 14] in [row[:2] for row in told]
    assert sum(1 for row in told if row[0] == "エラー" and row[3]) >= 10
    assert ["エラー", "種別", "登録されていない種別", 1] in [row[:4] for row in told]


def test_what_openpyxl_cannot_keep_is_named_before_the_download(tmp_path: Path) -> None:
    path = save(tmp_path / "a.xlsx", cells(line(1)))
    edit(path, edited("D3", '=A1&"x"'))
    _put_into(
        path,
        {
            "xl/drawings/drawing9.xml": b'<xdr:wsDr xmlns:xdr="x"><xdr:sp macro=""></xdr:sp><xdr:pic></xdr:pic></xdr:wsDr>',
            "xl/ctrlProps/ctrlProp1.xml": b"<formControlPr/>",
            "xl/threadedComments/threadedComment1.xml": b"<ThreadedComments/>",
        },
        {"xl/worksheets/sheet1.xml": (b"</worksheet>", b'<extLst><ext xmlns:x14="y"><x14:sparkline></x14:sparkline></ext></extLst></worksheet>')},
    )

    found = Losses(kept_workbook=True, lost=find_losses(path).lost)

    assert sorted(found.sentences()) == [
        "シート「証書一覧」のスパークライン（1 個）は、戻すファイルに残りません。",
        "シート「証書一覧」の数式（D3）は残りますが、計算結果が消えます。読み込む前に、Excel で開いて保存し直してください（そのままではエラーになります）。",
        "ボタンなどのフォーム部品（1 個）は、戻すファイルに残りません。",
        "会話形式のコメント（1 か所）は、ふつうのコメントになります。",
        "図形・テキストボックス（1 個）は、戻すファイルに残りません。",
        "画像（1 個）は、戻すファイルに残りません。",
    ]


def _put_into(path: Path, parts: dict[str, bytes], changed: dict[str, tuple[bytes, bytes]]) -> None:
    with zipfile.ZipFile(path) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**held, **parts}.items():
            old, new = changed.get(name, (b"", b""))
            archive.writestr(name, content.replace(old, new) if old else content)


def test_a_csv_gives_the_waiting_rows_with_their_cells(tmp_path: Path) -> None:
    path, out = tmp_path / "a.csv", tmp_path / "b.xlsx"
    rows = [[str(value) for value in line(number, **changed).values()] for number, changed in [(1, {}), (2, {"ends_on": "未定", "serial": "'=1+1"})]]
    path.write_text("\n".join(",".join(row) for row in [[*HEADINGS], *rows]), encoding="cp932")

    found = annotated(path, out)

    assert (found.kept_workbook, found.reason) == (False, "kind")
    sheet = first_sheet(openpyxl.load_workbook(out))
    assert sheet.max_row == 2
    assert (sheet["E2"].value, sheet["E2"].data_type, sheet["G2"].value, sheet["R2"].value) == ("=1+1", "s", "未定", 3)
    edit(out, edited("G2", "2027/3/31"))
    assert [(row.values, row.errors) for row in read_rows(out)] == [(tuple({**_texts(line(2)), "serial": "=1+1"}.values()), [])]


def _texts(values: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}


def test_an_xls_gives_what_its_cells_show(tmp_path: Path) -> None:
    path, out = CERTIFICATES / "旧契約一覧_2013-2018.xls", tmp_path / "b.xlsx"
    rows = read_rows(path)
    with reading(path) as found:
        sheets = [{"name": sheet.name, "heading_row": sheet.heading_row, "columns": sheet.columns} for sheet in found.sheets]

    annotate(path, path.name, [AnnotatedRow(row.sheet, row.row, "反映待ち", held=True) for row in rows], out, sheets=sheets)

    assert [(row.values, row.errors) for row in read_rows(out)] == [(row.values, row.errors) for row in rows]


def test_a_workbook_that_openpyxl_cannot_open_gives_its_rows(tmp_path: Path) -> None:
    path, out = save(tmp_path / "a.xlsx", cells(line(1), line(2, ends_on="未定"))), tmp_path / "b.xlsx"
    _put_into(path, {}, {"xl/styles.xml": (b'patternType="gray125"', b'patternType="wild"')})

    found = annotated(path, out)

    assert (found.kept_workbook, found.reason) == (False, "unopenable")
    assert [row.values[1] for row in read_rows(out)] == ["JSC26040002A"]


def test_a_long_workbook_gives_its_rows(tmp_path: Path) -> None:
    path, out = save(tmp_path / "a.xlsx", cells(line(1))), tmp_path / "b.xlsx"
    rows = [AnnotatedRow("証書一覧", number, "新規") for number in range(2, MOST_ROWS + 3)]
    found = [annotate(path, path.name, rows[:count], out, sheets=[]) for count in (MOST_ROWS, MOST_ROWS + 1)]

    assert [(one.kept_workbook, one.reason) for one in found] == [(True, ""), (False, "rows")]


FAULTS = {"ends_on": "未定", "issued_on": "2026/2/30", "family": "Junipr", "agent_email": "a b", "contract": "契約", "service": None}
FAULTY_CELL = st.tuples(st.integers(0, 5), st.sampled_from(sorted(FAULTS)))


def check_handed_back_and_corrected(folder: Path, faults: dict[tuple[int, str], str | None], texts: Sequence[str]) -> None:
    """Annotated, then corrected, reads as corrected first."""
    sound = [line(index // 2 + 1, serial=f"S{index}", end_user_name=text) for index, text in enumerate(texts)]
    faulty = [{name: faults.get((index, name), value) for name, value in each.items()} for index, each in enumerate(sound)]
    path, first, out = (folder / name for name in ("faulty.xlsx", "first.xlsx", "out.xlsx"))
    for place, lines in ((path, faulty), (first, sound)):
        save(place, cells(*lines))
        edit(place, _texts_stay)
    with reading(path) as found:
        sheets = [{"name": sheet.name, "heading_row": sheet.heading_row, "columns": sheet.columns} for sheet in found.sheets]
        rows = [_row(row) for row in found.rows()]

    mark_workbook(path, out, rows, sheets, {}, file_name=path.name)
    for index, name in faults:
        edit(out, edited(f"{get_column_letter([*sound[0]].index(name) + 1)}{index + 2}", sound[index][name]))

    assert values(read_rows(out)) == values(read_rows(first))


def _texts_stay(sheet: Any) -> None:
    for row in sheet.iter_rows():
        for cell in row:
            if isinstance(cell.value, str):
                cell.data_type = "s"


TEXTS = st.lists(st.sampled_from(["みなと物流株式会社", "=SUM(A1)", "+81", "@x", "㈱髙﨑①", "a_x0041_b", "<&>\"'", "同上社"]), min_size=6, max_size=6)
WRONG = st.sets(FAULTY_CELL, min_size=1, max_size=6).map(lambda found: {place: FAULTS[place[1]] for place in found})


@settings(max_examples=4)
@given(faults=WRONG, texts=TEXTS)
def test_handed_back_and_corrected_reads_as_corrected_first(tmp_path: Path, faults: dict[tuple[int, str], str | None], texts: list[str]) -> None:
    check_handed_back_and_corrected(tmp_path, faults, texts)


@pytest.mark.proof
@settings(max_examples=100)
@given(faults=WRONG, texts=TEXTS)
def test_however_many_cells_are_corrected(tmp_path: Path, faults: dict[tuple[int, str], str | None], texts: list[str]) -> None:
    check_handed_back_and_corrected(tmp_path, faults, texts)
