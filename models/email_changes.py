"""保守登録メール変更: the requests with their evidence, and the selects of the queue and of what hangs on an address."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, String, Text, and_, func, or_, select
from sqlalchemy.orm import Mapped, Session

from models.base import NEVER_REUSED, AnyRow, AnySelect, Base, mapped_column, words
from models.contracts import Certificate, Party
from models.people import Account, AccountState
from models.tickets import Attachment, Ticket
from rules.email_changes import ChangeState, Received
from rules.text import fold

SHOWN = 50


class EmailChange(Base):
    """One request: old → new on all certificates with the old address, but for the parties in `left_out`.

    `choices` holds what becomes of each account, by its id; `seen` the fingerprint of the impact that was reviewed; `before` what applying replaced.
    """

    __tablename__ = "email_change"
    __table_args__ = (
        Index("ix_email_change_due", "pending", "due_on", "id"),
        Index("ix_email_change_old", "old_key"),
        NEVER_REUSED,
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[ChangeState] = mapped_column(words(ChangeState, 20), default=ChangeState.RECEIVED)
    pending: Mapped[bool] = mapped_column(default=True)
    """Whether it still waits for somebody: one column, so that the queue walks one index."""
    received: Mapped[Received] = mapped_column(words(Received, 10))
    received_on: Mapped[date]
    """The Tokyo date of receipt, which never counts."""
    due_on: Mapped[date]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    """The account that asked in the portal."""
    requester_company: Mapped[str] = mapped_column(String(200), default="")
    requester_name: Mapped[str] = mapped_column(String(100), default="")
    requester_email: Mapped[str] = mapped_column(String(254), default="")
    """Where answers go, "" where only the telephone is left."""
    old_email: Mapped[str] = mapped_column(String(254))
    old_key: Mapped[str] = mapped_column(String(254))
    new_email: Mapped[str] = mapped_column(String(254))
    new_key: Mapped[str] = mapped_column(String(254), index=True)
    body: Mapped[str] = mapped_column(Text, default="")
    left_out: Mapped[list[int]]
    choices: Mapped[dict[str, Any]]
    seen: Mapped[str] = mapped_column(String(64), default="")
    before: Mapped[dict[str, Any]]
    recorded_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), index=True)
    reviewed_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), index=True)
    decided_by: Mapped[str] = mapped_column(String(100), default="")
    """Who moved it last, by name."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    applied_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class EmailChangeFile(Base):
    """A file that proves the request (the mail, a note of the call)."""

    __tablename__ = "email_change_file"
    id: Mapped[int] = mapped_column(primary_key=True)
    change_id: Mapped[int] = mapped_column(ForeignKey("email_change.id"), index=True)
    attachment_id: Mapped[int] = mapped_column(ForeignKey("attachment.id"), unique=True)


@dataclass(frozen=True)
class DuePlace:
    """A row's place in the queue."""

    due_on: date
    id: int


@dataclass(frozen=True)
class DueSheet:
    """One page of the queue, what is due first on top."""

    rows: Sequence[AnyRow]
    earlier: bool
    later: bool


_CHANGES: AnySelect = select(
    EmailChange.id,
    EmailChange.state,
    EmailChange.pending,
    EmailChange.received,
    EmailChange.received_on,
    EmailChange.due_on,
    EmailChange.requester_company,
    EmailChange.requester_name,
    EmailChange.old_email,
    EmailChange.new_email,
    EmailChange.decided_by,
    EmailChange.updated_at,
)


def change_list(session: Session, *, pending: bool | None, text: str, after: DuePlace | None, before: DuePlace | None, limit: int) -> DueSheet:
    """The queue by due date; `pending` None shows all. A search looks into addresses, companies and names."""
    statement = _CHANGES if pending is None else _CHANGES.where(EmailChange.pending.is_(pending))
    if text:
        statement = statement.where(_holds(text))
    here = (EmailChange.due_on, EmailChange.id)
    if before is not None:
        backwards = statement.where(_below(before)).order_by(*(column.desc() for column in here))
        rows = session.execute(backwards.limit(limit + 1)).all()
        return DueSheet(rows[:limit][::-1], earlier=len(rows) > limit, later=True)
    if after is not None:
        statement = statement.where(_above(after))
    rows = session.execute(statement.order_by(*here).limit(limit + 1)).all()
    return DueSheet(rows[:limit], earlier=after is not None, later=len(rows) > limit)


