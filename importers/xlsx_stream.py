"""Writes plain tables as xlsx, piece by piece: 100,000 lines leave while they are read, and no sheet is ever held.

openpyxl takes 20 s and all attention of its process for such a table; it writes where formats, comments and lists are asked for.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import IntEnum
from xml.sax.saxutils import escape

from importers.marks import column_letters

MOST_SHARED = 50_000
"""Distinct texts that are held and written once; further ones stand in their cells."""
_EPOCH = date(1899, 12, 30)
_EPOCH_MOMENT, _DAY = datetime(1899, 12, 30), timedelta(days=1)  # noqa: DTZ001 - a cell knows no zone
_FIRST_SAFE_DAY = date(1900, 3, 1)
"""Earlier days are written as texts: Excel counts a 29 February 1900 that never was."""
_AT_ONCE = 256 * 1024
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")


class Look(IntEnum):
    """How a cell is set; the numbers are those of the styles part."""

    PLAIN = 0
    HEADING = 1
    DAY = 2
    BAD = 3
    CAUTION = 4
    WRAPPED = 5
    MOMENT = 8
    """A datetime without a zone, with its hours and minutes; 6 and 7 are the days of BAD and CAUTION."""


@dataclass(frozen=True)
class Styled:
    """A value with its look."""

    value: Value
    look: Look


Value = str | float | int | bool | date | datetime | time | timedelta | None
StreamCell = Value | Styled


@dataclass(frozen=True)
class Table:
    """One sheet: its name, the widths of its columns in characters, the rows that stay on screen, its rows."""

    name: str
    rows: Iterable[Sequence[StreamCell]]
    widths: Sequence[int] = field(default=())
    frozen_rows: int = 1


def write_tables(tables: Iterable[Table]) -> Iterator[bytes]:
    """The bytes of an xlsx with `tables` as its sheets, in order."""
    sink = _Sink()
    texts = _Texts()
    names: list[str] = []
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
        for table in tables:
            names.append(_sheet_name(table.name, names))
            with archive.open(f"xl/worksheets/sheet{len(names)}.xml", "w", force_zip64=True) as part:
                for piece in _sheet(table, texts):
                    part.write(piece)
                    if sink.waiting >= _AT_ONCE:
                        yield sink.take()
        with archive.open("xl/sharedStrings.xml", "w", force_zip64=True) as part:
            for piece in texts.pieces():
                part.write(piece)
                if sink.waiting >= _AT_ONCE:
                    yield sink.take()
        for name, content in _frame(names).items():
            archive.writestr(name, content)
    yield sink.take()


class _Sink(io.RawIOBase):
    """Where the archive is written to and taken away from; nobody can go back in it."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.waiting = 0

    def writable(self) -> bool:
        """It takes bytes."""
        return True

    def write(self, piece: object, /) -> int:
        """Keep `piece` until it is taken."""
        content = bytes(piece)  # pyright: ignore[reportArgumentType] - any buffer
        self._pieces.append(content)
        self.waiting += len(content)
        return len(content)

    def take(self) -> bytes:
        """All bytes since the last time."""
        content = b"".join(self._pieces)
        self._pieces, self.waiting = [], 0
        return content


class _Texts(dict[str, str]):
    """Text -> the inside of its cell."""

    def __init__(self) -> None:
        super().__init__()
        self._shared: list[str] = []

    def __missing__(self, text: str) -> str:
        marked = _marked(text)
        if len(self._shared) >= MOST_SHARED:
            return f' t="inlineStr"><is>{marked}</is></c>'
        self._shared.append(marked)
        told = self[text] = f' t="s"><v>{len(self._shared) - 1}</v></c>'
        return told

    def pieces(self) -> Iterator[bytes]:
        """The part that holds them."""
        yield f'{_DECLARATION}<sst xmlns="{_MAIN}" uniqueCount="{len(self._shared)}">'.encode()
        for first in range(0, len(self._shared), 1000):
            yield "".join(f"<si>{text}</si>" for text in self._shared[first : first + 1000]).encode()
        yield b"</sst>"


def _marked(text: str) -> str:
    clean = _ESCAPED.sub("_x005F_", _ILLEGAL.sub("\ufffd", text))
    kept = ' xml:space="preserve"' if clean != clean.strip() or "\n" in clean else ""
    return f"<t{kept}>{escape(clean)}</t>"


def _sheet(table: Table, texts: _Texts) -> Iterator[bytes]:
    yield f'{_DECLARATION}<worksheet xmlns="{_MAIN}">{_views(table.frozen_rows)}{_columns(table.widths)}<sheetData>'.encode()
    letters = [column_letters(number) for number in range(len(table.widths) or 1)]
    waiting: list[str] = []
    for number, row in enumerate(table.rows, 1):
        while len(letters) < len(row):
            letters.append(column_letters(len(letters)))
        cells = [_cell(f'<c r="{letter}{number}"', cell, texts) for letter, cell in zip(letters, row, strict=False) if cell is not None and cell != ""]
        waiting.append(f'<row r="{number}">{"".join(cells)}</row>')
        if len(waiting) == 500:
            yield "".join(waiting).encode()
            waiting = []
    yield f"{''.join(waiting)}</sheetData></worksheet>".encode()


