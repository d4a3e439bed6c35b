"""The reading process: checks and reads one workbook under hard limits, and writes what it found as lines of JSON.

Started by `importers.reader` and by nothing else. A spreadsheet reader may abort the process that holds it, hang, or
ask for all memory there is; here it takes nobody with it. It opens the workbook and nothing else, and has no network.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, cast

from importers.certificate_rules import Found
from importers.certificates import Block, Checker
from importers.confined import close_the_door, limit_resources
from importers.doctor import ORDER, Doctor
from importers.headings import (
    NAME_COLUMN,
    SEARCHED_ROWS,
    Column,
    Layout,
    find_layout,
    fingerprint,
    heading_names,
    layout_at,
    missing_fields,
    recalled,
    second_table,
)
from importers.marks import column_letters, column_number
from importers.packing import pack, pack_rows
from importers.preview import columns_of, head_of
from importers.raw import RawRows, RawSheet
from importers.sheet import open_sheets
from importers.synonyms import PERIOD
from importers.turns import stretches
from rules.lines import FIELDS
from rules.refusal import Refused
from wording.imports import FIELD_LABELS, row_error, row_warning, sheet_note

MEMORY_ABOVE = 448 * 1024 * 1024
"""Bytes of address space beyond what the process needs before it reads."""
OUTPUT_BYTES = 2 * 1024 * 1024 * 1024


PREVIEWED = 40
"""Sheets of which a person is shown the first rows."""

Json = dict[str, Any]


def main() -> None:
    """Read the request from standard input, write the answer to standard output."""
    # It lives for seconds and makes no circles: looking for them among 100,000 rows would be a tenth of its work.
    gc.disable()
    request = json.load(sys.stdin)
    limit_resources(int(request["seconds"]), memory_above=MEMORY_ABOVE, output_bytes=OUTPUT_BYTES)
    close_the_door(Path(request["path"]))
    try:
        for answer in read(request):
            _write(answer)
    except Refused as refusal:
        _write({"refused": refusal.code, "facts": refusal.facts})
    except MemoryError:
        _write({"refused": "workbook_too_large", "facts": {}})


def read(request: Mapping[str, Any]) -> Iterator[Json]:
    """An answer for each sheet's blocks and then for the sheet, one for the file at the end."""
    kind, sheets = open_sheets(Path(request["path"]))
    checker = Checker(request["families"], request["mailboxes"], request["most_rows"])
    mapping: Mapping[str, Json] = request["mapping"] or {}
    remembered: Mapping[str, dict[str, str]] = request["remembered"] or {}
    far: tuple[str, str] | None = None
    total, error_rows, warning_rows = 0, 0, 0
    for number, sheet in enumerate(sheets):
        wanted = mapping.get(sheet.name, {})
        if sheet.far_cell:
            far = far or (sheet.name, sheet.far_cell)
            yield _skipped(number, sheet, sheet_note("far_cell", sheet=sheet.name, cell=sheet.far_cell))
            continue
        if wanted.get("skip"):
            yield _skipped(number, sheet, sheet_note("left_out", sheet=sheet.name))
            continue
        head, rest = _head(sheet)
        layout = _layout(wanted, head, sheet, remembered)
        if layout is None:
            yield {
                **_skipped(number, sheet, sheet_note("no_heading" if sheet.name else "no_heading_csv", sheet=sheet.name)),
                "head": head_of(sheet, head) if number < PREVIEWED else [],
            }
            continue
        rows = 0
        doctor = Doctor()
        turns: list[Layout] = []
        below = stretches(sheet, layout, _below(layout, sheet, head, rest), chosen=bool(wanted.get("columns")) or layout.remembered)
        for block in checker.check(sheet, below, doctor):
            rows += len(block.rows)
            if block.layout is not (turns[-1] if turns else layout):
                turns.append(block.layout)
            answer = _block(number, sheet.name, block, doctor)
            error_rows += len(answer["errors"])
            warning_rows += len(answer["warnings"])
            yield answer
        total += rows
        doctor.look_at(sheet)
        told = _told(number, sheet, layout, rows, checker.family_of(sheet.name), turns)
        previews = {"head": head_of(sheet, head), "preview": columns_of(sheet, layout, head)} if number < PREVIEWED else {}
        yield {**told, **previews, "findings": doctor.told()}
    if far and not total:
        raise Refused("workbook_far_cell", sheet=far[0], cell=far[1])
    yield {"end": True, "kind": kind.value, "error_rows": error_rows, "warning_rows": warning_rows}


