"""What a cell that could not be read most likely was meant to say. Pure: nothing is changed, a person presses the button."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import SequenceMatcher

from importers.cells import BETWEEN_ADDRESSES, Problem, family_key, parse_contract, parse_date, parse_email
from rules.lines import DATE_FIELDS, EMAIL_FIELDS
from rules.text import fold, invisible, one_line

MOST = 3
"""Repairs offered for one cell."""
ALIKE = 0.75
"""How much of a family's name must stand in the cell for it to be offered."""
SURE, APART = 0.9, 0.08
"""A family so alike, and so much more so than the next one, is the one that was meant."""

_LETTERS = str.maketrans({"O": "0", "o": "0", "Ｏ": "0", "〇": "0", "○": "0", "I": "1", "l": "1", "|": "1", "!": "1"})
_SEPARATORS = re.compile(r"[/.\-,、。・年月]+")
_WESTERN = re.compile(r"(\d{4})\D+(\d{1,2})\D+(\d{1,2})\D*")
_ERA_DAY = re.compile(r"(?:明治|大正|昭和|平成|令和|[MTSHR明大昭平令])(?:元|\d{1,2})\D+(\d{1,2})\D+(\d{1,2})", re.IGNORECASE)
_AROUND = "<>()[]{}「」『』【】〈〉\"'“”.,;:、。・ \t"
_BLANKS = re.compile(r"\s+")
_ERA_STARTS = {"明": 1867, "大": 1911, "昭": 1925, "平": 1988, "令": 2018, "M": 1867, "T": 1911, "S": 1925, "H": 1988, "R": 2018}
_ERA_YEAR = re.compile(r"(明治|大正|昭和|平成|令和|[MTSHR明大昭平令])(元|\d{1,2})", re.IGNORECASE)


@dataclass(frozen=True)
class Repair:
    """One proposal."""

    value: str
    """As a person would type it."""
    why: str
    """The code of the reason: letters, separators, month_end, anniversary, era, comma, blanks, signs, choose, alike, agree, invisible."""
    certain: bool = False
    """Whether nothing else can have been meant, so that all cells of one cause may be put right at once."""


Values = Mapping[str, str]


def repairs(field: str, code: str, raw: str, values: Values, *, families: Mapping[str, str], agreed: str = "") -> tuple[Repair, ...]:
    """The proposals for a cell that shows `raw` and was refused with `code`, the best first, at most `MOST`.

    `values` are the row's fields as far as they were read, `families` key -> canonical name (`importers.cells.family_key`),
    `agreed` what the first line of the same certificate says of the field.
    """
    found: dict[str, Repair] = {}
    for repair in _proposals(field, code, raw, values, families, agreed):
        found.setdefault(repair.value, repair)
    best = tuple(found.values())[:MOST]
    return best if len(best) < 2 else tuple(Repair(each.value, each.why) for each in best)


def certain(proposals: tuple[Repair, ...]) -> Repair | None:
    """The one proposal that nobody needs to look at twice."""
    return proposals[0] if len(proposals) == 1 and proposals[0].certain else None


def _proposals(field: str, code: str, raw: str, values: Values, families: Mapping[str, str], agreed: str) -> Iterator[Repair]:
    if code in ("not_consistent", "missing") and agreed:
        yield Repair(_typed(field, agreed), "agree")
    elif field in DATE_FIELDS:
        yield from _dates(field, code, raw, values)
    elif field in EMAIL_FIELDS and code in ("not_an_email", "more_than_one_address", "invisible"):
        yield from _emails(code, raw)
    elif field == "contract" and code in ("contract_characters", "invisible"):
        yield from _sound(_keys(raw), parse_contract)
    elif field == "family" and code == "unknown_family":
        yield from _families(raw, families)
    elif code == "invisible":
        yield Repair(fold(_visible(raw)), "invisible", certain=True)


def _dates(field: str, code: str, raw: str, values: Values) -> Iterator[Repair]:
    text = one_line(fold(raw))
    if code == "not_a_date":
        yield from _sound(_spelt_dates(text), parse_date)
    elif code == "no_such_date":
        yield from _month_ends(field, text, values)
    elif code == "outside_era":
        yield from _true_eras(text)
    elif code == "ends_before_start" and field == "ends_on" and values.get("starts_on"):
        yield Repair(_typed(field, _eve_of_next_year(values["starts_on"], 1)), "anniversary")


def _spelt_dates(text: str) -> Iterator[Repair]:
    digits = text.translate(_LETTERS)
    if digits != text:
        yield Repair(digits, "letters", certain=True)
    apart = _WESTERN.fullmatch(_SEPARATORS.sub("/", digits).strip("/日 "))
    if apart:
        yield Repair("/".join(apart.groups()), "separators", certain=True)


