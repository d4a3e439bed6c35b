"""Tickets: opening, answering, noting, assigning, changing state; what undoing an answer takes back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from actions import journal, notices, quotas
from actions.attachments import give_back, take_files
from actions.clock import change_target, end_clock, follow_state, start_clock
from actions.drafts import put_back
from actions.openings import Opening, new_ticket
from actions.ticket_snapshots import snapshot, take_back
from mail.desk import Desk
from models.actors import Actor, Customer, StaffMember
from models.held import Held
from models.kept import Kept
from models.people import Account, names_to_assign
from models.presence import drop_draft
from models.reading import unseen_posts
from models.tickets import Message, MessageKind, Ticket
from rules.calendar import BusinessCalendar
from rules.limits import Limits
from rules.refusal import Refused
from rules.tickets import ENDED, Priority, State, after_answer, after_assignment, after_customer_post, check_move, check_post, takes_posts

_LARGEST_ID = 2**31 - 1
_INSERT_MESSAGE = Kept(insert(Message).returning(Message.id))
_HELD = Held(Ticket)


class NoTicket(LookupError):
    """There is no such ticket, or not for this person: the same answer."""


def open_ticket(
    session: Session,
    opening: Opening,
    *,
    files: Sequence[int] = (),
    submission: str,
    follows: Ticket | None = None,
    by: Customer,
    desk: Desk,
    limits: Limits,
    calendar: BusinessCalendar,
    now: datetime,
) -> Ticket:
    """Open a ticket for the account of `by` and write its letters; the same `submission` again returns the ticket it made.

    Refuses: tickets_today; at files what `take_files` does. The contract never blocks: what it is worth is kept as the opening verdict.
    """
    posted = already_posted(session, submission)
    if posted is not None:
        return session.get_one(Ticket, posted.ticket_id)
    account = session.get_one(Account, by.id)
    quotas.check_tickets(session, account.id, limits=limits, now=now)
    ticket = new_ticket(session, opening, account, follows=follows, calendar=calendar, now=now)
    message = add_message(session, ticket, MessageKind.CUSTOMER, opening.body, submission=submission, by=by, published_at=now, now=now)
    taken = take_files(session, files, message, by=by, limits=limits)
    journal.record(session, "open", "ticket", ticket.id, by=by, now=now, subject_name=ticket.subject, follows=ticket.follows_id)
    notices.ticket_opened(session, ticket, message, files=taken, desk=desk, limits=limits, calendar=calendar, now=now)
    return ticket


def reply(
    session: Session,
    ticket: Ticket,
    body: str,
    *,
    files: Sequence[int] = (),
    submission: str,
    by: Customer,
    desk: Desk,
    limits: Limits,
    calendar: BusinessCalendar,
    now: datetime,
) -> Ticket:
    """The customer's post. Returns the ticket that took it: this one, the one it was merged into, or the follow-up that a closed one opens.

    Refuses: body_empty, text_long, files_gone, post_large. Raises NoTicket where the posts are another account's by now.
    """
    posted = already_posted(session, submission)
    if posted is not None:
        return session.get_one(Ticket, posted.ticket_id)
    check_post(body, has_files=bool(files), body_characters=limits.body_characters)
    while ticket.merged_into_id is not None:
        ticket = ticket_for_customer(session, ticket.merged_into_id, by=by, change=True)
    if not takes_posts(shown_state(ticket, now)) or not takes_posts(ticket.state):
        return _follow_up(session, ticket, body, files=files, submission=submission, by=by, desk=desk, limits=limits, calendar=calendar, now=now)
    message = add_message(session, ticket, MessageKind.CUSTOMER, body, submission=submission, by=by, published_at=now, now=now)
    taken = take_files(session, files, message, by=by, limits=limits)
    before = ticket.state
    set_state(ticket, after_customer_post(ticket.state), since=now, now=now)
    start_clock(ticket, calendar, now)
    touch(ticket, now)
    _HELD.write(session, ticket)
    journal.record(session, "reply", "ticket", ticket.id, by=by, now=now, message=message.id, state=[before, ticket.state])
    notices.ticket_updated(session, ticket, message, files=taken, desk=desk, limits=limits, now=now)
    return ticket


def answer(
    session: Session,
    ticket: Ticket,
    body: str,
    *,
    files: Sequence[int] = (),
    next_state: State | None,
    last_seen: int,
    submission: str,
    by: StaffMember,
    desk: Desk,
    limits: Limits,
    now: datetime,
) -> Message:
    """A published answer, effective when the time of undoing is over.

    `last_seen` is the newest message its author saw. Refuses: newer_reply(name, id) when another post came since,
    post_empty, text_long, placeholder_left, state_move, files_gone, post_large.
    """
    posted = _check_unseen(session, ticket, last_seen, submission, by)
    if posted is not None:
        return posted
    check_post(body, has_files=bool(files), body_characters=limits.body_characters, complete=True)
    published_at = now + timedelta(seconds=limits.undo_send_seconds)
    undo = snapshot(ticket)
    before = ticket.state
    set_state(ticket, after_answer(ticket.state, next_state), since=published_at, now=now)
    if ticket.first_answer_at is None:
        ticket.first_answer_at = published_at
    taken: dict[str, Any] = {"assignee": ["", by.name]} if ticket.assignee_id is None else {}
    ticket.assignee_id = ticket.assignee_id or by.id
    end_clock(ticket)
    touch(ticket, now)
    _HELD.write(session, ticket)
    undo["after"] = snapshot(ticket)
    message = add_message(session, ticket, MessageKind.ANSWER, body, submission=submission, by=by, published_at=published_at, now=now, undo=undo)
    sent = take_files(session, files, message, by=by, limits=limits)
    drop_draft(session, ticket.id, MessageKind.ANSWER, staff_id=by.id)
    journal.record(session, "answer", "ticket", ticket.id, by=by, now=now, message=message.id, state=[before, ticket.state], **taken)
    notices.answered(session, ticket, message, files=sent, desk=desk, limits=limits, now=now)
    return message


def withdraw_answer(session: Session, ticket: Ticket, message_id: int, *, by: StaffMember, limits: Limits, now: datetime) -> str:
    """Undo an answer that is not published yet: it becomes its author's draft, and the ticket is as before.

    Returns the text. Refuses: undone_already (in another tab), undo_too_late (published, not one's own, or no answer of this ticket).
    """
    message = session.get(Message, message_id)
    if message is None:
        raise Refused("undone_already")
    own = message.ticket_id == ticket.id and message.staff_id == by.id and message.kind == MessageKind.ANSWER
    if not own or message.published_at <= now or not notices.withdraw(session, message, now=now):
        raise Refused("undo_too_late")
    text = message.body
    take_back(session, ticket, message, now=now)
    give_back(session, message, by=by)
    session.delete(message)
    put_back(session, ticket.id, MessageKind.ANSWER, text, by=by, limits=limits, now=now)
    touch(ticket, now)
    journal.record(session, "withdraw_answer", "ticket", ticket.id, by=by, now=now, message=message_id)
    return text


def write_note(
    session: Session, ticket: Ticket, body: str, *, files: Sequence[int] = (), submission: str, by: StaffMember, limits: Limits, now: datetime
) -> Message:
    """社内メモ: stays in the console. Refuses: body_empty, text_long, files_gone, post_large."""
    posted = already_posted(session, submission)
    if posted is not None:
        return posted
    check_post(body, has_files=bool(files), body_characters=limits.body_characters)
    message = add_message(session, ticket, MessageKind.NOTE, body, submission=submission, by=by, published_at=now, now=now)
    take_files(session, files, message, by=by, limits=limits)
    drop_draft(session, ticket.id, MessageKind.NOTE, staff_id=by.id)
    touch(ticket, now)
    journal.record(session, "note", "ticket", ticket.id, by=by, now=now, message=message.id)
    return message


def assign(session: Session, ticket: Ticket, staff_id: int | None, *, by: StaffMember, desk: Desk, limits: Limits, now: datetime, tell: bool = True) -> None:
    """Give the ticket to a staff member, or back to the queue; `tell` False leaves the letter to the caller.

    Refuses: assignee_unknown (nobody, not active, or one who may only look).
    """
    if staff_id == ticket.assignee_id:
        return
    before, state = ticket.assignee_id, ticket.state
    names, able = names_to_assign(session, {staff_id, before})
    if staff_id is not None and staff_id not in able:
        raise Refused("assignee_unknown", "staff_id")
    ticket.assignee_id = staff_id
    if staff_id is not None and after_assignment(ticket.state) != ticket.state:
        set_state(ticket, after_assignment(ticket.state), since=now, now=now)
    touch(ticket, now)
    moved: dict[str, Any] = {"state": [state, ticket.state]} if ticket.state != state else {}
    given = [names.get(before or 0, ""), names.get(staff_id or 0, "")]
    journal.record(session, "assign", "ticket", ticket.id, by=by, now=now, assignee=given, **moved)
    if tell and staff_id is not None and staff_id != by.id:
        notices.assigned(session, ticket, staff_id, by=by, desk=desk, limits=limits, now=now)


def leave_to_queues(session: Session, staff_id: int, name: str, *, by: Actor, now: datetime) -> None:
    """Give back to their queues the open tickets of a member who answers no more: whoever looks for what is nobody's finds them there."""
    held = select(Ticket).where(Ticket.assignee_id == staff_id, Ticket.unresolved).order_by(Ticket.id).with_for_update()
    for ticket in session.scalars(held, execution_options={"populate_existing": True}).all():
        ticket.assignee_id = None
        touch(ticket, now)
        journal.record(session, "assign", "ticket", ticket.id, by=by, now=now, assignee=[name, ""])


def change_state(session: Session, ticket: Ticket, state: State, *, by: Actor, calendar: BusinessCalendar, now: datetime) -> None:
    """Move the ticket by hand. Refuses: state_move(frm, to)."""
    if state == ticket.state:
        return
    check_move(ticket.state, state)
    before = ticket.state
    move(ticket, state, calendar=calendar, now=now)
    journal.record(session, "change_state", "ticket", ticket.id, by=by, now=now, state=[before, state])


def change_priority(session: Session, ticket: Ticket, priority: Priority, *, by: StaffMember, calendar: BusinessCalendar, now: datetime) -> None:
    """Set the priority; the deadline of the answer that is owed moves with it."""
    if priority == ticket.priority:
        return
    before = Priority(ticket.priority)
    ticket.priority = priority
    change_target(ticket, calendar, before, now)
    touch(ticket, now)
    journal.record(session, "change_priority", "ticket", ticket.id, by=by, now=now, priority=[before, priority])


def move(ticket: Ticket, state: State, *, calendar: BusinessCalendar, now: datetime) -> None:
    """Put the ticket into `state`, its clock with it; whether that may be, and the journal, are the caller's."""
    set_state(ticket, state, since=now, now=now)
    follow_state(ticket, calendar, now)
    touch(ticket, now)


def add_note(session: Session, ticket: Ticket, body: str, *, by: StaffMember, now: datetime) -> Message:
    """A note that another act leaves in the thread; that act keeps the journal."""
    return add_message(session, ticket, MessageKind.NOTE, body, submission="", by=by, published_at=now, now=now)


def ticket_for_staff(session: Session, number: int, *, change: bool = False) -> Ticket:
    """The ticket of a number; `change` waits for others who are changing it. Raises NoTicket."""
    return _one(session, number, change=change)


def ticket_for_customer(session: Session, number: int, *, by: Customer, change: bool = False) -> Ticket:
    """The account's own ticket of a number. Raises NoTicket for another's as for none."""
    ticket = _one(session, number, change=change)
    if ticket.account_id != by.id:
        raise NoTicket(number)
    return ticket


def shown_state(ticket: Ticket | Any, now: datetime) -> State:
    """The state a customer is told: an answer's new state only from its publication on."""
    return State(ticket.state if ticket.state_from <= now else ticket.state_before)


def _one(session: Session, number: int, *, change: bool) -> Ticket:
    if not 0 < number <= _LARGEST_ID:
        raise NoTicket(number)
    ticket = _HELD.take(session, number) if change else session.get(Ticket, number)
    if ticket is None:
        raise NoTicket(number)
    return ticket


def already_posted(session: Session, submission: str) -> Message | None:
    """What this form made already, None where it comes for the first time."""
    return session.scalars(select(Message).where(Message.submission == submission)).one_or_none() if submission else None


def add_message(
    session: Session,
    ticket: Ticket,
    kind: MessageKind,
    body: str,
    *,
    submission: str,
    by: Actor,
    published_at: datetime,
    now: datetime,
    undo: dict[str, Any] | None = None,
    author: str = "",
) -> Message:
    """Write a post; its letters, the journal and what it does to the ticket are the caller's."""
    row = {
        "ticket_id": ticket.id,
        "kind": kind,
        "account_id": by.id if isinstance(by, Customer) else None,
        "staff_id": by.id if isinstance(by, StaffMember) else None,
        "author_name": author or by.name,
        "body": body,
        "created_at": now,
        "published_at": published_at,
        "undo": undo or {},
        "submission": submission or None,
    }
    # Past the unit of work, which takes twice as long for one row; nobody changes a message within the transaction that wrote it.
    return Message(**row, id=_INSERT_MESSAGE.rows(session, row)[0].id)


def _check_unseen(session: Session, ticket: Ticket, last_seen: int, submission: str, by: StaffMember) -> Message | None:
    rows = unseen_posts(session, ticket.id, last_seen=min(last_seen, _LARGEST_ID), submission=submission, staff_id=by.id)
    made = next((row for row in rows if row.own), None)
    if made is None and rows:
        raise Refused("newer_reply", "body", name=rows[0].author_name, id=rows[0].id)
    return session.get_one(Message, made.id) if made else None


def set_state(ticket: Ticket, state: State, *, since: datetime, now: datetime) -> None:
    """Put the ticket into `state`, which customers see from `since` on; its clock is the caller's. One that is there stays as long as it has been."""
    if state == ticket.state and max(since, ticket.state_from) <= now:
        return
    shown = shown_state(ticket, now)
    ticket.state_before = shown
    ticket.state = state
    ticket.state_from = since
    ticket.unresolved = state not in ENDED
    ticket.resolved_at = min(ticket.resolved_at or since, since) if state in ENDED else None


def touch(ticket: Ticket, now: datetime) -> None:
    """Note that something of the ticket changed."""
    ticket.updated_at = now
    ticket.version += 1


def _follow_up(
    session: Session,
    ticket: Ticket,
    body: str,
    *,
    files: Sequence[int],
    submission: str,
    by: Customer,
    desk: Desk,
    limits: Limits,
    calendar: BusinessCalendar,
    now: datetime,
) -> Ticket:
    opening = Opening(
        family_id=ticket.family_id,
        category_id=ticket.category_id,
        subject=ticket.subject,
        contract_text=ticket.contract_text,
        serial_text=ticket.serial_text,
        body=body,
        model=ticket.model,
        os_version=ticket.os_version,
        cc=tuple(ticket.cc),
    )
    made = open_ticket(session, opening, files=files, submission=submission, follows=ticket, by=by, desk=desk, limits=limits, calendar=calendar, now=now)
    journal.record(session, "follow_up", "ticket", ticket.id, by=by, now=now, other=made.id)
    return made
