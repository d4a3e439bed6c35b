"""Lines of contracts as files that come back equal: xlsx, and csv that no spreadsheet takes for formulas (SECURITY, row 77)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import chain

from importers.xlsx_stream import Look, StreamCell, Styled, Table, write_tables
from rules.lines import DATE_FIELDS, FIELDS, Values
from wording.imports import FIELD_LABELS

SHEET = "証書一覧"
MISSING_SIGN = "〓"
"""Stands in a cp932 file for a character that cp932 lacks."""
_WIDTHS = tuple(12 if name in DATE_FIELDS else 30 if name.endswith(("_name", "_email")) or name in ("service", "contact") else 20 for name in FIELDS)
_DATES = frozenset(FIELDS.index(name) for name in DATE_FIELDS)
_FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠\u2212]")
_ROWS_AT_ONCE = 1_000
# Signs that Windows and Unicode's own table write apart: drawn alike, and cp932 has but the first of each.
_ALIKE = str.maketrans(
    {"\u301c": "\uff5e", "\u2212": "\uff0d", "\u2014": "\u2015", "\u2016": "\u2225", "\u00a2": "\uffe0", "\u00a3": "\uffe1", "\u00ac": "\uffe2"}
)


def as_xlsx(lines: Iterable[Values]) -> Iterator[bytes]:
    """An xlsx of one sheet: headings, then a row a line with real dates and codes as texts."""
    return write_tables([Table(SHEET, _rows(lines), _WIDTHS)])


def as_csv(lines: Iterable[Values], *, encoding: str) -> Iterator[bytes]:
    """A csv in ``utf-8`` with a byte order mark, or ``cp932``, where a character it lacks is replaced by `MISSING_SIGN`.

    A text that a spreadsheet would take for a formula begins with an apostrophe, which the importer takes off again.
    """
    headings = [FIELD_LABELS[name] for name in FIELDS]
    rows = ([value.replace("-", "/") if at in _DATES else value for at, value in enumerate(values)] for values in lines)
    return csv_of(chain([headings], rows), encoding=encoding)


def csv_of(rows: Iterable[Sequence[str]], *, encoding: str) -> Iterator[bytes]:
    """Any table as `as_csv` writes lines: the headings are its first row."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    text.write("" if encoding == "cp932" else "\ufeff")
    for number, row in enumerate(rows):
        writer.writerow([guarded(value) for value in row])
        if number % _ROWS_AT_ONCE == _ROWS_AT_ONCE - 1:
            yield _encoded(text.getvalue(), encoding)
            text.seek(0)
            text.truncate()
    yield _encoded(text.getvalue(), encoding)


def table_xlsx(sheet: str, heads: Sequence[str], rows: Iterable[Sequence[StreamCell]]) -> Iterator[bytes]:
    """An xlsx of one sheet with any headings; numbers stay numbers."""
    return write_tables([Table(sheet, chain([[Styled(head, Look.HEADING) for head in heads]], rows), [max(12, len(head) * 2) for head in heads])])


def table_csv(heads: Sequence[str], rows: Iterable[Sequence[StreamCell]], *, encoding: str) -> bytes:
    """The same as a csv, guarded as `as_csv` is."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    text.write("" if encoding == "cp932" else "\ufeff")
    writer.writerow(heads)
    writer.writerows([guarded(cell) if isinstance(cell, str) else "" if cell is None else cell for cell in row] for row in rows)
    return _encoded(text.getvalue(), encoding)


def in_cp932(text: str) -> str:
    """`text` as it comes back from a cp932 file."""
    return _encoded(text, "cp932").decode("cp932")


def guarded(value: str) -> str:
    """`value` so that no spreadsheet computes it."""
    return f"'{value}" if _FORMULA.match(value) else value


def _rows(lines: Iterable[Values]) -> Iterator[list[StreamCell]]:
    yield [Styled(FIELD_LABELS[name], Look.HEADING) for name in FIELDS]
    for values in lines:
        yield [date.fromisoformat(value) if at in _DATES else value for at, value in enumerate(values)]


def _encoded(text: str, encoding: str) -> bytes:
    if encoding != "cp932":
        return text.encode()
    text = text.translate(_ALIKE)
    try:
        return text.encode("cp932")
    except UnicodeEncodeError:
        return b"".join(_or_sign(sign) for sign in text)


def _or_sign(sign: str) -> bytes:
    try:
        return sign.encode("cp932")
    except UnicodeEncodeError:
        return MISSING_SIGN.encode("cp932")
