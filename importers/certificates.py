"""Raw rows -> checked lines of certificates with their errors and warnings (DOMAIN, "Reading certificates").

Everything is done column by column with each distinct value parsed once, and only what is odd is looked at by row:
100,000 lines leave no room for an object per row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from itertools import compress, pairwise

from importers.cells import (
    DITTO,
    Parsed,
    Parser,
    Problem,
    family_key,
    parse_code,
    parse_codes,
    parse_contact,
    parse_contract,
    parse_date,
    parse_email,
    parse_family,
    parse_name,
    parse_padded,
    parse_service,
    shown,
)
from importers.certificate_rules import CertificateRules, Found
from importers.doctor import Doctor, traits_of
from importers.headings import LEAST_FIELDS, NAME_COLUMN, Column, Layout, classify
from importers.marks import Mark, column_letters
from importers.merged import Merged
from importers.periods import split_periods
from importers.raw import Cell, RawRows, RawSheet
from importers.synonyms import PERIOD
from importers.turns import Stretch
from rules.contracts import LAST_NUMBERED_DAY
from rules.lines import DATE_FIELDS, EMAIL_FIELDS, FIELDS
from rules.refusal import Refused
from rules.text import fold

LINE_FIELDS = ("product_number", "serial", "service", "starts_on", "ends_on")
"""A row with none of them is a note, a total or a blank."""
MOST_SHOWN = 400
"""Characters of a cell that are shown to whoever puts it right."""
TOTALS = frozenset({"合計", "小計", "総計", "計", "総合計", "total", "subtotal", "grand total", "以上"})
NOTE_SIGNS = ("※", "＊", "*", "注", "備考")


@dataclass
class Block:
    """Some rows of a sheet, checked; `columns` run in the order of `FIELDS`."""

    layout: Layout
    """Where the rows' cells stand."""
    rows: list[int]
    hidden: list[int]
    """Indexes into `rows`."""
    columns: list[list[str]]
    found: dict[int, list[Found]] = field(default_factory=dict[int, list[Found]])
    """Index into `rows` -> what was found there, in the order of the fields."""


ManyParser = Callable[[Collection[object]], list[str] | None]


class Memo(dict[object, str]):
    """One column's cells, each distinct one parsed once; what is odd about one stands in `odd`, how it is written in `traits`."""

    def __init__(self, parse: Parser, *, dates: bool = False) -> None:
        super().__init__()
        self.parse = parse
        self.odd: dict[object, Problem] = {}
        self.traits: dict[object, tuple[str, ...]] = {}
        self._dates = dates

    def __missing__(self, raw: object) -> str:
        parsed = self.parse(raw)
        value = parsed if isinstance(parsed, str) else parsed.value
        if isinstance(raw, bool):
            # True equals 1.0: kept, it would answer for the number too.
            return value
        if isinstance(parsed, Problem):
            self.odd[raw] = replace(parsed, raw=shown(raw)[:MOST_SHOWN])
        elif isinstance(raw, str) and (value != raw or self._dates) and (traits := traits_of(raw, value, dates=self._dates)):
            self.traits[raw] = traits
        self[raw] = value
        return value


class Checker:
    """Checks the sheets of one workbook, in order."""

    def __init__(self, families: Mapping[str, str], mailboxes: Collection[str], most_rows: int) -> None:
        self._families = {family_key(alias): name for alias, name in families.items()}
        self._rules = CertificateRules(mailboxes)
        self._most_rows = most_rows
        self._rows = 0

    def family_of(self, sheet_name: str) -> str:
        """The family that a sheet's name gives, "" for none or several."""
        key = family_key(sheet_name)
        if key in self._families:
            return self._families[key]
        within = {name for alias, name in self._families.items() if len(alias) > 3 and alias in key}
        return within.pop() if len(within) == 1 else ""

    def check(self, sheet: RawSheet, stretches: Iterable[Stretch], doctor: Doctor) -> Iterator[Block]:
        """The checked rows below the headings.

        `doctor` is told how the cells were written. Refuses workbook_rows(max).
        """
        reader: _SheetReader | None = None
        for first_row, rows, layout in stretches:
            if reader is None or reader.layout is not layout:
                reader = _SheetReader(sheet, layout, self._families, self.family_of(sheet.name), doctor)
            block, odd = reader.read(first_row, rows)
            if not block.rows:
                continue
            self._rows += len(block.rows)
            if self._rows > self._most_rows:
                raise Refused("workbook_rows", max=self._most_rows)
            block.found = self._rules.check(sheet.name, block.rows, block.columns, odd, reader.missing)
            yield block


