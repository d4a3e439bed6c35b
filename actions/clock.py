"""The clock of the next answer: it starts when a customer writes, stands while others are waited for, and ends with an answer.

It works in whole seconds, so that what counted and what was left out add up (`rules.clock`); `calendar` is the desk's, each ticket finds its own in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.base import NEVER
from models.tickets import Ticket
from rules.calendar import BusinessCalendar
from rules.clock import Pause, counted_seconds, due_after
from rules.tickets import Priority, State, clock_runs


def start_clock(ticket: Ticket, calendar: BusinessCalendar, since: datetime) -> None:
    """An answer is owed to what the customer wrote at `since`; a deadline that runs already stays, for it is the earlier one.

    Where others are waited for the clock stands from the beginning.
    """
    if not is_owed(ticket):
        mine = calendar.of(ticket.calendar_id)
        began = since.replace(microsecond=0)
        ticket.owed_since = began
        ticket.due_at = mine.add_business_seconds(began, target_of(ticket, mine)).at
        ticket.clock_left = None
        ticket.clock_pauses = []
    follow_state(ticket, calendar, since)


def end_clock(ticket: Ticket) -> None:
    """The customer has an answer: nothing is owed until they write again."""
    ticket.due_at = NEVER
    ticket.clock_left = None
    ticket.owed_since = None
    ticket.clock_pauses = []


def take_clock(ticket: Ticket, calendar: BusinessCalendar, since: datetime, pauses: Sequence[dict[str, Any]]) -> None:
    """What the ticket owes is an answer to what was written at `since`; the clock stood in `pauses`, as one that is over or as the last one still does."""
    mine, began = calendar.of(ticket.calendar_id), since.replace(microsecond=0)
    kept = [one for one in pauses if not one["until"] or datetime.fromisoformat(one["until"]) > began]
    target, stood = target_of(ticket, mine), pauses_of(kept)
    ticket.owed_since, ticket.clock_pauses = began, kept
    due_at = due_after(mine, began, target, stood)
    if due_at is not None and (not stood or stood[-1].until is not None):
        ticket.due_at, ticket.clock_left = due_at, None
    else:
        ticket.due_at, ticket.clock_left = NEVER, target - counted_seconds(mine, began, max(stood[-1].since, began), stood)


def follow_state(ticket: Ticket, calendar: BusinessCalendar, now: datetime) -> None:
    """Stop or resume the clock as the ticket's state asks; business seconds left are kept meanwhile, fewer than none where it was late already."""
    state, now = State(ticket.state), now.replace(microsecond=0)
    runs = clock_runs(state, answered=ticket.first_answer_at is not None)
    mine = calendar.of(ticket.calendar_id)
    if runs and ticket.clock_left is not None:
        ticket.due_at = _resumed(ticket, mine, now)
        ticket.clock_left = None
    elif not runs and ticket.due_at != NEVER:
        ticket.clock_left = _left(ticket, mine, now)
        ticket.due_at = NEVER
        ticket.clock_pauses = [*ticket.clock_pauses, {"state": state.value, "since": now.isoformat(), "until": ""}]


def change_target(ticket: Ticket, calendar: BusinessCalendar, before: Priority, now: datetime) -> None:
    """Put the deadline where the target of the new priority, in place of that of `before`, puts it.

    A target that is used up already is due now, or stays missed when the deadline was: no change of a priority puts a missed deadline off.
    """
    mine, now = calendar.of(ticket.calendar_id), now.replace(microsecond=0)
    target = target_of(ticket, mine)
    difference = target - mine.target_seconds(before, answered=ticket.first_answer_at is not None)
    pauses = pauses_of(ticket.clock_pauses)
    if ticket.clock_left is not None:
        left = ticket.clock_left + difference
        if ticket.owed_since is not None and pauses:
            counted = counted_seconds(mine, ticket.owed_since, pauses[-1].since, pauses)
            left = max(target - counted, min(ticket.clock_left, 0))
        ticket.clock_left = left
    elif ticket.due_at != NEVER:
        due_at = due_after(mine, ticket.owed_since, target, pauses) if ticket.owed_since is not None else None
        if due_at is None:
            left = _left(ticket, mine, now) + difference
            due_at = mine.add_business_seconds(now, left).at if left > 0 else now
        ticket.due_at = max(due_at, min(ticket.due_at, now))