def _head(sheet: RawSheet) -> tuple[RawRows, Iterator[RawRows]]:
    """The rows among which the headings are looked for, and the blocks after them."""
    head: RawRows = []
    for block in sheet.blocks:
        head += block
        if len(head) > SEARCHED_ROWS:
            break
    return head, sheet.blocks


def _below(layout: Layout, sheet: RawSheet, head: RawRows, rest: Iterator[RawRows]) -> Iterator[tuple[int, RawRows]]:
    """The blocks below the headings with the Excel number of their first row."""
    row = layout.last_row + 1
    for block in chain((head[row - sheet.first_row :],), rest):
        if block:
            yield row, block
        row += len(block)


def _layout(wanted: Json, head: RawRows, sheet: RawSheet, remembered: Mapping[str, dict[str, str]]) -> Layout | None:
    """Where the fields stand: as a person chose for this workbook, as one chose for these headings once, else as the headings say."""
    if wanted.get("columns"):
        return _mapped(wanted, head, sheet)
    if wanted.get("heading_row"):
        found = layout_at(head, int(wanted["heading_row"]), sheet.first_row, sheet.first_column)
    else:
        found = find_layout(head, sheet.first_row, sheet.first_column, sheet.merges)
    fields = remembered.get(fingerprint(found.headings)) if found else None
    return recalled(found, sheet.first_column, fields) if found and fields else found


def _mapped(wanted: Json, head: RawRows, sheet: RawSheet) -> Layout | None:
    """The layout a person chose: ``{"heading_row": 4, "columns": {"serial": "E"}}``, over what the headings say."""
    found = find_layout(head, sheet.first_row, sheet.first_column, sheet.merges)
    row = int(wanted.get("heading_row") or (found.last_row if found else sheet.first_row))
    index = row - sheet.first_row
    headings = [" ".join(str(cell).split()) for cell in head[index]] if 0 <= index < len(head) else []
    if found and row in (found.first_row, found.last_row):
        named = {column.number: column.heading for column in found.columns.values()}
        headings = [named.get(sheet.first_column + at, heading) for at, heading in enumerate(headings)]
    columns: dict[str, Column] = {}
    for name, letters in cast(dict[str, str | None], wanted["columns"]).items():
        if letters and (name in FIELDS or name in (PERIOD, NAME_COLUMN)):
            at = column_number(letters.upper())
            inside = 0 <= at - sheet.first_column < len(headings)
            columns[name] = Column(at, (headings[at - sheet.first_column] if inside else "") or FIELD_LABELS.get(name, letters))
    held = {column.number - sheet.first_column for column in columns.values()}
    unmapped = tuple(heading for at, heading in enumerate(headings) if heading and at not in held)
    bottom = found.last_row if found and row == found.first_row else row
    return Layout(row, bottom, columns, unmapped, missing_fields(columns), tuple(headings))


def _block(number: int, name: str, block: Block, doctor: Doctor) -> Json:
    layout = block.layout
    errors: dict[int, list[Json]] = {}
    warnings: dict[int, list[Json]] = {}
    for index, problems in block.found.items():
        for problem in problems:
            (warnings if problem.warning else errors).setdefault(index, []).append(_issue(problem, layout))
            if problem.code in _TOLD_BY_ROWS:
                doctor.note(problem.code, 1, (_place(problem.field, block.rows[index], layout),))
    columns = [pack(column) for column in block.columns]
    return {"sheet": number, "name": name, "rows": pack_rows(block.rows), "hidden": block.hidden, "columns": columns, "errors": errors, "warnings": warnings}


