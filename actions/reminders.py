"""Reminders of answers that are owed, near their deadline and past it; and the record that keeps every reminder to once for each cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.orm import Session

from actions import notices_reminders as notices
from mail.desk import Desk
from models.database import insert_on_conflict
from models.due import near
from models.reminders import Reminder
from models.tickets import Ticket
from rules.calendar import BusinessCalendar
from rules.reminders import Kind, Outcome, answer_kind, near_edges
from rules.tickets import State, clock_runs

_BEFORE_FIRST = [state for state in State if clock_runs(state, answered=False)]
_AFTER_FIRST = [state for state in State if clock_runs(state, answered=True)]
_ROWS_AT_ONCE = 500


def remind_of_answers(
    session: Session, *, active: Collection[Kind], calendar: BusinessCalendar, desk: Desk, now: datetime, limit: int = 200
) -> Counter[Outcome]:
    """Tell staff of tickets whose first or next answer is near its deadline or past it; how many reminders ended how.

    Near goes to the assignee (without one to the queue's staff), past to them and to the leads. A deadline is counted in business hours
    (`Ticket.due_at`), so it only ever comes near or passes in them. An answer that waits for its publication has been given. One reminder of
    a kind for each answer that is owed; a near one that was slept through is dropped for the past one. At most `limit` in one transaction.
    """
    told: Counter[Outcome] = Counter()
    near_or_past = near(near_edges(calendar, now))
    for first in (True, False):
        for overdue in (True, False):
            kind = answer_kind(first=first, overdue=overdue)
            # A near reminder is of use only while there is time left.
            due = Ticket.due_at <= now if overdue else and_(near_or_past, Ticket.due_at > now)
            if kind in active and told.total() < limit:
                told += _remind(session, kind, _owed(first) & due, limit - told.total(), desk=desk, now=now)
    return told


def _owed(first: bool) -> ColumnElement[bool]:
    """Tickets that owe their first, or a next answer."""
    answered = Ticket.first_answer_at.is_(None) if first else Ticket.first_answer_at.is_not(None)
    return and_(Ticket.unresolved, Ticket.state.in_(_BEFORE_FIRST if first else _AFTER_FIRST), Ticket.merged_into_id.is_(None), answered)


def _remind(session: Session, kind: Kind, due: ColumnElement[bool], limit: int, *, desk: Desk, now: datetime) -> Counter[Outcome]:
    first = kind in (Kind.FIRST_ANSWER_NEAR, Kind.FIRST_ANSWER_OVERDUE)
    given = and_(Reminder.ticket_id == Ticket.id, Reminder.kind == kind)
    if not first:
        given = and_(given, Reminder.since == Ticket.owed_since)
    told: Counter[Outcome] = Counter()
    for ticket in session.scalars(select(Ticket).where(due, ~exists(select(Reminder.id).where(given))).order_by(Ticket.due_at, Ticket.id).limit(limit)):
        since = None if first else ticket.owed_since
        cause = f"{kind}:{ticket.id}" if since is None else f"{kind}:{ticket.id}:{since.isoformat()}"
        reached = notices.answer_due(session, kind, ticket, cause=cause, desk=desk, now=now)
        outcome = Outcome.TOLD if reached else Outcome.NOBODY
        if note(session, kind, [cause], outcome, ticket_id=ticket.id, since=since, now=now):
            told[outcome] += 1
    return told


def note(
    session: Session, kind: Kind, causes: Sequence[str], outcome: Outcome, *, ticket_id: int | None = None, since: datetime | None = None, now: datetime
) -> set[str]:
    """Note that reminders of `kind` were due; the causes among them that were not noted before."""
    shared = {"kind": kind.value, "outcome": outcome, "ticket_id": ticket_id, "since": since, "at": now}
    fresh: set[str] = set()
    for begin in range(0, len(causes), _ROWS_AT_ONCE):
        rows = [{**shared, "cause": cause} for cause in causes[begin : begin + _ROWS_AT_ONCE]]
        statement = insert_on_conflict(session, Reminder).values(rows).on_conflict_do_nothing(index_elements=["cause"])
        fresh |= set(session.scalars(statement.returning(Reminder.cause)))
    return fresh
