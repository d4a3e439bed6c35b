"""Whatever lines are written into a workbook, under whatever headings and in whatever layout: the same lines are read back."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils import get_column_letter

from importers.synonyms import COLUMN_NAMES
from rules.lines import DATE_FIELDS, FIELDS
from tests.importers.workbooks import FAMILIES, first_sheet, read_rows

QUIET = settings(database=None)
_PARTIES = {"agent": ("販売代理店", "代理店"), "operator": ("運用代行者", "運用代行会社"), "end_user": ("エンドユーザー", "設置先", "お客様")}
_NAMES, _MAILS = ("", "名", "会社名"), ("メール", "メールアドレス", " E-mail", "の保守登録メール")
_ROUND: tuple[Callable[[str], str], ...] = (str, lambda text: f"{text} ", lambda text: f"※{text}", lambda text: f"{text}(必須)", lambda text: f"【{text}】")

words = st.text(st.sampled_from("株式会社東西北南ネットワーク＆販売・（）ABCxyz 髙﨑①"), min_size=1, max_size=12).map(lambda text: " ".join(text.split()))
company = st.one_of(words.filter(bool), st.sampled_from(["=東西", "+A社", "@home", "-"]))
code = st.text(st.sampled_from("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789-"), min_size=3, max_size=14).filter(lambda text: text[0].isalpha() and text[-1].isalnum())
email = st.builds("{}@{}.example".format, st.text(st.sampled_from("abcdef0123456789"), min_size=1, max_size=8), st.sampled_from(["a", "b-c", "tozai.osaka"]))
days = st.dates(date(2014, 8, 1), date(2039, 12, 31))


@st.composite
def certificates(draw: st.DrawFn) -> list[dict[str, str]]:
    """The lines of some certificates, each sound."""
    lines: list[dict[str, str]] = []
    for contract in draw(st.lists(code, min_size=1, max_size=4, unique=True)):
        head = {"issued_on": draw(days).isoformat(), "contract": contract}
        for role in _PARTIES:
            head |= {f"{role}_name": draw(st.one_of(st.just(""), company)), f"{role}_email": draw(st.one_of(st.just(""), email))}
        head["end_user_email"] = head["end_user_email"] or "it@minato.example"
        serials = draw(st.lists(st.one_of(st.just(""), code), min_size=1, max_size=4, unique=True))
        for serial in serials:
            begins = draw(days)
            lines.append(
                head
                | {
                    "family": draw(st.sampled_from(sorted(set(FAMILIES.values())))),
                    "product_number": draw(code),
                    "serial": serial,
                    "starts_on": begins.isoformat(),
                    "ends_on": (begins + timedelta(days=draw(st.integers(0, 2000)))).isoformat(),
                    "service": draw(st.sampled_from(["センドバック保守", "平日9:00~17:00オンサイト保守", "ソフトウェア保守"])),
                    "contact": "J's チケットシステム",
                }
            )
    return lines


@st.composite
def headings(draw: st.DrawFn) -> dict[str, str]:
    """One of its names for each field, with an ornament or without."""
    named: dict[str, str] = {}
    for field in FIELDS:
        role, _, part = field.rpartition("_")
        if role in _PARTIES:
            name = draw(st.sampled_from(_PARTIES[role])) + draw(st.sampled_from(_NAMES if part == "name" else _MAILS))
        else:
            name = draw(st.sampled_from(COLUMN_NAMES[field][0].split()))
        named[field] = draw(st.sampled_from(_ROUND))(name)
    return named


def _era(day: date) -> str:
    if day >= date(2019, 5, 1):
        return f"令和{'元' if day.year == 2019 else day.year - 2018}年{day.month}月{day.day}日"
    return f"H{day.year - 1988}.{day.month}.{day.day}"


DATES: dict[str, Callable[[date], Any]] = {
    "real": lambda day: day,
    "slashes": lambda day: f"{day.year}/{day.month}/{day.day}",
    "iso": date.isoformat,
    "kanji": lambda day: f"{day.year}年{day.month}月{day.day}日",
    "era": _era,
    "wide": lambda day: f"{day:%Y/%m/%d}".translate(str.maketrans("0123456789/", "０１２３４５６７８９／")),
}


@st.composite
def layouts(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "order": draw(st.permutations(FIELDS)),
        "above": draw(st.integers(0, 4)),
        "left": draw(st.integers(0, 2)),
        "dates": draw(st.sampled_from(sorted(DATES))),
        "hidden": draw(st.booleans()),
        "ditto": draw(st.booleans()),
        "spare": draw(st.booleans()),
        "total": draw(st.booleans()),
        "blank": draw(st.booleans()),
        "again": draw(st.one_of(st.none(), st.permutations(FIELDS))),
        "csv": draw(st.sampled_from([None, None, "utf-8-sig", "cp932"])),
    }


def grid(lines: list[dict[str, str]], named: dict[str, str], layout: dict[str, Any]) -> list[list[Any]]:
    """The sheet's cells, headings and all; for the second half once more and in another order where `again` says so."""
    order = layout["order"]
    rows: list[list[Any]] = [[None] * layout["left"] + (["保守契約一覧"] if at == 0 else []) for at in range(layout["above"])]
    rows.append(_headings(named, layout, order))
    turn = len(lines) // 2 if layout["again"] else 0
    for index, line in enumerate(lines):
        if turn and index == turn:
            order = layout["again"]
            rows += [[], _headings(named, layout, order)]
        cells: list[Any] = [None] * layout["left"]
        for field in order:
            value: Any = DATES[layout["dates"]](date.fromisoformat(line[field])) if field in DATE_FIELDS else line[field]
            if layout["ditto"] and index not in (0, turn) and value and field != "serial" and lines[index - 1][field] == line[field]:
                value = "〃"
            cells.append(value)
        rows.append(cells + (["確認済"] if layout["spare"] else []))
        if layout["blank"]:
            rows.append([])
    if layout["total"]:
        rows.append([None] * layout["left"] + [f"合計 {len(lines)}件" if field == "contract" else None for field in order])
    return rows


