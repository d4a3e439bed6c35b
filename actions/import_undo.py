"""取消: bringing back what a batch found, by its before-images; what was edited since stays. An undo is a batch itself, and can be undone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, ColumnElement, Integer, String, and_, delete, func, insert, literal, null, or_, select, update
from sqlalchemy.orm import Session, aliased

from actions import journal, renewals
from actions.import_batches import require
from models import images, undoing
from models.actors import Actor, StaffMember
from models.base import AnyRow, AnySelect, Base, Moment
from models.contracts import Certificate, ContractLine, Party
from models.database import lock
from models.images import OF_CERTIFICATE, OF_LINE, OF_PARTY, CertificateImage, Deed, LineImage, PartyImage
from models.imports import BatchKind, BatchState, ImportBatch
from models.journal import JournalEntry
from models.people import Account
from models.tickets import Ticket
from models.undoing import Undoing
from rules.limits import Limits
from rules.refusal import Refused

NAMED = 20
"""Accounts and tickets named beside their number."""
_QUIET = {"synchronize_session": False}


@dataclass(frozen=True)
class UndoPlan:
    """What undoing a batch would change back, and what hangs on the certificates that go: accounts and tickets are never touched."""

    counts: dict[str, int]
    kept: Sequence[AnyRow]
    accounts: Sequence[AnyRow]
    """id, user_id, company_name of the first; `counts["accounts"]` of them."""
    tickets: Sequence[AnyRow]
    """id, subject of the first; `counts["tickets"]` of them."""

    @property
    def empty(self) -> bool:
        """Whether nothing would change back."""
        return not any(count for name, count in self.counts.items() if name not in ("kept", "accounts", "tickets"))


def undo_until(batch: ImportBatch, limits: Limits) -> datetime:
    """The last moment at which a batch can be undone."""
    assert batch.applied_at
    return batch.applied_at + timedelta(days=limits.undo_import_days)


def plan_undo(session: Session, batch: ImportBatch, *, now: datetime, limits: Limits) -> UndoPlan:
    """What undoing `batch` would do now; nothing is written.

    Refuses batch_state(state), undo_import_too_late(days).
    """
    require(batch, BatchState.APPLIED)
    if now > undo_until(batch, limits):
        raise Refused("undo_import_too_late", days=limits.undo_import_days)
    of = Undoing.of(batch)
    going = select(Certificate.contract_key).where(of.removable_certificates())
    accounts = select(Account.id, Account.user_id, Account.company_name).where(Account.contract_key.in_(going))
    tickets = select(Ticket.id, Ticket.subject).where(Ticket.unresolved, Ticket.contract_key.in_(going))
    counts = undoing.counts(session, of)
    counts |= {name: session.scalar(select(func.count()).select_from(each.subquery())) or 0 for name, each in (("accounts", accounts), ("tickets", tickets))}
    return UndoPlan(
        counts,
        undoing.kept(session, of),
        session.execute(accounts.order_by(Account.id).limit(NAMED)).all(),
        session.execute(tickets.order_by(Ticket.id).limit(NAMED)).all(),
    )


def fingerprint(batch: ImportBatch, plan: UndoPlan) -> str:
    """Of an undo plan as it was shown."""
    return hashlib.sha256(json.dumps([batch.id, batch.applied_at and batch.applied_at.isoformat(), plan.counts]).encode()).hexdigest()[:16]


def undo(session: Session, batch: ImportBatch, *, by: Actor, now: datetime, limits: Limits, seen: str | None = None) -> ImportBatch:
    """Bring back what `batch` found, in the caller's transaction; answers the batch that this undo is.

    `seen` is the fingerprint of the undo plan that was looked at. Refuses batch_state(state), undo_import_too_late(days), plan_changed, nothing_to_undo.
    """
    lock(session, "import")
    session.refresh(batch, with_for_update=True)
    plan = plan_undo(session, batch, now=now, limits=limits)
    if seen is not None and seen != fingerprint(batch, plan):
        raise Refused("plan_changed")
    if plan.empty:
        raise Refused("nothing_to_undo")
    own = _batch_of(session, batch, plan, by, now)
    of = Undoing.of(batch)
    for step in STEPS:
        step(session, of, own.id, now)
    renewals.drop_links(session, own.id)
    renewals.restore_links(session, batch.id)
    _record_certificates(session, own.id, by, now)
    batch.state = BatchState.UNDONE
    if batch.kind == BatchKind.UNDO:
        session.get_one(ImportBatch, batch.undoes_id).state = BatchState.APPLIED
    journal.record(session, "undo", "import_batch", batch.id, by=by, now=now, subject_name=batch.file_name, batch=own.id, **plan.counts)
    return own


def _batch_of(session: Session, batch: ImportBatch, plan: UndoPlan, by: Actor, now: datetime) -> ImportBatch:
    own = ImportBatch(
        kind=BatchKind.UNDO,
        undoes_id=batch.id,
        file_name=batch.file_name,
        sha256=batch.sha256,
        size=batch.size,
        storage_key=batch.storage_key,
        state=BatchState.APPLIED,
        staff_id=by.id if isinstance(by, StaffMember) else None,
        uploaded_by=by.name,
        uploaded_at=now,
        planned_at=now,
        progress=100,
        sheets=[],
        summary={"undone": plan.counts, "kept": [_told(row) for row in plan.kept]},
        applied_at=now,
        applied_by=by.name,
    )
    session.add(own)
    session.flush()
    return own


def _told(row: AnyRow) -> dict[str, Any]:
    return {"contract": row.contract_key, "product_number": row.product_number, "serial": row.serial}


def keep_images(session: Session, of: Undoing, own: int, _now: datetime) -> None:
    """How everything is that this undo touches, so that it can be undone; from here on these images say what it touches."""
    images.keep_certificates(session, own, Deed.REMOVED, of.removable_certificates())
    others = and_(of.certificates(Deed.CHANGED) | of.certificates(Deed.ADDED), CertificateImage.certificate_id == Certificate.id)
    touched = _touched(own)
    images.keep_certificates(session, own, Deed.CHANGED, and_(others, Certificate.id.not_in(touched)))
    images.keep_parties(session, own, Party.certificate_id.in_(touched))
    images.keep_lines(session, own, Deed.REMOVED, of.removable_lines())
    images.keep_lines(session, own, Deed.CHANGED, of.changed_lines())
    _copy_images(session, LineImage, tuple(OF_LINE), own, of.returning_lines())
    _copy_images(session, CertificateImage, tuple(OF_CERTIFICATE), own, of.returning_certificates())


def put_certificates_back(session: Session, _of: Undoing, own: int, now: datetime) -> None:
    """The certificates that the batch had removed, under their old ids where those are free."""
    mine = and_(CertificateImage.batch_id == own, CertificateImage.deed == Deed.ADDED)
    record = {record.key: getattr(CertificateImage, column) for column, record in OF_CERTIFICATE.items()} | {"updated_at": literal(now, Moment)}
    other = aliased(Certificate)
    there = select(other.id).where(other.contract_key == CertificateImage.contract_key).exists()
    _insert_again(session, Certificate, record, mine, there)
    by_key = and_(mine, CertificateImage.contract_key == Certificate.contract_key)
    moved = update(CertificateImage).where(by_key, CertificateImage.certificate_id != Certificate.id).values(certificate_id=Certificate.id)
    session.execute(moved, execution_options=_QUIET)


def put_lines_back(session: Session, of: Undoing, own: int, _now: datetime) -> None:
    """The lines that the batch had removed, on their certificates."""
    then = aliased(CertificateImage)
    record = {record.key: getattr(LineImage, column) for column, record in OF_LINE.items()} | {"certificate_id": Certificate.id}
    mine = and_(LineImage.batch_id == own, LineImage.deed == Deed.ADDED)
    home = and_(then.batch_id == of.batch_id, then.certificate_id == LineImage.certificate_id, then.contract_key == Certificate.contract_key)
    other = aliased(ContractLine)
    same = and_(other.product_number == LineImage.product_number, other.serial == LineImage.serial, other.service == LineImage.service)
    there = select(other.id).where(other.certificate_id == Certificate.id, same).exists()
    _insert_again(session, ContractLine, record, and_(mine, home), there)


def remove_added(session: Session, _of: Undoing, own: int, _now: datetime) -> None:
    """What the batch had added: lines first, then the certificates that none is left of."""
    removed = and_(LineImage.batch_id == own, LineImage.deed == Deed.REMOVED)
    session.execute(delete(ContractLine).where(ContractLine.id.in_(select(LineImage.line_id).where(removed))), execution_options=_QUIET)
    gone = select(CertificateImage.certificate_id).where(CertificateImage.batch_id == own, CertificateImage.deed == Deed.REMOVED)
    session.execute(delete(Party).where(Party.certificate_id.in_(gone)), execution_options=_QUIET)
    session.execute(delete(Certificate).where(Certificate.id.in_(gone)), execution_options=_QUIET)


def change_lines_back(session: Session, of: Undoing, own: int, _now: datetime) -> None:
    """The lines that the batch had changed."""
    chosen = select(LineImage.line_id).where(LineImage.batch_id == own, LineImage.deed == Deed.CHANGED)
    then = aliased(LineImage)
    values = {record.key: getattr(then, column) for column, record in OF_LINE.items() if column not in ("line_id", "certificate_id")}
    same = and_(then.batch_id == of.batch_id, then.line_id == ContractLine.id, ContractLine.id.in_(chosen))
    session.execute(update(ContractLine).where(same).values(values), execution_options=_QUIET)


def change_parties_back(session: Session, of: Undoing, own: int, _now: datetime) -> None:
    """The parties of changed certificates, but for those that were corrected by hand since; and of those that are back."""
    heads = select(Certificate.id).where(of.restorable_heads())
    session.execute(delete(Party).where(Party.certificate_id.in_(heads), of.untouched(Party)), execution_options=_QUIET)
    back = select(CertificateImage.certificate_id).where(CertificateImage.batch_id == own, CertificateImage.deed == Deed.ADDED)
    then = aliased(CertificateImage)
    record = {record.key: getattr(PartyImage, column) for column, record in OF_PARTY.items() if column != "party_id"} | {"certificate_id": Certificate.id}
    there = aliased(Party)
    stays = select(there.id).where(there.certificate_id == Certificate.id, there.role == PartyImage.role)
    home = and_(then.batch_id == of.batch_id, then.certificate_id == PartyImage.certificate_id, then.contract_key == Certificate.contract_key)
    chosen = and_(PartyImage.batch_id == of.batch_id, home, or_(Certificate.id.in_(heads), Certificate.id.in_(back)), ~stays.exists())
    session.execute(insert(Party).from_select(list(record), select(*record.values()).where(chosen), include_defaults=False))


def change_heads_back(session: Session, of: Undoing, own: int, now: datetime) -> None:
    """The certificates themselves; every one that was touched was changed now."""
    values = {record.key: getattr(CertificateImage, column) for column, record in OF_CERTIFICATE.items() if column not in ("certificate_id", "contract_key")}
    session.execute(update(Certificate).where(of.restorable_heads()).values(values), execution_options=_QUIET)
    touched = _touched(own)
    session.execute(update(Certificate).where(Certificate.id.in_(touched)).values(updated_at=now), execution_options=_QUIET)


Step = Callable[[Session, Undoing, int, datetime], None]
STEPS: tuple[Step, ...] = (
    keep_images,
    put_certificates_back,
    put_lines_back,
    remove_added,
    change_lines_back,
    change_parties_back,
    change_heads_back,
)
"""The way back, in order; each gets the batch that is undone and the id of the undoing one."""


def _touched(own: int) -> AnySelect:
    """The certificates of which this undo holds an image."""
    return select(CertificateImage.certificate_id).where(CertificateImage.batch_id == own)


def _copy_images(session: Session, table: type[LineImage] | type[CertificateImage], columns: Sequence[str], own: int, chosen: ColumnElement[bool]) -> None:
    """What comes back gets an image of its own, made of the one that it comes back from."""
    copied = select(literal(own, Integer), literal(Deed.ADDED.value, String), *(getattr(table, name) for name in columns)).where(chosen)
    session.execute(insert(table).from_select(["batch_id", "deed", *columns], copied, include_defaults=False))


def _insert_again(session: Session, table: type[Base], record: dict[str, Any], chosen: ColumnElement[bool], there: ColumnElement[bool]) -> None:
    """Insert what is not there: under its old id where that is free (an embedded database may have given it away), else under a new one."""
    held = table.__table__.alias("held")
    taken = select(held.c.id).where(held.c.id == record["id"]).exists()
    for names, condition in ((list(record), ~taken), ([name for name in record if name != "id"], literal(value=True))):
        rows = select(*(record[name] for name in names)).where(chosen, ~there, condition)
        session.execute(insert(table).from_select(names, rows, include_defaults=False))


def _record_certificates(session: Session, own: int, by: Actor, now: datetime) -> None:
    told = select(
        literal(now, Moment),
        literal(by.kind, String),
        literal(by.id, Integer) if by.id is not None else null(),
        literal(by.name, String),
        literal("undo", String),
        literal("certificate", String),
        CertificateImage.certificate_id,
        CertificateImage.contract_key,
        literal({"batch": own}, JSON),
        literal(by.client, String),
    ).where(CertificateImage.batch_id == own)
    columns = ("at", "actor_kind", "actor_id", "actor_name", "act", "subject_kind", "subject_id", "subject_name", "facts", "client")
    session.execute(insert(JournalEntry).from_select(columns, told.order_by(CertificateImage.id), include_defaults=False))
