"""Business days and hours in Japan; every answer says which days it skipped and why (DOMAIN, "Numbers")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

import jpholiday

from rules.tickets import TARGET_HOURS, Priority

TOKYO = timezone(timedelta(hours=9), "Asia/Tokyo")
"""Japan's clock, nine hours ahead all year since 1952; a fixed offset is converted twice as fast as the zone's whole history."""
_DAY = timedelta(days=1)
_MINUTE = 60_000_000
"""In microseconds."""
_AHEAD = timedelta(hours=9)
_SATURDAY = 5
_YEAR_END = frozenset({(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)})


class Closed(StrEnum):
    """Why the desk is closed on a day."""

    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    YEAR_END = "year_end"
    COMPANY = "company"
    WEEKLY = "weekly"
    """A weekday without hours in this calendar."""


Span = tuple[int, int]
"""Open from one minute of the day up to another, 0…1440."""
Hours = tuple[tuple[Span, ...], ...]
"""Seven days from Monday on, each with its spans in order; an empty one is closed."""
OFFICE_HOURS: Hours = (((540, 1020),),) * 5 + ((),) * 2
ANSWER_MINUTES: Mapping[Priority, int] = MappingProxyType({priority: hours * 60 for priority, hours in TARGET_HOURS.items()})


@dataclass(frozen=True)
class Targets:
    """Business minutes until the first answer, each next one, and (where somebody set it) the resolution."""

    first: Mapping[Priority, int] = field(default_factory=lambda: ANSWER_MINUTES)
    next: Mapping[Priority, int] = field(default_factory=lambda: ANSWER_MINUTES)
    resolution: Mapping[Priority, int] = field(default_factory=dict[Priority, int])


@dataclass(frozen=True)
class ClosedReason:
    kind: Closed
    name: str = ""
    """The holiday's Japanese name, "" for the other kinds."""


@dataclass(frozen=True)
class Skipped:
    day: date
    reason: ClosedReason


@dataclass(frozen=True)
class DueDay:
    day: date
    counted: tuple[date, ...]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True)
