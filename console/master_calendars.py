"""受付カレンダー: the calendars by which answers are promised; a change shows which deadlines move before it is made."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from starlette.responses import Response

from actions import calendars as acts
from actions.deadlines import Impact
from console.frame import frame
from console.master_products import ADDED, CHANGED
from models.calendars import ServiceCalendar, build
from models.journal_lists import acts_on
from models.masters import ProductFamily
from models.tickets import Ticket
from rules.refusal import Refused
from rules.rights import Area, Right
from rules.service_hours import GOALS, WEEKDAYS, Terms, hours_text, read, target_text, typed_terms
from rules.tickets import Priority
from web.access import staff
from web.call import Call
from web.endpoint import get, post
from wording import acts as words
from wording import labels
from wording.catalog import N_
from wording.hours import opening_hours

_PATH = "/console/masters/calendars"
_INDEX, _SHOW = "console/masters/calendars.html", "console/masters/calendar.html"
_FIELDS = (*(f"hours_{day}" for day in WEEKDAYS), *(f"{goal}_{priority}" for goal in GOALS for priority in Priority))
_HISTORY = 100
_MOVED = N_("回答の期限が動いたチケットは {n}件です。")


def index(call: Call) -> Response:
    """All calendars, and the form for a new one."""
    return call.page(_INDEX, **_index(call))


def add(call: Call) -> Response:
    """Add a calendar that begins as a copy of the standard one."""
    row = call.form.attempt(lambda: acts.add_calendar(call.session, name=call.form.value("name"), by=call.staff, now=call.now))
    if row is None:
        return call.invalid(_INDEX, **_index(call))
    return call.redirect(f"{_PATH}/{row.id}", flash=call.say(ADDED, name=row.name))


def show(call: Call) -> Response:
    """One calendar."""
    return call.page(_SHOW, **_show(call, call.named(ServiceCalendar)))


def change(call: Call) -> Response:
    """Change one calendar. Where open tickets' deadlines would move, that is shown first, and the change made when it is confirmed."""
    row, form = call.named(ServiceCalendar), call.form
    terms, faults = typed_terms(
        {name: form.value(name) for name in _FIELDS},
        holidays=form.has("holidays"),
        year_end=form.has("year_end"),
        company_days=form.has("company_days"),
    )
    for refused in faults:
        form.refuse(refused)
    families = [int(number) for number in form.values("families") if number.isdecimal() and len(number) < 10]
    if not form.failed and not form.has("confirmed"):
        impact = acts.impact_of_terms(call.session, row, terms, families, now=call.now)
        if impact.moved:
            return call.page(_SHOW, **_show(call, row, impact))
    moved = None if form.failed else call.form.attempt(lambda: _change(call, row, terms, families))
    if moved is None:
        return call.invalid(_SHOW, **_show(call, row))
    told = call.say(CHANGED, name=row.name) + (call.say(_MOVED, n=moved) if moved else "")
    return call.redirect(f"{_PATH}/{row.id}", flash=told)


def _change(call: Call, row: ServiceCalendar, terms: Terms, families: list[int]) -> int:
    version = call.form.value("version")
    if not version.isdecimal():
        raise Refused("calendar_changed")
    return acts.change_calendar(
        call.session,
        row,
        name=call.form.value("name"),
        terms=terms,
        active=call.form.has("active"),
        families=families,
        version=int(version[:9]),
        by=call.staff,
        now=call.now,
    )


def _index(call: Call) -> dict[str, Any]:
    calendars = call.session.scalars(select(ServiceCalendar).order_by(ServiceCalendar.standard.desc(), ServiceCalendar.name)).all()
    products: dict[int | None, list[str]] = {}
    for family in call.session.execute(select(ProductFamily.name, ProductFamily.calendar_id).order_by(ProductFamily.position)):
        products.setdefault(family.calendar_id, []).append(family.name)
    counted = select(Ticket.calendar_id, func.count().label("n")).where(Ticket.unresolved).group_by(Ticket.calendar_id)
    counts = {row.calendar_id: row.n for row in call.session.execute(counted)}
    language = call.basis.language
    rows = [
        {
            "row": row,
            "hours": opening_hours(build(read(row.terms), frozenset()), language),
            "first": " / ".join(target_text(read(row.terms).first[priority]) for priority in Priority),
            "products": products.get(None if row.standard else row.id, []),
            "tickets": counts.get(None if row.standard else row.id, 0),
        }
        for row in calendars
    ]
    return {**frame(call), "rows": rows}


def _show(call: Call, row: ServiceCalendar, impact: Impact | None = None) -> dict[str, Any]:
    terms, language = read(row.terms), call.basis.language
    goals = {"first": terms.first, "next": terms.next, "resolution": terms.resolution}
    kept = {f"hours_{day}": hours_text(spans) for day, spans in zip(WEEKDAYS, terms.hours, strict=True)}
    kept |= {f"{goal}_{priority}": target_text(goals[goal].get(priority)) for goal in GOALS for priority in Priority}
    families = call.session.execute(select(ProductFamily.id, ProductFamily.name, ProductFamily.calendar_id).order_by(ProductFamily.position)).all()
    names = {one.id: one.name for one in call.session.execute(select(ServiceCalendar.id, ServiceCalendar.name))}
    return {
        **frame(call),
        "row": row,
        "kept": kept,
        "switches": {"holidays": terms.rests_on_holidays, "year_end": terms.rests_at_year_end, "company_days": terms.rests_on_company_days},
        "hours": opening_hours(build(terms, frozenset()), language),
        "weekdays": WEEKDAYS,
        "goals": GOALS,
        "priorities": [*Priority],
        "impact": impact,
        "families": [(str(one.id), one.name, names.get(one.calendar_id, "") if one.calendar_id != row.id else "") for one in families],
        "having": [str(one.id) for one in families if one.calendar_id == row.id],
        "history": [
            (entry.at, labels.actor(entry.actor_name, language), words.sentence(entry.act, language), words.facts(entry.facts, language))
            for entry in reversed(acts_on(call.session, "service_calendar", row.id, limit=_HISTORY))
        ],
    }


_READ, _WRITE = staff(Area.MASTERS, Right.READ), staff(Area.MASTERS, Right.WRITE)
PAGES = [
    get(_PATH, index, _READ),
    post(_PATH, add, _WRITE),
    get(f"{_PATH}/{{id:int}}", show, _READ),
    post(f"{_PATH}/{{id:int}}", change, _WRITE),
]
