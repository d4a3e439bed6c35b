"""What one account may open in a day and keep in files: enough for any company, and an end for a runaway script."""

from __future__ import annotations

from datetime import datetime, time

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.actors import Actor, Customer
from models.tickets import Attachment, Message, Ticket
from rules.calendar import TOKYO, tokyo_date
from rules.limits import Limits
from rules.refusal import Refused


def check_tickets(session: Session, account_id: int, *, limits: Limits, now: datetime) -> None:
    """Refuse tickets_today when the account opened `limits.account_tickets_per_day` tickets today (Tokyo's day)."""
    newest = select(Ticket.created_at).where(Ticket.account_id == account_id).order_by(Ticket.id.desc())
    # The N-th newest ticket says it in one look, without counting the others.
    nth = session.execute(newest.offset(max(limits.account_tickets_per_day - 1, 0)).limit(1)).scalar_one_or_none()
    if nth is not None and nth >= datetime.combine(tokyo_date(now), time(), TOKYO):
        raise Refused("tickets_today")


def check_files(session: Session, by: Actor, *, limits: Limits) -> None:
    """Refuse at files account_files_full(max) when the files of the customer `by`, those just taken among them, pass `limits.account_bytes`."""
    if not isinstance(by, Customer) or not limits.account_bytes:
        return
    kept = (
        select(func.coalesce(func.sum(Attachment.size), 0))
        .join(Message, Message.id == Attachment.message_id)
        .join(Ticket, Ticket.id == Message.ticket_id)
        .where(Ticket.account_id == by.id)
    )
    if (session.scalar(kept) or 0) > limits.account_bytes:
        raise Refused("account_files_full", "files", max=round(limits.account_bytes / 1024**3, 1))
