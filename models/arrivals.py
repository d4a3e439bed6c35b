"""What came into a list since it was drawn, counted for the price of the few tickets that changed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.queue import COUNTED, Wanted, conditions_of
from models.tickets import Ticket

_LATEST = 500
"""Changes that are looked at: more than these is more than is counted anyway."""


def count_arrivals(session: Session, wanted: Wanted, since: datetime, *, counted: int = COUNTED) -> int:
    """How many tickets of the list changed after `since`, up to `counted`: one statement that walks the index of changes."""
    latest = select(Ticket.id).where(Ticket.updated_at > since).order_by(Ticket.updated_at.desc(), Ticket.id.desc()).limit(_LATEST).subquery()
    some = select(Ticket.id).join(latest, latest.c.id == Ticket.id).where(*conditions_of(wanted)).limit(counted).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0
