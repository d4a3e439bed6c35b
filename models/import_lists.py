"""The named selects of the import's pages: the batches, and the rows of one plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, TextClause, select
from sqlalchemy.orm import Session

from models.base import AnyRow, AnySelect
from models.imports import BatchState, ImportBatch, ImportRow
from models.paging import Place, Sheet, newest_first
from models.staging import INTERESTING, PROBLEM

_BATCHES: AnySelect = select(
    ImportBatch.id,
    ImportBatch.file_name,
    ImportBatch.size,
    ImportBatch.state,
    ImportBatch.uploaded_by,
    ImportBatch.uploaded_at,
    ImportBatch.summary,
    ImportBatch.refusal,
    ImportBatch.applied_by,
    ImportBatch.applied_at,
)


class Show(StrEnum):
    """Which rows of a plan a page shows."""

    INTERESTING = ""
    """Problems and whatever applying the plan would write."""
    PROBLEM = "problem"
    CHANGED = "changed"
    NEW = "new"
    UNCHANGED = "unchanged"
    MISSING = "missing"


@dataclass(frozen=True)
class PlanPage:
    """Rows in the file's order, and whether there are some before and after."""

    rows: Sequence[ImportRow]
    before: bool
    after: bool


def batch_list(session: Session, place: Place, *, limit: int) -> Sheet:
    """The batches, newest first."""
    return newest_first(session, _BATCHES, ImportBatch.id, place, limit=limit)


def applied_before(session: Session, batch: ImportBatch) -> AnyRow | None:
    """The last application of the very same file: applied_by, applied_at."""
    statement = select(ImportBatch.applied_by, ImportBatch.applied_at).where(
        ImportBatch.sha256 == batch.sha256, ImportBatch.id != batch.id, ImportBatch.state == BatchState.APPLIED
    )
    return session.execute(statement.order_by(ImportBatch.id.desc()).limit(1)).one_or_none()


def plan_page(session: Session, batch_id: int, show: Show, *, after: int | None = None, before: int | None = None, limit: int) -> PlanPage:
    """One page of a plan's rows, below the position `after` or (going back) above `before`."""
    statement = select(ImportRow).where(ImportRow.batch_id == batch_id, _condition(show))
    if before is not None:
        found = session.scalars(statement.where(ImportRow.position < before).order_by(ImportRow.position.desc()).limit(limit + 1)).all()
        return PlanPage(found[:limit][::-1], before=len(found) > limit, after=True)
    chosen = statement if after is None else statement.where(ImportRow.position > after)
    found = session.scalars(chosen.order_by(ImportRow.position).limit(limit + 1)).all()
    return PlanPage(found[:limit], before=after is not None, after=len(found) > limit)


def _condition(show: Show) -> ColumnElement[bool] | TextClause:
    if show is Show.INTERESTING:
        return INTERESTING
    return PROBLEM if show is Show.PROBLEM else ImportRow.status == show.value
