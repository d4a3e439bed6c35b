"""What the words of a service type promise, and when that is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rules.calendar import BusinessCalendar
from rules.coverage import Work, next_covered, read_coverage
from wording.contracts import coverage

CALENDAR = BusinessCalendar()
TUESDAY_TEN = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)
FRIDAY_EVENING = datetime(2026, 9, 18, 9, 0, tzinfo=UTC)
"""Before the five days' holidays of September 2026."""


@pytest.mark.parametrize(
    ("service", "says"),
    [
        ("24時間365日オンサイト保守", "オンサイト・24時間365日"),
        ("24h x 7 センドバック", "センドバック・24時間365日"),
        ("平日9-17", "平日9:00〜17:00・いまは時間内"),
        ("平日９：００～１７：００オンサイト保守", "オンサイト・平日9:00〜17:00・いまは時間内"),
        ("月〜金 13時〜17時30分 先出しセンドバック", "先出し交換・平日13:00〜17:30・いまは時間外・次は 12/1(火) 13:00"),
        ("毎日8:00-22:00", "毎日8:00〜22:00・いまは時間内"),
        ("平日24時間オンサイト", "オンサイト・平日終日・いまは時間内"),
        ("センドバック 対応時間なし", "センドバック・対応時間の定めはありません"),
    ],
)
def test_hours_are_read_from_the_words(service: str, says: str) -> None:
    assert coverage(service, CALENDAR, TUESDAY_TEN) == says


@pytest.mark.parametrize(
    "service", ["センドバック保守", "9:00-17:00オンサイト", "平日翌日オンサイト", "平日17-9", "SRX-300 平日 8x5", "2026-04 平日", "1年保守", ""]
)
def test_what_does_not_say_days_and_hours_is_unknown(service: str) -> None:
    assert not read_coverage(service).is_known
    assert next_covered(read_coverage(service), CALENDAR, TUESDAY_TEN) is None
    assert "対応時間は不明" in coverage(service, CALENDAR, TUESDAY_TEN)


def test_weekday_hours_begin_again_after_the_holidays() -> None:
    weekdays, always = read_coverage("平日9:00~17:00オンサイト保守"), read_coverage("毎日9:00~17:00")

    assert next_covered(weekdays, CALENDAR, FRIDAY_EVENING) == datetime(2026, 9, 24, 0, 0, tzinfo=UTC)
    assert next_covered(always, CALENDAR, FRIDAY_EVENING) == datetime(2026, 9, 19, 0, 0, tzinfo=UTC)


def test_a_replacement_that_is_sent_first_is_no_plain_sendback() -> None:
    assert read_coverage("先出しセンドバック").works == (Work.ADVANCE,)
