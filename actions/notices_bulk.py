"""The letter of a bulk change to a colleague: one for all tickets, however many they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.letters import Draft, worded, write_letters
from mail.desk import Desk
from models.actors import Actor
from models.people import Staff
from models.tickets import Ticket

_MOST_LINES = 50


def assigned_many(session: Session, tickets: Sequence[Ticket], staff_id: int, *, cause: str, by: Actor, desk: Desk, now: datetime) -> None:
    """割り当て of several tickets: tell the new assignee once."""
    email = session.scalar(select(Staff.email).where(Staff.id == staff_id, Staff.active))
    shown = [{"id": ticket.id, "subject": ticket.subject} for ticket in tickets[:_MOST_LINES]]
    text = worded(session, "staff_assigned_many", desk=desk, by=by.name, tickets=shown, count=len(tickets), more=len(tickets) - len(shown))
    write_letters(session, [Draft("staff_assigned_many", f"staff_assigned_many:{cause}", text, [email] if email else [])], desk=desk, now=now)