def _month_ends(field: str, text: str, values: Values) -> Iterator[Repair]:
    """2026/11/31: the eve of the year's return where that is the month meant, and the month's last day."""
    found = _WESTERN.match(text)
    if not found:
        return
    year, month = int(found.group(1)), int(found.group(2))
    if not (1 <= month <= 12 and 1900 <= year <= 2200):
        return
    start = values.get("starts_on", "")
    if field == "ends_on" and start:
        for years in (1, 2, 3, 5):
            eve = _eve_of_next_year(start, years)
            if int(eve[5:7]) == month and abs(int(eve[:4]) - year) <= 1:
                yield Repair(_typed(field, eve), "anniversary")
                break
    yield Repair(_typed(field, (_next_month(year, month) - timedelta(days=1)).isoformat()), "month_end")


def _true_eras(text: str) -> Iterator[Repair]:
    """令和元年4月30日: the same year and day by the western calendar."""
    day, era = _ERA_DAY.search(text), _ERA_YEAR.search(text)
    if not day or not era:
        return
    first = _ERA_STARTS.get(era.group(1).upper(), 0) or _ERA_STARTS.get(era.group(1)[0], 0)
    year = first + (1 if era.group(2) == "元" else int(era.group(2)))
    yield from _sound(iter((Repair(f"{year}/{int(day.group(1)):02}/{int(day.group(2)):02}", "era"),)), parse_date)


def _emails(code: str, raw: str) -> Iterator[Repair]:
    text = fold(_visible(raw) if code == "invisible" else raw)
    if code == "more_than_one_address":
        for piece in dict.fromkeys(BETWEEN_ADDRESSES.split(text)):
            yield from _sound(iter((Repair(piece.strip(_AROUND), "choose"),)), parse_email)
        return
    yield from _sound(_spelt_emails(text, code), parse_email)


def _spelt_emails(text: str, code: str) -> Iterator[Repair]:
    if code == "invisible":
        yield Repair(text, "invisible", certain=True)
    bare = re.sub(r"^.*?mailto:", "", text, flags=re.IGNORECASE)
    inside = re.search(r"<([^<>]+)>", bare)
    bare = (inside.group(1) if inside else bare).strip(_AROUND)
    whole = _BLANKS.sub("", bare)
    yield Repair(whole, "blanks" if bare != whole else "signs", certain=True)
    name, at, host = re.sub(r"@+", "@", whole).rpartition("@")
    if at:
        yield Repair(name + at + re.sub(r"[,、。・;:．]+|\.{2,}", ".", host), "comma", certain=True)
    if "@" not in whole:
        yield Repair(re.sub(r"[（(\[]?(?:at|アット|あっと)[)）\]]?", "@", whole, count=1, flags=re.IGNORECASE), "signs")


def _keys(raw: str) -> Iterator[Repair]:
    text = fold(_visible(raw))
    yield Repair(_BLANKS.sub("", text.strip(_AROUND)), "blanks" if _BLANKS.search(text.strip()) else "signs", certain=True)
    yield Repair(re.sub(r"[_~〜～]", "-", _BLANKS.sub("", text)), "signs")


def _families(raw: str, families: Mapping[str, str]) -> Iterator[Repair]:
    wanted = family_key(raw)
    if not wanted:
        return
    near = sorted(((SequenceMatcher(None, wanted, key).ratio(), name) for key, name in families.items()), reverse=True)
    others = [ratio for ratio, name in near if name != near[0][1]] if near else []
    if near and near[0][0] >= SURE and (not others or near[0][0] - others[0] >= APART):
        yield Repair(near[0][1], "alike", certain=True)
        return
    within = [(1.0, name) for key, name in families.items() if len(key) > 3 and (key in wanted or (len(wanted) > 3 and wanted in key))]
    for ratio, name in [*within, *near]:
        if ratio >= ALIKE:
            yield Repair(name, "alike", certain=True)


def _sound(proposals: Iterator[Repair], parse: Callable[[object], object]) -> Iterator[Repair]:
    """Those that would be read without an error."""
    for each in proposals:
        parsed = parse(each.value) if each.value else ""
        if parsed and not isinstance(parsed, Problem):
            yield Repair(_shown_date(str(parsed)) if parse is parse_date else str(parsed), each.why, each.certain)


def _visible(raw: str) -> str:
    return "".join(sign for sign in raw if not invisible(sign))


def _typed(field: str, value: str) -> str:
    return _shown_date(value) if field in DATE_FIELDS else value


def _shown_date(iso: str) -> str:
    return iso.replace("-", "/")


def _next_month(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1)


def _eve_of_next_year(start: str, years: int) -> str:
    """The last day of a contract of so many years that begins on `start`."""
    day = date.fromisoformat(start)
    # A contract that begins on 29 February ends on the 28th.
    again = date(day.year + years, 3, 1) if (day.month, day.day) == (2, 29) else day.replace(year=day.year + years)
    return (again - timedelta(days=1)).isoformat()
