"""One cell -> one checked text, or what is wrong with it. Pure, and asked once for each distinct value of a column."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import cast

from importers.marks import padded, padding_places
from rules.addresses import parse_address
from rules.contracts import CONTACT, fold_contact, parse_contract_key
from rules.refusal import Refused
from rules.text import fold, fold_key, invisible, one_line

MOST_CHARACTERS = 200
"""Of a code or a name."""
DITTO = "ditto"
BETWEEN_ADDRESSES = re.compile(r"[\s,;、；/|<>]+")
"""What people write between the addresses of one cell."""
LEAP_BUG = 60
"""The serial that Excel shows as 29 February 1900, a day that never was."""

DITTO_SIGNS = frozenset({"〃", "〻", "仝", "同上", "同じ", "″", '"', "”", "''", "′′", "ditto"})
_ERROR_TEXTS = frozenset(
    {"#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#FIELD!", "#GETTING_DATA", "#CONNECT!", "#BLOCKED!", "#UNKNOWN!"}
)


@dataclass(frozen=True)
class Problem:
    """What is wrong with a cell (an error: its value is ""), or doubtful (a warning: `value` was read)."""

    code: str
    facts: Mapping[str, object] = field(default_factory=dict[str, object])
    value: str = ""
    warning: bool = False
    raw: str = ""
    """What the cell shows, for whoever puts it right."""


Parsed = str | Problem
Parser = Callable[[object], Parsed]


def parse_date(raw: object, *, date1904: bool = False) -> Parsed:
    """A cell of a date column as an ISO date.

    Reads real dates, ``2026/4/1`` and its like, wareki within the era's own days, and a bare number as an Excel serial
    (warning). Problems: no_such_date, not_a_date, outside_era, formula_error, date_from_number.
    """
    if isinstance(raw, datetime):
        return raw.date().isoformat()
    if isinstance(raw, date):
        return raw.isoformat()
    if isinstance(raw, (float, int)) and not isinstance(raw, bool):
        return _serial_date(number_text(raw), raw, date1904=date1904)
    text = fold(shown(raw))
    if not text:
        return ""
    return _special(shown(raw), text) or _text_date(text, date1904=date1904)


def parse_code(raw: object, *, upper: bool = False) -> Parsed:
    """A product number or serial: folded; a number counts by its digits (warning), and one of which a spreadsheet left an exponent is doubtful too."""
    if isinstance(raw, str) and _PLAIN.fullmatch(raw):
        return raw.upper() if upper else raw
    text = shown(raw)
    value = fold_key(text) if upper else fold(text)
    if not value:
        return ""
    wrong = _special(text, value) or _unseen(value) or _long(value)
    if wrong:
        return wrong
    if isinstance(raw, (date, time, timedelta)):
        return Problem("date_for_code", {"v": value})
    return Problem("number_for_code", {"v": value}, value, warning=True) if _is_number(raw) or _EXPONENT.fullmatch(value) else value


def parse_codes(raws: Collection[object], *, upper: bool = False) -> list[str] | None:
    """Many codes at once as `parse_code` reads them, None unless all are texts about which nothing is odd, or empty."""
    try:
        joined = "\n".join(cast(Collection[str], raws))
    except TypeError:
        return None
    if joined.count("\n") != len(raws) - 1 or not _PLAIN_CODES.fullmatch(joined):
        return None
    return (joined.upper() if upper else joined).split("\n")


def parse_contract(raw: object) -> Parsed:
    """A contract number or name in its stored form. Problems beside those of codes: contract_characters."""
    checked = parse_code(raw, upper=True)
    value = checked.value if isinstance(checked, Problem) else checked
    if not value:
        return checked
    try:
        parse_contract_key(value)
    except Refused as refusal:
        if refusal.code == "contract_key_long":
            return Problem("too_long", {"n": refusal.facts["n"], "max": refusal.facts["max"]})
        return Problem("contract_characters", {"v": fold(shown(raw)), "c": refusal.facts.get("c", "")})
    return checked


def parse_family(raw: object, families: Mapping[str, str]) -> Parsed:
    """The canonical family of a 種別 cell; `families` by `family_key`. Problem: unknown_family."""
    text = shown(raw)
    value = fold(one_line(text))
    if not value:
        return ""
    special = _special(text, value)
    if special:
        return special
    return families.get(family_key(value)) or Problem("unknown_family", {"v": value})


def parse_service(raw: object) -> Parsed:
    """サービス種類: folded, a line break within it made a blank."""
    text = shown(raw)
    value = fold(one_line(text))
    return _special(text, value) or _unseen(value) or _long(value) or value


def parse_contact(raw: object) -> Parsed:
    """問合せ先, the desk's own name spelt one way."""
    value = parse_service(raw)
    return CONTACT if isinstance(value, str) and fold_contact(value) == _CONTACT_KEY else value


