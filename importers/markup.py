"""The marks of a worksheet by a true XML parser, for markup that is spelt in an unusual way."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.parsers import expat

from importers.marks import SheetMarks, column_number, mark
from rules.refusal import Refused

_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,10})")
_LAST_COLUMN, _LAST_ROW = 16_384, 1_048_576
_TRUE = ("1", "true")


def read_marks(pieces: Iterable[bytes], styles: dict[bytes, str]) -> SheetMarks:
    """The marks of a worksheet part. Refuses workbook_dtd, workbook_unreadable, workbook_too_large."""
    reader = _Reader({index.decode(): code for index, code in styles.items()})
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse_declaration
    parser.EntityDeclHandler = _refuse_declaration
    try:
        for piece in pieces:
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except expat.ExpatError as fault:
        raise Refused("workbook_unreadable") from fault
    return reader.marks


def _refuse_declaration(*_: object) -> None:
    raise Refused("workbook_dtd")


class _Reader:
    """Keeps the place in the sheet; a row or cell without a reference stands after the one before."""

    def __init__(self, styles: dict[str, str]) -> None:
        self.marks = SheetMarks()
        self._styles = styles
        self._row, self._column = 0, -1
        self._attributes: dict[str, str] = {}
        self._value: str | None = None
        self._in_value, self._formula = False, False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element opens."""
        match tag.rpartition("}")[2]:
            case "row":
                self._row = int(attributes["r"]) if attributes.get("r", "").isdecimal() else self._row + 1
                self._column = -1
                if attributes.get("hidden") in _TRUE or attributes.get("ht") in ("0", "0.0"):
                    self.marks.hidden_rows.add(self._row)
            case "c":
                self._open_cell(attributes)
            case "v":
                self._in_value, self._value = True, ""
            case "f":
                self._formula = True
            case "col" if attributes.get("hidden") in _TRUE:
                first, last = attributes.get("min", "1"), attributes.get("max", "1")
                if first.isdecimal() and last.isdecimal() and 0 < int(first) <= int(last):
                    self.marks.hidden_columns.append((int(first) - 1, min(int(last), _LAST_COLUMN) - 1))
            case "autoFilter":
                self.marks.filtered = True
            case _:
                pass

    def text(self, text: str) -> None:
        """Characters; only those of a value matter."""
        if self._in_value:
            self._value = (self._value or "") + text

    def end(self, tag: str) -> None:
        """An element closes."""
        match tag.rpartition("}")[2]:
            case "v":
                self._in_value = False
            case "c":
                self._close_cell()
            case _:
                pass

    def _open_cell(self, attributes: dict[str, str]) -> None:
        self._attributes, self._value, self._formula = attributes, None, False
        reference = attributes.get("r")
        if reference is None:
            self._column += 1
            return
        found = _REFERENCE.fullmatch(reference)
        if not found:
            raise Refused("workbook_unreadable")
        self._column, self._row = column_number(found.group(1)), int(found.group(2))

    def _close_cell(self) -> None:
        if self._column >= _LAST_COLUMN or not 0 < self._row <= _LAST_ROW:
            raise Refused("workbook_unreadable")
        kind, style = self._attributes.get("t", "n"), self._attributes.get("s", "")
        if kind == "e":
            self.marks.add(self._column, self._row, mark("error", self._value or "#N/A"))
        elif self._formula and not self._value and not (kind == "str" and self._value is not None):
            self.marks.add(self._column, self._row, mark("no_value"))
        elif kind == "n" and self._value == "60":
            self.marks.add(self._column, self._row, mark("sixty"))
        elif kind == "n" and self._value and style in self._styles:
            self.marks.add(self._column, self._row, mark("format", self._styles[style]))
