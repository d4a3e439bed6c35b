"""When a reminder is due: pure rules over days, moments and numbers; what was reminded of already is the caller's knowledge."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from rules.calendar import TOKYO, BusinessCalendar
from rules.limits import Limits
from rules.tickets import Priority

NEAR_SHARE = 4
"""A deadline is near when a quarter of its time is left."""
HOLIDAYS_KNOWN_UNTIL = date(2030, 12, 31)
"""The public holidays of this version are compared with an independent library up to this day; later ones are computed only."""
DIGEST_HOURS = tuple(range(6, 21))
DIGEST_HOUR = 8
"""Whoever chose nothing reads the day's overview at this hour, in Tokyo."""
_DIGEST_LATEST = timedelta(hours=4)
"""An overview of the morning that could not be sent by then is stale."""


class Kind(StrEnum):
    """What reminds whom: each has a switch, a text and a record of its own."""

    FIRST_ANSWER_NEAR = "first_answer_near"
    FIRST_ANSWER_OVERDUE = "first_answer_overdue"
    NEXT_ANSWER_NEAR = "next_answer_near"
    NEXT_ANSWER_OVERDUE = "next_answer_overdue"
    SILENT_REMINDER = "silent_reminder"
    SILENT_NOTICE = "silent_notice"
    SILENT_CLOSED = "silent_closed"
    CONTRACT_ENDING = "contract_ending"
    CONTRACT_ENDING_ACCOUNT = "contract_ending_account"
    REGISTRATION_ENDING = "registration_ending"
    DIGEST = "digest"
    CALENDAR_ENDING = "calendar_ending"
    MAILS_FAILED = "mails_failed"
    QUOTA = "quota"
    JOBS_LATE = "jobs_late"
    EMAIL_CHANGE_TOMORROW = "email_change_tomorrow"
    EMAIL_CHANGE_DUE = "email_change_due"
    EMAIL_CHANGE_OVERDUE = "email_change_overdue"
    EXCEPTION_WAITING = "exception_waiting"
    ACCOUNTS_FOUND = "accounts_found"


OFF_AT_FIRST = frozenset({Kind.CONTRACT_ENDING_ACCOUNT})
"""Reminders that write only after an administrator switched them on."""


class Outcome(StrEnum):
    """What became of a reminder that was due."""

    TOLD = "told"
    NOBODY = "nobody"
    """Due, and nobody there who could be told."""
    EMPTY = "empty"
    """An overview with nothing in it: no letter."""
    DROPPED = "dropped"
    """Overtaken by a later step before anybody could be told: nobody is told what is no longer so."""


@dataclass(frozen=True)
class Silence:
    """A customer who was answered and has not written since."""

    since: date
    reminded: bool = False
    noticed_on: date | None = None


class Owed(NamedTuple):
    """Tickets whose deadlines are near at the same moment."""

    priority: Priority
    answered: bool | None = None
    """Whether their first answer is given; None: the same for both."""
    calendar: int | None = None
    """The calendar they name, None for those that name none."""
    everywhere: bool = True
    """Whether there is but the one calendar."""


class Edge(NamedTuple):
    """The moment up to which the deadlines of some tickets are near or past."""

    at: datetime
    owed: Owed


def near_edges(calendar: BusinessCalendar, now: datetime) -> tuple[Edge, ...]:
    """Up to which moment deadlines are near or past, by calendar, priority, and the answer they are for where their targets differ."""
    alone = not calendar.others
    found: list[Edge] = []
    for each in (calendar, *calendar.others.values()):
        for priority in Priority:
            first, later = (each.target_seconds(priority, answered=answered) for answered in (False, True))
            for answered, seconds in ((None, first),) if first == later else ((False, first), (True, later)):
                found.append(Edge(each.add_business_seconds(now, seconds / NEAR_SHARE).at, Owed(priority, answered, each.number, alone)))
    return tuple(found)


def answer_kind(*, first: bool, overdue: bool) -> Kind:
    """Which reminder a deadline asks for that is near or past."""
    if first:
        return Kind.FIRST_ANSWER_OVERDUE if overdue else Kind.FIRST_ANSWER_NEAR
    return Kind.NEXT_ANSWER_OVERDUE if overdue else Kind.NEXT_ANSWER_NEAR


