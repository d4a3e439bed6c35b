"""Business days and hours of the desk, each answer with the days it skipped."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.calendar import BusinessCalendar, Closed, ClosedReason, tokyo_date
from rules.service_hours import typed_terms
from rules.tickets import Priority

CALENDAR = BusinessCalendar()
JST = ZoneInfo("Asia/Tokyo")
MOMENTS = st.datetimes(datetime(2015, 1, 1), datetime(2030, 11, 30)).map(lambda moment: moment.replace(tzinfo=UTC))  # noqa: DTZ001 - made aware here


def _tokyo(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=JST)


def test_every_day_from_2015_to_2030_agrees_with_a_second_opinion() -> None:
    public = holidays.country_holidays("JP", years=range(2015, 2031))
    days = [date(2015, 1, 1) + timedelta(days=n) for n in range((date(2030, 12, 31) - date(2015, 1, 1)).days + 1)]
    assert len(days) == 5844

    wrong = [
        day
        for day in days
        if CALENDAR.is_business_day(day)
        is (day.weekday() >= 5 or day in public or (day.month, day.day) in {(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)})
    ]

    assert wrong == []


@pytest.mark.parametrize(
    ("received", "due"),
    [
        (date(2026, 9, 18), date(2026, 9, 25)),
        (date(2026, 5, 1), date(2026, 5, 8)),
        (date(2026, 11, 22), date(2026, 11, 25)),
        (date(2026, 12, 28), date(2027, 1, 5)),
    ],
)
def test_two_business_days_after_receipt_step_over_every_closed_day(received: date, due: date) -> None:
    assert CALENDAR.add_business_days(received, 2).day == due


def test_a_due_day_says_what_it_counted_and_skipped() -> None:
    due = CALENDAR.add_business_days(date(2026, 9, 18), 2)

    assert due.counted == (date(2026, 9, 24), date(2026, 9, 25))
    assert [(skipped.day.day, skipped.reason.kind, skipped.reason.name) for skipped in due.skipped] == [
        (19, Closed.WEEKEND, ""),
        (20, Closed.WEEKEND, ""),
        (21, Closed.HOLIDAY, "敬老の日"),
        (22, Closed.HOLIDAY, "国民の休日"),
        (23, Closed.HOLIDAY, "秋分の日"),
    ]


def test_business_days_are_counted_back_as_well() -> None:
    assert CALENDAR.add_business_days(date(2026, 9, 25), -2).day == date(2026, 9, 18)
    assert CALENDAR.business_days_between(date(2026, 9, 18), date(2026, 9, 25)) == 2
    assert CALENDAR.business_days_between(date(2026, 9, 25), date(2026, 9, 18)) == 0


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        (date(2026, 11, 20), None),
        (date(2026, 11, 21), ClosedReason(Closed.WEEKEND)),
        (date(2026, 11, 23), ClosedReason(Closed.HOLIDAY, "勤労感謝の日")),
        (date(2026, 5, 6), ClosedReason(Closed.HOLIDAY, "憲法記念日 振替休日")),
        (date(2026, 12, 29), ClosedReason(Closed.YEAR_END)),
        (date(2027, 1, 1), ClosedReason(Closed.HOLIDAY, "元日")),
        (date(2027, 1, 3), ClosedReason(Closed.YEAR_END)),
        (date(2027, 1, 4), None),
        (date(2026, 8, 14), ClosedReason(Closed.COMPANY)),
    ],
)
def test_a_closed_day_names_its_reason(day: date, reason: ClosedReason | None) -> None:
    calendar = BusinessCalendar(frozenset({date(2026, 8, 14)}))

    assert calendar.closed_reason(day) == reason
    assert calendar.is_business_day(day) is (reason is None)


@pytest.mark.parametrize(
    ("moment", "hours", "due"),
    [
        ("2026-11-20T12:30", 2, "2026-11-20T14:30"),
        ("2026-11-20T15:00", 2, "2026-11-20T17:00"),
        ("2026-11-20T16:00", 2, "2026-11-24T10:00"),
        ("2026-11-20T17:00", 1, "2026-11-24T10:00"),
        ("2026-11-20T08:59", 1, "2026-11-20T10:00"),
        ("2026-11-21T12:00", 8, "2026-11-24T17:00"),
        ("2026-12-28T16:30", 1, "2027-01-04T09:30"),
        ("2026-11-20T23:30", 4, "2026-11-24T13:00"),
        ("2026-11-19T09:00", 16, "2026-11-20T17:00"),
        ("2026-11-20T12:30", 0, "2026-11-20T12:30"),
    ],
)
def test_a_deadline_counts_business_hours_only(moment: str, hours: int, due: str) -> None:
    assert CALENDAR.add_business_hours(_tokyo(moment), hours).at == _tokyo(due)


def test_a_deadline_says_which_days_it_skipped() -> None:
    deadline = CALENDAR.add_business_hours(_tokyo("2026-11-20T16:00"), 2)

    assert [skipped.day.day for skipped in deadline.skipped] == [21, 22, 23]
    assert deadline.at.tzinfo is UTC


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [
        ("2026-11-20T12:30", "2026-11-20T14:30", 2),
        ("2026-11-20T16:00", "2026-11-24T10:00", 2),
        ("2026-11-21T00:00", "2026-11-23T23:59", 0),
        ("2026-11-24T10:00", "2026-11-20T16:00", -2),
        ("2026-11-20T00:00", "2026-11-20T23:00", 8),
    ],
)
def test_business_time_between_two_moments(since: str, until: str, hours: int) -> None:
    assert CALENDAR.business_seconds(_tokyo(since), _tokyo(until)) == hours * 3600


@given(MOMENTS, st.integers(0, 200_000))
def test_a_deadline_lies_exactly_its_business_time_away_on_a_business_day(moment: datetime, seconds: int) -> None:
    moment = moment.replace(microsecond=0)

    at = CALENDAR.add_business_seconds(moment, seconds).at

    assert CALENDAR.business_seconds(moment, at) == seconds
    assert CALENDAR.is_business_day(tokyo_date(at))


@pytest.mark.parametrize(
    ("moment", "is_open", "opening"),
    [
        ("2026-11-20T08:59", False, "2026-11-20T09:00"),
        ("2026-11-20T09:00", True, "2026-11-20T09:00"),
        ("2026-11-20T16:59", True, "2026-11-20T16:59"),
        ("2026-11-20T17:00", False, "2026-11-24T09:00"),
        ("2026-11-23T12:00", False, "2026-11-24T09:00"),
    ],
)
def test_the_desk_is_open_from_nine_until_five(moment: str, is_open: bool, opening: str) -> None:
    assert CALENDAR.is_open(_tokyo(moment)) is is_open
    assert CALENDAR.next_opening(_tokyo(moment)) == _tokyo(opening)


def test_the_day_is_tokyos() -> None:
    assert tokyo_date(datetime(2026, 11, 19, 14, 59, tzinfo=UTC)) == date(2026, 11, 19)
    assert tokyo_date(datetime(2026, 11, 19, 15, 0, tzinfo=UTC)) == date(2026, 11, 20)


@pytest.mark.parametrize(
    ("hours", "resolution", "codes"), [("9:00-17:00", "832", []), ("9:00-17:00", "833", ["target_far"]), ("0:00-0:01", "", ["target_far"] * 8)]
)
def test_a_target_that_its_hours_never_reach_is_refused(hours: str, resolution: str, codes: list[str]) -> None:
    goals = {f"{goal}_{priority}": "4" for goal in ("first", "next") for priority in Priority}

    _, faults = typed_terms({"hours_mon": hours, "resolution_urgent": resolution} | goals, holidays=True, year_end=True, company_days=True)

    assert [fault.code for fault in faults] == codes
