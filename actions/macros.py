"""定型アクション: a text and several changes of a ticket as one act."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from actions import journal
from actions.canned import words_of
from actions.drafts import draft_of, keep_draft
from actions.ticket_facts import change_category
from actions.tickets import answer, assign, change_priority, change_state, write_note
from mail.desk import Desk
from models.actors import StaffMember
from models.canned import Canned, CannedKind, PostKind
from models.ticket_page import ticket_row
from models.tickets import Message, MessageKind, Ticket
from rules.calendar import BusinessCalendar
from rules.canned import outcome
from rules.limits import Limits
from rules.placeholders import Filled, fill
from rules.refusal import Refused
from rules.tickets import Priority, State

ANY_POST = 2**31 - 1
"""As `last_seen`: whoever runs a macro over many tickets has read none of them."""


def filled_text(session: Session, ticket_id: int, macro: Canned, *, by: StaffMember, desk: Desk) -> Filled:
    """The text of a macro (or of a canned text) in the words of one ticket."""
    row = ticket_row(session, ticket_id)
    return fill(macro.body, words_of(row, by=by, desk=desk)) if row is not None else Filled(macro.body)


def run_macro(
    session: Session,
    ticket: Ticket,
    macro: Canned,
    *,
    body: str | None = None,
    files: Sequence[int] = (),
    last_seen: int = ANY_POST,
    submission: str,
    by: StaffMember,
    desk: Desk,
    limits: Limits,
    calendar: BusinessCalendar,
    now: datetime,
    tell: bool = True,
) -> Message | None:
    """Do all of `macro` to `ticket`, or nothing; the post it wrote, None without one.

    `body` is the text as its author last saw it, None: the macro's own in this ticket's words. The caller holds the ticket for a change;
    `tell` False leaves the letter of the assignment to it.
    Refuses before anything is changed: canned_gone, answer_closed, state_move; then what answer, write_note, assign and change_category refuse
    (newer_reply, placeholder_left, assignee_unknown …): the caller rolls back.
    """
    if macro.kind != CannedKind.MACRO or not macro.suits(family_id=ticket.family_id, category_id=ticket.category_id, staff_id=by.id):
        raise Refused("canned_gone")
    staff_id = assignee_of(macro, ticket.assignee_id, by)
    outcome(State(ticket.state), assigns=staff_id not in (None, ticket.assignee_id), answers=macro.post is PostKind.ANSWER, wanted=macro.to_state)
    assign(session, ticket, staff_id, by=by, desk=desk, limits=limits, now=now, tell=tell)
    if macro.to_priority is not None:
        change_priority(session, ticket, Priority(macro.to_priority), by=by, calendar=calendar, now=now)
    if macro.to_category_id is not None:
        change_category(session, ticket, macro.to_category_id, by=by, now=now)
    kind = MessageKind.NOTE if macro.post is PostKind.NOTE else MessageKind.ANSWER
    # Over many tickets nobody sees what they had begun to write on one: it is no part of the post and stays.
    begun = draft_of(session, ticket.id, kind, by=by) if body is None else ""
    text = body if body is not None else filled_text(session, ticket.id, macro, by=by, desk=desk).text
    posted = None
    if macro.post is PostKind.ANSWER:
        posted = answer(
            session,
            ticket,
            text,
            files=files,
            next_state=macro.to_state,
            last_seen=last_seen,
            submission=submission,
            by=by,
            desk=desk,
            limits=limits,
            now=now,
        )
    else:
        if macro.post is PostKind.NOTE:
            posted = write_note(session, ticket, text, files=files, submission=submission, by=by, limits=limits, now=now)
        if macro.to_state is not None:
            change_state(session, ticket, State(macro.to_state), by=by, calendar=calendar, now=now)
    if posted is not None and begun:
        keep_draft(session, ticket.id, kind, begun, by=by, limits=limits, now=now)
    journal.record(session, "run_macro", "ticket", ticket.id, by=by, now=now, macro=macro.name)
    return posted


def assignee_of(macro: Canned, assignee_id: int | None, by: StaffMember) -> int | None:
    """Who has a ticket of `assignee_id` after the macro."""
    named = {"": assignee_id, "me": by.id, "nobody": None}
    return named[macro.to_assignee] if macro.to_assignee in named else int(macro.to_assignee)
