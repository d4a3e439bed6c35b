"""The selects of the reports: tickets of a period counted and averaged by the database, one statement for each table of figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from models.base import AnyRow, AnySelect
from models.figures import TicketFigures
from models.masters import Category, ProductFamily
from models.people import Staff
from models.tickets import Ticket
from rules.tickets import ENDED


class By(StrEnum):
    """What the figures are told by."""

    MONTH = "month"
    PRODUCT = "product"
    ENGINEER = "engineer"
    CATEGORY = "category"


@dataclass(frozen=True)
class Period:
    """Tickets opened between two moments; `edges` are the ends of its months, the last one its own."""

    since: datetime
    until: datetime
    edges: tuple[datetime, ...]
    assignee_id: int | None = None
    """Only what this staff member is responsible for."""


_GROUPS: Mapping[By, Any] = {By.PRODUCT: Ticket.family_id, By.ENGINEER: Ticket.assignee_id, By.CATEGORY: Ticket.category_id}
_NAMES: Mapping[By, Any] = {
    By.PRODUCT: select(ProductFamily.id, ProductFamily.name).order_by(ProductFamily.position, ProductFamily.id),
    By.ENGINEER: select(Staff.id, Staff.name).order_by(Staff.name, Staff.id),
    By.CATEGORY: select(Category.id, Category.name).order_by(Category.position, Category.id),
}


def figures_by(session: Session, by: By, period: Period) -> Sequence[AnyRow]:
    """A row a group (months by their number in `period.edges`): the counts, sums and averages of its tickets."""
    group = _group(by, period).label("part")
    figures = TicketFigures
    unknown = or_(Ticket.contract_key == literal(""), Ticket.serial_key == literal(""))
    statement: AnySelect = (
        select(
            group,
            func.count().label("opened"),
            _sum(Ticket.state.in_(sorted(ENDED))).label("resolved"),
            _sum(unknown).label("unknown"),
            func.count(figures.first_answer).label("answered"),
            func.avg(figures.first_answer).label("first_answer"),
            _sum(figures.first_in_time).label("in_time"),
            func.avg(figures.resolution).label("resolution"),
            func.avg(figures.waited_customer).label("waited_customer"),
            func.avg(figures.waited_vendor).label("waited_vendor"),
            func.avg(figures.waited_center).label("waited_center"),
            func.count(figures.ticket_id).label("known"),
        )
        .select_from(Ticket)
        .outerjoin(figures, figures.ticket_id == Ticket.id)
        .where(*_of(period))
    )
    # By its name: written out again, the months' edges would be other parameters, and PostgreSQL would take it for another expression.
    return session.execute(statement.group_by("part")).all()


def spread_by(session: Session, by: By, period: Period) -> Sequence[AnyRow]:
    """part, what (first_answer, resolution), minutes, tickets: how many of each group took so long, the shortest first: what a median is read from.

    Numbering the rows within their groups, which a median in SQL asks for, takes four times as long.
    """
    whole = union_all(*(_spread(by, period, what) for what in ("first_answer", "resolution"))).subquery()
    return session.execute(select(whole).order_by(whole.c.minutes)).all()


def backlog_at(session: Session, period: Period) -> list[int]:
    """How many tickets were open at each of the period's edges, whenever they were opened."""
    mine = [] if period.assignee_id is None else [Ticket.assignee_id == period.assignee_id]
    sums = [_sum(and_(Ticket.created_at < edge, or_(Ticket.resolved_at.is_(None), Ticket.resolved_at >= edge))) for edge in period.edges]
    statement: Any = select(*sums).where(Ticket.created_at < period.edges[-1], Ticket.merged_into_id.is_(None), *mine)
    statement = statement.where(or_(Ticket.resolved_at.is_(None), Ticket.resolved_at >= period.edges[0]))
    return [count or 0 for count in session.execute(statement).one()]


def names_of(session: Session, by: By) -> dict[int, str]:
    """The names of a kind of group in the order they are shown."""
    return {row.id: row.name for row in session.execute(_NAMES[by])} if by in _NAMES else {}


def _spread(by: By, period: Period, what: str) -> Any:
    minutes = (getattr(TicketFigures, what) // 60).label("minutes")
    columns = (_group(by, period).label("part"), literal(what).label("what"), minutes, func.count().label("tickets"))
    found = select(*columns).join(Ticket, Ticket.id == TicketFigures.ticket_id).where(*_of(period), minutes.is_not(None))
    return found.group_by("part", "minutes")


def _of(period: Period) -> list[ColumnElement[bool]]:
    found = [Ticket.created_at >= period.since, Ticket.created_at < period.until, Ticket.merged_into_id.is_(None)]
    return found if period.assignee_id is None else [*found, Ticket.assignee_id == period.assignee_id]


def _group(by: By, period: Period) -> Any:
    if by is not By.MONTH:
        return _GROUPS[by]
    return case(*((Ticket.created_at < edge, literal(place)) for place, edge in enumerate(period.edges)), else_=literal(len(period.edges)))


def _sum(condition: Any) -> Any:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
