"""なぜこの期限か: every stretch of time between a customer's post and its deadline, counted or left out, with the sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from actions.clock import pauses_of
from actions.figures import BEFORE_ANSWER, waits_of
from console.frame import frame
from console.ticket import PATH
from models.base import NEVER, AnyRow
from models.calendars import ServiceCalendar
from models.figures import state_changes
from models.journal_lists import acts_on
from models.masters import CompanyDay
from models.tickets import Ticket
from rules.calendar import BusinessCalendar, tokyo_date
from rules.clock import Pause, Segment, Why, counted_seconds, due_after, segments
from rules.rights import Area, Right
from rules.tickets import Priority
from web.access import staff
from web.call import Call
from web.endpoint import Page, get
from wording import labels
from wording.catalog import N_, translate
from wording.hours import opening_hours

_TEMPLATE = "console/tickets/deadline.html"
_WORDS = {
    Why.COUNTED: N_("受付時間"),
    Why.HOURS: N_("受付時間外"),
    Why.WEEKEND: N_("土日"),
    Why.WEEKLY: N_("定休日"),
    Why.HOLIDAY: N_("祝日"),
    Why.YEAR_END: N_("年末年始"),
    Why.COMPANY: N_("休業日"),
    Why.PAUSED: N_("停止"),
}
_STOPPED, _RAN = N_("停止：{name}"), N_("再開：{name}")


@dataclass(frozen=True)
class Stretch:
    """A line of the listing; `counted` is None where the time was left out, `total` what has been counted up to its end."""

    since: datetime
    until: datetime
    kind: Why
    word: str
    note: str
    counted: int | None
    total: int
    stands: bool = False


@dataclass(frozen=True)
class Account:
    """The whole sum: what was promised, from when, until when (None: the clock stands), and the stretches between."""

    purpose: str
    since: datetime
    due_at: datetime | None
    target: int
    stretches: Sequence[Stretch]

    @property
    def counted(self) -> int:
        """Business seconds counted in all."""
        return self.stretches[-1].total if self.stretches else 0

    @property
    def left(self) -> int:
        """Business seconds of the target that are not used yet."""
        return self.target - self.counted


@dataclass(frozen=True)
class Resolution:
    """The target of the resolution as the reports measure it: business seconds since the opening, waits left out. `due_at` is None while a wait lasts."""

    target: int
    counted: int
    due_at: datetime | None
    resolved_at: datetime | None

    @property
    def late(self) -> bool:
        """Whether it took, or takes, longer."""
        return self.counted > self.target


def show(call: Call) -> Response:
    """The listing of the answer that is owed, or, when none is, of the first one that was given."""
    ticket = call.named(Ticket, "number")
    desk = call.calendar()
    mine = desk.of(ticket.calendar_id)
    named = select(ServiceCalendar.name).where(ServiceCalendar.standard if mine.number is None else ServiceCalendar.id == mine.number)
    account = _account(call, ticket, mine)
    context: dict[str, Any] = {"account": account, "resolution": _resolution(call, ticket, mine)}
    context |= {"calendar_name": call.session.scalar(named) or "", "hours": opening_hours(mine, call.basis.language)}
    return call.page(_TEMPLATE, ticket=ticket, **context, **frame(call, calendar=desk))


def _resolution(call: Call, ticket: Ticket, mine: BusinessCalendar) -> Resolution | None:
    """Until when the ticket is to be resolved; None where its calendar sets no such target."""
    minutes = mine.targets.resolution.get(Priority(ticket.priority))
    if minutes is None:
        return None
    waits = waits_of(state_changes(call.session, [ticket.id]))
    began, ended = ticket.created_at.replace(microsecond=0), ticket.resolved_at or call.now
    return Resolution(minutes * 60, counted_seconds(mine, began, ended, waits), due_after(mine, began, minutes * 60, waits), ticket.resolved_at)


def _account(call: Call, ticket: Ticket, mine: BusinessCalendar) -> Account | None:
    answered, language = ticket.first_answer_at is not None, call.basis.language
    target = mine.target_seconds(Priority(ticket.priority), answered=answered)
    if ticket.owed_since is not None:
        pauses = pauses_of(ticket.clock_pauses)
        stands = ticket.due_at == NEVER
        # Up to a clock that stands it is told to this moment; the last pause goes on.
        until = max(call.now, pauses[-1].since) if stands and pauses else call.now if stands else ticket.due_at
        purpose = N_("次の回答") if answered else N_("最初の回答")
        lines = _stretches(call, ticket, segments(mine, ticket.owed_since, until, pauses), pauses)
        return Account(translate(purpose, language), ticket.owed_since, None if stands else ticket.due_at, target, lines)
    if ticket.first_answer_at is None or ticket.first_answer_at > call.now:
        return None
    first = mine.target_seconds(Priority(ticket.priority), answered=False)
    pauses = _pauses_before(ticket.first_answer_at, state_changes(call.session, [ticket.id]))
    lines = _stretches(call, ticket, segments(mine, ticket.created_at, ticket.first_answer_at, pauses), pauses)
    return Account(translate(N_("済んだ最初の回答"), language), ticket.created_at, ticket.first_answer_at, first, lines)


def _pauses_before(answer: datetime, changes: Sequence[AnyRow]) -> list[Pause]:
    """When the clock of the first answer stood until the answer came, in whole seconds as a ticket keeps its pauses."""
    found = [pause for pause in waits_of(changes, stood=BEFORE_ANSWER) if pause.since < answer]
    return [Pause(pause.state, pause.since.replace(microsecond=0), min(pause.until or answer, answer).replace(microsecond=0)) for pause in found]


def _stretches(call: Call, ticket: Ticket, found: Sequence[Segment], pauses: Sequence[Pause]) -> list[Stretch]:
    language = call.basis.language
    days = _company_days(call.session, found)
    marks = {row.at.replace(microsecond=0): row for row in acts_on(call.session, "ticket", ticket.id, since=pauses[0].since)} if pauses else {}
    # A clock may have begun while it stood already: the pause is told from then on.
    until = {max(pause.since, found[0].since): pause.until for pause in pauses} if found else {}
    lines: list[Stretch] = []
    total = 0
    for one in found:
        counted = one.seconds if one.why is Why.COUNTED else None
        total += counted or 0
        ends = until.get(one.since)
        stands = one.why is Why.PAUSED and ends is None
        note = _who(one, marks, language) if one.why is Why.PAUSED else _day_names(one, days) if one.why is Why.COMPANY else one.name
        lines.append(Stretch(one.since, one.until, one.why, _word(one, language), note, counted, total, stands))
    return lines


def _word(one: Segment, language: str) -> str:
    word = translate(_WORDS[one.why], language)
    return f"{word}（{labels.state(one.state, language)}）" if one.state is not None else word


def _who(one: Segment, marks: Mapping[datetime, AnyRow], language: str) -> str:
    """Who stopped the clock, and who let it run again."""
    told = [(_STOPPED, marks.get(one.since)), (_RAN, marks.get(one.until))]
    return "、".join(translate(text, language).format(name=labels.actor(row.actor_name, language)) for text, row in told if row is not None)


def _company_days(session: Session, found: Sequence[Segment]) -> dict[date, str]:
    if all(one.why is not Why.COMPANY for one in found):
        return {}
    first, last = tokyo_date(found[0].since), tokyo_date(found[-1].until)
    return {row.day: row.name for row in session.execute(select(CompanyDay.day, CompanyDay.name).where(CompanyDay.day.between(first, last)))}


def _day_names(one: Segment, days: Mapping[date, str]) -> str:
    first, last = tokyo_date(one.since), tokyo_date(one.until - timedelta(seconds=1))
    names = [days[first + timedelta(days=n)] for n in range((last - first).days + 1) if first + timedelta(days=n) in days]
    return "、".join(dict.fromkeys(names))


PAGES: list[Page] = [get(f"{PATH}/deadline", show, staff(Area.TICKETS, Right.READ))]
