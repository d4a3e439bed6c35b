"""The named selects of the import's pages: the batches, and the rows of one plan."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce

from sqlalchemy import ColumnElement, TextClause, func, or_, select
from sqlalchemy.orm import Session

from models.base import AnyRow, AnySelect
from models.contracts import Certificate, ContractLine
from models.imports import CELL_COLUMNS, BatchKind, BatchState, ImportBatch, ImportRow
from models.paging import Place, Sheet, newest_first
from models.people import Account
from models.staging import PROBLEM, TOLD, ImportCertificate, ImportConflict, ready
from rules.text import fold

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
    ImportBatch.kind,
    ImportBatch.undoes_id,
    ImportBatch.approved_by,
)


class Show(StrEnum):
    """Which rows of a plan a page shows."""

    INTERESTING = ""
    """Problems and whatever applying the plan would write."""
    PROBLEM = "problem"
    CHANGED = "changed"
    NEW = "new"
    RENEWAL = "renewal"
    CONFLICT = "conflict"
    UNCHANGED = "unchanged"
    MISSING = "missing"
    ALL = "all"


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
        ImportBatch.sha256 == batch.sha256, ImportBatch.id != batch.id, ImportBatch.state == BatchState.APPLIED, ImportBatch.kind == BatchKind.IMPORT
    )
    return session.execute(statement.order_by(ImportBatch.id.desc()).limit(1)).one_or_none()


def plan_page(session: Session, batch_id: int, show: Show, *, sought: str = "", after: int | None = None, before: int | None = None, limit: int) -> PlanPage:
    """One page of a plan's rows, below the position `after` or (going back) above `before`; `sought` stands in one of their cells."""
    statement = select(ImportRow).where(ImportRow.batch_id == batch_id, *_conditions(show))
    if sought:
        statement = statement.where(func.lower(_CELLS).contains(fold(sought).lower(), autoescape=True))
    if before is not None:
        found = session.scalars(statement.where(ImportRow.position < before).order_by(ImportRow.position.desc()).limit(limit + 1)).all()
        return PlanPage(found[:limit][::-1], before=len(found) > limit, after=True)
    chosen = statement if after is None else statement.where(ImportRow.position > after)
    found = session.scalars(chosen.order_by(ImportRow.position).limit(limit + 1)).all()
    return PlanPage(found[:limit], before=after is not None, after=len(found) > limit)


def conflicts_of(session: Session, batch_id: int, rows: Sequence[ImportRow]) -> dict[int, list[ImportConflict]]:
    """Position -> what is to be decided there."""
    found: dict[int, list[ImportConflict]] = {}
    asked = [row.position for row in rows if row.kind == "conflict"]
    if asked:
        statement = select(ImportConflict).where(ImportConflict.batch_id == batch_id, ImportConflict.position.in_(asked))
        for conflict in session.scalars(statement.order_by(ImportConflict.id)):
            found.setdefault(conflict.position, []).append(conflict)
    return found


def renewed_lines(session: Session, rows: Sequence[ImportRow]) -> dict[int, AnyRow]:
    """Id -> certificate_id, contract_key, product_number, serial, ends_on of the lines that `rows` seem to carry on."""
    wanted = [row.renews_id for row in rows if row.renews_id is not None]
    if not wanted:
        return {}
    line = ContractLine
    columns = (line.id, line.certificate_id, Certificate.contract_key, line.product_number, line.serial, line.ends_on)
    statement = select(*columns).join(Certificate, Certificate.id == line.certificate_id).where(line.id.in_(wanted))
    return {row.id: row for row in session.execute(statement)}


def moved_domains(session: Session, batch_id: int, *, limit: int) -> Sequence[AnyRow]:
    """The written certificates of which a party gets another registrable domain: contract_key, facts (each change as [before, after]), accounts."""
    accounts = select(func.count()).select_from(Account).where(Account.contract_key == ImportCertificate.contract_key).scalar_subquery()
    statement = select(ImportCertificate.contract_key, ImportCertificate.facts, accounts.label("accounts")).where(
        ready(batch_id), ImportCertificate.moves_domain
    )
    return session.execute(statement.order_by(ImportCertificate.id).limit(limit)).all()


def _conditions(show: Show) -> tuple[ColumnElement[bool] | TextClause, ...]:
    if show is Show.ALL:
        return (ImportRow.status != "missing",)
    if show is Show.INTERESTING:
        return (or_(ImportRow.status == "new", TOLD),)
    if show is Show.PROBLEM:
        return (PROBLEM,)
    if show is Show.RENEWAL:
        return (TOLD, ImportRow.renews_id.is_not(None))
    if show is Show.CONFLICT:
        return (PROBLEM, ImportRow.kind == "conflict")
    return (ImportRow.status == show.value,)


_CELLS = reduce(operator.add, [getattr(ImportRow, name) + "\x1f" for name in CELL_COLUMNS])
"""All that a row says, with a sign between that no cell holds."""
