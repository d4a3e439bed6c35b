"""The answer clock: when an answer is due that the desk's own waiting put off, and which time between counted and which did not (N9).

Deadlines, reminders and the listing 「なぜこの期限か」 all come from here and `rules.calendar`. Moments are aware; a clock works in whole seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

from rules.calendar import TOKYO, BusinessCalendar, Closed, tokyo_date
from rules.tickets import State

_DAY = timedelta(days=1)


class Why(StrEnum):
    """Why a stretch of time counts, or does not."""

    COUNTED = "counted"
    HOURS = "hours"
    """Outside the hours of an open day."""
    WEEKEND = "weekend"
    WEEKLY = "weekly"
    HOLIDAY = "holiday"
    YEAR_END = "year_end"
    COMPANY = "company"
    PAUSED = "paused"


@dataclass(frozen=True)
class Pause:
    """The clock stood because the ticket was in `state`; `until` None: it still stands."""

    state: State
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True)
class Segment:
    """A stretch of time between two moments, all of it counted or left out for one reason."""

    since: datetime
    until: datetime
    why: Why
    name: str = ""
    """The public holiday's."""
    state: State | None = None
    """What was waited for, of a pause."""

    @property
    def seconds(self) -> int:
        """How long it is."""
        return int((self.until - self.since).total_seconds())


def due_after(calendar: BusinessCalendar, since: datetime, seconds: float, pauses: Sequence[Pause] = ()) -> datetime | None:
    """The moment at which `seconds` of business time are over, pauses left out; None where the last pause holds it for ever.

    `pauses` are in order and do not overlap. A clock without seconds left is due where it began.
    """
    left = seconds
    for pause in pauses:
        at = calendar.add_business_seconds(since, max(left, 0)).at
        if at <= pause.since:
            return at
        if pause.until is None:
            return None
        left -= max(calendar.business_seconds(since, pause.since), 0)
        since = max(since, pause.until)
    return calendar.add_business_seconds(since, max(left, 0)).at


def counted_seconds(calendar: BusinessCalendar, since: datetime, until: datetime, pauses: Sequence[Pause] = ()) -> int:
    """Business seconds between two moments, pauses left out."""
    return sum(calendar.business_seconds(begins, ends) for begins, ends, pause in _stretches(since, until, pauses) if pause is None)


def segments(calendar: BusinessCalendar, since: datetime, until: datetime, pauses: Sequence[Pause] = ()) -> list[Segment]:
    """The time between two moments, without a gap: what counted, and what was left out and why."""
    found: list[Segment] = []
    for begins, ends, pause in _stretches(since, until, pauses):
        if pause is not None:
            found.append(Segment(begins, ends, Why.PAUSED, state=pause.state))
            continue
        for one in _pieces(calendar, begins, ends):
            last = found[-1] if found else None
            if last is not None and (last.why, last.name, last.state) == (one.why, one.name, one.state):
                found[-1] = Segment(last.since, one.until, one.why, one.name)
            else:
                found.append(one)
    return found


def _stretches(since: datetime, until: datetime, pauses: Sequence[Pause]) -> Iterator[tuple[datetime, datetime, Pause | None]]:
    """The time between two moments cut at its pauses."""
    for pause in pauses:
        begins, ends = max(pause.since, since), min(pause.until or until, until)
        if begins >= ends:
            continue
        if since < begins:
            yield since, begins, None
        yield begins, ends, pause
        since = ends
    if since < until:
        yield since, until, None


def _pieces(calendar: BusinessCalendar, since: datetime, until: datetime) -> Iterator[Segment]:
    """A stretch of running clock, day by day: hours that count, and what lies between them."""
    day = tokyo_date(since)
    at = since
    while at < until:
        midnight = datetime.combine(day, time(), TOKYO).astimezone(UTC)
        ends = min(midnight + _DAY, until)
        reason = calendar.closed_reason(day)
        if reason is not None:
            yield Segment(at, ends, _WHY[reason.kind], reason.name)
            at = ends
        for opens, closes in calendar.spans(day):
            opened, closed = midnight + timedelta(minutes=opens), midnight + timedelta(minutes=closes)
            if at < min(opened, ends):
                yield Segment(at, min(opened, ends), Why.HOURS)
                at = min(opened, ends)
            if at < min(closed, ends):
                yield Segment(at, min(closed, ends), Why.COUNTED)
                at = min(closed, ends)
        if at < ends:
            yield Segment(at, ends, Why.HOURS)
            at = ends
        day += _DAY


_WHY = {
    Closed.WEEKEND: Why.WEEKEND,
    Closed.WEEKLY: Why.WEEKLY,
    Closed.HOLIDAY: Why.HOLIDAY,
    Closed.YEAR_END: Why.YEAR_END,
    Closed.COMPANY: Why.COMPANY,
}
