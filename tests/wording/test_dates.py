"""Dates, spans, sizes and numbers read as the guide says."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from wording import dates

NOW = datetime(2026, 11, 20, 5, 5, tzinfo=UTC)
"""2026/11/20(金) 14:05 in Tokyo."""


def test_a_moment_is_told_in_tokyo_time_with_its_weekday() -> None:
    assert dates.moment(datetime(2026, 11, 22, 5, 5, 59, tzinfo=UTC)) == "2026/11/22(日) 14:05"
    assert dates.moment(datetime(2026, 12, 31, 15, 0, tzinfo=UTC)) == "2027/01/01(金・祝) 00:00"
    assert dates.moment(datetime(2026, 11, 22, 5, 5, tzinfo=UTC), "en") == "2026/11/22 (Sun) 14:05"


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (datetime(2026, 11, 20, 5, 5, tzinfo=UTC), "14:05"),
        (datetime(2026, 11, 19, 15, 0, tzinfo=UTC), "00:00"),
        (datetime(2026, 11, 19, 14, 59, tzinfo=UTC), "11/19(木)"),
        (datetime(2026, 11, 18, 3, 0, tzinfo=UTC), "11/18(水)"),
        (datetime(2025, 12, 31, 15, 0, tzinfo=UTC), "1/1(木・祝)"),
        (datetime(2025, 12, 31, 14, 59, tzinfo=UTC), "2025/12/31"),
    ],
)
def test_a_list_tells_the_time_of_today_the_day_of_this_year_and_the_date_of_others(at: datetime, told: str) -> None:
    assert dates.short(at, NOW) == told


def test_a_deadline_is_told_with_its_time_and_another_years_in_full() -> None:
    assert dates.due(datetime(2026, 11, 24, 0, 30, tzinfo=UTC), NOW) == "11/24(火) 09:30"
    assert dates.due(datetime(2027, 1, 4, 0, 30, tzinfo=UTC), NOW) == "2027/01/04(月) 09:30"


def test_machines_read_the_moment_with_its_offset() -> None:
    assert dates.stamp(NOW) == "2026-11-20T14:05+09:00"


def test_a_holiday_is_named_beside_its_weekday() -> None:
    assert dates.day_name(date(2026, 11, 23), "勤労感謝の日") == "11/23(月・祝)"
    assert dates.day_name(date(2026, 11, 22)) == "11/22(日)"
    assert dates.day_name(date(2026, 11, 23), holiday=True, language="en") == "11/23 (Mon, holiday)"


def test_a_day_of_a_contract_has_four_two_and_two_digits() -> None:
    assert dates.day(date(2026, 4, 1)) == "2026/04/01"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(11_700, "3時間15分"), (1500, "25分"), (7200, "2時間"), (-2700, "45分"), (59, "1分未満"), (0, "1分未満"), (119, "1分"), (4_320_000, "1,200時間")],
)
def test_a_span_is_told_in_hours_and_whole_minutes(seconds: float, told: str) -> None:
    assert dates.span(seconds) == told


def test_a_span_is_told_in_english_too() -> None:
    assert dates.span(11_700, "en") == "3 h 15 min"
    assert dates.span(30, "en") == "under 1 min"


@pytest.mark.parametrize(
    ("length", "told"),
    [
        (0, "0 B"),
        (1023, "1,023 B"),
        (1024, "1 kB"),
        (319_488, "312 kB"),
        (1_048_064, "1.0 MB"),
        (8_808_038, "8.4 MB"),
        (100 * 1024**2, "100 MB"),
        (100 * 1024**2 + 1, "100.0 MB"),
        (3 * 1024**3 // 2, "1.5 GB"),
        (5 * 1024**5, "5,120 TB"),
    ],
)
def test_a_size_is_told_in_the_units_of_the_limits(length: int, told: str) -> None:
    assert dates.size(length) == told


def test_numbers_carry_commas() -> None:
    assert dates.number(1204) == "1,204"
    assert dates.number(7) == "7"
