"""Which deadlines are near or past: a condition over the calendar, the priority and the answer that is owed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, bindparam, literal, or_

from models.base import Moment
from models.tickets import Ticket
from rules.reminders import Edge, Owed

Shape = tuple[Owed, ...]
"""Edges without their moments: a statement that is kept for them can be sent again later."""


def near(edges: Sequence[Edge]) -> ColumnElement[bool]:
    """Tickets whose deadline is near or past now."""
    return _any(shape_of(edges), lambda place: literal(edges[place].at, Moment()))


def near_later(shape: Shape) -> ColumnElement[bool]:
    """The same for moments that come with the statement's values (`values_of`)."""
    return _any(shape, lambda place: bindparam(f"due_{place}", type_=Moment()))


def shape_of(edges: Sequence[Edge]) -> Shape:
    """What of `edges` stays the same from request to request."""
    return tuple(edge.owed for edge in edges)


def values_of(edges: Sequence[Edge]) -> dict[str, datetime]:
    """The moments that a statement made by `near_later` asks for."""
    return {f"due_{place}": edge.at for place, edge in enumerate(edges)}


def _any(shape: Shape, at: Callable[[int], ColumnElement[datetime]]) -> ColumnElement[bool]:
    return or_(*(and_(*_condition(owed), Ticket.due_at <= at(place)) for place, owed in enumerate(shape)))


def _condition(owed: Owed) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [Ticket.priority == owed.priority]
    if not owed.everywhere:
        found.append(Ticket.calendar_id.is_(None) if owed.calendar is None else Ticket.calendar_id == owed.calendar)
    if owed.answered is not None:
        found.append(Ticket.first_answer_at.is_not(None) if owed.answered else Ticket.first_answer_at.is_(None))
    return found
