"""What a spreadsheet reader hides: hidden rows, error cells, formulas without a value, padding number formats.

The values come from python-calamine; it answers "" for an error and for a formula without a value, and a plain float
for a number shown as ``000000``. This pass reads the worksheet's own markup for the cells where that matters.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cache
from xml.etree.ElementTree import ParseError

from defusedxml import ElementTree

from rules.refusal import Refused

MOST_MARKS = 300_000
"""Marked cells of a sheet; a list of contracts has far fewer, a hostile one may fill the memory with them."""

_REFERENCE = re.compile(rb"([A-Z]{1,3})([0-9]{1,10})")
_ERROR = re.compile(rb't="e"')
_FORMULA = re.compile(rb"<f[ >/]")
_SIXTY = re.compile(rb"<v>60</v>")
_VALUE = re.compile(rb"<v(?:\s[^>]*)?>([^<]+)</v>")
_ROW = re.compile(rb'<row r="([0-9]+)"([^>]*)>')
_ROW_NUMBER = re.compile(rb'<row r="([0-9]+)"')
_HIDDEN = re.compile(rb'\shidden="(?!0"|false")|\sht="0(?:\.0+)?"')
_COLUMN = re.compile(rb"<col\s([^>]*)>")
_WIDE = re.compile(rb'<c r="([A-Z]{2,3}[0-9]+)"[^>/]*>')
_LAST_COLUMN, _LAST_ROW = 16_384, 1_048_576
_PLACES = re.compile(r"[0#]+")
_LITERALS = re.compile(r'"([^"]*)"|\\(.)|[_*].|\[[^\]]*\]')


@dataclass(frozen=True)
class Mark:
    """What stands behind a cell: an error, a formula without a value, a padding format, or the day 60 of 1900."""

    kind: str
    """error, no_value, format, sixty"""
    text: str = ""
    """The error (``#REF!``) or the number format."""


@dataclass
class SheetMarks:
    """The marks of one sheet; rows are numbered as Excel does, columns from 0."""

    hidden_rows: set[int] = field(default_factory=set[int])
    hidden_columns: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    cells: dict[int, dict[int, Mark]] = field(default_factory=dict[int, dict[int, Mark]])
    """column -> row -> mark"""
    count: int = 0
    filtered: bool = False
    canonical: bool = True
    """False where the markup is spelt in a way that only a parser reads right."""

    def add(self, column: int, row: int, mark: Mark) -> None:
        """Keep one mark. Refuses workbook_too_large."""
        self.count += 1
        if self.count > MOST_MARKS:
            raise Refused("workbook_too_large")
        self.cells.setdefault(column, {})[row] = mark


@cache
def mark(kind: str, text: str = "") -> Mark:
    """The one Mark of that kind and text."""
    return Mark(kind, text)


def column_number(letters: str) -> int:
    """``A`` -> 0, ``AA`` -> 26."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def column_letters(number: int) -> str:
    """0 -> ``A``, 26 -> ``AA``."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def padding_places(code: str) -> int:
    """How many digits a number format shows at least, where it does nothing but pad: ``000000`` 6, ``0`` and others 0."""
    plain = _LITERALS.sub("", code.split(";")[0]).replace("-", "").replace(" ", "")
    if not _PLACES.fullmatch(plain) or plain.count("0") < 2:
        return 0
    return plain.count("0")


def padded(number: str, code: str) -> str:
    """The digits of `number` as the padding format `code` shows them, its literal signs included."""
    section = code.split(";")[0]
    signs: list[tuple[str, bool]] = []
    at = 0
    while at < len(section):
        found = _LITERALS.match(section, at)
        if found:
            signs += [(sign, False) for sign in (found.group(1) or found.group(2) or "")]
            at = found.end()
        else:
            signs.append((section[at], section[at] in "0#"))
            at += 1
    digits, shown = list(number), ""
    first_place = next(index for index, (_, place) in enumerate(signs) if place)
    for index in range(len(signs) - 1, -1, -1):
        sign, place = signs[index]
        if not place:
            shown = sign + shown
        elif index == first_place:
            shown = "".join(digits).rjust(1 if sign == "0" else 0, "0") + shown
        else:
            shown = (digits.pop() if digits else "0" if sign == "0" else "") + shown
    return shown


def padding_styles(styles: bytes) -> dict[bytes, str]:
    """Cell style index -> number format, for the styles that pad numbers with zeros."""
    if not styles:
        return {}
    try:
        root = ElementTree.fromstring(styles)
    except (ParseError, LookupError, ValueError) as fault:
        # An encoding that nobody knows is no ParseError.
        raise Refused("workbook_unreadable") from fault
    codes: dict[str, str] = {}
    found: dict[bytes, str] = {}
    for element in root:
        name = str(element.tag).rpartition("}")[2]
        if name == "numFmts":
            codes = {item.get("numFmtId", ""): item.get("formatCode", "") for item in element}
        elif name == "cellXfs":
            formats = [codes.get(item.get("numFmtId", ""), "") for item in element]
            found = {str(index).encode(): code for index, code in enumerate(formats) if padding_places(code)}
    return found


class BlockScan(ABC):
    """Takes the bytes of a worksheet part as they come and looks at them in blocks of whole rows."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def feed(self, piece: bytes) -> None:
        """Take the next bytes of the part."""
        cut = piece.rfind(b"</row>")
        if cut < 0:
            self._waiting.append(piece)
            return
        cut += len(b"</row>")
        block = b"".join((*self._waiting, memoryview(piece)[:cut]))
        self._waiting = [piece[cut:]]
        self.scan(block)

    def close(self) -> None:
        """Read what is left."""
        block = b"".join(self._waiting)
        self._waiting = []
        if block:
            self.scan(block)

    @abstractmethod
    def scan(self, block: bytes) -> object:
        """Look at some whole rows, or at what stands before and after them."""


class ReachScan(BlockScan):
    """How far the values of a sheet reach: a reader holds all cells between the first and the last one."""

    def __init__(self) -> None:
        super().__init__()
        self.last_row = 0
        """The last row that holds a value."""
        self.widest = 26
        """Columns that may hold values; 26 stands for anything up to it."""
        self.far_cell = ""
        self.in_order = True
        """Whether each row that may hold values stood below those before it."""

    def scan(self, block: bytes, *, narrow: bool = False) -> int:
        """Look for the last row and, unless the block is known to be `narrow`, for cells beyond column Z; says by how many rows they reach further now.

        Refuses workbook_unreadable.
        """
        for found in () if narrow else _WIDE.finditer(block):
            column, _ = _place(found.group(1))
            if column >= self.widest:
                self.widest, self.far_cell = column + 1, found.group(1).decode()
        last = max(block.rfind(b"<v"), block.rfind(b"<is"))
        # Rows may stand in any order, and a reader makes room up to the furthest: only those after the last value do not count.
        rows = list(map(int, _ROW_NUMBER.findall(block, 0, last))) if last >= 0 else []
        if not rows:
            return 0
        furthest, before = max(rows), self.last_row
        if furthest > _LAST_ROW:
            raise Refused("workbook_unreadable")
        self.in_order = self.in_order and rows[0] > before and rows == sorted(rows)
        self.last_row = max(before, furthest)
        return self.last_row - before


class MarkScan(BlockScan):
    """Reads the marks of one worksheet part by searching its bytes for the few things that matter.

    That takes a tenth of a parser's time. Where the markup is spelt in any unusual way (prefixes, comments, single
    quotes, cells without reference) it says so by `marks.canonical`, and `importers.markup` reads the part again.
    """

    def __init__(self, styles: dict[bytes, str]) -> None:
        super().__init__()
        self.marks = SheetMarks()
        self._styles = styles
        self._padded = re.compile(rb'<c r="[A-Z]+[0-9]+"[^>]*?\ss="(' + b"|".join(styles) + rb')"[^>]*>') if styles else None
        self._begun = False

    def scan(self, block: bytes) -> None:
        """Look at the next block. Refuses workbook_unreadable, workbook_too_large."""
        if not self.marks.canonical:
            return
        if not self._begun:
            block = self._begin(block)
        block, _, after = block.partition(b"</sheetData>")
        self.marks.filtered = self.marks.filtered or b"<autoFilter" in after
        if not self.marks.canonical or _is_unusual(block):
            self.marks.canonical = False
            return
        self._scan_errors(block)
        self._scan_formulas(block)
        self._scan_formats(block)
        self._scan_rows(block)

    def scan_plain(self, block: bytes) -> None:
        """Look at whole rows of which is known that they hold nothing but stored values, and none of them the sixtieth day."""
        if self.marks.canonical:
            self._scan_padded(block)

    def _begin(self, block: bytes) -> bytes:
        """The head of the part: its name space and its columns."""
        self._begun = True
        head, begins, rest = block.partition(b"<sheetData")
        root = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        if root.startswith(b"<?xml"):
            root = root.partition(b"?>")[2].lstrip()
        plain = b' xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"' in root
        if not begins or not root.startswith(b"<worksheet") or not plain or head.count(b"spreadsheetml/2006/main") != 1 or b"'" in head:
            self.marks.canonical = False
            return b""
        for column in _COLUMN.finditer(head):
            first, last = (re.search(rb'%s="([0-9]{1,7})"' % name, column.group(1)) for name in (b"min", b"max"))
            if _HIDDEN.search(b" " + column.group(1)) and first and last and 0 < int(first.group(1)) <= int(last.group(1)):
                self.marks.hidden_columns.append((int(first.group(1)) - 1, min(int(last.group(1)), _LAST_COLUMN) - 1))
        self.marks.filtered = b"<autoFilter" in head
        return rest

    def _scan_errors(self, block: bytes) -> None:
        for found in _ERROR.finditer(block):
            start = block.rfind(b"<", 0, found.start())
            if block.startswith(b"<c ", start):
                value = _VALUE.search(block, start, _end_of_cell(block, start))
                self._add(block, start, mark("error", value.group(1).decode("utf-8", "replace") if value else "#N/A"))

    def _scan_formulas(self, block: bytes) -> None:
        for found in _FORMULA.finditer(block):
            start = block.rfind(b"<c ", 0, found.start())
            end = _end_of_cell(block, start)
            opening = block[start : block.find(b">", start)]
            if start < 0 or end < found.start() or b't="e"' in opening:
                continue
            # A formula whose stored result is the empty text has one: t="str" with an empty <v>.
            if not _VALUE.search(block, start, end) and not (b't="str"' in opening and block.find(b"<v", found.end(), end) >= 0):
                self._add(block, start, mark("no_value"))

    def _scan_formats(self, block: bytes) -> None:
        for found in _SIXTY.finditer(block):
            start = block.rfind(b"<c ", 0, found.start())
            if start >= 0 and b' t="' not in block[start : block.find(b">", start)]:
                self._add(block, start, mark("sixty"))
        self._scan_padded(block)

    def _scan_padded(self, block: bytes) -> None:
        if self._padded:
            for found in self._padded.finditer(block):
                if b' t="' not in found.group().replace(b' t="n"', b""):
                    self._add(block, found.start(), mark("format", self._styles[found.group(1)]))

    def _scan_rows(self, block: bytes) -> None:
        if b' hidden="' in block or b' ht="0' in block:
            for found in _ROW.finditer(block):
                if _HIDDEN.search(found.group(2)):
                    self.marks.hidden_rows.add(int(found.group(1)))

    def _add(self, block: bytes, start: int, found: Mark) -> None:
        reference = block[start + len(b'<c r="') : block.find(b'"', start + len(b'<c r="'))]
        self.marks.add(*_place(reference), found)


def _place(reference: bytes) -> tuple[int, int]:
    found = _REFERENCE.fullmatch(reference)
    if not found:
        raise Refused("workbook_unreadable")
    column, row = column_number(found.group(1).decode()), int(found.group(2))
    if column >= _LAST_COLUMN or not 0 < row <= _LAST_ROW:
        raise Refused("workbook_unreadable")
    return column, row


def _end_of_cell(block: bytes, start: int) -> int:
    """Where the cell that begins at `start` ends."""
    opening = block.find(b">", start)
    if block[opening - 1 : opening] == b"/":
        return opening
    end = block.find(b"</c>", opening)
    return end if end >= 0 else len(block)


def _is_unusual(block: bytes) -> bool:
    """Whether anything in the rows might be spelt in a way that searching their bytes would miss."""
    return (
        any(sign.search(block) for sign in _UNUSUAL)
        or (b"\n" in block and b"\n=" in block)
        or (b"\t" in block and b"\t=" in block)
        or (b"&" in block and b'="&' in block)
        or b"spreadsheetml/2006/main" in block
    )


# Expressions: `in` and `count` take twice their time for signs that are found so often.
_UNUSUAL = (
    re.compile(rb"<!"),
    # Every sign of equality opens a value in double quotes, with nothing between and no reference inside.
    re.compile(rb'=(?!")'),
    re.compile(rb" ="),
    # Every cell and row begins with its reference, and no prefix stands for the name space.
    re.compile(rb'<c(?! r=")'),
    re.compile(rb'<row(?! r=")'),
)
