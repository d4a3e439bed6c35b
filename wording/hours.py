"""The hours of a service calendar as people read them."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from rules.calendar import TOKYO, BusinessCalendar, Hours, Span
from wording import dates
from wording.catalog import N_, translate

_DAYS = {"ja": "月火水木金土日", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}
_RANGE = {"ja": "{first}〜{last}", "en": "{first}–{last}"}
_BETWEEN = {"ja": "、", "en": ", "}
_WEEKDAYS, _EVERY_DAY, _ALL_DAY = N_("平日"), N_("毎日"), N_("終日")
_BUT_BOTH = N_("{hours}（祝日と 12/29〜1/3 を除く）")
_BUT_HOLIDAYS, _BUT_YEAR_END, _CLOSED = N_("{hours}（祝日を除く）"), N_("{hours}（12/29〜1/3 を除く）"), N_("受付時間なし")
_DAY = {"ja": "{month}月{day}日", "en": "{month}/{day} "}
_DAY_OF = {"ja": "{year}年{month}月{day}日", "en": "{year}/{month}/{day} "}


def opening_hours(calendar: BusinessCalendar, language: str = "ja") -> str:
    """When the desk works, in one line: ``平日 9:00〜17:00（祝日と 12/29〜1/3 を除く）``."""
    return _line(calendar.hours, calendar.rests_on_holidays, calendar.rests_at_year_end, language)


@lru_cache(maxsize=64)
def _line(hours: Hours, on_holidays: bool, at_year_end: bool, language: str) -> str:
    line = _BETWEEN[language].join(_week(hours, language)) or translate(_CLOSED, language)
    if on_holidays:
        return translate(_BUT_BOTH if at_year_end else _BUT_HOLIDAYS, language).format(hours=line)
    return translate(_BUT_YEAR_END, language).format(hours=line) if at_year_end else line


def _week(hours: Hours, language: str) -> list[str]:
    """Weekdays with the same hours together: ``平日 9:00〜17:00``, ``土 10:00〜12:00``."""
    groups: list[tuple[tuple[Span, ...], list[int]]] = []
    for day, spans in enumerate(hours):
        if groups and groups[-1][0] == spans:
            groups[-1][1].append(day)
        else:
            groups.append((spans, [day]))
    return [f"{_named(days, language)} {_spans(spans, language)}" for spans, days in groups if spans]


def opening(at: datetime, now: datetime, language: str = "ja") -> str:
    """When the desk answers next: ``11月24日(火) 9:00``, with the year where it is another one than now's."""
    there = at.astimezone(TOKYO)
    form = _DAY if there.year == now.astimezone(TOKYO).year else _DAY_OF
    day = form[language].format(year=there.year, month=there.month, day=there.day)
    return f"{day}{dates.weekday(there, language).strip()} {there.hour}:{there.minute:02}"


def _named(days: list[int], language: str) -> str:
    if days == [0, 1, 2, 3, 4]:
        return translate(_WEEKDAYS, language)
    if len(days) == 7:
        return translate(_EVERY_DAY, language)
    names = _DAYS[language]
    return names[days[0]] if len(days) == 1 else _RANGE[language].format(first=names[days[0]], last=names[days[-1]])


def _spans(spans: tuple[Span, ...], language: str) -> str:
    if spans == ((0, 24 * 60),):
        return translate(_ALL_DAY, language)
    return _BETWEEN[language].join(f"{opens // 60}:{opens % 60:02}〜{closes // 60}:{closes % 60:02}" for opens, closes in spans)