def parse_name(raw: object) -> Parsed:
    """A company's name as it is written, outer blanks and line breaks aside."""
    text = shown(raw)
    value = one_line(text)
    if not value:
        return ""
    wrong = _special(text, value)
    if wrong:
        return wrong
    if invisible(text) and any(invisible(sign) and not _is_of_names(sign) for sign in text.replace("\r", "").replace("\n", "").replace("\t", "").strip()):
        return Problem("invisible")
    return _long(value) or value


def parse_email(raw: object) -> Parsed:
    """The one address of a party. Problems: not_an_email, more_than_one_address, invisible."""
    text = shown(raw)
    value = fold(text)
    if not value:
        return ""
    special = _special(text, value)
    if special:
        return special
    addresses = [piece for piece in BETWEEN_ADDRESSES.split(value) if "@" in piece]
    if len(addresses) > 1:
        return Problem("more_than_one_address", {"n": len(addresses)})
    try:
        return parse_address(value).value
    except Refused as refusal:
        if refusal.code == "address_invisible":
            return Problem("invisible")
        return Problem("not_an_email", {"v": one_line(value)})


def parse_padded(raw: object, code: str) -> object:
    """A number as its padding format shows it, as a text; anything else as it is."""
    if isinstance(raw, bool) or not isinstance(raw, (float, int)) or not float(raw).is_integer() or raw < 0 or not padding_places(code):
        return raw
    return padded(str(int(raw)), code)


def day_of_serial(serial: float, *, date1904: bool) -> date | None:
    """The day of an Excel serial, None where there is none: day 60 of the 1900 calendar is a 29 February that never was."""
    days = int(serial) if serial >= 0 else -1
    if date1904:
        return date(1904, 1, 1) + timedelta(days=days) if 0 <= days <= _LAST_SERIAL - 1462 else None
    if not 1 <= days <= _LAST_SERIAL or days == LEAP_BUG:
        return None
    return date(1899, 12, 31 if days < LEAP_BUG else 30) + timedelta(days=days)


def family_key(name: str) -> str:
    """The form in which families and their aliases are compared: folded, without blanks and signs between words."""
    return _BETWEEN_WORDS.sub("", fold(name).casefold())


def number_text(number: float) -> str:
    """A number without exponent; an integral one without a point."""
    if float(number).is_integer():
        return str(int(number))
    return f"{number:.10f}".rstrip("0")


def shown(raw: object) -> str:
    """A raw cell as a text."""
    if isinstance(raw, str):
        return raw
    if isinstance(raw, bool):
        return "TRUE" if raw else "FALSE"
    if isinstance(raw, (float, int)):
        return number_text(raw)
    if isinstance(raw, datetime):
        return raw.isoformat(sep=" ").removesuffix(" 00:00:00")
    return str(raw)


_EXPONENT = re.compile(r"\d(?:\.\d+)?[Ee]\+\d{2,3}")
"""What Excel leaves in a csv of a long number, or of a code such as 4E5: the other digits are gone."""
_PLAIN = re.compile(rf"(?!ditto|{_EXPONENT.pattern}(?![A-Za-z0-9._/+-]))[A-Za-z0-9][A-Za-z0-9._/+-]{{0,99}}")
"""Most codes; nothing about them needs a closer look."""
_PLAIN_CODES = re.compile(rf"(?:{_PLAIN.pattern})?+(?:\n(?:{_PLAIN.pattern})?+)*+")
_CONTACT_KEY = fold_contact(CONTACT)
_BETWEEN_WORDS = re.compile(r"[\s_\-/・.]+")
_LAST_SERIAL = 2_958_465