class Deadline:
    at: datetime
    """Aware, in UTC."""
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True)
class BusinessCalendar:
    """A calendar by which answers are promised; without arguments the desk's: weekdays 9–17 without public holidays and 12/29–1/3.

    The desk's standard calendar carries the other ones (`others`, by their number) and which products have one of them.
    """

    company_days: frozenset[date] = field(default_factory=frozenset[date])
    hours: Hours = OFFICE_HOURS
    rests_on_holidays: bool = True
    rests_at_year_end: bool = True
    targets: Targets = field(default_factory=Targets)
    number: int | None = None
    """None: the standard calendar."""
    others: Mapping[int, BusinessCalendar] = field(default_factory=dict[int, "BusinessCalendar"])
    of_family: Mapping[int, int] = field(default_factory=dict[int, int])

    def of(self, number: int | None) -> BusinessCalendar:
        """The calendar that a ticket names, which is this one for None."""
        return self.others.get(number, self) if number is not None else self

    def for_family(self, family_id: int) -> BusinessCalendar:
        """The calendar of tickets of a product."""
        return self.of(self.of_family.get(family_id))

    def counts_like(self, other: BusinessCalendar) -> bool:
        """Whether every deadline is the same by both."""
        mine, theirs = (
            (one.company_days, one.hours, one.rests_on_holidays, one.rests_at_year_end, one.targets.first, one.targets.next) for one in (self, other)
        )
        return mine == theirs

    def target_seconds(self, priority: Priority, *, answered: bool) -> int:
        """Business seconds until the first, or once it is given the next, answer."""
        return (self.targets.next if answered else self.targets.first)[priority] * 60

    def spans(self, day: date) -> tuple[Span, ...]:
        """The hours of `day` (a Tokyo date), none where it is closed."""
        found = self.hours[day.weekday()]
        return found if found and day not in self.company_days and self._public(day) is None else ()

    def is_business_day(self, day: date) -> bool:
        """Whether the desk works on `day` (a Tokyo date)."""
        return bool(self.spans(day))

    def closed_reason(self, day: date) -> ClosedReason | None:
        """Why the desk is closed on `day`, None on a business day; a public holiday is named before anything else."""
        reason = self._public(day)
        if reason is not None:
            return reason
        if day in self.company_days:
            return ClosedReason(Closed.COMPANY)
        if self.hours[day.weekday()]:
            return None
        return ClosedReason(Closed.WEEKEND if day.weekday() >= _SATURDAY else Closed.WEEKLY)

    def _public(self, day: date) -> ClosedReason | None:
        reason = _closed(day)
        if reason is None or (self.rests_on_holidays if reason.kind is Closed.HOLIDAY else self.rests_at_year_end):
            return reason
        # 1/1 is a holiday and stands at the year's end too: either switch closes it.
        return ClosedReason(Closed.YEAR_END) if self.rests_at_year_end and (day.month, day.day) in _YEAR_END else None

    def add_business_days(self, day: date, number: int) -> DueDay:
        """The `number`-th business day after `day`, which itself never counts; a negative number walks back."""
        step = _DAY if number >= 0 else -_DAY
        counted: list[date] = []
        skipped: list[Skipped] = []
        while len(counted) < abs(number):
            day += step
            reason = self.closed_reason(day)
            if reason is None:
                counted.append(day)
            else:
                skipped.append(Skipped(day, reason))
        return DueDay(day, tuple(counted), tuple(skipped))

    def business_days_between(self, since: date, until: date) -> int:
        """Business days after `since` up to and with `until`, 0 where `until` is not later."""
        return sum(self.is_business_day(since + _DAY * n) for n in range(1, (until - since).days + 1))

    def is_open(self, moment: datetime) -> bool:
        """Whether the desk works at `moment` (aware); closing time itself is closed."""
        day, clock = _split(moment)
        return any(opens * _MINUTE <= clock < closes * _MINUTE for opens, closes in self.spans(day))

    def next_opening(self, moment: datetime) -> datetime:
        """`moment` itself while the desk is open, else the next opening, in UTC."""
        return self._opening(moment)[0]

    def add_business_hours(self, moment: datetime, hours: float) -> Deadline:
        """The moment after `hours` of business time; a deadline that falls on closing time stays there."""
        return self.add_business_seconds(moment, hours * 3600)

    def add_business_seconds(self, moment: datetime, seconds: float) -> Deadline:
        """As `add_business_hours`, for what was left on a clock that stood."""
        left = timedelta(seconds=seconds)
        at, rest, skipped = self._opening(moment)
        while rest < left:
            left -= rest
            at, rest, more = self._opening(at + rest)
            skipped += more
        return Deadline(at + left, tuple(skipped))

    def business_seconds(self, since: datetime, until: datetime) -> int:
        """Seconds of business time between two moments (aware), negative where `until` is the earlier one."""
        if until < since:
            return -self.business_seconds(until, since)
        (day, begins), (last, ends) = _split(since), _split(until)
        total = 0
        while day <= last:
            for opens, closes in self.spans(day):
                opened, closed = max(opens * _MINUTE, begins), closes * _MINUTE if day < last else min(closes * _MINUTE, ends)
                if closed > opened:
                    total += closed - opened
            day, begins = day + _DAY, 0
        return total // 1_000_000

    def _opening(self, moment: datetime) -> tuple[datetime, timedelta, list[Skipped]]:
        """The first open moment from `moment` on, in UTC, how long it stays open then, and the closed days passed on the way."""
        skipped: list[Skipped] = []
        day, clock = _split(moment)
        while True:
            spans = self.spans(day)
            for opens, closes in spans:
                if clock < closes * _MINUTE:
                    begins = max(clock, opens * _MINUTE)
                    return _at(day, begins), timedelta(microseconds=closes * _MINUTE - begins), skipped
            reason = None if spans else self.closed_reason(day)
            if reason is not None:
                skipped.append(Skipped(day, reason))
            day, clock = day + _DAY, 0


def _split(moment: datetime) -> tuple[date, int]:
    """The Tokyo date of a moment and how far into that day it lies, in microseconds."""
    local = moment.astimezone(TOKYO)
    return local.date(), ((local.hour * 60 + local.minute) * 60 + local.second) * 1_000_000 + local.microsecond


def _at(day: date, clock: int) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(microseconds=clock) - _AHEAD


def holiday_name(day: date) -> str:
    """The public holiday's Japanese name, "" on other days."""
    reason = _closed(day)
    return reason.name if reason else ""


def tokyo_date(moment: datetime) -> date:
    """The Tokyo date of an aware moment: what "today" means everywhere."""
    return moment.astimezone(TOKYO).date()


@lru_cache(maxsize=16384)
def _closed(day: date) -> ClosedReason | None:
    """What public holiday or year-end day `day` is: kept, for the calendar is asked in every request, and by the day, for a year takes 80 ms."""
    name = jpholiday.is_holiday_name(day)
    if name:
        return ClosedReason(Closed.HOLIDAY, name)
    return ClosedReason(Closed.YEAR_END) if (day.month, day.day) in _YEAR_END else None
