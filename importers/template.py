"""The template: a workbook to fill in, whose headings the reader knows, with lists to choose from and an example that is never read."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import openpyxl
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from importers.export import SHEET
from rules.contracts import CONTACT
from rules.lines import DATE_FIELDS, EMAIL_FIELDS, FIELDS, REQUIRED_FIELDS
from wording.imports import FIELD_LABELS
from wording.workbook import AUTHOR, TEMPLATE_EXAMPLE, TEMPLATE_GUIDE, TEMPLATE_NOTES

LISTS = "選択肢"
ROWS = 5_000
"""Rows below the headings that are prepared."""
_EXAMPLE_ROW, _HEADING_ROW = 2, 3
_LISTED = ("family", "service", "contact")


def template_workbook(*, families: Sequence[str], services: Sequence[str], today: date) -> bytes:
    """An xlsx: guide and example above the headings, where nothing is read; comments on each heading; lists of 種別, サービス種類, 問合せ先.

    `services` are those seen so far; another one may be typed, as another 問合せ先 may.
    """
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = SHEET
    sheet["A1"] = TEMPLATE_GUIDE
    sheet["A1"].font = Font(bold=True)
    _fill_example(sheet, {**TEMPLATE_EXAMPLE, "issued_on": today, "starts_on": date(today.year, today.month, 1), "family": families[0] if families else ""})
    _set_headings(sheet)
    _add_lists(book, sheet, {"family": families, "service": services, "contact": [CONTACT]})
    sheet.freeze_panes = f"A{_HEADING_ROW + 1}"
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _fill_example(sheet: Worksheet, example: Mapping[str, Any]) -> None:
    starts_on: date = example["starts_on"]
    ends_on = date.fromordinal(date(starts_on.year + 1, starts_on.month, 1).toordinal() - 1)
    for at, name in enumerate(FIELDS, 1):
        cell = sheet.cell(_EXAMPLE_ROW, at, ends_on if name == "ends_on" else example[name])
        cell.font = Font(color="FF5A6475")
        if name in DATE_FIELDS:
            cell.number_format = "yyyy/mm/dd"


def _set_headings(sheet: Worksheet) -> None:
    for at, name in enumerate(FIELDS, 1):
        letters = get_column_letter(at)
        cell = sheet.cell(_HEADING_ROW, at, FIELD_LABELS[name])
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="FFE8EEF7")
        cell.alignment = Alignment(vertical="center")
        wanted = "必須" if name in REQUIRED_FIELDS else "3 つのうち 1 つ以上は必須" if name in EMAIL_FIELDS else "任意"
        cell.comment = Comment(f"【{wanted}】{TEMPLATE_NOTES[name]}", AUTHOR, width=280, height=110)
        column = sheet.column_dimensions[letters]
        column.width = 14 if name in DATE_FIELDS else 26
        # The format of whole columns: codes keep their zeros, dates are dates.
        column.number_format = "yyyy/mm/dd" if name in DATE_FIELDS else "@"


def _add_lists(book: openpyxl.Workbook, sheet: Worksheet, choices: Mapping[str, Sequence[str]]) -> None:
    lists = book.create_sheet(LISTS)
    lists.sheet_state = "hidden"
    for at, name in enumerate(_LISTED, 1):
        for number, text in enumerate((FIELD_LABELS[name], *choices[name]), 1):
            cell = lists.cell(number, at, text)
            cell.data_type = "s"
        if not choices[name]:
            continue
        letters, source = get_column_letter(FIELDS.index(name) + 1), get_column_letter(at)
        cells = f"{letters}{_HEADING_ROW + 1}:{letters}{_HEADING_ROW + ROWS}"
        rule = DataValidation(type="list", formula1=f"{LISTS}!${source}$2:${source}${len(choices[name]) + 1}", allow_blank=True, sqref=cells)
        rule.errorStyle, rule.showErrorMessage = "stop" if name == "family" else "warning", True
        rule.errorTitle, rule.error = FIELD_LABELS[name], "一覧にない値です。" + ("一覧から選んでください。" if name == "family" else "このまま入力しますか。")
        sheet.add_data_validation(rule)
