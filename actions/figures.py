"""What tickets' time came to: first answer, resolution and waiting in business time, worked out after each change and kept for the reports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, insert, update
from sqlalchemy.orm import Session

from models.base import AnyRow
from models.calendars import business_calendar
from models.figures import TicketFigures, changed_tickets, new_tickets, state_changes
from rules.calendar import BusinessCalendar
from rules.clock import Pause, counted_seconds
from rules.tickets import Priority, State, clock_runs

_INSTANT = timedelta(microseconds=1)
_WAITED = {State.WAITING_CUSTOMER: "waited_customer", State.WAITING_VENDOR: "waited_vendor", State.WAITING_CENTER: "waited_center"}
BEFORE_ANSWER = frozenset(state for state in State if not clock_runs(state, answered=False))
"""States in which the clock of the first answer stands."""


def measure(session: Session, *, now: datetime, limit: int) -> int:
    """Work out the figures of up to `limit` tickets that changed or are new; how many there were."""
    known = changed_tickets(session, limit=limit)
    fresh = new_tickets(session, limit=limit - len(known))
    if not known and not fresh:
        return 0
    calendar = business_calendar(session)
    changes: dict[int, list[AnyRow]] = defaultdict(list)
    for entry in state_changes(session, [row.id for row in (*known, *fresh)]):
        changes[entry.subject_id].append(entry)
    anew, made = ([_figures(row, changes[row.id], calendar.of(row.calendar_id), now) for row in rows] for rows in (known, fresh))
    if made:
        session.connection().execute(insert(TicketFigures), made)
    if anew:
        statement = update(TicketFigures).where(TicketFigures.ticket_id == bindparam("number"))
        changed: dict[str, Any] = {name: bindparam(f"new_{name}") for name in anew[0] if name != "ticket_id"}
        values = [{"number": one["ticket_id"], **{f"new_{name}": one[name] for name in changed}} for one in anew]
        session.connection().execute(statement.values(**changed), values)
    return len(known) + len(fresh)


def _figures(row: AnyRow, changes: Iterable[AnyRow], mine: BusinessCalendar, now: datetime) -> dict[str, Any]:
    entries = list(changes)
    waits = waits_of(entries)
    first = resolution = first_in_time = resolution_in_time = None
    if row.first_answer_at is not None and row.first_answer_at <= now:
        first = mine.business_seconds(row.created_at, row.first_answer_at)
        first_in_time = counted_seconds(mine, row.created_at, row.first_answer_at, waits_of(entries, stood=BEFORE_ANSWER)) <= mine.target_seconds(
            _priority_at(row.first_answer_at, entries, row.priority), answered=False
        )
    if row.resolved_at is not None:
        resolution = mine.business_seconds(row.created_at, row.resolved_at)
        target = mine.targets.resolution.get(_priority_at(row.resolved_at, entries, row.priority))
        if target is not None:
            resolution_in_time = counted_seconds(mine, row.created_at, row.resolved_at, waits) <= target * 60
    # While an answer can be undone the ticket counts as not looked at: it is looked at again.
    read_at = row.updated_at if row.state_from <= now else row.updated_at - _INSTANT
    found: dict[str, Any] = {"ticket_id": row.id, "read_at": read_at, **dict.fromkeys(_WAITED.values(), 0)}
    for wait in waits:
        if wait.until is not None:
            found[_WAITED[wait.state]] += mine.business_seconds(wait.since, wait.until)
    return found | {"first_answer": first, "first_in_time": first_in_time, "resolution": resolution, "resolution_in_time": resolution_in_time}


def _priority_at(moment: datetime, changes: Iterable[AnyRow], present: str) -> Priority:
    """The priority that a ticket had then, by the journal: the first change after it tells what it was before."""
    pairs: Iterable[Any] = (entry.facts["priority"] for entry in changes if entry.at > moment and "priority" in entry.facts)
    return Priority(next((pair[0] for pair in pairs), present))


def waits_of(changes: Iterable[AnyRow], *, stood: Collection[State] = _WAITED) -> list[Pause]:
    """When a ticket waited for somebody (or was in a state of `stood`), by the journal; an answer that was taken back changed nothing."""
    entries = list(changes)
    undone = {entry.facts.get("message") for entry in entries if entry.act == "withdraw_answer"}
    waits: list[Pause] = []
    for entry in entries:
        pair: Any = entry.facts.get("state")
        if pair is None or (entry.act == "answer" and entry.facts.get("message") in undone):
            continue
        _follow(waits, State(pair[1]), entry.at, stood)
    return waits


def _follow(waits: list[Pause], state: State, at: datetime, stood: Collection[State]) -> None:
    if waits and waits[-1].until is None:
        if waits[-1].state is state:
            return
        waits[-1] = Pause(waits[-1].state, waits[-1].since, at)
    if state in stood:
        waits.append(Pause(state, at))
