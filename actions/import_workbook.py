"""What became of each row of a plan, as the workbook handed back tells it (importers.annotate)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from actions.import_plans import ERROR, Plan
from importers.annotate import AnnotatedRow
from importers.reader import Issue
from models.imports import ImportRow
from wording import labels

_OWN_WARNING, _HELD = "警告", "反映待ち"
_AT_ONCE = 2_000


def planned_rows(plan: Plan) -> Iterator[AnnotatedRow]:
    """The rows of a plan that is not kept."""
    rows = plan.rows
    for index, status in enumerate(plan.statuses):
        if rows.numbers[index]:
            errors, warnings = rows.errors.get(index, ()), rows.warnings.get(index, ())
            yield _row(rows.sheets[index], rows.numbers[index], status, plan.held_by.get(index, 0), errors, warnings)


def batch_rows(session: Session, batch_id: int) -> Iterator[AnnotatedRow]:
    """The rows of a kept plan, in the workbook's order."""
    columns = (ImportRow.sheet, ImportRow.row, ImportRow.status, ImportRow.held_by, ImportRow.errors, ImportRow.warnings)
    # Row 0 is none of the workbook's.
    statement = select(*columns).where(ImportRow.batch_id == batch_id, ImportRow.row > 0).order_by(ImportRow.position)
    for sheet, row, status, held_by, errors, warnings in session.execute(statement, execution_options={"yield_per": _AT_ONCE}):
        yield _row(sheet, row, status, held_by, errors, warnings)


def row_count(session: Session, batch_id: int) -> int:
    """How many rows of the workbook the plan has."""
    return session.scalar(select(func.count()).where(ImportRow.batch_id == batch_id, ImportRow.row > 0)) or 0


def _row(sheet: str, row: int, status: str, held_by: int, errors: Sequence[Issue], warnings: Sequence[Issue]) -> AnnotatedRow:
    return AnnotatedRow(sheet, row, _result(row, status, held_by, warnings), errors, warnings, held=bool(held_by))


def _result(row: int, status: str, held_by: int, warnings: Sequence[Issue]) -> str:
    if status == ERROR:
        return labels.row_status(ERROR)
    if held_by:
        return _OWN_WARNING if held_by == row and warnings else _HELD
    return labels.row_status(status)
