"""How a ticket's contract was found, what speaks for another one, and what its service promises, in words."""

from __future__ import annotations

from datetime import datetime, time

from rules.calendar import BusinessCalendar
from rules.candidates import Clue
from rules.contracts import Path
from rules.coverage import Coverage, Work, is_covered, next_covered, read_coverage
from wording import dates
from wording.catalog import N_, NC_, translate

_PATHS = {
    Path.CONTRACT: N_("契約番号"),
    Path.SERIAL: N_("シリアル番号"),
    Path.BOTH: N_("契約番号とシリアル番号"),
    Path.HAND: N_("サポートの照合"),
    Path.NONE: NC_("path", "なし"),
}
_CLUES = {
    Clue.SERIAL: N_("シリアル番号が同じ"),
    Clue.SERIAL_LOGGED: N_("添付のログにシリアル番号がある"),
    Clue.SERIAL_WRITTEN: N_("本文にシリアル番号がある"),
    Clue.SERIAL_NEAR: N_("シリアル番号がよく似ている"),
    Clue.CONTRACT: N_("契約番号が同じ"),
    Clue.CONTRACT_NEAR: N_("契約番号がよく似ている"),
    Clue.ACCOUNT: N_("保守登録メールの契約"),
    Clue.MODEL: N_("機種が同じ"),
    Clue.PRODUCT: N_("製品が同じ"),
    Clue.ACTIVE: N_("期間内"),
}
_WORKS = {Work.ONSITE: N_("オンサイト"), Work.ADVANCE: N_("先出し交換"), Work.SENDBACK: N_("センドバック"), Work.SOFTWARE: N_("ソフトウェア")}
_ALWAYS, _EVERY_DAY, _BUSINESS_DAYS = N_("24時間365日"), N_("毎日"), N_("平日")
_ALL_DAY, _SPAN = N_("終日"), N_("{opens}〜{closes}")
_UNKNOWN = N_("対応時間は不明（サービス種類から読み取れません）")
_NONE = N_("対応時間の定めはありません")
_NOW, _LATER = N_("いまは時間内"), N_("いまは時間外・次は {at}")
_BETWEEN = N_("・")


def path(code: str, language: str = "ja") -> str:
    """By what the lines behind a verdict were found."""
    return translate(_PATHS[Path(code)], language)


def clue(code: str, language: str = "ja") -> str:
    """Why a contract may be the one that is meant."""
    return translate(_CLUES[Clue(code)], language)


def coverage(service: str, calendar: BusinessCalendar, now: datetime, language: str = "ja") -> str:
    """What a service type promises: works, days and hours, and whether it answers at `now`; 不明 where it does not say."""
    read = read_coverage(service)
    works = [translate(_WORKS[work], language) for work in read.works]
    return translate(_BETWEEN, language).join([*works, *_hours(read, calendar, now, language)])


def _hours(read: Coverage, calendar: BusinessCalendar, now: datetime, language: str) -> list[str]:
    if read.opens is None:
        return [translate(_NONE if read.is_none else _UNKNOWN, language)]
    if read.is_always:
        return [translate(_ALWAYS, language)]
    days = translate(_EVERY_DAY if read.every_day else _BUSINESS_DAYS, language)
    opening = next_covered(read, calendar, now)
    if is_covered(read, calendar, now) or opening is None:
        return [days + _span(read.opens, read.closes, language), translate(_NOW, language)]
    return [days + _span(read.opens, read.closes, language), translate(_LATER, language).format(at=dates.due(opening, now, language))]


def _span(opens: time, closes: time | None, language: str) -> str:
    if opens == time() and closes is None:
        return translate(_ALL_DAY, language)
    return translate(_SPAN, language).format(opens=_clock(opens), closes=_clock(closes) if closes else "24:00")


def _clock(at: time) -> str:
    return f"{at.hour}:{at.minute:02}"
