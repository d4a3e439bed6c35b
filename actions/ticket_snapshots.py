"""How a ticket was before an act that can be undone, and bringing it back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.clock import change_target, follow_state
from models.base import NEVER
from models.calendars import business_calendar
from models.tickets import Message, MessageKind, Ticket
from rules.tickets import ENDED, Priority, State, after_assignment

_UNDONE = ("state", "state_before", "unresolved", "clock_left", "clock_pauses", "assignee_id", "priority", "category_id")
_UNDONE_MOMENTS = ("state_from", "due_at", "owed_since", "first_answer_at", "resolved_at")
_CLOCK = ("due_at", "clock_left", "owed_since", "clock_pauses")
_STATE = ("state", "state_before", "state_from", "unresolved", "resolved_at")
_MARKS = ("first_answer_at", "resolved_at")
"""What the first answer of several sets, and each later one would have set in its place."""


def snapshot(ticket: Ticket) -> dict[str, Any]:
    """What an act of the desk may change of a ticket, as JSON."""
    moments = {name: getattr(ticket, name) for name in _UNDONE_MOMENTS}
    return {name: getattr(ticket, name) for name in _UNDONE} | {name: at.isoformat() if at else None for name, at in moments.items()}


def restore(ticket: Ticket, before: Mapping[str, Any], *, since: Mapping[str, Any] | None = None) -> None:
    """Set what `snapshot` kept; with `since`, the snapshot behind the act, what somebody changed after it stays as it is.

    What an older snapshot does not name stays too.
    """
    present = snapshot(ticket)
    for name in present.keys() & before.keys():
        if since is None or (name in since and present[name] == since[name]):
            value = before[name]
            setattr(ticket, name, datetime.fromisoformat(value) if value and name in _UNDONE_MOMENTS else value)


def take_back(session: Session, ticket: Ticket, message: Message, *, now: datetime) -> None:
    """Bring the ticket to where it would be without an answer that is withdrawn.

    What others did since stays, the customer's word that it is solved, or is not, too, where the answer would have said the same.
    What was owed is owed again, from when it was, by the priority that the ticket has now: a customer who wrote meanwhile put nothing off.
    Where another answer followed, the ticket is that one's, which takes back this one's doings with its own.
    """
    before: Mapping[str, Any] = message.undo
    later = session.scalars(
        select(Message).where(Message.ticket_id == ticket.id, Message.kind == MessageKind.ANSWER, Message.id > message.id).order_by(Message.id).limit(1)
    ).one_or_none()
    if later is not None:
        _hand_over(ticket, before, later)
        return
    restore(ticket, before, since=_own(before, snapshot(ticket)))
    if ticket.assignee_id is not None:
        ticket.state = after_assignment(State(ticket.state))
    if before.get("clock_left") is not None or datetime.fromisoformat(before.get("due_at") or NEVER.isoformat()) != NEVER:
        restore(ticket, {name: before[name] for name in _CLOCK if name in before})
        if ticket.priority != before.get("priority", ticket.priority):
            change_target(ticket, business_calendar(session), Priority(before["priority"]), now)
        follow_state(ticket, business_calendar(session), now)


def _own(before: Mapping[str, Any], left: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What is still the answer's of what it made of the ticket, which is as in `left`; None where it was written before that was kept.

    Its state is not, where somebody set one since. A post leaves a new ticket new.
    """
    after: Mapping[str, Any] | None = before.get("after")
    if after is None or left.get("state_from") == after.get("state_from") or (before["state"] == State.NEW and left.get("state") not in ENDED):
        return after
    return {name: value for name, value in after.items() if name not in _STATE}


def _hand_over(ticket: Ticket, before: Mapping[str, Any], later: Message) -> None:
    """Let `later` be the answer that found the ticket as it was `before`, and the one that set the marks."""
    after: Mapping[str, Any] = before.get("after", {})
    undo: dict[str, Any] = later.undo
    left = undo.get("after", {})
    marks: dict[str, str] = {}
    for name in _MARKS:
        mark: datetime | None = getattr(ticket, name)
        if mark is not None and mark.isoformat() == after.get(name) != before.get(name):
            setattr(ticket, name, later.published_at)
            marks[name] = later.published_at.isoformat()
    mine = {name: before[name] for name, value in (_own(before, undo) or {}).items() if name in before and undo.get(name) == value}
    later.undo = {**undo, **mine, "after": {**left, **marks}}