Odd = dict[str, dict[int, Problem]]
"""Field -> index of the row -> what is odd about the cell."""


class _SheetReader:
    """Turns the blocks of one sheet into columns of checked texts."""

    def __init__(self, sheet: RawSheet, layout: Layout, families: Mapping[str, str], sheet_family: str, doctor: Doctor) -> None:
        self._sheet = sheet
        self._doctor = doctor
        self.layout = layout
        self._columns = dict(layout.columns)
        self._sheet_family = sheet_family
        self.missing = frozenset(layout.missing) - ({"family"} if sheet_family else set[str]())
        known = parsers(families, date1904=sheet.date1904)
        self._memos = {name: Memo(known[name], dates=name in DATE_FIELDS) for name in (*FIELDS, NAME_COLUMN)}
        fields = {column.number for column in self._columns.values()}
        self._merged = Merged(sheet.merges, layout.last_row, sheet.last_row, fields, self._line_columns())
        self._marks = self._merged.spread(sheet.marks.cells)
        self._above: dict[str, tuple[str, Problem | None]] = {}

    def read(self, first_row: int, rows: RawRows) -> tuple[Block, Odd]:
        """The data rows of a block, without notes, totals and blanks."""
        raw = list(zip(*rows, strict=True))
        cells = {name: self._raw(column, first_row, raw) for name, column in self._columns.items()}
        if PERIOD in cells:
            self._split(cells)
        texts: dict[str, list[str]] = {}
        odd: Odd = {}
        for name in (*FIELDS, NAME_COLUMN):
            if name in cells:
                texts[name], odd[name] = self._parse(name, cells[name], first_row)
        kept = self._kept(texts, odd, raw, len(rows))
        if len(kept) < len(rows):
            self._doctor.skipped(first_row, rows, kept)
            texts, odd = _only(texts, odd, kept, len(rows))
        self._repeat(texts, odd)
        if NAME_COLUMN in texts:
            _choose_contract(texts, odd)
        if self._sheet_family:
            texts["family"] = [text or self._sheet_family for text in texts.get("family", [""] * len(kept))]
        numbers = [first_row + index for index in kept]
        hidden_rows = self._sheet.marks.hidden_rows
        hidden = list(range(len(numbers))) if self._sheet.hidden else [i for i, number in enumerate(numbers) if number in hidden_rows] if hidden_rows else []
        columns = [texts.get(name) or [""] * len(kept) for name in FIELDS]
        return Block(self.layout, numbers, hidden, columns), odd

    def _line_columns(self) -> set[int]:
        """The columns of the fields that make a row a line."""
        return {column.number for name, column in self._columns.items() if name in (*LINE_FIELDS, PERIOD)}

    def _raw(self, column: Column, first_row: int, raw: list[tuple[Cell, ...]]) -> list[Cell]:
        """The column's cells, with what merged cells cover."""
        at = column.number - self._sheet.first_column
        cells: list[Cell] = list(raw[at]) if 0 <= at < len(raw) else [""] * (len(raw[0]) if raw else 0)
        self._merged.fill(column.number, cells, first_row, raw, self._sheet.first_column)
        return cells

    def _split(self, cells: dict[str, list[Cell]]) -> None:
        starts, ends = split_periods(cells.pop(PERIOD))
        cells.setdefault("starts_on", starts)
        cells.setdefault("ends_on", ends)

    def _parse(self, name: str, cells: list[Cell], first_row: int) -> tuple[list[str], dict[int, Problem]]:
        memo = self._memos[name]
        marks = self._marks_of(name, first_row, len(cells))
        # Codes are hardly ever said twice: remembering each would take longer than reading it.
        if not marks and name in _MANY and (codes := _MANY[name](cells)) is not None:
            return codes, {}
        texts = list(map(memo.__getitem__, cells))
        odd = {index: memo.odd[cell] for index, cell in enumerate(cells) if cell in memo.odd} if memo.odd else {}
        if 1.0 in memo or 0.0 in memo:
            _set_bools_right(memo, cells, texts, odd)
        if memo.traits:
            self._doctor.written(self._letters(name), first_row, cells, memo.traits)
        for index, mark in marks.items():
            parsed = _parse_marked(mark, name, cells[index], memo.parse)
            if isinstance(parsed, Problem):
                texts[index], odd[index] = parsed.value, replace(parsed, raw=parsed.value or mark.text)
            elif parsed is not None:
                texts[index] = parsed
                odd.pop(index, None)
        return texts, odd

    def _letters(self, name: str) -> str:
        column = self._columns.get(name) or self._columns.get(PERIOD)
        return column_letters(column.number) if column else ""

    def _marks_of(self, name: str, first_row: int, count: int) -> dict[int, Mark]:
        column = self._columns.get(name) or self._columns.get(PERIOD)
        marks = self._marks.get(column.number) if column else None
        if not marks:
            return {}
        wanted = range(first_row, first_row + count)
        if len(marks) < count:
            return {row - first_row: mark for row, mark in sorted(marks.items()) if row in wanted}
        return {row - first_row: marks[row] for row in wanted if row in marks}

    def _kept(self, texts: dict[str, list[str]], odd: Odd, raw: list[tuple[Cell, ...]], count: int) -> list[int]:
        """The indexes of the rows that are lines of a certificate."""
        held = [texts[name] for name in LINE_FIELDS if name in texts]
        if not held:
            return []
        filled = list(map(any, zip(*held, strict=True))) if all("" in column for column in held) else [True] * count
        for name in LINE_FIELDS:
            for index in odd.get(name, ()):
                filled[index] = True
        if odd.get("starts_on") or any("" in texts.get(name, ()) for name in ("starts_on", "ends_on", "service")):
            for index in range(count):
                if filled[index] and self._is_note(index, texts, odd, raw):
                    filled[index] = False
        return list(range(count)) if all(filled) else list(compress(range(count), filled))

    def _is_note(self, index: int, texts: dict[str, list[str]], odd: Odd, raw: list[tuple[Cell, ...]]) -> bool:
        """A total or note that stands in a line's columns, or the headings once more on the next page."""
        problem = odd.get("starts_on", {}).get(index)
        if problem and self._is_heading(str(problem.facts.get("v", ""))):
            return True
        filled = [text for column in raw if (text := shown(column[index]).strip())]
        if _is_legend(filled) or (len(filled) == 1 and filled[0].startswith(NOTE_SIGNS)):
            return True
        totals = [text for text in filled if text.lower() in TOTALS]
        if totals and all(_AMOUNT.fullmatch(fold(text)) for text in filled if text not in totals):
            return True
        if any(texts[name][index] or index in odd[name] for name in ("starts_on", "ends_on", "service", "contract") if name in texts):
            return False
        return bool(totals)

    def _is_heading(self, text: str) -> bool:
        column = self._columns.get("starts_on") or self._columns.get(PERIOD)
        heading = fold(column.heading) if column else ""
        known = any(name in ("starts_on", PERIOD) for _, name in classify(text))
        return bool(text) and (known or text in (heading, heading.rpartition(" ")[2]))

    def _repeat(self, texts: dict[str, list[str]], odd: Odd) -> None:
        """〃 and 同上 repeat the line above, be it sound or not."""
        for name, column in texts.items():
            found = odd.get(name, {})
            dittos = sorted(index for index, problem in found.items() if problem.code == DITTO)
            self._doctor.note("ditto", len(dittos))
            for index in dittos:
                value, problem = (column[index - 1], found.get(index - 1)) if index else self._above.get(name, ("", None))
                if index == 0 and name not in self._above:
                    problem = Problem("nothing_above", found[index].facts)
                column[index] = value
                if problem:
                    found[index] = problem
                else:
                    del found[index]
            if column:
                self._above[name] = (column[-1], found.get(len(column) - 1))


