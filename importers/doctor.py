"""What a workbook hides or spells oddly, and how often: told before its plan, with the first places (REQUIREMENTS N23)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from importers.marks import SheetMarks, column_letters
from importers.raw import Cell, RawRows, RawSheet
from rules.text import compatible

PLACES = 5
"""Places told of each finding; the rest is counted."""

_FULL_WIDTH = re.compile("[\uff01-\uff5e\uffe5\u3000]")
_WAREKI = re.compile("明治|大正|昭和|平成|令和|[㍻㍼㍽㍾㋿]|^[MTSHR明大昭平令](?:元|[0-9])", re.IGNORECASE)


def traits_of(raw: str, value: str, *, dates: bool) -> tuple[str, ...]:
    """How a text cell is written that was read as `value`: blanks, full_width, and of a day text_date or wareki."""
    found: list[str] = []
    if not value:
        return ()
    if raw != raw.strip():
        found.append("blanks")
    if _FULL_WIDTH.search(raw.strip()) and not _FULL_WIDTH.search(value):
        found.append("full_width")
    if dates:
        found.append("wareki" if _WAREKI.search(compatible(raw).strip()) else "text_date")
    return tuple(found)


class Doctor:
    """Counts the findings of one sheet; code -> how often and where first."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._places: dict[str, list[str]] = {}

    def note(self, code: str, count: int, places: Iterable[str] = ()) -> None:
        """`count` more of `code`; the first `PLACES` of `places` are kept."""
        if not count:
            return
        self._counts[code] += count
        held = self._places.setdefault(code, [])
        for place in places:
            if len(held) >= PLACES:
                return
            held.append(place)

    def written(self, letters: str, first_row: int, cells: Sequence[Cell], traits: Mapping[object, tuple[str, ...]]) -> None:
        """How the cells of a column's block are written."""
        for raw, count in Counter(cells).items():
            for code in traits.get(raw, ()):
                full = len(self._places.get(code, ())) >= PLACES
                self.note(code, count, () if full else (f"{letters}{first_row + cells.index(raw)}",))

    def skipped(self, first_row: int, rows: RawRows, kept: Sequence[int]) -> None:
        """The rows of a block that are no lines, though something stands in them."""
        lines = set(kept)
        notes = [first_row + index for index, row in enumerate(rows) if index not in lines and any(cell != "" for cell in row)]
        self.note("notes", len(notes), map(str, notes))

    def look_at(self, sheet: RawSheet) -> None:
        """What the sheet's own markup hides."""
        marks = sheet.marks
        if sheet.encoding:
            # A csv knows no other.
            del self._counts["text_date"]
        self.note("hidden_sheet", int(sheet.hidden))
        self.note("hidden_rows", len(marks.hidden_rows), map(str, sorted(marks.hidden_rows)[:PLACES]))
        columns = [_span(first, last) for first, last in marks.hidden_columns]
        self.note("hidden_columns", sum(last - first + 1 for first, last in marks.hidden_columns), columns)
        self.note("filter", int(marks.filtered))
        merged = (f"{column_letters(left)}{top}:{column_letters(right)}{bottom}" for top, left, bottom, right in sheet.merges[:PLACES])
        self.note("merged", len(sheet.merges), merged)
        for code, kind in (("formula_error", "error"), ("formula_without_value", "no_value"), ("padded", "format")):
            places = _marked(marks, kind)
            self.note(code, len(places), [f"{column_letters(column)}{row}" for row, column in places[:PLACES]])

    def told(self) -> list[dict[str, Any]]:
        """The findings in the order in which a person should read them: ``{"code", "count", "places"}``."""
        return [{"code": code, "count": self._counts[code], "places": self._places.get(code, [])} for code in ORDER if self._counts[code]]


ORDER = (
    "hidden_sheet", "hidden_rows", "hidden_columns", "filter", "merged", "formula_error", "formula_without_value", "number_for_code", "padded",
    "date_from_number", "text_date", "wareki", "full_width", "blanks", "ditto", "same_line", "notes",
)  # fmt: skip
"""Every finding there is."""


def _marked(marks: SheetMarks, kind: str) -> list[tuple[int, int]]:
    """(row, column) of the cells with a mark of that kind, in the order of reading."""
    return sorted((row, column) for column, rows in marks.cells.items() for row, mark in rows.items() if mark.kind == kind)


def _span(first: int, last: int) -> str:
    return column_letters(first) + (f"～{column_letters(last)}" if last > first else "")
