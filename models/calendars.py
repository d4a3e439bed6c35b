"""Service calendars: when the desk works and how soon it answers, for the desk itself and for products with hours of their own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Date, Integer, String, Text, case, cast, literal, null, select, union_all
from sqlalchemy.orm import Mapped, Session

from models.base import AnyRow, Base, mapped_column
from models.kept import Kept
from models.masters import CompanyDay, ProductFamily
from rules.calendar import BusinessCalendar
from rules.service_hours import Terms, read

STANDARD, OTHER = "standard", "calendar"
"""How a UNION that reads masters names the rows of `PART`."""


class ServiceCalendar(Base):
    """A named calendar. Tickets and products that name none have the standard one, of which there is exactly one."""

    __tablename__ = "service_calendar"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    terms: Mapped[str] = mapped_column(Text)
    """What `rules.service_hours.kept` wrote."""
    standard: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    """Whether products may be given it; tickets keep theirs."""
    version: Mapped[int] = mapped_column(default=1)
    updated_at: Mapped[datetime]


PART: Any = case((ServiceCalendar.standard, STANDARD), else_=OTHER)
_NO_DAY: Any = cast(null(), Date)
_NO_NUMBER: Any = cast(null(), Integer)
_ALL = Kept(
    union_all(
        select(PART.label("part"), ServiceCalendar.id, ServiceCalendar.terms.label("name"), _NO_DAY.label("day"), _NO_NUMBER.label("of")),
        select(literal("day"), _NO_NUMBER, literal(""), CompanyDay.day, _NO_NUMBER),
        select(literal("family"), ProductFamily.id, literal(""), _NO_DAY, ProductFamily.calendar_id).where(ProductFamily.calendar_id.is_not(None)),
    )
)


def business_calendar(session: Session) -> BusinessCalendar:
    """The desk's standard calendar, with the others and the products that have one of them: one statement."""
    rows = _ALL.rows(session)
    return calendar_of(rows, [row.day for row in rows if row.part == "day"], ((row.id, row.of) for row in rows if row.part == "family"))


def calendar_of(rows: Iterable[AnyRow], company_days: Iterable[date], families: Iterable[tuple[int, int]] = ()) -> BusinessCalendar:
    """The calendar that rows with `part` (`PART`), id and name (their terms) describe; other rows are passed over."""
    standard: list[str] = []
    others: list[tuple[int, str]] = []
    for row in rows:
        if row.part == STANDARD:
            standard.append(row.name)
        elif row.part == OTHER:
            others.append((row.id, row.name))
    return _built(standard[0] if standard else "", tuple(others), frozenset(company_days), tuple(families))


@lru_cache(maxsize=32)
def _built(standard: str, others: tuple[tuple[int, str], ...], company_days: frozenset[date], families: tuple[tuple[int, int], ...]) -> BusinessCalendar:
    made = {number: build(read(terms), company_days, number=number) for number, terms in others}
    return build(read(standard) if standard else Terms(), company_days, others=made, of_family=dict(families))


def build(terms: Terms, company_days: frozenset[date], **more: Any) -> BusinessCalendar:
    """The calendar of `terms` on a desk that rests on `company_days`."""
    return BusinessCalendar(
        company_days if terms.rests_on_company_days else frozenset(),
        terms.hours,
        rests_on_holidays=terms.rests_on_holidays,
        rests_at_year_end=terms.rests_at_year_end,
        targets=terms.targets,
        **more,
    )
