"""Writing a plan: its sound certificates, all of them in the caller's transaction, by a handful of set-based statements.

The rows were staged when the plan was kept, in short transactions: other writers wait for the merge alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, String, and_, case, delete, func, insert, inspect, literal, null, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from actions import journal, renewals
from actions.import_batches import fingerprint, plan_again, require
from actions.import_plans import CHANGED, MISSING, NEW
from models import images
from models.actors import Actor
from models.base import AnySelect, Moment
from models.contracts import Certificate, ContractLine, Party, PartyRole
from models.database import day_of, insert_on_conflict, lock, make_room
from models.images import Deed
from models.imports import BatchState, ImportBatch, ImportRow
from models.journal import JournalEntry
from models.masters import ProductFamily
from models.staging import ImportCertificate, ImportConflict, outdated, ready, ready_counts
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


_OF_CERTIFICATE = and_(ImportCertificate.batch_id == ImportRow.batch_id, ImportCertificate.contract_key == ImportRow.contract_key)
_WITHDRAWN = and_(ImportRow.status == MISSING, ImportRow.confirmed.is_(True))


@dataclass(frozen=True)
class Written:
    """What an application wrote; or, with `outdated`, that it wrote nothing and planned so many certificates anew."""

    certificates: int = 0
    new: int = 0
    changed: int = 0
    withdrawn: int = 0
    outdated: int = 0


def apply(
    session: Session, batch: ImportBatch, *, by: Actor, now: datetime, seen: str | None = None, all_or_nothing: bool = False, second_person: bool = False
) -> Written:
    """Write every certificate of the plan that nothing holds back; with `all_or_nothing` only when nothing is held back.

    Where a certificate was changed since the plan looked at it, nothing is written: those are planned anew, for a person to look at.
    Lines of a certificate that its workbook does not name are kept, unless they were chosen to be withdrawn.
    `seen` is the fingerprint of the plan that was looked at. With `second_person`, a plan that withdraws lines or moves a party to another
    registrable domain takes an approval (`actions.import_approvals`).
    Refuses batch_state(state), plan_changed, nothing_to_apply, not_all_sound(n), approval_needed.
    """
    lock(session, "import")
    session.refresh(batch, with_for_update=True)
    require(batch, BatchState.PLANNED)
    if seen is not None and seen != fingerprint(batch):
        raise Refused("plan_changed")
    stale = outdated(session, batch.id)
    if stale:
        plan_again(session, batch, stale, today=tokyo_date(now))
        journal.record(session, "plan_again", "import_batch", batch.id, by=by, now=now, subject_name=batch.file_name, contracts=list(stale[:100]))
        return Written(outdated=len(stale))
    if all_or_nothing:
        _require_all_sound(batch)
    counts = ready_counts(session, batch.id)
    if not counts.certificates:
        raise Refused("nothing_to_apply")
    if second_person and (counts.withdrawn or counts.domains):
        raise Refused("approval_needed")
    return _write(session, batch, Written(counts.certificates, counts.new, counts.changed, counts.withdrawn), by, now)


def _require_all_sound(batch: ImportBatch) -> None:
    held, errors = batch.summary["held"]["certificates"], batch.summary["error"]
    if held or errors:
        raise Refused("not_all_sound", n=held or errors)


def _write(session: Session, batch: ImportBatch, written: Written, by: Actor, now: datetime) -> Written:
    make_room(session)
    for step in STEPS:
        step(session, batch.id, now)
    keep_corrections(session, batch.id)
    if batch.summary.get("linked"):
        renewals.link(session, batch.id, by=by.name, now=now)
    if written.withdrawn:
        renewals.drop_links(session, batch.id)
    _record_certificates(session, batch.id, by, now)
    batch.state, batch.applied_at, batch.applied_by = BatchState.APPLIED, now, by.name
    told = {"certificates": written.certificates, "new": written.new, "changed": written.changed, "withdrawn": written.withdrawn}
    batch.summary = {**batch.summary, "written": told}
    approved = {"approved_by": batch.approved_by, "asked_by": batch.asked_by} if batch.approved_by else {}
    journal.record(session, "apply", "import_batch", batch.id, by=by, now=now, subject_name=batch.file_name, **told, **approved)
    return written


def keep_images(session: Session, batch_id: int, _now: datetime) -> None:
    """How the certificates, parties and lines are that will be written, for undoing it."""
    mine = and_(ready(batch_id), ImportCertificate.certificate_id == Certificate.id)
    images.keep_certificates(session, batch_id, Deed.CHANGED, mine)
    images.keep_parties(session, batch_id, and_(ready(batch_id), ImportCertificate.certificate_id == Party.certificate_id))
    row = and_(ImportRow.batch_id == batch_id, ImportRow.line_id == ContractLine.id, _OF_CERTIFICATE, ready(batch_id))
    images.keep_lines(session, batch_id, Deed.CHANGED, and_(row, ImportRow.status == CHANGED))
    images.keep_lines(session, batch_id, Deed.REMOVED, and_(row, _WITHDRAWN))


def make_certificates(session: Session, batch_id: int, now: datetime) -> None:
    """The certificates that were not there."""
    staged = select(ImportCertificate.contract_key, ImportCertificate.issued_on, literal(batch_id, Integer), literal(now, Moment), literal(now, Moment)).where(
        ready(batch_id), ImportCertificate.certificate_id.is_(None)
    )
    columns = ("contract_key", "issued_on", "batch_id", "created_at", "updated_at")
    session.execute(insert(Certificate).from_select(columns, staged.order_by(ImportCertificate.id), include_defaults=False))


def keep_new_images(session: Session, batch_id: int, _now: datetime) -> None:
    """That the certificates are new which this batch made."""
    mine = and_(ready(batch_id), ImportCertificate.certificate_id.is_(None), ImportCertificate.contract_key == Certificate.contract_key)
    images.keep_certificates(session, batch_id, Deed.ADDED, mine)


def change_certificates(session: Session, batch_id: int, now: datetime) -> None:
    """The issue dates of those that were, marked as by hand while they stay; any change of a line or a party counts as a change of the certificate."""
    same = Certificate.issued_on == ImportCertificate.issued_on
    statement = (
        update(Certificate)
        .where(ready(batch_id), ImportCertificate.certificate_id == Certificate.id)
        .values(issued_on=ImportCertificate.issued_on, batch_id=batch_id, updated_at=now, **_marked(Certificate, same))
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
        told |= _marked(Party, and_(Party.name == added.excluded.name, Party.email_key == added.excluded.email_key))
        session.execute(added.on_conflict_do_update(index_elements=["certificate_id", "role"], set_=told))
        gone = select(ImportCertificate.certificate_id).where(ready(batch_id), ImportCertificate.certificate_id.is_not(None), name == "", email == "")
        # PostgreSQL, which counted the parties before they came, would look through the plan for each of them to find none.
        if session.scalar(gone.limit(1)) is not None:
            # One that was emptied by hand stays, for the next import to ask.
            told_of = (Party.name != "") | (Party.email != "")
            session.execute(delete(Party).where(Party.role == role, told_of, Party.certificate_id.in_(gone)), execution_options=_QUIET)


def _marked(table: type[Certificate | Party], same: ColumnElement[bool]) -> dict[str, Any]:
    """What stays as it was corrected by hand stays marked so."""
    return {"set_at": case((same, table.set_at), else_=null()), "set_by": case((same, table.set_by), else_="")}


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
    origin = {"batch_id": batch_id, "sheet": row.sheet, "row": row.row, "set_at": null(), "set_by": ""}
    statement = (
        update(ContractLine)
        .where(ContractLine.id == row.line_id, ProductFamily.name == row.family)
        .values({name: row[name] for name in _LINE} | {"family_id": ProductFamily.id, **origin})
    )
    session.execute(statement, execution_options=_QUIET)


def withdraw_lines(session: Session, batch_id: int, _now: datetime) -> None:
    """The lines that the workbook does not name and that a person chose."""
    chosen = select(ImportRow.line_id).where(ImportRow.batch_id == batch_id, _OF_CERTIFICATE, ready(batch_id), _WITHDRAWN)
    session.execute(delete(ContractLine).where(ContractLine.id.in_(chosen)), execution_options=_QUIET)


def keep_corrections(session: Session, batch_id: int) -> None:
    """Give lines back what was corrected by hand, and parties the mark of it, where nobody chose the workbook's value: those are few."""
    ours = and_(ImportConflict.take_theirs.is_(False), ImportConflict.contract_key.in_(_ready_keys(batch_id)))
    for conflict in session.scalars(select(ImportConflict).where(ImportConflict.batch_id == batch_id, ours)).all():
        if not conflict.line_id:
            if conflict.field != "issued_on":
                _mark_party(session, conflict)
            continue
        line = session.get(ContractLine, conflict.line_id)
        if line is None:
            continue
        line.set_at, line.set_by = conflict.set_at, conflict.set_by
        if conflict.field == "family":
            line.family_id = session.scalars(select(ProductFamily.id).where(ProductFamily.name == conflict.ours)).one()
        else:
            setattr(line, conflict.field, date.fromisoformat(conflict.ours) if conflict.field in _DAYS else conflict.ours)
    session.flush()


