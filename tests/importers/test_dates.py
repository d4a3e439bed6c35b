"""Dates of a workbook: real ones, the ways people write them, wareki within its eras, Excel serials."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers.cells import Problem, day_of_serial, parse_date

MIDNIGHT = datetime.combine(date(2026, 4, 1), time())


@pytest.mark.parametrize(
    "typed",
    [
        *("2026/4/1", "2026/04/01", "2026-04-01", "2026.4.1", "2026年4月1日", "２０２６／０４／０１", " 2026/4/1　", "2026年 4月 1日", "20260401"),
        *("2026年4月1日(水)", "2026/4/1（水）", "2026年4月1日水曜日", "２０２６年４月１日", "2026/4/1 0:00", "2026-04-01T00:00:00", "2026/4/1 10:30:00"),
        *("令和8年4月1日", "令和８年４月１日", "R8.4.1", "r8/4/1", "Ｒ８．４．１", "R08-04-01", "㋿8年4月1日", "令8.4.1"),
        *(date(2026, 4, 1), MIDNIGHT, MIDNIGHT + timedelta(hours=9)),
    ],
)
def test_one_day_is_read_however_it_is_written(typed: object) -> None:
    assert parse_date(typed) == "2026-04-01"


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("令和元年5月1日", "2019-05-01"),
        ("R1.5.1", "2019-05-01"),
        ("平成31年4月30日", "2019-04-30"),
        ("H元.1.8", "1989-01-08"),
        ("S64.1.7", "1989-01-07"),
        ("昭和元年12月25日", "1926-12-25"),
        ("㍻26年7月1日", "2014-07-01"),
        ("R9.1.31", "2027-01-31"),
        ("2024/2/29", "2024-02-29"),
    ],
)
def test_the_first_and_last_days_of_an_era_belong_to_it(typed: str, day: str) -> None:
    assert parse_date(typed) == day


@pytest.mark.parametrize("typed", ["令和元年4月30日", "平成31年5月1日", "昭和64年1月8日", "平成元年1月7日", "H40.4.1", "令和元年4月1日"])
def test_a_day_outside_its_era_is_no_date(typed: str) -> None:
    assert parse_date(typed) == Problem("outside_era", {"v": typed})


@pytest.mark.parametrize("typed", ["2026/02/30", "2026/2/29", "2026/13/1", "2026年4月31日", "20260230", "令和8年2月30日", "R8.0.1", "2026/4/0"])
def test_a_day_that_does_not_exist_is_told(typed: str) -> None:
    assert parse_date(typed) == Problem("no_such_date", {"v": typed})


@pytest.mark.parametrize(
    "typed", ["未定", "4/1", "2026年4月", "26/4/1", "4/1/2026", "来年4月1日", "2026/4/1～2027/3/31", "-", "2026/4/1 or 2", time(9, 0), True]
)
def test_words_and_halves_of_dates_are_told(typed: object) -> None:
    found = parse_date(typed)

    assert isinstance(found, Problem)
    assert found.code == "not_a_date"


@pytest.mark.parametrize("raw", [46113.0, 46113, 46113.75, "46113", "４６１１３"])
def test_a_bare_number_is_an_excel_serial_and_warned_of(raw: object) -> None:
    found = parse_date(raw)

    assert isinstance(found, Problem)
    assert (found.code, found.value, found.warning) == ("date_from_number", "2026-04-01", True)


def test_serials_of_the_1904_calendar_count_from_there() -> None:
    assert parse_date(44651.0, date1904=True) == Problem("date_from_number", {"v": "44651", "date": "2026-04-01"}, "2026-04-01", warning=True)


@pytest.mark.parametrize(("serial", "day"), [(1, date(1900, 1, 1)), (59, date(1900, 2, 28)), (60, None), (61, date(1900, 3, 1)), (0, None), (-5, None)])
def test_the_leap_day_that_1900_never_had_is_no_day(serial: int, day: date | None) -> None:
    assert day_of_serial(serial, date1904=False) == day


def test_a_number_beyond_the_calendar_is_no_date() -> None:
    found = parse_date(20260401.0)

    assert found == Problem("not_a_date", {"v": "20260401"})


def test_blanks_are_absent() -> None:
    assert [parse_date(blank) for blank in ("", "  ", "　")] == ["", "", ""]


@given(st.dates(date(1927, 1, 1), date(2099, 12, 31)))
def test_every_day_is_read_back_from_every_spelling(day: date) -> None:
    eras = [("令和", "R", 2018, date(2019, 5, 1)), ("平成", "H", 1988, date(1989, 1, 8)), ("昭和", "S", 1925, date(1926, 12, 25))]
    name, letter, before, _ = next(era for era in eras if day >= era[3])
    year = day.year - before

    spellings = [
        day,
        f"{day:%Y/%m/%d}",
        f"{day.year}年{day.month}月{day.day}日",
        f"{name}{'元' if year == 1 else year}年{day.month}月{day.day}日",
        f"{letter}{year}.{day.month}.{day.day}",
    ]
    assert {parse_date(spelling) for spelling in spellings} == {day.isoformat()}
    serial = parse_date(float((day - date(1899, 12, 30)) / timedelta(days=1)))
    assert isinstance(serial, Problem)
    assert serial.value == day.isoformat()
