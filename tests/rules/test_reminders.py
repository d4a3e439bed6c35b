"""When reminders are due, by the rules alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from rules.calendar import BusinessCalendar
from rules.limits import Limits
from rules.reminders import (
    HOLIDAYS_KNOWN_UNTIL,
    Kind,
    Silence,
    calendar_known_until,
    digest_due,
    ending_step,
    is_ending_soon,
    is_nearly_full,
    silence_step,
)

CALENDAR, LIMITS = BusinessCalendar(), Limits()
FRIDAY = date(2026, 9, 11)
"""Two weekends, three holidays in a row (9/21-23) and 5, 10, 15 business days ahead: 9/18, 9/30 and 10/7."""


def step(silence: Silence, today: date, active: frozenset[Kind] = frozenset(Kind)) -> Kind | None:
    return silence_step(silence, today, calendar=CALENDAR, limits=LIMITS, active=active)


@pytest.mark.parametrize(
    ("today", "silence", "due"),
    [
        (date(2026, 9, 17), Silence(FRIDAY), None),
        (date(2026, 9, 18), Silence(FRIDAY), Kind.SILENT_REMINDER),
        (date(2026, 9, 18), Silence(FRIDAY, reminded=True), None),
        (date(2026, 9, 29), Silence(FRIDAY, reminded=True), None),
        (date(2026, 9, 30), Silence(FRIDAY, reminded=True), Kind.SILENT_NOTICE),
        (date(2026, 10, 6), Silence(FRIDAY, reminded=True, noticed_on=date(2026, 9, 30)), None),
        (date(2026, 10, 7), Silence(FRIDAY, reminded=True, noticed_on=date(2026, 9, 30)), Kind.SILENT_CLOSED),
    ],
)
def test_silence_is_counted_in_business_days(today: date, silence: Silence, due: Kind | None) -> None:
    assert step(silence, today) == due


def test_nobody_is_written_to_on_a_day_the_desk_is_closed() -> None:
    assert step(Silence(FRIDAY), date(2026, 9, 22)) is None


def test_after_a_long_sleep_the_notice_comes_first_and_the_end_five_days_after_it() -> None:
    assert step(Silence(FRIDAY), date(2026, 11, 4)) is Kind.SILENT_NOTICE
    assert step(Silence(FRIDAY, noticed_on=date(2026, 11, 4)), date(2026, 11, 10)) is None
    assert step(Silence(FRIDAY, noticed_on=date(2026, 11, 4)), date(2026, 11, 11)) is Kind.SILENT_CLOSED


def test_a_step_that_is_switched_off_is_left_out() -> None:
    without_notice = frozenset(Kind) - {Kind.SILENT_NOTICE}

    assert step(Silence(FRIDAY, reminded=True), date(2026, 9, 30), without_notice) is None
    assert step(Silence(FRIDAY, reminded=True), date(2026, 10, 7), without_notice) is Kind.SILENT_CLOSED
    assert step(Silence(FRIDAY, noticed_on=date(2026, 9, 30)), date(2026, 10, 7), frozenset(Kind) - {Kind.SILENT_CLOSED}) is None


@pytest.mark.parametrize(("left", "due"), [(91, None), (90, 90), (31, 90), (30, 30), (8, 30), (7, 7), (0, 7), (-1, None)])
def test_a_line_that_ends_is_told_of_at_90_30_and_7_days(left: int, due: int | None) -> None:
    assert ending_step(FRIDAY + timedelta(days=left), FRIDAY, LIMITS) == due


@pytest.mark.parametrize(
    ("hour", "now", "due"),
    [
        (8, datetime(2026, 11, 30, 22, 59, tzinfo=UTC), False),
        (8, datetime(2026, 11, 30, 23, 0, tzinfo=UTC), True),
        (8, datetime(2026, 12, 1, 2, 59, tzinfo=UTC), True),
        (8, datetime(2026, 12, 1, 3, 0, tzinfo=UTC), False),
        (8, datetime(2026, 12, 5, 0, 0, tzinfo=UTC), False),
        (None, datetime(2026, 12, 1, 0, 0, tzinfo=UTC), False),
    ],
)
def test_an_overview_is_written_at_its_hour_and_not_much_later(hour: int | None, now: datetime, due: bool) -> None:
    assert digest_due(hour, now, CALENDAR) is due


def test_the_calendar_reaches_to_the_end_of_the_last_year_with_a_day_of_the_desks_own() -> None:
    assert calendar_known_until([]) == HOLIDAYS_KNOWN_UNTIL
    assert calendar_known_until([date(2026, 8, 13), date(2027, 8, 13)]) == date(2027, 12, 31)
    assert not is_ending_soon(date(2027, 12, 31), date(2027, 6, 30), LIMITS)
    assert is_ending_soon(date(2027, 12, 31), date(2027, 7, 1), LIMITS)
    assert is_ending_soon(date(2027, 12, 31), date(2028, 1, 1), LIMITS)


def test_a_limit_nears_at_eighty_percent() -> None:
    assert [is_nearly_full(used, 100, LIMITS) for used in (79, 80, 101)] == [False, True, True]
    assert not is_nearly_full(10**9, 0, replace(LIMITS, quota_percent=1))