def _is_legend(filled: Sequence[str]) -> bool:
    """Whether a row below the headings says what is to be written there: formats, kinds of values, the numbers of the columns."""
    told = [fold(text).lower().strip("()[]<>※* ") for text in filled]
    if len(told) < LEAST_FIELDS:
        return bool(told) and all(map(_FORMAT.fullmatch, told))
    if all(text.isdecimal() and len(text) < 4 for text in told):
        numbers = list(map(int, told))
        return all(left < right for left, right in pairwise(numbers))
    return all(_FORMAT.fullmatch(text) or _KIND.fullmatch(text) for text in told)


def parsers(families: Mapping[str, str], *, date1904: bool = False) -> dict[str, Parser]:
    """Field -> how one of its cells is read; `families` by `importers.cells.family_key`."""
    found: dict[str, Parser] = {name: partial(parse_date, date1904=date1904) for name in DATE_FIELDS}
    found |= dict.fromkeys(EMAIL_FIELDS, parse_email)
    found |= {name.replace("_email", "_name"): parse_name for name in EMAIL_FIELDS}
    found |= {"contract": parse_contract, NAME_COLUMN: parse_contract, "product_number": parse_code}
    found |= {"serial": partial(parse_code, upper=True), "service": parse_service, "contact": parse_contact}
    found["family"] = partial(parse_family, families=families)
    return found


