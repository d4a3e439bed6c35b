"""Cells of a plan put right in the browser: kept beside the workbook, checked and planned anew for their certificates only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from actions import journal
from actions.import_batches import plan_again, refresh, require
from actions.import_plans import ERROR, Rows, masters
from importers.cells import DITTO, Problem, family_key
from importers.certificates import parsers
from importers.reader import Issue
from importers.recheck import Line, issue_of, recheck
from models.actors import Actor, StaffMember
from models.import_corrections import ImportCorrection, corrections_of
from models.imports import BatchState, Cells, ImportBatch, ImportRow
from rules.lines import FIELDS, REQUIRED_FIELDS
from rules.refusal import Refused
from wording.imports import FIELD_LABELS

MOST_TOLD = 20
"""Cells named in a journal entry; the rest is counted."""
_AT = {name: index for index, name in enumerate(FIELDS)}
_CONTRACT = _AT["contract"]
Headings = Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class CellFix:
    """What a person types into one cell."""

    row_id: int
    field: str
    typed: str


@dataclass(frozen=True)
class _Read:
    """The cell as it is read now."""

    value: str
    warning: Issue | None = None


def correct(session: Session, batch: ImportBatch, fixes: Sequence[CellFix], *, by: Actor, now: datetime, today: date) -> int:
    """Put cells right; gives how many are other than before. Ticks stay where the warnings stayed.

    Refuses batch_state, cell_gone, cell_field, and at the field with the codes of reading a cell (nothing is changed then).
    """
    session.refresh(batch, with_for_update=True)
    require(batch, BatchState.PLANNED)
    rows = {row.id: row for row in session.scalars(_mine(batch.id, ImportRow.id.in_({fix.row_id for fix in fixes})))}
    headings, reads = _headings(batch.sheets), _Reads(session)
    kept = {(each.sheet, each.row, each.field): each for each in corrections_of(session, batch.id)}
    lines: dict[int, Line] = {}
    keys: set[str] = set()
    told: list[dict[str, Any]] = []
    for fix in fixes:
        row = rows.get(fix.row_id)
        if row is None:
            raise Refused("cell_gone")
        read = reads.read(fix, headings.get((row.sheet, fix.field), ""))
        line = lines.setdefault(row.id, _line_of(row))
        old = _shown_before(line, fix.field)
        if read.value == line.values[_AT[fix.field]] and not _errors_of(line, fix.field):
            continue
        keys |= {line.values[_CONTRACT], read.value} if fix.field == "contract" else {line.values[_CONTRACT]}
        place = (line.sheet, line.row, fix.field)
        correction = kept.get(place)
        if correction is None:
            correction = kept[place] = ImportCorrection(batch_id=batch.id, sheet=line.sheet, row=line.row, field=fix.field)
            session.add(_first(correction, line))
        _keep(correction, line, read, by, now)
        told.append({"row": line.row, "field": fix.field, "old": old, "new": read.value})
    if told:
        _plan_anew(session, batch, lines, keys, today=today)
        facts = {"cells": told[:MOST_TOLD], "count": len(told)}
        journal.record(session, "correct_cells", "import_batch", batch.id, by=by, now=now, subject_name=batch.file_name, **facts)
    return len(told)


def withdraw(session: Session, batch: ImportBatch, corrections: Sequence[ImportCorrection], *, by: Actor, now: datetime, today: date) -> None:
    """Take corrections back: the cells say again what the workbook says. Refuses batch_state."""
    session.refresh(batch, with_for_update=True)
    require(batch, BatchState.PLANNED)
    places = {(each.sheet, each.row) for each in corrections}
    found = session.scalars(_mine(batch.id, ImportRow.row.in_({row for _, row in places})))
    rows = {(row.sheet, row.row): row for row in found if (row.sheet, row.row) in places}
    lines: dict[int, Line] = {}
    keys: set[str] = set()
    for each in corrections:
        row = rows.get((each.sheet, each.row))
        if row is not None:
            line = lines.setdefault(row.id, _line_of(row))
            keys.add(line.values[_CONTRACT])
            line.forget(each.field)
            line.values[_AT[each.field]] = each.before["value"]
            line.errors += each.before["errors"]
            line.warnings += each.before["warnings"]
            keys.add(line.values[_CONTRACT])
    session.execute(delete(ImportCorrection).where(ImportCorrection.id.in_([each.id for each in corrections])))
    if lines:
        _plan_anew(session, batch, lines, keys, today=today)
    told = [{"row": each.row, "field": each.field, "old": each.new, "new": each.old} for each in corrections[:MOST_TOLD]]
    facts = {"cells": told, "count": len(corrections)}
    journal.record(session, "withdraw_corrections", "import_batch", batch.id, by=by, now=now, subject_name=batch.file_name, **facts)


def lay_over(session: Session, batch_id: int, rows: Rows, sheets: Sequence[Mapping[str, Any]]) -> None:
    """Put the corrections of a batch over its rows as they were read anew."""
    corrections = corrections_of(session, batch_id)
    if not corrections:
        return
    reads, headings = _Reads(session), _headings(sheets)
    places = {place: index for index, place in enumerate(zip(rows.sheets, rows.numbers, strict=True))}
    lines: dict[int, Line] = {}
    keys: set[str] = set()
    for each in corrections:
        index = places.get((each.sheet, each.row))
        if index is None:
            continue
        line = lines.setdefault(index, _line_at(rows, index))
        keys.add(line.values[_CONTRACT])
        _first(each, line)
        # Masters may have changed since: what was typed is read once more, and stays as it was where it is no longer known.
        read = reads.again(CellFix(0, each.field, each.new), headings.get((each.sheet, each.field), ""))
        line.values[_AT[each.field]] = read.value
        line.warnings += [read.warning] if read.warning else []
        keys.add(line.values[_CONTRACT])
    keys.discard("")
    for index, values in enumerate(rows.values):
        if values[_CONTRACT] in keys:
            lines.setdefault(index, _line_at(rows, index))
    recheck([lines[index] for index in sorted(lines)], reads.mailboxes, headings)
    for index, line in lines.items():
        rows.values[index] = tuple(line.values)
        for held, issues in ((rows.errors, line.errors), (rows.warnings, line.warnings)):
            held.pop(index, None)
            if issues:
                held[index] = issues


class _Reads:
    """Reads what people type as the importer would."""

    def __init__(self, session: Session) -> None:
        known = masters(session)
        self.mailboxes = known.mailboxes
        self._parsers = parsers({family_key(alias): name for alias, name in known.families.items()})

    def read(self, fix: CellFix, heading: str) -> _Read:
        """The value. Refuses cell_field, and at the field with the codes of reading a cell (wording.imports.ROW_ERRORS)."""
        if fix.field not in _AT:
            raise Refused("cell_field")
        label = heading or FIELD_LABELS[fix.field]
        parsed = self._parsers[fix.field](fix.typed)
        if not parsed and fix.field in REQUIRED_FIELDS:
            parsed = Problem("missing")
        if isinstance(parsed, Problem) and parsed.warning:
            return _Read(parsed.value, issue_of(fix.field, parsed.code, label, parsed.facts, warning=True, raw=fix.typed))
        if isinstance(parsed, Problem):
            code = "nothing_above" if parsed.code == DITTO else parsed.code
            raise Refused(code, fix.field, column=label, **parsed.facts)
        return _Read(parsed)

    def again(self, fix: CellFix, heading: str) -> _Read:
        """The same of what was read before, whatever the masters say today."""
        try:
            return self.read(fix, heading)
        except Refused:
            return _Read(fix.typed)


def _first(correction: ImportCorrection, line: Line) -> ImportCorrection:
    """The correction with what the workbook says of the cell, which a second one keeps."""
    correction.old = _shown_before(line, correction.field)
    errors, warnings = line.forget(correction.field)
    correction.before = {"value": line.values[_AT[correction.field]], "errors": errors, "warnings": warnings}
    return correction


def _keep(correction: ImportCorrection, line: Line, read: _Read, by: Actor, now: datetime) -> None:
    """Note in the correction what the cell says now, and change the line."""
    line.forget(correction.field)
    correction.new, correction.corrected_by, correction.corrected_at = read.value, by.name, now
    correction.staff_id = by.id if isinstance(by, StaffMember) else None
    line.values[_AT[correction.field]] = read.value
    line.warnings += [read.warning] if read.warning else []


def _plan_anew(session: Session, batch: ImportBatch, touched: Mapping[int, Line], keys: set[str], *, today: date) -> None:
    """Check and plan the certificates of `keys`, of which the rows `touched` (by id) say something else now."""
    keys.discard("")
    rows = session.scalars(_mine(batch.id, or_(ImportRow.contract_key.in_(keys), ImportRow.id.in_(touched))).order_by(ImportRow.position)).all()
    lines = [touched.get(row.id) or _line_of(row) for row in rows]
    recheck(lines, masters(session).mailboxes, _headings(batch.sheets))
    for row, line in zip(rows, lines, strict=True):
        row.values = Cells.of(*line.values)
        row.confirmed = row.confirmed and line.warnings == row.warnings
        if not row.contract_key:
            # Without a contract there is nothing to compare the line with.
            row.status, row.line_id, row.changes, row.held_by = ERROR, None, {}, row.row
        row.errors, row.warnings = [dict[str, Any](issue) for issue in line.errors], [dict[str, Any](issue) for issue in line.warnings]
    session.flush()
    if keys:
        plan_again(session, batch, sorted(keys), today=today)
    else:
        refresh(session, batch, today=today)


def _mine(batch_id: int, condition: Any) -> Any:
    """The rows of the workbook; lines that are missing from it have no row of it."""
    return select(ImportRow).where(ImportRow.batch_id == batch_id, ImportRow.row > 0, condition)


def _line_of(row: ImportRow) -> Line:
    errors, warnings = ([dict[str, str](issue) for issue in issues] for issues in (row.errors, row.warnings))
    return Line(row.sheet, row.row, [row.values[name] for name in FIELDS], errors, warnings)


def _line_at(rows: Rows, index: int) -> Line:
    return Line(rows.sheets[index], rows.numbers[index], list(rows.values[index]), list(rows.errors.get(index, [])), list(rows.warnings.get(index, [])))


def _headings(sheets: Iterable[Mapping[str, Any]]) -> Headings:
    return {(sheet["name"], name): column["heading"] for sheet in sheets for name, column in sheet.get("columns", {}).items()}


def _errors_of(line: Line, name: str) -> list[Issue]:
    return [issue for issue in line.errors if issue["field"] == name]


def _shown_before(line: Line, name: str) -> str:
    """What the cell shows: the text that could not be read, else what was read."""
    return next((issue["raw"] for issue in (*line.errors, *line.warnings) if issue["field"] == name and issue.get("raw")), line.values[_AT[name]])
