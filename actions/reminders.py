"""Reminders: which are due, written once for each cause."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, cast, exists, literal, select
from sqlalchemy.orm import Session

from actions import notices
from mail.desk import Desk
from models.database import insert_on_conflict
from models.outbox import Reminder
from models.tickets import Ticket
from rules.limits import Limits
from rules.tickets import State, clock_runs

FIRST_ANSWER_OVERDUE = "first_answer_overdue"
_RUNNING = [state for state in State if clock_runs(state, answered=False)]


def remind_of_first_answers(session: Session, *, desk: Desk, limits: Limits, now: datetime, limit: int = 200) -> tuple[int, int]:
    """Tell the queues' staff of tickets whose first answer is past its deadline: (reminders written, those nobody could be told of).

    A deadline is counted in business hours (`Ticket.due_at`), so it only ever passes in them. An answer that waits for its
    publication has been given. One reminder a ticket for ever; at most `limit` in one transaction.
    """
    cause = literal(f"{FIRST_ANSWER_OVERDUE}:") + cast(Ticket.id, String)
    reminded = exists(select(Reminder.id).where(Reminder.cause == cause))
    overdue = select(Ticket).where(
        Ticket.unresolved, Ticket.due_at <= now, Ticket.first_answer_at.is_(None), Ticket.state.in_(_RUNNING), Ticket.merged_into_id.is_(None), ~reminded
    )
    told = alone = 0
    for ticket in session.scalars(overdue.order_by(Ticket.due_at, Ticket.id).limit(limit)):
        if not _first_time(session, FIRST_ANSWER_OVERDUE, f"{FIRST_ANSWER_OVERDUE}:{ticket.id}", now):
            continue
        if notices.first_answer_overdue(session, ticket, desk=desk, limits=limits, now=now):
            told += 1
        else:
            alone += 1
    return told, alone


def _first_time(session: Session, kind: str, cause: str, now: datetime) -> bool:
    """Note the reminder; False when it was given before."""
    statement = insert_on_conflict(session, Reminder).values(kind=kind, cause=cause, at=now).on_conflict_do_nothing(index_elements=["cause"])
    return session.execute(statement.returning(Reminder.id)).first() is not None