def change_calendar(ticket: Ticket, before: BusinessCalendar, after: BusinessCalendar) -> None:
    """Give the ticket another calendar; what is owed is counted anew by it, from the customer's post on."""
    moved = moved_clock(ticket, before, after)
    ticket.calendar_id = after.number
    if moved is not None:
        ticket.due_at, ticket.clock_left = moved.due_at, moved.left


@dataclass(frozen=True)
class Moved:
    """A clock under another calendar."""

    due_at: datetime
    left: int | None


def moved_clock(ticket: Ticket | Any, before: BusinessCalendar, after: BusinessCalendar) -> Moved | None:
    """The clock of a ticket (or a row with its columns) if `after` took the place of `before`; None where nothing is owed.

    What its time had over the target before (a priority that was raised late) it keeps.
    """
    if ticket.owed_since is None or (ticket.due_at == NEVER and ticket.clock_left is None):
        return None
    answered, priority = ticket.first_answer_at is not None, Priority(ticket.priority)
    old, new = (one.target_seconds(priority, answered=answered) for one in (before, after))
    pauses = pauses_of(ticket.clock_pauses)
    if ticket.clock_left is None:
        total = counted_seconds(before, ticket.owed_since, ticket.due_at, pauses) - old + new
        return Moved(due_after(after, ticket.owed_since, max(total, 0), pauses) or ticket.due_at, None)
    if not pauses:
        return Moved(NEVER, ticket.clock_left - old + new)
    stood = pauses[-1].since
    total = counted_seconds(before, ticket.owed_since, stood, pauses) + ticket.clock_left - old + new
    return Moved(NEVER, total - counted_seconds(after, ticket.owed_since, stood, pauses))


def pauses_of(kept: Sequence[dict[str, Any]]) -> list[Pause]:
    """The pauses a ticket keeps."""
    return [Pause(State(one["state"]), datetime.fromisoformat(one["since"]), datetime.fromisoformat(one["until"]) if one["until"] else None) for one in kept]


def target_of(ticket: Ticket, mine: BusinessCalendar) -> int:
    """Business seconds until the answer that the ticket owes."""
    return mine.target_seconds(Priority(ticket.priority), answered=ticket.first_answer_at is not None)


def is_owed(ticket: Ticket) -> bool:
    """Whether the customer waits for an answer, be the clock running or standing."""
    return ticket.clock_left is not None or ticket.due_at != NEVER


def _left(ticket: Ticket, mine: BusinessCalendar, now: datetime) -> int:
    """Business seconds of a running clock up to its deadline; since a missed one, pauses do not count."""
    if now <= ticket.due_at:
        return mine.business_seconds(now, ticket.due_at)
    return -counted_seconds(mine, ticket.due_at, now, pauses_of(ticket.clock_pauses))


def _resumed(ticket: Ticket, mine: BusinessCalendar, now: datetime) -> datetime:
    """The deadline from now on. One that was missed before the clock stood was missed then, and stays where it was."""
    left = ticket.clock_left or 0
    if ticket.clock_pauses:
        ticket.clock_pauses = [*ticket.clock_pauses[:-1], {**ticket.clock_pauses[-1], "until": now.isoformat()}]
    if left > 0:
        return mine.add_business_seconds(now, left).at
    pauses = pauses_of(ticket.clock_pauses)
    if ticket.owed_since is None or not pauses:
        return now
    counted = counted_seconds(mine, ticket.owed_since, pauses[-1].since, pauses)
    return due_after(mine, ticket.owed_since, max(counted + left, 0), pauses) or now