_TIME = re.compile(r"(?:T|\s)\s*\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?Z?$")
_WEEKDAY = re.compile(r"\(?[月火水木金土日](?:曜日?)?\)$|[月火水木金土日]曜日?$")
_WESTERN = re.compile(r"(\d{4})[/.\-年](\d{1,2})[/.\-月](\d{1,2})日?")
_COMPACT = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})")
_SERIAL = re.compile(r"\d{1,7}(?:\.\d+)?")
_ERA = re.compile(r"(明治|大正|昭和|平成|令和|[MTSHR明大昭平令])(元|\d{1,2})[/.\-年](\d{1,2})[/.\-月](\d{1,2})日?", re.IGNORECASE)
# The day on which one era ended is the first of the next for all but 平成, which was announced to end with its day.
_ERAS: dict[str, tuple[int, date, date]] = {
    "明": (1867, date(1868, 1, 25), date(1912, 7, 30)),
    "大": (1911, date(1912, 7, 30), date(1926, 12, 25)),
    "昭": (1925, date(1926, 12, 25), date(1989, 1, 7)),
    "平": (1988, date(1989, 1, 8), date(2019, 4, 30)),
    "令": (2018, date(2019, 5, 1), date.max),
}
_ERA_LETTERS = dict(zip("MTSHR", _ERAS, strict=True))


def _text_date(text: str, *, date1904: bool) -> Parsed:
    bare = "".join(_WEEKDAY.sub("", _TIME.sub("", text).strip()).split())
    western = _WESTERN.fullmatch(bare) or _COMPACT.fullmatch(bare)
    if western:
        return _day(text, *map(int, western.groups()))
    era = _ERA.fullmatch(bare)
    if era:
        return _era_date(text, *era.groups())
    if _SERIAL.fullmatch(bare):
        return _serial_date(bare, float(bare), date1904=date1904)
    return Problem("not_a_date", {"v": one_line(text)})


def _day(text: str, year: int, month: int, day: int) -> Parsed:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return Problem("no_such_date", {"v": text})


def _era_date(text: str, era: str, year: str, month: str, day: str) -> Parsed:
    before, first, last = _ERAS[_ERA_LETTERS.get(era.upper(), era[0])]
    found = _day(text, before + (1 if year == "元" else int(year)), int(month), int(day))
    if isinstance(found, str) and not first.isoformat() <= found <= last.isoformat():
        return Problem("outside_era", {"v": text})
    return found


def _serial_date(text: str, serial: float, *, date1904: bool) -> Parsed:
    found = day_of_serial(serial, date1904=date1904)
    if found is None:
        return Problem("no_such_date" if int(serial) == LEAP_BUG else "not_a_date", {"v": text})
    return Problem("date_from_number", {"v": text, "date": found.isoformat()}, found.isoformat(), warning=True)


def _is_number(raw: object) -> bool:
    return isinstance(raw, (float, int)) and not isinstance(raw, bool)


def _special(raw: str, folded: str) -> Problem | None:
    """A repetition sign, or the text of a formula's error."""
    if raw.strip() in DITTO_SIGNS or folded in DITTO_SIGNS:
        return Problem(DITTO, {"v": raw.strip()})
    if folded.startswith("#") and folded.upper() in _ERROR_TEXTS:
        return Problem("formula_error", {"v": folded.upper()})
    return None


def _unseen(value: str) -> Problem | None:
    return Problem("invisible") if invisible(value) else None


def _is_of_names(sign: str) -> bool:
    """Variation selectors (葛󠄀) and joiners write a name."""
    return sign in "\u200c\u200d" or "\ufe00" <= sign <= "\ufe0f" or "\U000e0100" <= sign <= "\U000e01ef"


def _long(value: str) -> Problem | None:
    return Problem("too_long", {"n": len(value), "max": MOST_CHARACTERS}) if len(value) > MOST_CHARACTERS else None