def changes_of_account(session: Session, account_id: int) -> Sequence[AnyRow]:
    """What an account asked for, the newest first."""
    return session.execute(_CHANGES.where(EmailChange.account_id == account_id).order_by(EmailChange.id.desc()).limit(SHOWN)).all()


def other_changes(session: Session, change: EmailChange) -> Sequence[AnyRow]:
    """Other requests about the old or the new address, the newest first."""
    keys = [change.old_key, change.new_key]
    statement = _CHANGES.where(EmailChange.id != change.id, or_(EmailChange.old_key.in_(keys), EmailChange.new_key.in_(keys)))
    return session.execute(statement.order_by(EmailChange.id.desc()).limit(10)).all()


def pending_change(session: Session, account_id: int, old_key: str) -> int | None:
    """The number of the account's open request about the address, if there is one."""
    statement = select(EmailChange.id).where(EmailChange.account_id == account_id, EmailChange.old_key == old_key, EmailChange.pending)
    return session.scalars(statement.limit(1)).first()


def evidence(session: Session, change_id: int) -> Sequence[AnyRow]:
    """The files of a request: token, name, size."""
    statement = select(Attachment.token, Attachment.name, Attachment.size).join(EmailChangeFile, EmailChangeFile.attachment_id == Attachment.id)
    return session.execute(statement.where(EmailChangeFile.change_id == change_id).order_by(Attachment.id)).all()


def evidence_file(session: Session, change_id: int, token: str) -> Attachment | None:
    """One file of a request."""
    statement = select(Attachment).join(EmailChangeFile, EmailChangeFile.attachment_id == Attachment.id)
    return session.scalars(statement.where(EmailChangeFile.change_id == change_id, Attachment.token == token)).one_or_none()


def parties_with(session: Session, email_key: str) -> Sequence[AnyRow]:
    """Every party with the address: id, certificate_id, contract_key, issued_on, role, name, email; the newest certificates first."""
    statement = select(Party.id, Party.certificate_id, Certificate.contract_key, Certificate.issued_on, Party.role, Party.name, Party.email)
    statement = statement.join(Certificate, Certificate.id == Party.certificate_id).where(Party.email_key == email_key)
    return session.execute(statement.order_by(Certificate.issued_on.desc(), Certificate.id.desc(), Party.role)).all()


def accounts_with(session: Session, email_key: str) -> Sequence[Account]:
    """Every account that hangs on the address."""
    statement = select(Account).where(Account.maintenance_email_key == email_key, Account.state != AccountState.ERASED)
    return session.scalars(statement.order_by(Account.id)).all()


def open_tickets(session: Session, account_ids: Collection[int]) -> dict[int, int]:
    """How many unresolved tickets each account has."""
    statement = (
        select(Ticket.account_id, func.count().label("tickets")).where(Ticket.account_id.in_(account_ids), Ticket.unresolved).group_by(Ticket.account_id)
    )
    return {row.account_id or 0: row.tickets for row in session.execute(statement)}


def is_known(session: Session, email_key: str) -> bool:
    """Whether the address stands on a certificate or an account hangs on it."""
    on_party = select(Party.id).where(Party.email_key == email_key).exists()
    of_account = select(Account.id).where(Account.maintenance_email_key == email_key).exists()
    return bool(session.scalar(select(on_party | of_account)))


def own_addresses(session: Session, keys: Collection[str]) -> frozenset[str]:
    """Those of `keys` that are an account's own e-mail: the only maintenance e-mails that ever get a letter."""
    return frozenset(session.scalars(select(Account.email_key).where(Account.email_key.in_(keys), Account.state == AccountState.ACTIVE)))


def _holds(text: str) -> ColumnElement[bool]:
    folded = fold(text).lower()
    columns = (EmailChange.old_key, EmailChange.new_key, EmailChange.requester_company, EmailChange.requester_name)
    return or_(*(func.lower(column).contains(folded, autoescape=True) for column in columns))


def _above(place: DuePlace) -> ColumnElement[bool]:
    return or_(EmailChange.due_on > place.due_on, and_(EmailChange.due_on == place.due_on, EmailChange.id > place.id))


def _below(place: DuePlace) -> ColumnElement[bool]:
    return or_(EmailChange.due_on < place.due_on, and_(EmailChange.due_on == place.due_on, EmailChange.id < place.id))
