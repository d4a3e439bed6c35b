"""What a サービス種類 promises: when somebody comes or sends, and what they do; read from its words, never guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache

from rules.calendar import TOKYO, BusinessCalendar, tokyo_date
from rules.refusal import Refused
from rules.text import fold, one_line

_DAY = timedelta(days=1)
_MOST_DAYS = 31
"""No house is closed longer."""
_TILDES = str.maketrans("〜～ー―–—", "~~----")
_ALWAYS = re.compile(r"24\s*(?:時間|h(?:ours?)?)?\s*[x×*/・&]?\s*(?:365\s*(?:日|d(?:ays?)?)?|7\s*(?:日|d(?:ays?)?)?)(?!\d)|年中無休", re.IGNORECASE)
_EVERY_DAY = re.compile(r"365\s*日|毎日|全日|土日祝(?:日)?(?:も|を?含む)|月\s*[~-]\s*日")
_WEEKDAYS = re.compile(r"平日|月\s*[~-]\s*金|営業日|weekdays?|mon\w*\s*[~-]\s*fri\w*", re.IGNORECASE)
_ROUND_THE_CLOCK = re.compile(r"24\s*(?:時間|h(?:ours?)?)(?!\d)|0(?::00|時)?\s*[~-]\s*24(?::00|時)?", re.IGNORECASE)
_NO_HOURS = re.compile(r"対応時間(?:の定め)?(?:は)?(?:なし|無し|ありません)")
_READING_CHARACTERS = 200
_HOURS = re.compile(r"(?<![\d:/.-])(\d{1,2})(?::(\d{2})|時(?:(\d{1,2})分)?)?\s*[~-]\s*(\d{1,2})(?::(\d{2})|時(?:(\d{1,2})分)?)?(?![\d:/])")


class Work(StrEnum):
    """What the service does."""

    ONSITE = "onsite"
    ADVANCE = "advance"
    """A replacement is sent first."""
    SENDBACK = "sendback"
    SOFTWARE = "software"


_WORKS = (
    (Work.ONSITE, re.compile(r"オンサイト|on-?\s?site|駆けつけ|駆付", re.IGNORECASE)),
    (Work.ADVANCE, re.compile(r"先出し|先送り|アドバンス|advance", re.IGNORECASE)),
    (Work.SENDBACK, re.compile(r"センドバック|send-?\s?back|引取", re.IGNORECASE)),
    (Work.SOFTWARE, re.compile(r"ソフト|software|ライセンス|licen[cs]e|サブスク|subscription", re.IGNORECASE)),
)


@dataclass(frozen=True)
class Coverage:
    """The hours a service type names. `opens` is None where they cannot be read: 不明."""

    works: tuple[Work, ...]
    every_day: bool = False
    """Holidays too; otherwise the calendar's business days."""
    opens: time | None = None
    closes: time | None = None
    """None: until midnight."""
    is_none: bool = False
    """対応時間なし: it says that it promises no hours."""

    @property
    def is_known(self) -> bool:
        """Whether its words say when, or that there are no hours."""
        return self.is_none or self.opens is not None

    @property
    def is_always(self) -> bool:
        """24時間365日."""
        return self.every_day and self.opens == time() and self.closes is None


@lru_cache(maxsize=1024)
def read_coverage(service: str) -> Coverage:
    """The days, hours and works in the words of a service type. Hours without days, or days without hours, are 不明: nobody promised the other half."""
    text = fold(service).translate(_TILDES)
    works = tuple(work for work, words in _WORKS if words.search(text))
    if Work.ADVANCE in works:
        works = tuple(work for work in works if work is not Work.SENDBACK)
    if _NO_HOURS.search(text):
        return Coverage(works, is_none=True)
    if _ALWAYS.search(text):
        return Coverage(works, every_day=True, opens=time())
    every_day = bool(_EVERY_DAY.search(text))
    if not every_day and not _WEEKDAYS.search(text):
        return Coverage(works)
    if _ROUND_THE_CLOCK.search(text):
        return Coverage(works, every_day, time())
    opens, closes = _hours(text)
    return Coverage(works, every_day, opens, closes) if opens is not None else Coverage(works)


def check_reading(typed: str) -> str:
    """The words by which a service type is to be read, on one line.

    Refuses reads_as_empty, text_long(max, n), reads_as_unclear (no hours in them, nor that there are none).
    """
    words = one_line(typed)
    if not words:
        raise Refused("reads_as_empty", "reads_as")
    if len(words) > _READING_CHARACTERS:
        raise Refused("text_long", "reads_as", max=_READING_CHARACTERS, n=len(words))
    if not read_coverage(words).is_known:
        raise Refused("reads_as_unclear", "reads_as")
    return words


def is_covered(coverage: Coverage, calendar: BusinessCalendar, moment: datetime) -> bool:
    """Whether the service answers at `moment` (aware); the closing minute itself does not count."""
    local = moment.astimezone(TOKYO)
    if coverage.opens is None or not _is_day(coverage, calendar, local):
        return False
    return coverage.opens <= local.time() and (coverage.closes is None or local.time() < coverage.closes)


def next_covered(coverage: Coverage, calendar: BusinessCalendar, moment: datetime) -> datetime | None:
    """`moment` itself while the service answers, else when it next does (UTC); None where its hours are 不明."""
    if coverage.opens is None:
        return None
    if is_covered(coverage, calendar, moment):
        return moment
    first = tokyo_date(moment)
    for day in (first + _DAY * n for n in range(_MOST_DAYS)):
        at = datetime.combine(day, coverage.opens, TOKYO)
        if at > moment and _is_day(coverage, calendar, at):
            return at.astimezone(UTC)
    return None


def _is_day(coverage: Coverage, calendar: BusinessCalendar, local: datetime) -> bool:
    return coverage.every_day or calendar.is_business_day(local.date())


def _hours(text: str) -> tuple[time | None, time | None]:
    """The first span of hours that can be one; its closing None for midnight."""
    for found in _HOURS.finditer(text):
        opens, closes = _minutes(found.group(1), found.group(2) or found.group(3)), _minutes(found.group(4), found.group(5) or found.group(6))
        if opens is not None and closes is not None and opens < closes:
            return _clock(opens), None if closes == 24 * 60 else _clock(closes)
    return None, None


def _minutes(hour: str, minute: str | None) -> int | None:
    total = int(hour) * 60 + int(minute or 0)
    return total if int(minute or 0) < 60 and total <= 24 * 60 else None


def _clock(minutes: int) -> time:
    return time(minutes // 60, minutes % 60)
