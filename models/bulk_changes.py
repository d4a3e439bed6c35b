"""まとめて操作: what was done to many tickets at once, to which of them, and how each was before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint, func, or_, select
from sqlalchemy.orm import Mapped, Session

from models.base import AnyRow, Base, mapped_column
from models.masters import Category, ProductFamily
from models.people import Account, QueueMember
from models.tickets import Message, Ticket


class BulkChange(Base):
    """One act on many tickets. `submission` is the form's own token: the same form posted twice is one act."""

    __tablename__ = "bulk_change"
    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    staff_name: Mapped[str] = mapped_column(String(100))
    act: Mapped[str] = mapped_column(String(20))
    """A key of `actions.bulk_changes.ACTS`."""
    facts: Mapped[dict[str, Any]]
    """What was chosen, as the journal tells it; of a macro what became of its text too (`post`)."""
    submission: Mapped[str] = mapped_column(String(64), unique=True)
    at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


class BulkChangeTicket(Base):
    """What became of one ticket: `refusal` and its `facts` where nothing was changed, else `before` and the version that was left."""

    __tablename__ = "bulk_change_ticket"
    __table_args__ = (UniqueConstraint("change_id", "ticket_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    change_id: Mapped[int] = mapped_column(ForeignKey("bulk_change.id"))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    refusal: Mapped[str] = mapped_column(String(40), default="")
    facts: Mapped[dict[str, Any]]
    before: Mapped[dict[str, Any]]
    version: Mapped[int]
    message_id: Mapped[int | None]
    """The answer that was written; it is gone once it was withdrawn."""
    undone: Mapped[str] = mapped_column(String(40), default="")
    """`undone`, or why it was not: a refusal's code."""


def tickets_to_change(session: Session, ids: Iterable[int]) -> Sequence[AnyRow]:
    """Tickets by their numbers: id, subject, company_name, email, cc, state, priority, assignee_id, family_id, version, newest (message).

    And what a canned text takes its words from: person_name, family, category (with its id), contract_text, serial_text, model, os_version.
    """
    newest = select(func.max(Message.id)).where(Message.ticket_id == Ticket.id).scalar_subquery()
    columns = (
        *(Ticket.id, Ticket.subject, Account.company_name, Account.email, Ticket.cc, Ticket.state, Ticket.priority),
        *(Ticket.assignee_id, Ticket.family_id, Ticket.version, Ticket.updated_at, newest.label("newest")),
        *(Account.person_name, ProductFamily.name.label("family"), Ticket.category_id, Category.name.label("category")),
        *(Ticket.contract_text, Ticket.serial_text, Ticket.model, Ticket.os_version),
    )
    statement = select(*columns).outerjoin(Account, Account.id == Ticket.account_id).where(Ticket.id.in_([*ids]))
    statement = statement.join(ProductFamily, ProductFamily.id == Ticket.family_id).join(Category, Category.id == Ticket.category_id)
    return session.execute(statement.order_by(Ticket.id)).all()


def changed_tickets(session: Session, change_id: int) -> Sequence[AnyRow]:
    """What became of each: ticket_id, subject, company_name, state, refusal, facts, undone; what failed first."""
    row = BulkChangeTicket
    columns = (row.ticket_id, Ticket.subject, Account.company_name, Ticket.state, row.refusal, row.facts, row.undone)
    statement = select(*columns).join(Ticket, Ticket.id == row.ticket_id).outerjoin(Account, Account.id == Ticket.account_id)
    return session.execute(statement.where(row.change_id == change_id).order_by(row.refusal == "", row.ticket_id)).all()


def queues_of(session: Session, staff_id: int) -> frozenset[int]:
    """The families whose queue a staff member belongs to; one without members is everybody's, as with the letters."""
    members = select(QueueMember.id).where(QueueMember.family_id == ProductFamily.id)
    mine = members.where(QueueMember.staff_id == staff_id)
    return frozenset(session.scalars(select(ProductFamily.id).where(or_(mine.exists(), ~members.exists()))))
