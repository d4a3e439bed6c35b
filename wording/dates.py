"""Moments, days, spans, sizes and numbers as people read them (UI, section 7): Tokyo time, half-width, no seconds."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache

from rules.calendar import TOKYO, holiday_name

_WEEKDAYS = {"ja": "月火水木金土日", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}
_HOLIDAY = {"ja": "・祝", "en": ", holiday"}
_GAP = {"ja": "", "en": " "}
"""Between a day and the bracket of its weekday."""
_UNITS = ("B", "kB", "MB", "GB", "TB")


def moment(at: datetime, language: str = "ja") -> str:
    """The moment in full: ``2026/11/22(日) 14:05``, in English ``2026/11/22 (Sun) 14:05``."""
    return stamped_moment(at, language)[1]


def stamped_moment(at: datetime, language: str = "ja") -> tuple[str, str]:
    """`stamp` and `moment` at once: a thread has dozens, and the second is cut from the first."""
    there = at.astimezone(TOKYO)
    exact = there.isoformat(timespec="minutes")
    return exact, f"{exact[:4]}/{exact[5:7]}/{exact[8:10]}{_weekday(there, language)} {exact[11:16]}"


def short(at: datetime, now: datetime, language: str = "ja") -> str:
    """The moment in a list: ``14:05`` today, ``11/18(水)`` this year, else ``2025/11/18`` (Tokyo's day and year)."""
    there, here = at.astimezone(TOKYO), now.astimezone(TOKYO)
    if there.date() == here.date():
        return _clock(there)
    return f"{there.month}/{there.day}{_weekday(there, language)}" if there.year == here.year else day(there)


def due(at: datetime, now: datetime, language: str = "ja") -> str:
    """A deadline: day and time without the year, ``11/20(金) 14:30``; another year's in full."""
    there = at.astimezone(TOKYO)
    if there.year != now.astimezone(TOKYO).year:
        return moment(at, language)
    return f"{there.month}/{there.day}{_weekday(there, language)} {_clock(there)}"


def stamp(at: datetime) -> str:
    """The moment for machines, the value of ``<time datetime>``: ``2026-11-22T14:05+09:00``."""
    return at.astimezone(TOKYO).isoformat(timespec="minutes")


def day(on: date) -> str:
    """A calendar day: ``2026/11/22``."""
    return f"{on.year:04}/{on.month:02}/{on.day:02}"


def day_name(on: date, holiday: str | bool | None = None, language: str = "ja") -> str:
    """A day of this year by name: ``11/22(日)``, ``11/23(月・祝)``; `holiday` marks a day that the public calendar does not know."""
    return f"{on.month}/{on.day}{_weekday(on, language, marked=bool(holiday))}"


def weekday(at: date, language: str = "ja") -> str:
    """The weekday of a day in Tokyo: ``(火)``, ``(月・祝)``."""
    return _weekday(at, language)


def span(seconds: float, language: str = "ja") -> str:
    """A length of time in whole minutes, rounded down: ``3時間15分``. Its sign is the caller's word (残り, 超過)."""
    hours, minutes = divmod(int(abs(seconds)) // 60, 60)
    if not hours and not minutes:
        return {"ja": "1分未満", "en": "under 1 min"}[language]
    hour, minute, gap = {"ja": ("時間", "分", ""), "en": (" h", " min", " ")}[language]
    return gap.join(part for part in (f"{hours:,}{hour}" if hours else "", f"{minutes}{minute}" if minutes else "") if part)


def size(length: int) -> str:
    """A length in bytes by units of 1,024, as the limits count: ``312 kB``, ``8.4 MB``, ``100 MB``."""
    unit, whole = 0, 1
    while unit < len(_UNITS) - 1 and round(length / whole, 1 if unit > 1 else None) >= 1024:
        unit, whole = unit + 1, whole * 1024
    return f"{length / whole:,.{0 if unit < 2 or length % whole == 0 else 1}f} {_UNITS[unit]}"


def number(count: float) -> str:
    """A number with commas: ``1,204``."""
    return f"{count:,}"


def _clock(at: datetime) -> str:
    return f"{at.hour:02}:{at.minute:02}"


def _weekday(on: date, language: str, *, marked: bool = False) -> str:
    """``(月)``, on a public holiday ``(月・祝)``."""
    return _weekday_of(on.toordinal(), language, marked)


@lru_cache(maxsize=4096)
def _weekday_of(ordinal: int, language: str, marked: bool) -> str:
    """Kept by the day: a thread shows the same few days all over."""
    on = date.fromordinal(ordinal)
    mark = _HOLIDAY[language] if marked or holiday_name(on) else ""
    return f"{_GAP[language]}({_WEEKDAYS[language][on.weekday()]}{mark})"