def _mark_party(session: Session, conflict: ImportConflict) -> None:
    """One whose other value is the workbook's now; an issue date that stayed is marked still."""
    of = select(Certificate.id).where(Certificate.contract_key == conflict.contract_key).scalar_subquery()
    role = PartyRole(conflict.field.removesuffix("_name").removesuffix("_email"))
    mine = and_(Party.certificate_id == of, Party.role == role)
    session.execute(update(Party).where(mine).values(set_at=conflict.set_at, set_by=conflict.set_by), execution_options=_QUIET)


def _ready_keys(batch_id: int) -> AnySelect:
    return select(ImportCertificate.contract_key).where(ready(batch_id))


STEPS: tuple[Callable[[Session, int, datetime], None], ...] = (
    keep_images,
    make_certificates,
    keep_new_images,
    change_certificates,
    put_parties,
    add_lines,
    change_lines,
    withdraw_lines,
)
"""The merge, in order."""


def _staged_lines(session: Session, batch_id: int, status: str) -> ReadOnlyColumnCollection[str, ColumnElement[Any]]:
    """The columns of the plan's rows of that status, of certificates that are written."""
    of = inspect(ImportRow).columns
    cells = [of[name] for name in ("family", *_TEXTS)] + [day_of(session, of[name]).label(name) for name in _DAYS]
    rows = select(*cells, ImportRow.position, ImportRow.sheet, ImportRow.row, ImportRow.line_id, ImportRow.contract_key)
    return rows.where(ready(batch_id), _OF_CERTIFICATE, ImportRow.batch_id == batch_id, ImportRow.status == status).subquery().c


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
