"""The clock of the next answer: it starts when a customer writes, stands while others are waited for, and ends with an answer."""

from __future__ import annotations

from datetime import datetime

from models.base import NEVER
from models.tickets import Ticket
from rules.calendar import BusinessCalendar
from rules.tickets import Priority, State, clock_runs, target_hours


def start_clock(ticket: Ticket, calendar: BusinessCalendar, since: datetime) -> None:
    """An answer is owed to what the customer wrote at `since`; a deadline that runs already stays, for it is the earlier one."""
    if is_owed(ticket):
        follow_state(ticket, calendar, since)
        return
    ticket.owed_since = since
    ticket.due_at = calendar.add_business_hours(since, target_hours(Priority(ticket.priority))).at
    ticket.clock_left = None


def end_clock(ticket: Ticket) -> None:
    """The customer has an answer: nothing is owed until they write again."""
    ticket.due_at = NEVER
    ticket.clock_left = None
    ticket.owed_since = None


def follow_state(ticket: Ticket, calendar: BusinessCalendar, now: datetime) -> None:
    """Stop or resume the clock as the ticket's state asks; business seconds left are kept meanwhile."""
    runs = clock_runs(State(ticket.state), answered=ticket.first_answer_at is not None)
    if runs and ticket.clock_left is not None:
        ticket.due_at = calendar.add_business_seconds(now, max(ticket.clock_left, 0)).at
        ticket.clock_left = None
    elif not runs and ticket.due_at != NEVER:
        ticket.clock_left = calendar.business_seconds(now, ticket.due_at)
        ticket.due_at = NEVER


def change_target(ticket: Ticket, calendar: BusinessCalendar, before: Priority, now: datetime) -> None:
    """Move the deadline by the difference between the targets of the priority `before` and the new one; the earliest is now."""
    difference = (target_hours(Priority(ticket.priority)) - target_hours(before)) * 3600
    if ticket.clock_left is not None:
        ticket.clock_left += difference
    elif ticket.due_at != NEVER:
        left = calendar.business_seconds(now, ticket.due_at) + difference
        ticket.due_at = calendar.add_business_seconds(now, left).at if left > 0 else now


def is_owed(ticket: Ticket) -> bool:
    """Whether the customer waits for an answer, be the clock running or standing."""
    return ticket.clock_left is not None or ticket.due_at != NEVER