_TOLD_BY_ROWS = frozenset(ORDER) & {"number_for_code", "date_from_number", "same_line"}
"""Findings that are told by their rows too."""


def _column(name: str, layout: Layout) -> Column | None:
    return layout.columns.get(name) or (layout.columns.get(PERIOD) if name in ("starts_on", "ends_on") else None)


def _place(name: str, row: int, layout: Layout) -> str:
    column = _column(name, layout)
    return f"{column_letters(column.number)}{row}" if column else str(row)


def _issue(found: Found, layout: Layout) -> Json:
    column = _column(found.field, layout)
    heading = column.heading if column else FIELD_LABELS[found.field]
    sentence = row_warning if found.warning else row_error
    issue = {"field": found.field, "heading": heading, "message": sentence(found.code, column=heading, **found.facts), "code": found.code}
    return {**issue, "raw": found.raw} if found.raw else issue


def _skipped(number: int, sheet: RawSheet, reason: str) -> Json:
    return {"told": number, "name": sheet.name, "rows": 0, "heading_row": None, "skipped": reason, "hidden": sheet.hidden, "notes": _notes(sheet)}


def _told(number: int, sheet: RawSheet, layout: Layout, rows: int, family: str, turns: Sequence[Layout]) -> Json:
    by_sheet = "family" in layout.missing and bool(family)
    missing = [name for name in layout.missing if not (name == "family" and by_sheet)]
    notes = _notes(sheet)
    notes += [sheet_note("recalled")] if layout.remembered else []
    notes += [sheet_note("family_of_sheet", family=family)] if by_sheet else []
    notes += [sheet_note("column_missing", column=FIELD_LABELS[name]) for name in missing]
    notes += [sheet_note("beside", column=heading) for heading in (second_table(layout),) if heading]
    notes += [sheet_note("unmapped", column=heading) for heading in layout.unmapped]
    notes += [sheet_note("turned", row=turn.first_row) for turn in turns]
    return {
        "told": number,
        "name": sheet.name,
        "rows": rows,
        "heading_row": layout.first_row,
        "skipped": None,
        "hidden": sheet.hidden,
        "notes": notes,
        "columns": _columns(layout),
        "turns": [{"row": turn.first_row, "columns": _columns(turn)} for turn in turns],
        "unmapped": list(layout.unmapped),
        "missing": missing,
        "fingerprint": fingerprint(layout.headings),
        "names": heading_names(layout.headings),
        "first_column": sheet.first_column,
        "remembered": layout.remembered,
    }


def _columns(layout: Layout) -> Json:
    return {name: {"column": column_letters(column.number), "heading": column.heading} for name, column in layout.columns.items()}


def _notes(sheet: RawSheet) -> list[str]:
    notes: list[str] = []
    marks = sheet.marks
    if sheet.hidden:
        notes.append(sheet_note("hidden_sheet"))
    if marks.hidden_rows:
        notes.append(sheet_note("hidden_rows", n=len(marks.hidden_rows)))
    if marks.hidden_columns:
        spans = [column_letters(first) + (f"～{column_letters(last)}" if last > first else "") for first, last in marks.hidden_columns]
        notes.append(sheet_note("hidden_columns", columns="、".join(spans)))
    if marks.filtered:
        notes.append(sheet_note("filter"))
    if sheet.merges:
        notes.append(sheet_note("merged", n=len(sheet.merges)))
    if sheet.encoding and sheet.encoding != "UTF-8":
        notes.append(sheet_note("encoding", encoding=sheet.encoding))
    if not sheet.marks_read:
        notes.append(sheet_note("marks_unread"))
    return notes


def _write(answer: Json) -> None:
    sys.stdout.write(json.dumps(answer, ensure_ascii=False, separators=(",", ":"), check_circular=False))
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
