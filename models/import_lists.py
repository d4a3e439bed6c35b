"""The named selects of the import's pages: the batches, and the rows of one plan."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, TextClause, func, select, union
from sqlalchemy.orm import Session

from models.base import AnyRow, AnySelect
from models.contracts import Certificate, ContractLine
from models.database import any_holds
from models.imports import CELL_COLUMNS, RENEWS, BatchKind, BatchState, ImportBatch, ImportRow
from models.paging import Place, Sheet, newest_first
from models.people import Account
from models.staging import PROBLEM, TOLD, ImportCertificate, ImportConflict, ready
from rules.lines import DATE_FIELDS, EMAIL_FIELDS
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
    """A kind of row of a plan; a page shows one or several of them."""

    ERROR = "error"
    WARNING = "warning"
    """Ticked or not."""
    CONFLICT = "conflict"
    CHANGED = "changed"
    NEW = "new"
    RENEWAL = "renewal"
    UNCHANGED = "unchanged"
    MISSING = "missing"


PROBLEMS = frozenset({Show.ERROR, Show.WARNING, Show.CONFLICT})
INTERESTS = PROBLEMS | {Show.CHANGED, Show.NEW}
"""What a plan shows first: problems and whatever applying it would write."""
EVERY_ROW = INTERESTS | {Show.UNCHANGED}
"""All that the workbook names."""


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


def plan_page(
    session: Session, batch_id: int, shown: Collection[Show], *, sought: str = "", after: int | None = None, before: int | None = None, limit: int
) -> PlanPage:
    """One page of the rows of the kinds `shown`, below the position `after` or (going back) above `before`; `sought` stands in one of their cells.

    Each kind is walked along an index of its own, no further than a page is long: any choice of kinds costs what its kinds cost.
    """
    order = ImportRow.position.desc() if before is not None else ImportRow.position
    beyond: list[ColumnElement[bool]] = [ImportRow.batch_id == batch_id]
    if before is not None:
        beyond.append(ImportRow.position < before)
    elif after is not None:
        beyond.append(ImportRow.position > after)
    if sought:
        beyond.append(any_holds(session, _cells_for(fold(sought)), fold(sought)))
    walks = [select(ImportRow.id).where(*beyond, *conditions).order_by(order).limit(limit + 1) for conditions in _conditions(shown)]
    chosen = walks[0] if len(walks) == 1 else union(*(select(walk.subquery().c.id) for walk in walks))
    found = session.scalars(select(ImportRow).where(ImportRow.id.in_(chosen)).order_by(order).limit(limit + 1)).all()
    if before is not None:
        return PlanPage(found[:limit][::-1], before=len(found) > limit, after=True)
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


def renewed_rows(session: Session, batch_id: int, rows: Sequence[ImportRow]) -> dict[int, ImportRow]:
    """Position -> row of the same workbook that one of `rows` seems to carry on."""
    wanted = [row.renews_position for row in rows if row.renews_position is not None]
    if not wanted:
        return {}
    statement = select(ImportRow).where(ImportRow.batch_id == batch_id, ImportRow.status == "new", ImportRow.position.in_(wanted))
    return {row.position: row for row in session.scalars(statement)}


def moved_domains(session: Session, batch_id: int, *, limit: int) -> Sequence[AnyRow]:
    """The written certificates of which a party gets another registrable domain: contract_key, facts (each change as [before, after]), accounts."""
    accounts = select(func.count()).select_from(Account).where(Account.contract_key == ImportCertificate.contract_key).scalar_subquery()
    statement = select(ImportCertificate.contract_key, ImportCertificate.facts, accounts.label("accounts")).where(
        ready(batch_id), ImportCertificate.moves_domain
    )
    return session.execute(statement.order_by(ImportCertificate.id).limit(limit)).all()


def _conditions(shown: Collection[Show]) -> list[tuple[ColumnElement[bool] | TextClause, ...]]:
    """One walk for each kind; the partial indexes stand for the choices that they were made for."""
    wanted = set(shown)
    walks: list[tuple[ColumnElement[bool] | TextClause, ...]] = []
    for kinds, conditions, rest in ((INTERESTS, (TOLD,), {Show.NEW}), (PROBLEMS, (PROBLEM,), set[Show]())):
        if wanted >= kinds:
            walks.append(conditions)
            wanted = wanted - kinds | rest
    return walks + [_OF[kind] for kind in Show if kind in wanted]


_OF: dict[Show, tuple[ColumnElement[bool] | TextClause, ...]] = {
    Show.ERROR: (ImportRow.status == "error",),
    Show.WARNING: (PROBLEM, ImportRow.kind == "warning"),
    Show.CONFLICT: (PROBLEM, ImportRow.kind == "conflict"),
    Show.CHANGED: (ImportRow.status == "changed",),
    Show.NEW: (ImportRow.status == "new",),
    Show.RENEWAL: (TOLD, RENEWS),
    Show.UNCHANGED: (ImportRow.status == "unchanged",),
    Show.MISSING: (ImportRow.status == "missing",),
}


def _cells_for(sought: str) -> list[ColumnElement[str]]:
    """The cells that may hold `sought`: a rare word is looked for in all rows, and each column left out is a fifteenth of the time."""
    if sought.isascii():
        left_out = frozenset[str]() if set(sought) <= _SIGNS_OF_DAYS else _DAYS
    else:
        left_out = _DAYS | _ASCII_ONLY
    return [getattr(ImportRow, name) for name in CELL_COLUMNS if name not in left_out]


_DAYS = frozenset(DATE_FIELDS)
_SIGNS_OF_DAYS = frozenset("0123456789-")
_ASCII_ONLY = frozenset({"contract_key", *EMAIL_FIELDS})
"""Contract numbers and addresses with other signs are errors, and their cells empty."""
