"""What becomes of promised deadlines when a calendar changes: each is counted anew, from the customer's post on, and the number is told before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from actions.clock import Moved, moved_clock
from models.base import NEVER, AnyRow
from models.calendars import OTHER, STANDARD, ServiceCalendar, calendar_of
from models.masters import ProductFamily, company_days
from models.tickets import Ticket
from rules.calendar import BusinessCalendar
from rules.service_hours import Terms, kept

_SHOWN = 5
_AT_ONCE = 500
_OWED = select(
    Ticket.id,
    Ticket.subject,
    Ticket.family_id,
    Ticket.calendar_id,
    Ticket.priority,
    Ticket.owed_since,
    Ticket.due_at,
    Ticket.clock_left,
    Ticket.clock_pauses,
    Ticket.first_answer_at,
).where(Ticket.unresolved, Ticket.owed_since.is_not(None))


class Example(NamedTuple):
    """A ticket whose deadline moves; None for a clock that stands."""

    id: int
    subject: str
    before: datetime | None
    after: datetime | None


@dataclass(frozen=True)
class Impact:
    """How many deadlines of open tickets move, how many of them are past then, and the first few."""

    moved: int = 0
    over: int = 0
    examples: Sequence[Example] = ()


class _Row(NamedTuple):
    part: str
    id: int
    name: str


def desk_with(session: Session, changed: Mapping[int, Terms], *, families: Mapping[int, int | None]) -> BusinessCalendar:
    """The desk's calendar as it would be with other `changed` terms (by calendar) and other calendars of `families`."""
    found = session.execute(select(ServiceCalendar.id, ServiceCalendar.terms, ServiceCalendar.standard).order_by(ServiceCalendar.id))
    rows: list[Any] = [_Row(STANDARD if row.standard else OTHER, row.id, kept(changed[row.id]) if row.id in changed else row.terms) for row in found]
    given: dict[int, int | None] = {row.id: row.calendar_id for row in session.execute(select(ProductFamily.id, ProductFamily.calendar_id))}
    given |= families
    named = [(family, number) for family, number in sorted(given.items()) if number is not None]
    return calendar_of(rows, company_days(session), named)


def impact_of(session: Session, before: BusinessCalendar, after: BusinessCalendar, *, now: datetime) -> Impact:
    """What would happen to the deadlines of open tickets if the desk's calendar became `after`."""
    found = [(row, moved) for row, moved in moves_of(session, before, after)]
    over = sum(moved.due_at <= now for _, moved in found if moved.due_at != NEVER)
    examples = [Example(row.id, row.subject, *(None if at == NEVER else at for at in (row.due_at, moved.due_at))) for row, moved in found[:_SHOWN]]
    return Impact(len(found), over, examples)


def move_deadlines(session: Session, before: BusinessCalendar, after: BusinessCalendar) -> int:
    """Count the deadlines of open tickets anew, and give tickets of products with another calendar that one; how many deadlines moved.

    A ticket that is answered meanwhile keeps what its answer made of its clock: a deadline, or what is left where the clock stands, is only put
    where what was read still holds.
    """
    values: list[dict[str, Any]] = [
        {"number": row.id, "read": row.due_at, "stood": row.clock_left, "due": moved.due_at, "left": moved.left}
        for row, moved in moves_of(session, before, after)
    ]
    unchanged = (Ticket.due_at == bindparam("read"), Ticket.clock_left.is_not_distinct_from(bindparam("stood")))
    statement = update(Ticket).where(Ticket.id == bindparam("number"), Ticket.owed_since.is_not(None), *unchanged)
    for begin in range(0, len(values), _AT_ONCE):
        session.connection().execute(statement.values(due_at=bindparam("due"), clock_left=bindparam("left")), values[begin : begin + _AT_ONCE])
    for family in before.of_family.keys() | after.of_family.keys():
        if before.of_family.get(family) != after.of_family.get(family):
            session.execute(update(Ticket).where(Ticket.family_id == family, Ticket.unresolved).values(calendar_id=after.of_family.get(family)))
    session.expire_all()
    return len(values)


def moves_of(session: Session, before: BusinessCalendar, after: BusinessCalendar) -> Iterator[tuple[AnyRow, Moved]]:
    """The tickets whose deadline, or what is left of it, changes."""
    for row in session.execute(_OWED.order_by(Ticket.due_at, Ticket.id)):
        moved_family = before.of_family.get(row.family_id) != after.of_family.get(row.family_id)
        number = after.of_family.get(row.family_id) if moved_family else row.calendar_id
        old, new = before.of(row.calendar_id), after.of(number)
        if old.counts_like(new):
            continue
        moved = moved_clock(row, old, new)
        if moved is not None and (moved.due_at, moved.left) != (row.due_at, row.clock_left):
            yield row, moved
