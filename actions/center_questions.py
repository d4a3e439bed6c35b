"""契約確認依頼: support asks the service management center, the center answers, and both stand in the thread as notes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from actions import journal
from actions.tickets import add_note, move
from models.actors import StaffMember
from models.questions import CenterQuestion, open_question
from models.tickets import Ticket
from rules.calendar import BusinessCalendar
from rules.limits import Limits
from rules.refusal import Refused
from rules.tickets import State, check_move


def ask_center(session: Session, ticket: Ticket, question: str, *, by: StaffMember, limits: Limits, calendar: BusinessCalendar, now: datetime) -> None:
    """Ask about the contract; the ticket waits for the center. A new ticket becomes the asker's.

    Refuses: question_empty and text_long at question; state_move.
    """
    text = _checked(question, limits, "question", "question_empty")
    before = State(ticket.state)
    if before is not State.NEW:
        check_move(before, State.WAITING_CENTER)
    taken: dict[str, Any] = {"assignee": ["", by.name]} if ticket.assignee_id is None else {}
    ticket.assignee_id = ticket.assignee_id or by.id
    add_note(session, ticket, text, by=by, now=now)
    move(ticket, State.WAITING_CENTER, calendar=calendar, now=now)
    session.add(CenterQuestion(ticket_id=ticket.id, question=text, asked_id=by.id or 0, asked_by=by.name, asked_at=now, answered_at=None))
    journal.record(session, "ask_center", "ticket", ticket.id, by=by, now=now, state=[before, State.WAITING_CENTER], **taken)


def answer_center(
    session: Session, ticket: Ticket, answer: str, *, seen: int = 0, by: StaffMember, limits: Limits, calendar: BusinessCalendar, now: datetime
) -> None:
    """Answer what was asked; the ticket goes back to support, whose clock runs on. `seen` is the newest question that its author saw, 0 where none.

    Refuses: center_answer_empty and text_long at answer; nothing_asked (answered already, or the ticket waits for something else), newer_question.
    """
    if ticket.state != State.WAITING_CENTER:
        raise Refused("nothing_asked")
    asked = open_question(session, ticket.id)
    if asked is not None and seen and asked.id != seen:
        raise Refused("newer_question", "answer")
    text = _checked(answer, limits, "answer", "center_answer_empty")
    if asked is not None:
        asked.answer, asked.answered_by, asked.answered_at = text, by.name, now
    add_note(session, ticket, text, by=by, now=now)
    move(ticket, State.OPEN, calendar=calendar, now=now)
    journal.record(session, "answer_center", "ticket", ticket.id, by=by, now=now, state=[State.WAITING_CENTER, State.OPEN])


def asked_elsewhere(session: Session, ticket: Ticket) -> Ticket | None:
    """The ticket that this one was merged into, where that waits for the center."""
    while ticket.merged_into_id is not None:
        ticket = session.get_one(Ticket, ticket.merged_into_id)
        if ticket.state == State.WAITING_CENTER:
            return ticket
    return None


def _checked(typed: str, limits: Limits, field: str, empty: str) -> str:
    text = typed.strip()
    if not text:
        raise Refused(empty, field)
    if len(text) > limits.body_characters:
        raise Refused("text_long", field, max=limits.body_characters, n=len(text))
    return text
