"""The answer clock against an independent count, minute by minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.calendar import OFFICE_HOURS, BusinessCalendar, Hours
from rules.clock import Pause, Why, counted_seconds, due_after, segments
from rules.tickets import State

JST = ZoneInfo("Asia/Tokyo")
MINUTE = timedelta(minutes=1)
PUBLIC = holidays.country_holidays("JP", years=range(2025, 2030))
YEAR_END = {(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)}
SPLIT: Hours = (((540, 720), (780, 1020)),) * 5 + (((600, 720),), ())
NIGHTS: Hours = (((0, 120), (1320, 1440)),) * 7
HOURS = st.sampled_from([OFFICE_HOURS, SPLIT, NIGHTS, (((0, 1440),),) * 7, ((), ((600, 615),), (), (), (), (), ())])
STARTS = st.integers(0, 1000 * 1440).map(lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + minutes * MINUTE)


def _calendar(hours: Hours, on_holidays: bool, at_year_end: bool, days: frozenset[int]) -> BusinessCalendar:
    rests = frozenset(date(2026, 1, 1) + timedelta(days=n) for n in days)
    return BusinessCalendar(rests, hours, rests_on_holidays=on_holidays, rests_at_year_end=at_year_end)


CALENDARS = st.builds(_calendar, HOURS, st.booleans(), st.booleans(), st.frozensets(st.integers(0, 1010), max_size=30))


@st.composite
def _cases(draw: st.DrawFn, longest: int) -> tuple[BusinessCalendar, datetime, datetime, list[Pause]]:
    """A calendar, two moments, and pauses in order between them."""
    since = draw(STARTS)
    minutes = draw(st.integers(0, longest))
    edges = sorted(draw(st.lists(st.integers(0, minutes), max_size=6)))
    pauses = [Pause(State.WAITING_VENDOR, since + a * MINUTE, since + b * MINUTE) for a, b in zip(edges[::2], edges[1::2], strict=False)]
    return draw(CALENDARS), since, since + minutes * MINUTE, pauses


def _opens(calendar: BusinessCalendar, minute: datetime) -> bool:
    """The second opinion: whether one minute is business time, by another library's holidays and plain comparisons."""
    there = minute.astimezone(JST)
    day = there.date()
    if day in calendar.company_days or (calendar.rests_at_year_end and (day.month, day.day) in YEAR_END) or (calendar.rests_on_holidays and day in PUBLIC):
        return False
    clock = there.hour * 60 + there.minute
    return any(opens <= clock < closes for opens, closes in calendar.hours[day.weekday()])


def _check(case: tuple[BusinessCalendar, datetime, datetime, list[Pause]]) -> None:
    calendar, since, until, pauses = case
    open_minutes = 0
    minute = since
    while minute < until:
        paused = any(pause.since <= minute < (pause.until or until) for pause in pauses)
        open_minutes += not paused and _opens(calendar, minute)
        minute += MINUTE

    found = segments(calendar, since, until, pauses)

    assert counted_seconds(calendar, since, until, pauses) == open_minutes * 60
    assert sum(one.seconds for one in found if one.why is Why.COUNTED) == open_minutes * 60
    assert [since, *(one.until for one in found)] == [*(one.since for one in found), until]
    assert all(one.since < one.until for one in found)


@given(_cases(3 * 1440))
@settings(max_examples=40)
def test_what_counts_is_what_a_count_of_single_minutes_finds(case: tuple[BusinessCalendar, datetime, datetime, list[Pause]]) -> None:
    _check(case)


@pytest.mark.proof
@given(_cases(40 * 1440))
@settings(max_examples=400)
def test_a_month_of_minutes_is_counted_alike(case: tuple[BusinessCalendar, datetime, datetime, list[Pause]]) -> None:
    _check(case)


@given(_cases(20 * 1440), st.integers(0, 60 * 3600))
@settings(max_examples=80)
def test_up_to_its_deadline_a_clock_counts_its_target_exactly(case: tuple[BusinessCalendar, datetime, datetime, list[Pause]], target: int) -> None:
    calendar, since, _, pauses = case

    due = due_after(calendar, since, target, pauses)

    assert due is not None
    found = segments(calendar, since, due, pauses)
    assert sum(one.seconds for one in found if one.why is Why.COUNTED) == target
    assert counted_seconds(calendar, since, due, pauses) == target
    # Nothing is promised for a moment at which the clock stands, nor later than it must be.
    if target:
        assert not any(pause.since < due <= (pause.until or due) for pause in pauses if pause.since != pause.until)
        assert counted_seconds(calendar, since, due - timedelta(seconds=1), pauses) == target - 1


def _tokyo(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=JST)


def test_the_listing_names_nights_weekends_holidays_and_company_days() -> None:
    calendar = BusinessCalendar(frozenset({date(2026, 11, 24)}))
    pause = Pause(State.WAITING_VENDOR, _tokyo("2026-11-20T16:30"), _tokyo("2026-11-20T16:40"))
    due = due_after(calendar, _tokyo("2026-11-20T16:00"), 2 * 3600, [pause])
    assert due is not None
    assert due == _tokyo("2026-11-25T10:10")

    found = [(one.why, one.name, one.seconds // 60) for one in segments(calendar, _tokyo("2026-11-20T16:00"), due, [pause])]

    assert found == [
        (Why.COUNTED, "", 30),
        (Why.PAUSED, "", 10),
        (Why.COUNTED, "", 20),
        (Why.HOURS, "", 7 * 60),
        (Why.WEEKEND, "", 48 * 60),
        (Why.HOLIDAY, "勤労感謝の日", 24 * 60),
        (Why.COMPANY, "", 24 * 60),
        (Why.HOURS, "", 9 * 60),
        (Why.COUNTED, "", 70),
    ]


def test_a_clock_that_stands_has_no_deadline() -> None:
    stands = [Pause(State.WAITING_CUSTOMER, _tokyo("2026-11-20T10:00"))]

    assert due_after(BusinessCalendar(), _tokyo("2026-11-20T09:30"), 3600, stands) is None
    assert due_after(BusinessCalendar(), _tokyo("2026-11-20T09:00"), 1800, stands) == _tokyo("2026-11-20T09:30")


def test_at_the_years_end_the_desk_opens_when_its_calendar_says() -> None:
    moment = _tokyo("2026-12-28T17:00")

    assert BusinessCalendar().next_opening(moment) == _tokyo("2027-01-04T09:00")
    assert BusinessCalendar(rests_at_year_end=False).next_opening(moment) == _tokyo("2026-12-29T09:00")
    assert BusinessCalendar(rests_at_year_end=False).next_opening(_tokyo("2026-12-31T17:00")) == _tokyo("2027-01-04T09:00")
    assert BusinessCalendar(rests_on_holidays=False, rests_at_year_end=False).next_opening(_tokyo("2026-12-31T17:00")) == _tokyo("2027-01-01T09:00")
    assert BusinessCalendar(rests_on_holidays=False).next_opening(moment) == _tokyo("2027-01-04T09:00")
