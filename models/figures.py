"""What a ticket's time came to, worked out by a job: business time cannot be summed where it is not kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, func, select
from sqlalchemy.orm import Mapped, Session

from models.base import AnyRow, AnySelect, Base, mapped_column
from models.journal import JournalEntry
from models.tickets import Ticket

_OVERLAP = timedelta(minutes=10)
"""How far back a look goes beyond the last one: longer than any transaction that wrote a ticket takes to end."""
_LATE = 500
"""The same for numbers."""


class TicketFigures(Base):
    """Business seconds by the ticket's calendar; None: not yet, or no longer."""

    __tablename__ = "ticket_figures"
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True, autoincrement=False)
    read_at: Mapped[datetime] = mapped_column(index=True)
    """The ticket's `updated_at` when it was looked at."""
    first_answer: Mapped[int | None]
    first_in_time: Mapped[bool | None]
    """By the target of its priority then; the time in which its clock stood is left out."""
    resolution: Mapped[int | None]
    resolution_in_time: Mapped[bool | None]
    """None also where the calendar names no target."""
    waited_customer: Mapped[int] = mapped_column(default=0)
    """All waits that are over, as the next two."""
    waited_vendor: Mapped[int] = mapped_column(default=0)
    waited_center: Mapped[int] = mapped_column(default=0)


_COLUMNS = (
    Ticket.id,
    Ticket.created_at,
    Ticket.updated_at,
    Ticket.state_from,
    Ticket.first_answer_at,
    Ticket.resolved_at,
    Ticket.priority,
    Ticket.calendar_id,
)


def changed_tickets(session: Session, *, limit: int) -> Sequence[AnyRow]:
    """Up to `limit` tickets that changed since they were looked at, the longest ago first."""
    last = session.scalar(select(func.max(TicketFigures.read_at)))
    if last is None:
        return []
    statement: AnySelect = select(*_COLUMNS).join(TicketFigures, TicketFigures.ticket_id == Ticket.id)
    statement = statement.where(Ticket.updated_at >= last - _OVERLAP, TicketFigures.read_at != Ticket.updated_at)
    return session.execute(statement.order_by(Ticket.updated_at, Ticket.id).limit(limit)).all()


def new_tickets(session: Session, *, limit: int) -> Sequence[AnyRow]:
    """Up to `limit` tickets that were never looked at, by their number."""
    last = session.scalar(select(func.max(TicketFigures.ticket_id))) or 0
    # A number may be seen later than a higher one: its transaction took longer.
    unseen = TicketFigures.ticket_id.is_(None)
    statement: AnySelect = select(*_COLUMNS).outerjoin(TicketFigures, TicketFigures.ticket_id == Ticket.id).where(Ticket.id > last - _LATE, unseen)
    return session.execute(statement.order_by(Ticket.id).limit(limit)).all()


def state_changes(session: Session, tickets: Sequence[int]) -> Sequence[AnyRow]:
    """What the journal knows of the tickets' states: subject_id, at, act, facts, in order."""
    entry = JournalEntry
    statement: AnySelect = select(entry.subject_id, entry.at, entry.act, entry.facts).where(entry.subject_kind == "ticket", entry.subject_id.in_(tickets))
    return session.execute(statement.order_by(entry.subject_id, entry.id)).all()