_MANY: dict[str, ManyParser] = {"product_number": parse_codes, "serial": partial(parse_codes, upper=True)}
_FORMAT = re.compile(r"(?:y{2,4}|年{2,4})[/.年-]?(?:m{1,2}|月{1,2})[/.月-]?(?:d{1,2}|日{1,2})日?(?:形式)?|西暦/月/日|年/?月/?日")
_KIND = re.compile(
    r"(?:半角|全角|英数字?|数字|数値|整数|文字列?|テキスト|日付|日時|選択式?|リスト|必須|任意|記号|可|のみ|型|形式|入力|自動|[、・,/ ])+"
    r"|\d{1,3}(?:文字|桁)(?:以内|まで)?|-|string|text|date|number|required|optional"
)
"""What a row of legends says of a day, and of other cells."""
_AMOUNT = re.compile(r"[\\¥]?[\d,.]+\s*(?:円|件|台|本|行|点|個|社)?")
_CODE_FIELDS = ("contract", NAME_COLUMN, "product_number", "serial")


def _parse_marked(mark: Mark, name: str, cell: Cell, parse: Parser) -> Parsed | None:
    """What a mark makes of a cell, None where it says nothing to this field."""
    if mark.kind == "error":
        return Problem("formula_error", {"v": mark.text})
    if mark.kind == "no_value":
        return Problem("formula_without_value")
    if mark.kind == "sixty":
        # Excel shows the 60th day as a 29 February 1900 that never was; the reader makes it the 28th.
        return Problem("no_such_date", {"v": "1900/02/29"}) if name in DATE_FIELDS and isinstance(cell, date) else None
    if name in DATE_FIELDS or isinstance(cell, (str, date)):
        return None
    parsed = parse(parse_padded(cell, mark.text))
    if isinstance(parsed, str) and name in _CODE_FIELDS:
        return Problem("number_for_code", {"v": parsed}, parsed, warning=True)
    return parsed


def _set_bools_right(memo: Memo, cells: list[Cell], texts: list[str], odd: dict[int, Problem]) -> None:
    """True and 1.0 are one key of a dictionary, and two cells."""
    for index, cell in enumerate(cells):
        if isinstance(cell, bool):
            parsed = memo.parse(cell)
            texts[index] = parsed if isinstance(parsed, str) else parsed.value
            odd.pop(index, None)
            if isinstance(parsed, Problem):
                odd[index] = parsed


def _choose_contract(texts: dict[str, list[str]], odd: Odd) -> None:
    """Of a number and a name the one that the certificate's issue date asks for, the other where that one is empty."""
    last = LAST_NUMBERED_DAY.isoformat()
    chosen, names = texts["contract"], texts.pop(NAME_COLUMN)
    doubts, name_doubts = odd["contract"], odd.pop(NAME_COLUMN)
    for index, issued in enumerate(texts["issued_on"] if "issued_on" in texts else [""] * len(chosen)):
        number_told, name_told = bool(chosen[index]) or index in doubts, bool(names[index]) or index in name_doubts
        if name_told and (issued > last or not number_told):
            chosen[index] = names[index]
            doubts.pop(index, None)
            if index in name_doubts:
                doubts[index] = name_doubts[index]


def _only(texts: dict[str, list[str]], odd: Odd, kept: list[int], count: int) -> tuple[dict[str, list[str]], Odd]:
    """The columns with the kept rows only."""
    chosen = [False] * count
    for index in kept:
        chosen[index] = True
    place = {index: number for number, index in enumerate(kept)}
    return (
        {name: list(compress(column, chosen)) for name, column in texts.items()},
        {name: {place[index]: problem for index, problem in problems.items() if index in place} for name, problems in odd.items()},
    )