def _headings(named: dict[str, str], layout: dict[str, Any], order: Sequence[str]) -> list[Any]:
    return [None] * layout["left"] + [named[field] for field in order] + (["社内メモ"] if layout["spare"] else [])


def written(folder: Path, rows: list[list[Any]], layout: dict[str, Any]) -> Path:
    if layout["csv"]:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows)
        path = folder / "lines.csv"
        path.write_bytes(text.getvalue().encode(layout["csv"]))
        return path
    book = openpyxl.Workbook()
    sheet = first_sheet(book)
    for number, row in enumerate(rows, 1):
        for column, value in enumerate(row, 1):
            if value is not None and value != "":
                cell = sheet.cell(number, column, value)
                if isinstance(value, str):
                    cell.data_type = "s"
    if layout["hidden"]:
        sheet.row_dimensions[len(rows)].hidden = True
        sheet.column_dimensions[get_column_letter(layout["left"] + 1)].hidden = True
    path = folder / "lines.xlsx"
    book.save(path)
    return path


def check(lines: list[dict[str, str]], named: dict[str, str], layout: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        read = read_rows(written(Path(folder), grid(lines, named, layout), layout))

    assert [row.errors for row in read] == [[] for _ in lines]
    assert [row.values_by_field() for row in read] == [{field: line[field] for field in FIELDS} for line in lines]


@settings(QUIET, max_examples=12)
@given(certificates(), headings(), layouts())
def test_lines_written_are_lines_read(lines: list[dict[str, str]], named: dict[str, str], layout: dict[str, Any]) -> None:
    check(lines, named, layout)


@pytest.mark.proof
@settings(QUIET, max_examples=300)
@given(certificates(), headings(), layouts())
def test_many_lines_written_are_lines_read(lines: list[dict[str, str]], named: dict[str, str], layout: dict[str, Any]) -> None:
    check(lines, named, layout)