def silence_step(silence: Silence, today: date, *, calendar: BusinessCalendar, limits: Limits, active: Collection[Kind]) -> Kind | None:
    """What a customer's silence asks for today (DOMAIN, "Numbers"): a reminder, a notice, the end, or nothing; the latest step that is due.

    Nothing on a day the desk is closed. Nobody is closed without the notice, nor sooner after it than the two are apart: where the desk
    itself slept, the customer does not pay for it. A step that is switched off (not in `active`) is left out.
    """
    if not calendar.is_business_day(today):
        return None
    days = calendar.business_days_between(silence.since, today)
    if Kind.SILENT_CLOSED in active and days >= limits.silent_close_days and _warned(silence, today, calendar, limits, active):
        return Kind.SILENT_CLOSED
    if Kind.SILENT_NOTICE in active and days >= limits.silent_notice_days:
        return Kind.SILENT_NOTICE if silence.noticed_on is None else None
    if Kind.SILENT_REMINDER in active and days >= limits.silent_reminder_days and not silence.reminded and silence.noticed_on is None:
        return Kind.SILENT_REMINDER
    return None


def _warned(silence: Silence, today: date, calendar: BusinessCalendar, limits: Limits, active: Collection[Kind]) -> bool:
    if Kind.SILENT_NOTICE not in active:
        return True
    apart = limits.silent_close_days - limits.silent_notice_days
    return silence.noticed_on is not None and calendar.business_days_between(silence.noticed_on, today) >= apart


def ending_step(ends_on: date, today: date, limits: Limits) -> int | None:
    """The notice that a line ending on `ends_on` asks for: the smallest number of days (90, 30, 7) it is not further away than; None before and after."""
    left = (ends_on - today).days
    steps = (limits.contract_end_last_days, limits.contract_end_second_days, limits.contract_end_first_days)
    return next((step for step in steps if 0 <= left <= step), None)


def change_step(due_on: date, today: date, calendar: BusinessCalendar) -> Kind | None:
    """What a change of a maintenance e-mail that is due on `due_on` asks for today; "tomorrow" is the next business day. None on a day the desk is closed."""
    if not calendar.is_business_day(today):
        return None
    if due_on < today:
        return Kind.EMAIL_CHANGE_OVERDUE
    if due_on == today:
        return Kind.EMAIL_CHANGE_DUE
    return Kind.EMAIL_CHANGE_TOMORROW if due_on <= calendar.add_business_days(today, 1).day else None


def waits_too_long(since: datetime, now: datetime, *, calendar: BusinessCalendar, limits: Limits) -> bool:
    """Whether a request for an exception has waited for the desk `limits.exception_waiting_hours` business hours or longer."""
    return calendar.business_seconds(since, now) >= limits.exception_waiting_hours * 3600


def week_of(today: date) -> str:
    """The week of a date, as causes name it: 2026-W49."""
    year, week, _ = today.isocalendar()
    return f"{year}-W{week:02}"


def digest_due(hour: int | None, now: datetime, calendar: BusinessCalendar) -> bool:
    """Whether the overview of today is due for somebody who reads it at `hour`; None: never. A morning's overview is not sent in the evening."""
    here = now.astimezone(TOKYO)
    if hour is None or not calendar.is_business_day(here.date()):
        return False
    begins = here.replace(hour=hour, minute=0, second=0, microsecond=0)
    return begins <= here < begins + _DIGEST_LATEST


def calendar_known_until(company_days: Collection[date]) -> date:
    """The last day of which it is known whether the desk works.

    Where the desk enters days of its own, the calendar reaches to the end of the year of the last one: nobody has entered the next year's yet.
    """
    own = max(company_days, default=None)
    return min(HOLIDAYS_KNOWN_UNTIL, date(own.year, 12, 31)) if own else HOLIDAYS_KNOWN_UNTIL


def is_ending_soon(known_until: date, today: date, limits: Limits) -> bool:
    """Whether a table that reaches to `known_until` ends within `limits.calendar_months`."""
    months = today.year * 12 + today.month - 1 + limits.calendar_months
    return known_until < date(months // 12, months % 12 + 1, 1)


def is_nearly_full(used: int, limit: int, limits: Limits) -> bool:
    """Whether `used` has reached `limits.quota_percent` of `limit`; 0 is no limit."""
    return limit > 0 and used * 100 >= limit * limits.quota_percent
