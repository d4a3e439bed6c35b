"""Business days and hours in Japan; every answer says which days it skipped and why (DOMAIN, "Numbers")."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import StrEnum
from functools import lru_cache

import jpholiday

TOKYO = timezone(timedelta(hours=9), "Asia/Tokyo")
"""Japan's clock, nine hours ahead all year since 1952; a fixed offset is converted twice as fast as the zone's whole history."""
_DAY = timedelta(days=1)
_SATURDAY = 5
_YEAR_END = frozenset({(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)})


class Closed(StrEnum):
    """Why the desk is closed on a day."""

    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    YEAR_END = "year_end"
    COMPANY = "company"


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
    """The desk's days and hours: weekdays without public holidays, 12/29–1/3 and the company's own days."""

    company_days: frozenset[date] = field(default_factory=frozenset[date])
    opens: time = time(9)
    closes: time = time(17)

    def is_business_day(self, day: date) -> bool:
        """Whether the desk works on `day` (a Tokyo date)."""
        return day.weekday() < _SATURDAY and day not in self.company_days and _closed(day) is None

    def closed_reason(self, day: date) -> ClosedReason | None:
        """Why the desk is closed on `day`, None on a business day; a public holiday is named before anything else."""
        reason = _closed(day)
        if reason is not None:
            return reason
        if day in self.company_days:
            return ClosedReason(Closed.COMPANY)
        return ClosedReason(Closed.WEEKEND) if day.weekday() >= _SATURDAY else None

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
        local = moment.astimezone(TOKYO)
        return self.is_business_day(local.date()) and self.opens <= local.time() < self.closes

    def next_opening(self, moment: datetime) -> datetime:
        """`moment` itself while the desk is open, else the next opening, in UTC."""
        return self._opening(moment)[0]

    def add_business_hours(self, moment: datetime, hours: float) -> Deadline:
        """The moment after `hours` of business time; a deadline that falls on closing time stays there."""
        return self.add_business_seconds(moment, hours * 3600)

    def add_business_seconds(self, moment: datetime, seconds: float) -> Deadline:
        """As `add_business_hours`, for what was left on a clock that stood."""
        left = timedelta(seconds=seconds)
        at, skipped = self._opening(moment)
        while (rest := self._closing(at) - at) < left:
            left -= rest
            at, more = self._opening(at + rest)
            skipped += more
        return Deadline(at + left, tuple(skipped))

    def business_seconds(self, since: datetime, until: datetime) -> int:
        """Seconds of business time between two moments (aware), negative where `until` is the earlier one."""
        if until < since:
            return -self.business_seconds(until, since)
        total = timedelta()
        day, last = since.astimezone(TOKYO).date(), until.astimezone(TOKYO).date()
        while day <= last:
            if self.is_business_day(day):
                opened, closed = max(since, self._at(day, self.opens)), min(until, self._at(day, self.closes))
                total += max(closed - opened, timedelta())
            day += _DAY
        return int(total.total_seconds())

    def _opening(self, moment: datetime) -> tuple[datetime, list[Skipped]]:
        """The first open moment from `moment` on, in UTC, and the closed days passed on the way."""
        skipped: list[Skipped] = []
        local = moment.astimezone(TOKYO)
        day = local.date()
        if local.time() >= self.closes:
            day += _DAY
        while (reason := self.closed_reason(day)) is not None:
            skipped.append(Skipped(day, reason))
            day += _DAY
        return max(moment.astimezone(UTC), self._at(day, self.opens)), skipped

    def _closing(self, moment: datetime) -> datetime:
        return self._at(moment.astimezone(TOKYO).date(), self.closes)

    @staticmethod
    def _at(day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, TOKYO).astimezone(UTC)


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
