"""A year of desk life in memory: what was due when, worked out by counting minutes and days, without the product's calendar and rules."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import holidays

JST = timedelta(hours=9)
HOURS = {"urgent": 1, "high": 2, "normal": 4, "low": 8}
DAY = timedelta(days=1)
MOST_TICKETS, MOST_BYTES, MOST_STORED = 5, 100_000, 300_000
"""Limits that the simulated life reaches."""


@dataclass
class Almanac:
    """Every business day and every business minute of some years, listed one by one."""

    years: range
    days: list[date] = field(default_factory=list[date])
    minutes: list[datetime] = field(default_factory=list[datetime])

    def __post_init__(self) -> None:
        free = holidays.country_holidays("JP", years=list(self.years))
        day = date(self.years[0], 1, 1)
        while day.year in self.years:
            if day.weekday() < 5 and day not in free and (day.month, day.day) not in {(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)}:
                self.days.append(day)
                opens = datetime(day.year, day.month, day.day, 9, tzinfo=UTC) - JST
                self.minutes += [opens + timedelta(minutes=n) for n in range(8 * 60)]
            day += DAY

    def after(self, moment: datetime, minutes: float) -> datetime:
        """The moment after so many business minutes (events of the simulation fall on whole ones)."""
        place = bisect_left(self.minutes, moment)
        return self.minutes[place + int(minutes) - 1] + timedelta(minutes=1)

    def days_between(self, since: date, until: date) -> int:
        return bisect_right(self.days, until) - bisect_right(self.days, since)

    def works(self, day: date) -> bool:
        place = bisect_left(self.days, day)
        return place < len(self.days) and self.days[place] == day


@dataclass
class Case:
    """A ticket as the reckoning knows it."""

    priority: str
    owed_since: datetime | None
    due: datetime | None
    answered: bool = False
    state: str = "new"
    silent_since: date | None = None
    silence: int = 0
    """Counts silences: each answer begins another."""
    noticed_on: date | None = None


@dataclass
class Reckoning:
    """What must have been reminded of, by cause: each at its moment, each once."""

    almanac: Almanac
    cases: dict[int, Case] = field(default_factory=dict[int, Case])
    ends: dict[str, date] = field(default_factory=dict[str, date])
    """By contract."""
    links: dict[str, tuple[datetime, datetime]] = field(default_factory=dict[str, tuple[datetime, datetime]])
    """By token: made, ends. A completed one is taken out."""
    changes: dict[int, date] = field(default_factory=dict[int, date])
    """Open changes of a maintenance e-mail, by their due date."""
    exceptions: dict[int, datetime] = field(default_factory=dict[int, datetime])
    """Requests that the desk must decide, and since when."""
    holders: list[int] = field(default_factory=list[int])
    """Accounts whose maintenance e-mail stands on every certificate."""
    failed: list[str] = field(default_factory=list[str])
    """Letters that were given up, by number, the claim they failed in and the recipients not reached, if several."""
    opened: Counter[date] = field(default_factory=Counter[date])
    """Tickets of the one account, by their day in Tokyo."""
    crowded: set[tuple[int, date]] = field(default_factory=set[tuple[int, date]])
    """Accounts that have used 80 % of a day's outside CC mails."""
    filled: int = 0
    """Bytes of the one account's files, which are all there are."""
    last_company_day: date | None = None
    findings: list[datetime] = field(default_factory=list[datetime])
    looked: datetime | None = None
    owner: int = 0
    """The account that asks and answers."""
    staff: list[int] = field(default_factory=list[int])
    off: frozenset[str] = frozenset()
    """Kinds that an administrator switched off."""
    due: dict[str, datetime] = field(default_factory=dict[str, datetime])
    _ran: dict[str, datetime] = field(default_factory=dict[str, datetime])

    def wrote(self, number: int, at: datetime, priority: str | None = None) -> None:
        """The customer opened a ticket, or wrote in one."""
        if number not in self.cases:
            self.opened[(at + JST).date()] += 1
        case = self.cases.setdefault(number, Case(priority or "normal", None, None))
        case.silent_since = None
        if case.state in ("waiting_customer", "resolved"):
            case.state = "open"
        if case.due is None:
            case.owed_since, case.due = at, self.almanac.after(at, HOURS[case.priority] * 60)

    def answered(self, number: int, at: datetime, state: str) -> None:
        """Staff answered and set a state."""
        case = self.cases[number]
        case.owed_since = case.due = None
        case.answered, case.state, case.noticed_on = True, state, None
        case.silence += 1
        case.silent_since = (at + JST).date() if state in ("waiting_customer", "resolved") else None

    def tick(self, now: datetime) -> None:
        """All jobs look at the desk."""
        for number, case in self.cases.items():
            if case.due is not None and case.owed_since is not None:
                left = self._left(now, case.due)
                kind = "overdue" if case.due <= now else "near" if left * 4 <= HOURS[case.priority] * 60 else ""
                if kind and case.answered:
                    self._note(f"next_answer_{kind}:{number}:{case.owed_since.isoformat()}", now)
                elif kind:
                    self._note(f"first_answer_{kind}:{number}", now)
        for token, (made, ends) in self.links.items():
            if ends - timedelta(hours=6) <= now < ends and made <= now - timedelta(hours=6):
                self._note(f"registration_ending:{token}", now)
        here = now + JST
        if self._hourly(now):
            for day in {(here - timedelta(hours=1)).date(), here.date()}:
                self._crowd(now, day)
            if self.almanac.works(here.date()) and 9 <= here.hour < 17:
                self._staff(now, here.date())
        if self._daily("center", now, 8, 30) and self.almanac.works(here.date()):
            self._center(now, here.date())
        if self.almanac.works(here.date()) and 8 <= here.hour < 12:
            for member in self.staff:
                self._note(f"digest:{member}:{here.date().isoformat()}", now)
        if self._daily("silent", now, 9, 0) and self.almanac.works(here.date()):
            self._silent(now, here.date())
        if self._daily("contracts", now, 8, 30) and self.almanac.works(here.date()):
            for contract, ends_on in self.ends.items():
                left = (ends_on - here.date()).days
                step = 7 if 0 <= left <= 7 else 30 if 7 < left <= 30 else 90 if 30 < left <= 90 else 0
                if step:
                    self._note(f"contract_ending:contract:{contract}:{ends_on.isoformat()}:{step}", now)
                    for account in self.holders:
                        self._note(f"contract_ending_account:{account}:contract:{contract}:{ends_on.isoformat()}:{step}", now)

    def _staff(self, now: datetime, today: date) -> None:
        for number, since in self.exceptions.items():
            if bisect_left(self.almanac.minutes, now) - bisect_left(self.almanac.minutes, since) >= 8 * 60:
                self._note(f"exception_waiting:{number}:{since.isoformat()}", now)
        for letter in self.failed:
            self._note(f"mails_failed:{letter}", now)
        for what, account, most in (("account_bytes", self.owner, MOST_BYTES), ("storage", 0, MOST_STORED)):
            if self.filled * 10 >= most * 8:
                self._note(f"quota:{what}:{account}:{today.isoformat()[:7]}", now)
        if self.last_company_day is not None:
            year = self.last_company_day.year
            if (year - today.year) * 12 + 12 - today.month < 6:
                self._note(f"calendar_ending:{year}-12-31", now)

    def _crowd(self, now: datetime, day: date) -> None:
        for account, crowded_on in self.crowded:
            if crowded_on == day:
                self._note(f"quota:cc:{account}:{day.isoformat()}", now)
        if self.opened[day] * 10 >= MOST_TICKETS * 8:
            self._note(f"quota:tickets:{self.owner}:{day.isoformat()}", now)

    def _center(self, now: datetime, today: date) -> None:
        for number, due_on in self.changes.items():
            tomorrow = self.almanac.days[bisect_right(self.almanac.days, today)]
            step = "overdue" if due_on < today else "due" if due_on == today else "tomorrow" if due_on == tomorrow else ""
            if step:
                self._note(f"email_change_{step}:{number}:{due_on.isoformat()}", now)
        year, week, _ = today.isocalendar()
        if f"{year}-W{week:02}" not in self._ran:
            self._ran[f"{year}-W{week:02}"] = now
            if any(self.looked is None or at > self.looked for at in self.findings):
                self._note(f"accounts_found:{year}-W{week:02}", now)
            self.looked = now

    def _hourly(self, now: datetime) -> bool:
        """Whether a job of every hour runs now."""
        hour = now.replace(minute=0)
        fresh, self._ran["hourly"] = self._ran.get("hourly") != hour, hour
        return fresh

    def _silent(self, now: datetime, today: date) -> None:
        for number, case in self.cases.items():
            if case.silent_since is None:
                continue
            days = self.almanac.days_between(case.silent_since, today)
            if case.state == "resolved":
                case.state = "closed" if days >= 10 else case.state
                case.silent_since = None if days >= 10 else case.silent_since
                continue
            if "silent_closed" in self.off:
                continue
            name = f"{number}:{case.silence}"
            if days >= 15 and case.noticed_on and self.almanac.days_between(case.noticed_on, today) >= 5:
                self._note(f"silent_closed:{name}", now)
                case.state, case.silent_since = "closed", None
            elif days >= 10 and case.noticed_on is None:
                case.noticed_on = today
                self._note(f"silent_notice:{name}", now)
            elif 5 <= days < 10:
                self._note(f"silent_reminder:{name}", now)

    def _left(self, now: datetime, due: datetime) -> int:
        return bisect_left(self.almanac.minutes, due) - bisect_left(self.almanac.minutes, now)

    def _daily(self, name: str, now: datetime, hour: int, minute: int) -> bool:
        """Whether a job of that hour runs now: once a day, and not later than eight hours after its time."""
        here = now + JST
        slot = here.replace(hour=hour, minute=minute)
        slot = slot if slot <= here else slot - DAY
        if here - slot > timedelta(hours=8) or self._ran.get(name) == slot:
            return False
        self._ran[name] = slot
        return True

    def _note(self, cause: str, now: datetime) -> None:
        if cause.partition(":")[0] not in self.off:
            self.due.setdefault(cause, now)
