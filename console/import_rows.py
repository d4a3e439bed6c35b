"""The rows of an import plan as the page sets them: changed cells old and new, reasons below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from models.base import AnyRow
from models.imports import ImportRow
from models.staging import ImportConflict
from rules.lines import DATE_FIELDS, EMAIL_FIELDS, FIELDS
from wording.catalog import N_, translate
from wording.imports import FIELD_LABELS, retell

COLUMNS = ("contract", "product_number", "serial", "starts_on", "ends_on")
CODES = frozenset({"contract", "product_number", "serial"})
_MAINTENANCE = N_("保守登録メール")
_EMAIL_ORDER = ("end_user_email", "operator_email", "agent_email")


@dataclass(frozen=True)
class Cell:
    """One cell: the value, or old and new where it changes; `look` is bad, caution or ""."""

    field: str
    label: str
    value: str
    old: str | None = None
    look: str = ""
    code: bool = False
    day: str = ""
    """The ISO date where the value is one."""

    @property
    def is_day(self) -> bool:
        """Whether dates stand in it: they are not to be broken."""
        return self.field in DATE_FIELDS


@dataclass(frozen=True)
class Choice:
    """A conflict to decide: ours (what was set by hand) or the workbook's."""

    id: int
    label: str
    ours: str
    theirs: str
    by: str
    at: datetime
    take_theirs: bool


@dataclass(frozen=True)
class PlanRow:
    """One row of the table with what stands below it."""

    id: int
    sheet: str
    row: int
    status: str
    """Of the chip: error, conflict, warning, renewal, new, changed, unchanged, withdrawn or missing."""
    hidden: bool
    cells: Sequence[Cell]
    others: Sequence[Cell]
    """Changed fields that have no column; where all fields are asked for, every one that has none."""
    errors: Sequence[str] = field(default_factory=list[str])
    warnings: Sequence[str] = field(default_factory=list[str])
    elsewhere: Sequence[str] = field(default_factory=list[str])
    """Contracts under which its serial is active too."""
    confirmed: bool = False
    held_by: int = 0
    """Another row that holds this one back."""
    contract: str = ""
    service: str = ""
    ticks: bool = False
    """Whether it waits for (or has) a person's tick."""
    renews: AnyRow | None = None
    """The line that it seems to carry on."""
    renews_row: ImportRow | None = None
    """The new row of the same workbook that it seems to carry on."""
    choices: Sequence[Choice] = field(default_factory=list[Choice])


@dataclass(frozen=True)
class Beside:
    """What the rows of a page need of other tables."""

    conflicts: Mapping[int, Sequence[ImportConflict]]
    renewed: Mapping[int, AnyRow]
    renewed_rows: Mapping[int, ImportRow]


def row_of(row: ImportRow, beside: Beside, language: str = "ja", *, every_field: bool = False) -> PlanRow:
    """A stored row as the page sets it."""
    marks = {issue["field"]: "caution" for issue in row.warnings} | {issue["field"]: "bad" for issue in row.errors}
    email = _email_field(row, marks)
    shown = [*COLUMNS, email]
    waits = row.held_by == row.row and row.status not in ("error", "missing")
    below = [name for name in FIELDS if name not in shown] if every_field else [name for name in row.changes if name not in shown]
    return PlanRow(
        id=row.id,
        sheet=row.sheet,
        row=row.row,
        status=_status(row),
        hidden=row.hidden,
        cells=[_cell(row, name, marks, language, N_("保守登録メール") if name == email else FIELD_LABELS[name]) for name in shown],
        others=[_cell(row, name, marks, language, FIELD_LABELS[name]) for name in below],
        errors=[retell(issue["message"], language) for issue in row.errors],
        warnings=[retell(issue["message"], language) for issue in row.warnings],
        elsewhere=[issue["contract"] for issue in row.warnings if issue.get("contract")],
        confirmed=row.confirmed,
        held_by=0 if waits or row.status == "error" else row.held_by,
        contract=row.contract_key,
        service=row.values.get("service", ""),
        ticks=waits or row.confirmed or row.status == "missing" or row.renews_id is not None or row.renews_position is not None,
        renews=beside.renewed.get(row.renews_id) if row.renews_id is not None else None,
        renews_row=beside.renewed_rows.get(row.renews_position) if row.renews_position is not None else None,
        choices=[_choice(conflict, language) for conflict in beside.conflicts.get(row.position, ())],
    )


def _status(row: ImportRow) -> str:
    if row.status == "missing":
        return "withdrawn" if row.confirmed else row.status
    return row.status if row.status == "error" else row.kind or row.status


def _choice(conflict: ImportConflict, language: str) -> Choice:
    name = conflict.field
    label = translate(_MAINTENANCE if name in EMAIL_FIELDS else FIELD_LABELS[name], language)
    ours, theirs = _shown(name, conflict.ours), _shown(name, conflict.theirs)
    return Choice(conflict.id, label, ours, theirs, conflict.set_by, conflict.set_at, conflict.take_theirs)


def _email_field(row: ImportRow, marks: dict[str, str]) -> str:
    """The maintenance e-mail worth its column: one with an error, a changed one, else the first there is."""
    for wanted in (marks, row.changes, {name for name in EMAIL_FIELDS if row.values[name]}):
        found = next((name for name in _EMAIL_ORDER if name in wanted), None)
        if found:
            return found
    return _EMAIL_ORDER[0]


def _cell(row: ImportRow, name: str, marks: dict[str, str], language: str, label: str) -> Cell:
    change: list[Any] | None = row.changes.get(name)
    now: str = change[1] if change else row.values[name]
    return Cell(
        field=name,
        label=translate(label, language),
        value=_shown(name, now) or _raw(row, name),
        old=_shown(name, change[0]) if change else None,
        look=marks.get(name, ""),
        code=name in CODES,
        day=now if name in DATE_FIELDS else "",
    )


def _raw(row: ImportRow, name: str) -> str:
    """What stands in a cell that could not be read."""
    return next((issue["raw"] for issue in row.errors if issue["field"] == name and issue.get("raw")), "")


def _shown(name: str, text: str) -> str:
    return text.replace("-", "/") if name in DATE_FIELDS else text
