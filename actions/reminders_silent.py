"""Customers who do not answer: reminded, told of the end, closed; and resolved tickets that end by themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session, aliased

from actions import notices_reminders as notices
from actions import tickets
from actions.reminders import note
from mail.desk import Desk
from models.actors import SYSTEM
from models.base import AnyRow
from models.outbox import Letter, ReturnedKind, ReturnedMail
from models.reminders import Reminder
from models.tickets import Message, MessageKind, Ticket
from rules.calendar import BusinessCalendar, tokyo_date
from rules.limits import Limits
from rules.reminders import Kind, Outcome, Silence, silence_step
from rules.tickets import State

_STEPS = (Kind.SILENT_REMINDER, Kind.SILENT_NOTICE, Kind.SILENT_CLOSED)


@dataclass(frozen=True)
class Batch:
    """What one transaction did: counts by kind, and the number of the last ticket looked at (None: there were no more)."""

    counts: Counter[str]
    last: int | None


def remind_the_silent(
    session: Session,
    *,
    after: int,
    active: Collection[Kind],
    calendar: BusinessCalendar,
    desk: Desk,
    limits: Limits,
    now: datetime,
    limit: int = 200,
) -> Batch:
    """Look at up to `limit` tickets that wait for their customer, from the number `after` on, and do what their silence asks for.

    Silence begins with our last published post, or with the state when staff set it later. It is none when the customer wrote last, be it a mail
    that answered one of our letters. A ticket that belongs to no account is left to the staff: nobody could be told before it is closed.
    """
    rows = _waiting(session, after, now, limit)
    given = _given(session, rows)
    counts: Counter[str] = Counter()
    for row in rows:
        if row.kind != MessageKind.ANSWER:
            continue
        since = tokyo_date(max(row.published_at, row.state_from))
        causes = {kind: _cause(kind, row) for kind in _STEPS}
        noticed = given.get(causes[Kind.SILENT_NOTICE])
        silence = Silence(since, causes[Kind.SILENT_REMINDER] in given, tokyo_date(noticed) if noticed else None)
        step = silence_step(silence, tokyo_date(now), calendar=calendar, limits=limits, active=active)
        if step is None or (ticket := _still_silent(session, row)) is None:
            continue
        if note(session, step, [causes[step]], Outcome.TOLD, ticket_id=row.id, now=now):
            _take(session, step, ticket, silence, calendar=calendar, desk=desk, limits=limits, now=now)
            counts[step.value] += 1
            if step is not Kind.SILENT_REMINDER and not silence.reminded and Kind.SILENT_REMINDER in active:
                note(session, Kind.SILENT_REMINDER, [causes[Kind.SILENT_REMINDER]], Outcome.DROPPED, ticket_id=row.id, now=now)
    return Batch(counts, rows[-1].id if len(rows) == limit else None)


def close_resolved(session: Session, *, after: int, calendar: BusinessCalendar, limits: Limits, now: datetime, limit: int = 200) -> Batch:
    """End tickets that were resolved `limits.resolved_close_days` business days ago and that nobody took up again."""
    # The day itself never counts: whatever was resolved on a closed day has waited since the business day before it.
    before = calendar.add_business_days(tokyo_date(now), 1 - limits.resolved_close_days).day
    statement = select(Ticket).where(Ticket.state == State.RESOLVED, Ticket.state_from <= now, Ticket.merged_into_id.is_(None), Ticket.id > after)
    rows = session.scalars(statement.order_by(Ticket.id).limit(limit).with_for_update()).all()
    counts: Counter[str] = Counter()
    for ticket in rows:
        if ticket.resolved_at and tokyo_date(ticket.resolved_at) < before and calendar.is_business_day(tokyo_date(now)):
            tickets.change_state(session, ticket, State.CLOSED, by=SYSTEM, calendar=calendar, now=now)
            counts["closed"] += 1
    return Batch(counts, rows[-1].id if len(rows) == limit else None)


def _waiting(session: Session, after: int, now: datetime, limit: int) -> Sequence[AnyRow]:
    """Tickets that wait for their customer with their last post that is no note: id, state_from, message_id, kind, published_at."""
    post = aliased(Message)
    newest = (
        select(func.max(post.id))
        .where(post.ticket_id == Ticket.id, post.kind != MessageKind.NOTE, post.published_at <= now)
        .correlate(Ticket)
        .scalar_subquery()
    )
    statement = (
        select(Ticket.id, Ticket.state_from, Message.id.label("message_id"), Message.kind, Message.published_at)
        .join(Message, Message.id == newest)
        .where(Ticket.state == State.WAITING_CUSTOMER, Ticket.state_from <= now, Ticket.account_id.is_not(None), Ticket.merged_into_id.is_(None))
        .where(Ticket.id > after, ~_mailed())
    )
    return session.execute(statement.order_by(Ticket.id).limit(limit)).all()


def _mailed() -> ColumnElement[bool]:
    """Whether a person's mail came since then: in answer to a letter to the customer, or shown on the ticket by staff."""
    answered = exists(select(Letter.id).where(Letter.id == ReturnedMail.letter_id, Letter.account_id.is_not(None)))
    mail = select(ReturnedMail.id).where(ReturnedMail.ticket_id == Ticket.id, ReturnedMail.kind == ReturnedKind.REPLY)
    since = mail.where(ReturnedMail.at >= Message.published_at, ReturnedMail.at >= Ticket.state_from, answered | ReturnedMail.settled_at.is_not(None))
    return exists(since.correlate(Ticket, Message))


def _given(session: Session, rows: Sequence[AnyRow]) -> Mapping[str, datetime]:
    """When each step of these tickets was taken, by its cause."""
    statement = select(Reminder.cause, Reminder.at).where(Reminder.ticket_id.in_([row.id for row in rows]), Reminder.kind.in_(_STEPS))
    return {row.cause: row.at for row in session.execute(statement)}


def _cause(kind: Kind, row: AnyRow) -> str:
    """A silence is the one after a post: another answer begins another."""
    return f"{kind}:{row.id}:{row.message_id}"


def _still_silent(session: Session, row: AnyRow) -> Ticket | None:
    """The ticket, held until this transaction ends; None when somebody wrote or moved it after the look, which no lock kept from doing so."""
    ticket = tickets.ticket_for_staff(session, row.id, change=True)
    if ticket.state != State.WAITING_CUSTOMER or ticket.state_from != row.state_from or ticket.account_id is None or ticket.merged_into_id is not None:
        return None
    later = select(Message.id).where(Message.ticket_id == row.id, Message.id > row.message_id, Message.kind != MessageKind.NOTE)
    return None if session.execute(later.limit(1)).first() else ticket


def _take(session: Session, step: Kind, ticket: Ticket, silence: Silence, *, calendar: BusinessCalendar, desk: Desk, limits: Limits, now: datetime) -> None:
    if step is Kind.SILENT_CLOSED:
        tickets.change_state(session, ticket, State.CLOSED, by=SYSTEM, calendar=calendar, now=now)
    apart = limits.silent_close_days - limits.silent_notice_days
    closes_on = calendar.add_business_days(silence.since, limits.silent_close_days).day
    if step is Kind.SILENT_NOTICE:
        closes_on = max(closes_on, calendar.add_business_days(tokyo_date(now), apart).day)
    notices.silent(session, step, ticket, since=silence.since, closes_on=closes_on, now=now, desk=desk)
