"""Writing a plan: its sound certificates, all of them in the caller's transaction, by a handful of set-based statements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, String, and_, delete, func, insert, inspect, literal, null, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from actions import journal
from actions.import_batches import plan_again, require
from actions.import_plans import CHANGED, NEW
from models.actors import Actor
from models.base import Moment
from models.contracts import Certificate, ContractLine, Party, PartyRole, ProductFamily
from models.database import insert_on_conflict, json_fields, lock
from models.imports import BatchState, ImportBatch, ImportRow
from models.journal import JournalEntry
from models.staging import ImportCertificate, outdated, ready, ready_counts
from rules.calendar import tokyo_date
from rules.refusal import Refused

_TEXTS, _DAYS = ("product_number", "serial", "service", "contact"), ("starts_on", "ends_on")
_LINE = (*_TEXTS, *_DAYS)
_QUIET = {"synchronize_session": False}
_EMAILS = {
    PartyRole.AGENT: (ImportCertificate.agent_name, ImportCertificate.agent_email),
    PartyRole.OPERATOR: (ImportCertificate.operator_name, ImportCertificate.operator_email),
    PartyRole.END_USER: (ImportCertificate.end_user_name, ImportCertificate.end_user_email),
}


@dataclass(frozen=True)
class Written:
    """What an application wrote; or, with `outdated`, that it wrote nothing and planned so many certificates anew."""

    certificates: int = 0
    new: int = 0
    changed: int = 0
    outdated: int = 0


def apply(session: Session, batch: ImportBatch, *, by: Actor, now: datetime) -> Written:
    """Write every certificate of the plan that nothing holds back.

    Where a certificate was changed since the plan looked at it, nothing is written: those are planned anew, for a person to look at.
    Lines of a certificate that its workbook does not name are kept.
    Refuses batch_state(state), nothing_to_apply.
    """
    lock(session, "import")
    session.refresh(batch, with_for_update=True)
    require(batch, BatchState.PLANNED)
    stale = outdated(session, batch.id)
    if stale:
        plan_again(session, batch, stale, today=tokyo_date(now))
        journal.record(session, "plan_again", "import_batch", batch.id, by=by, now=now, subject_name=batch.file_name, contracts=list(stale[:100]))
        return Written(outdated=len(stale))
    counts = ready_counts(session, batch.id)
    if not counts.certificates:
        raise Refused("nothing_to_apply")
    for step in STEPS:
        step(session, batch.id, now)
    _record_certificates(session, batch.id, by, now)
    written = Written(counts.certificates, counts.new, counts.changed)
    batch.state, batch.applied_at, batch.applied_by = BatchState.APPLIED, now, by.name
    batch.summary = {**batch.summary, "written": {"certificates": written.certificates, "new": written.new, "changed": written.changed}}
    journal.record(session, "apply", "import_batch", batch.id, by=by, now=now, subject_name=batch.file_name, **batch.summary["written"])
    return written


def make_certificates(session: Session, batch_id: int, now: datetime) -> None:
    """The certificates that were not there."""
    staged = select(ImportCertificate.contract_key, ImportCertificate.issued_on, literal(batch_id, Integer), literal(now, Moment), literal(now, Moment)).where(
        ready(batch_id), ImportCertificate.certificate_id.is_(None)
    )
    columns = ("contract_key", "issued_on", "batch_id", "created_at", "updated_at")
    session.execute(insert(Certificate).from_select(columns, staged.order_by(ImportCertificate.id), include_defaults=False))


def change_certificates(session: Session, batch_id: int, now: datetime) -> None:
    """The issue dates of those that were; any change of a line or a party counts as a change of the certificate."""
    statement = (
        update(Certificate)
        .where(ready(batch_id), ImportCertificate.certificate_id == Certificate.id)
        .values(issued_on=ImportCertificate.issued_on, batch_id=batch_id, updated_at=now)
    )
    session.execute(statement, execution_options=_QUIET)


def put_parties(session: Session, batch_id: int, _now: datetime) -> None:
    """The parties as the workbook names them; a role without name and e-mail has no row."""
    for role, (name, email) in _EMAILS.items():
        staged = (
            select(Certificate.id, literal(role, String), name, email, func.lower(email))
            .join(ImportCertificate, ImportCertificate.contract_key == Certificate.contract_key)
            .where(ready(batch_id), (name != "") | (email != ""))
        )
        added = insert_on_conflict(session, Party).from_select(["certificate_id", "role", "name", "email", "email_key"], staged, include_defaults=False)
        told = {column: added.excluded[column] for column in ("name", "email", "email_key")}
        session.execute(added.on_conflict_do_update(index_elements=["certificate_id", "role"], set_=told))
        gone = select(ImportCertificate.certificate_id).where(ready(batch_id), ImportCertificate.certificate_id.is_not(None), name == "", email == "")
        session.execute(delete(Party).where(Party.role == role, Party.certificate_id.in_(gone)), execution_options=_QUIET)


def add_lines(session: Session, batch_id: int, _now: datetime) -> None:
    """The lines that were not there."""
    row = _staged_lines(session, batch_id, NEW)
    staged = (
        select(Certificate.id, ProductFamily.id, *(row[name] for name in _LINE), literal(batch_id, Integer), row.sheet, row.row)
        .join(Certificate, Certificate.contract_key == row.contract_key)
        .join(ProductFamily, ProductFamily.name == row.family)
        .order_by(row.position)
    )
    columns = ("certificate_id", "family_id", *_LINE, "batch_id", "sheet", "row")
    session.execute(insert(ContractLine).from_select(columns, staged, include_defaults=False))


def change_lines(session: Session, batch_id: int, _now: datetime) -> None:
    """The lines that differ from their row; they point to that row from now on."""
    row = _staged_lines(session, batch_id, CHANGED)
    statement = (
        update(ContractLine)
        .where(ContractLine.id == row.line_id, ProductFamily.name == row.family)
        .values({name: row[name] for name in _LINE} | {"family_id": ProductFamily.id, "batch_id": batch_id, "sheet": row.sheet, "row": row.row})
    )
    session.execute(statement, execution_options=_QUIET)


STEPS: tuple[Callable[[Session, int, datetime], None], ...] = (make_certificates, change_certificates, put_parties, add_lines, change_lines)
"""The merge, in order."""


def _staged_lines(session: Session, batch_id: int, status: str) -> ReadOnlyColumnCollection[str, ColumnElement[Any]]:
    """The columns of the plan's rows of that status, of certificates that are written."""
    held = inspect(ImportRow).columns["values"]
    fields = json_fields(session, inspect(ImportRow).local_table, held, ("family", *_TEXTS), _DAYS)
    rows = fields.add_columns(ImportRow.position, ImportRow.sheet, ImportRow.row, ImportRow.line_id, ImportRow.contract_key)
    same = and_(ImportCertificate.batch_id == ImportRow.batch_id, ImportCertificate.contract_key == ImportRow.contract_key)
    return rows.where(ready(batch_id), same, ImportRow.batch_id == batch_id, ImportRow.status == status).subquery().c


def _record_certificates(session: Session, batch_id: int, by: Actor, now: datetime) -> None:
    staged = (
        select(
            literal(now, Moment),
            literal(by.kind, String),
            literal(by.id, Integer) if by.id is not None else null(),
            literal(by.name, String),
            literal("import", String),
            literal("certificate", String),
            Certificate.id,
            Certificate.contract_key,
            ImportCertificate.facts,
            literal(by.client, String),
        )
        .join(ImportCertificate, ImportCertificate.contract_key == Certificate.contract_key)
        .where(ready(batch_id))
        .order_by(ImportCertificate.id)
    )
    columns = ("at", "actor_kind", "actor_id", "actor_name", "act", "subject_kind", "subject_id", "subject_name", "facts", "client")
    session.execute(insert(JournalEntry).from_select(columns, staged, include_defaults=False))