def _cell(opening: str, cell: StreamCell, texts: _Texts) -> str:
    if isinstance(cell, str):
        return opening + texts[cell]
    look = Look.PLAIN
    if isinstance(cell, Styled):
        cell, look = cell.value, cell.look
    style = f' s="{look.value}"' if look else ""
    match cell:
        case None | "":
            return f"{opening}{style}/>"
        case str():
            return f"{opening}{style}{texts[cell]}"
        case bool():
            return f'{opening}{style} t="b"><v>{int(cell)}</v></c>'
        case int() | float():
            return f"{opening}{style}><v>{cell!r}</v></c>"
        case datetime() if look is not Look.MOMENT and cell.date() >= _FIRST_SAFE_DAY and not (cell.hour or cell.minute or cell.second):
            return _day(opening, cell.date(), look)
        case datetime() if look is Look.MOMENT:
            return f"{opening}{style}><v>{(cell - _EPOCH_MOMENT) / _DAY!r}</v></c>"
        case datetime():
            return f"{opening}{style}{texts[cell.isoformat(sep=' ')]}"
        case date() if cell >= _FIRST_SAFE_DAY:
            return _day(opening, cell, look)
        case date():
            return f"{opening}{style}{texts[cell.isoformat()]}"
        case _:
            return f"{opening}{style}{texts[str(cell)]}"


def _day(opening: str, day: date, look: Look) -> str:
    style = look.value if look is Look.DAY or not look else {Look.BAD: 6, Look.CAUTION: 7}.get(look, Look.DAY.value)
    return f'{opening} s="{style or Look.DAY.value}"><v>{(day - _EPOCH).days}</v></c>'


def _views(frozen: int) -> str:
    if not frozen:
        return ""
    pane = f'<pane ySplit="{frozen}" topLeftCell="A{frozen + 1}" activePane="bottomLeft" state="frozen"/>'
    return f'<sheetViews><sheetView workbookViewId="0">{pane}</sheetView></sheetViews>'


def _columns(widths: Sequence[int]) -> str:
    told = "".join(f'<col min="{at}" max="{at}" width="{width}" customWidth="1"/>' for at, width in enumerate(widths, 1))
    return f"<cols>{told}</cols>" if told else ""


_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_NAME_CHARACTERS = 31


def _sheet_name(wanted: str, taken: Sequence[str]) -> str:
    """A name that Excel takes, and no other sheet has."""
    base = _NOT_IN_NAMES.sub("_", wanted).strip("'")[:_NAME_CHARACTERS] or "Sheet"
    name, number = base, 2
    while name.lower() in {other.lower() for other in taken}:
        ending = f" ({number})"
        name, number = base[: _NAME_CHARACTERS - len(ending)] + ending, number + 1
    return name


_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def _frame(names: Sequence[str]) -> dict[str, str]:
    """The small parts that hold a workbook together."""
    numbers = range(1, len(names) + 1)
    sheets = "".join(f'<sheet name="{escape(name, {chr(34): "&quot;"})}" sheetId="{n}" r:id="rId{n}"/>' for n, name in zip(numbers, names, strict=True))
    relations = "".join(f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers)
    relations += f'<Relationship Id="rId{len(names) + 1}" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    relations += f'<Relationship Id="rId{len(names) + 2}" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/>'
    parts = "".join(f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_TYPE}.worksheet+xml"/>' for n in numbers)
    types = (
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>{parts}'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_TYPE}.sharedStrings+xml"/></Types>'
    )
    root = f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    return {
        "xl/workbook.xml": f'{_DECLARATION}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{_DECLARATION}<Relationships xmlns="{_PACKAGE}/relationships">{relations}</Relationships>',
        "xl/styles.xml": _STYLES,
        "[Content_Types].xml": _DECLARATION + types,
        "_rels/.rels": _DECLARATION + root,
    }


def _fill(colour: str) -> str:
    return f'<fill><patternFill patternType="solid"><fgColor rgb="FF{colour}"/><bgColor indexed="64"/></patternFill></fill>'


_STYLES = (
    f'{_DECLARATION}<styleSheet xmlns="{_MAIN}"><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy/mm/dd"/>'
    '<numFmt numFmtId="165" formatCode="yyyy/mm/dd hh:mm"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Yu Gothic"/></font><font><b/><sz val="11"/><name val="Yu Gothic"/></font></fonts>'
    '<fills count="5"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    f"{_fill('E8EEF7')}{_fill('FBD0CB')}{_fill('FFE9B0')}</fills>"
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="9">'
    '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="2" borderId="0" xfId="0" applyFont="1" applyFill="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="0" fontId="0" fillId="3" borderId="0" xfId="0" applyFill="1"/>'
    '<xf numFmtId="0" fontId="0" fillId="4" borderId="0" xfId="0" applyFill="1"/>'
    '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0" applyAlignment="1"><alignment vertical="top" wrapText="1"/></xf>'
    '<xf numFmtId="164" fontId="0" fillId="3" borderId="0" xfId="0" applyNumberFormat="1" applyFill="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="4" borderId="0" xfId="0" applyNumberFormat="1" applyFill="1"/>'
    '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
