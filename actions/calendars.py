"""Service calendars: adding one, changing what it says and which products have it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from actions import journal
from actions.deadlines import Impact, desk_with, impact_of, move_deadlines
from models.actors import Actor
from models.calendars import ServiceCalendar, business_calendar
from models.masters import ProductFamily
from rules.refusal import Refused
from rules.service_hours import Terms, kept, read, told
from rules.text import fold, one_line

NAME_CHARACTERS = 80


def add_calendar(session: Session, *, name: str, by: Actor, now: datetime) -> ServiceCalendar:
    """Add a calendar that says what the standard one says; nobody has it yet. Refuses at name: name_empty, name_long, name_taken."""
    called = _name(session, name, but=0)
    standard = session.scalars(select(ServiceCalendar.terms).where(ServiceCalendar.standard)).first()
    row = ServiceCalendar(name=called, terms=standard or kept(Terms()), standard=False, updated_at=now)
    session.add(row)
    session.flush()
    journal.record(session, "add_calendar", "service_calendar", row.id, by=by, now=now, subject_name=called)
    return row


def impact_of_terms(session: Session, row: ServiceCalendar, terms: Terms, families: Collection[int], *, now: datetime) -> Impact:
    """What `change_calendar` with these would do to the deadlines of open tickets."""
    after = desk_with(session, {row.id: terms}, families=_given(session, row, families))
    return impact_of(session, business_calendar(session), after, now=now)


def change_calendar(
    session: Session, row: ServiceCalendar, *, name: str, terms: Terms, active: bool, families: Collection[int], version: int, by: Actor, now: datetime
) -> int:
    """Change a calendar; open tickets' deadlines are counted anew by it. Returns how many moved.

    `families` are the products that have it (of the standard one: all that no other calendar has). Refuses: calendar_changed (somebody changed it
    since the form was shown); at name: name_empty, name_long, name_taken; at active: standard_calendar, calendar_used.
    """
    if row.version != version:
        raise Refused("calendar_changed")
    called = _name(session, name, but=row.id)
    if row.standard and not active:
        raise Refused("standard_calendar", "active")
    if not active and families:
        raise Refused("calendar_used", "active")
    before, desk = _facts(session, row), business_calendar(session)
    given = _given(session, row, families)
    row.name, row.terms, row.active, row.version, row.updated_at = called, kept(terms), active, row.version + 1, now
    for family, number in given.items():
        session.execute(update(ProductFamily).where(ProductFamily.id == family).values(calendar_id=number))
    session.flush()
    moved = move_deadlines(session, desk, business_calendar(session))
    after = _facts(session, row)
    changed: dict[str, object] = {fact: [before[fact], after[fact]] for fact in after if before[fact] != after[fact]}
    if changed:
        journal.record(session, "change_calendar", "service_calendar", row.id, by=by, now=now, subject_name=called, **changed, deadlines=moved)
    return moved


def _given(session: Session, row: ServiceCalendar, families: Collection[int]) -> Mapping[int, int | None]:
    """The products whose calendar changes, with the new one. The standard calendar takes nobody's: its products are the rest."""
    if row.standard:
        return {}
    had = set(session.scalars(select(ProductFamily.id).where(ProductFamily.calendar_id == row.id)))
    wanted = set(session.scalars(select(ProductFamily.id).where(ProductFamily.id.in_(families)))) if families else set[int]()
    return {**dict.fromkeys(had - wanted), **dict.fromkeys(wanted - had, row.id)}


def _facts(session: Session, row: ServiceCalendar) -> dict[str, object]:
    names = session.scalars(select(ProductFamily.name).where(ProductFamily.calendar_id == row.id).order_by(ProductFamily.position)).all()
    return {"name": row.name, **told(read(row.terms)), "products": "、".join(names), "active": row.active}


def _name(session: Session, typed: str, *, but: int) -> str:
    name = one_line(fold(typed))
    if not name:
        raise Refused("name_empty", "name")
    if len(name) > NAME_CHARACTERS:
        raise Refused("name_long", "name", max=NAME_CHARACTERS, n=len(name))
    if session.scalar(select(func.count()).where(ServiceCalendar.name == name, ServiceCalendar.id != but)):
        raise Refused("name_taken", "name", x=name)
    return name
