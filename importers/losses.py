"""What of a workbook is lost when openpyxl hands it back: found by a look through its parts, told before the download."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from importers.archive import Kind, check_archive, unpack_part
from importers.marks import BlockScan
from importers.package import read_workbook_part
from wording.workbook import loss_sentence

MOST_CELLS = 12
"""Cells that are named; the others are counted."""
_SHAPES = re.compile(rb"<(?:[a-z0-9]+:)?(?:sp|cxnSp|grpSp)[ >]")
_PICTURES = re.compile(rb"<(?:[a-z0-9]+:)?pic[ >]")
_GRAPHICS = re.compile(rb"drawingml/2006/diagram")
_RICH = re.compile(rb"<si>\s*<r>|<is>\s*<r>")
_READINGS = re.compile(rb"<rPh[ >]")
_FORMULA_CELL = re.compile(rb'<c r="([A-Z]+[0-9]+)"[^>]*>\s*<f[ >/]')
_VALUE_CELL = re.compile(rb'<c r="([A-Z]{1,3})[0-9]+"[^>]*(?<!/)>')
_SPARKLINES = re.compile(rb"<x14:sparkline>")
_NEWER_RULES = re.compile(rb"<x14:(?:conditionalFormatting |dataValidation )")

_PARTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("controls", re.compile(r"/ctrlprops/|/activex/activex\d+\.xml$")),
    ("embedded", re.compile(r"/embeddings/")),
    ("slicers", re.compile(r"/(?:slicers|timelines)/")),
    ("threads", re.compile(r"/threadedcomments/")),
    ("macros", re.compile(r"vbaproject\.bin$")),
    ("queries", re.compile(r"/(?:connections\.xml|querytables/)")),
)


@dataclass(frozen=True)
class Loss:
    """One kind of thing that the workbook handed back lacks."""

    kind: str
    """shapes, pictures, diagrams, sparklines, rules, rich_text, readings, controls, embedded, slicers, threads, macros, queries, formulas"""
    count: int
    sheet: str = ""
    cells: tuple[str, ...] = ()
    """The first ones by name, where the thing is one of cells."""

    def sentence(self, language: str = "ja") -> str:
        """What goes, for people."""
        return loss_sentence(self.kind, language, count=self.count, sheet=self.sheet, cells=self.cells)


@dataclass(frozen=True)
class Losses:
    """What the workbook handed back lacks."""

    kept_workbook: bool
    """Whether it is the uploaded workbook; else a new one with the rows that need a look."""
    reason: str = ""
    """Why it is not: kind, rows, or unopenable."""
    lost: tuple[Loss, ...] = ()

    def sentences(self, language: str = "ja") -> list[str]:
        """One for each loss."""
        return [loss.sentence(language) for loss in self.lost]

    def told(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Losses:
        """What `told` says."""
        lost = tuple(Loss(each["kind"], each["count"], each["sheet"], tuple(each["cells"])) for each in told["lost"])
        return cls(told["kept_workbook"], told["reason"], lost)


class SheetScan(BlockScan):
    """Looks through a worksheet part for formulas and for what newer versions of Excel put beside the cells."""

    def __init__(self) -> None:
        super().__init__()
        self.formulas = 0
        self.cells: list[str] = []
        self.sparklines = 0
        self.rules = 0
        self.rich = 0
        self.last_column = ""
        """The last column that holds a value, by its letters."""

    def scan(self, block: bytes) -> None:
        """Look at the next rows, or at what stands around them."""
        for found in _FORMULA_CELL.finditer(block):
            self.formulas += 1
            if len(self.cells) < MOST_CELLS:
                self.cells.append(found.group(1).decode())
        self.sparklines += len(_SPARKLINES.findall(block))
        self.rules += len(_NEWER_RULES.findall(block))
        self.rich += len(_RICH.findall(block))
        widest = max({found.group(1) for found in _VALUE_CELL.finditer(block)}, key=_as_number, default=b"").decode()
        self.last_column = max(self.last_column, widest, key=lambda letters: (len(letters), letters))


def _as_number(letters: bytes) -> tuple[int, bytes]:
    return len(letters), letters


@dataclass(frozen=True)
class Found:
    """The losses of an xlsx, and where the values of its sheets end."""

    lost: tuple[Loss, ...]
    last_columns: Mapping[str, str]
    """Sheet name -> letters of the last column with a value."""


def find_losses(path: Path) -> Found:
    """Look through a checked or unchecked xlsx. Refuses what `importers.archive` refuses."""
    scans: dict[str, SheetScan] = {}
    package = check_archive(path, Kind.XLSX, lambda part, _size, _package: scans.setdefault(part, SheetScan()))
    sheets = {name: scans[part] for name, part in read_workbook_part(package).sheets.items() if part in scans}
    lost = [*_in_parts(path, package.names), *_in_sheets(sheets)]
    return Found(tuple(lost), {name: scan.last_column for name, scan in sheets.items()})


def _in_parts(path: Path, names: Iterable[str]) -> list[Loss]:
    counted: dict[str, int] = {}
    for name in names:
        for kind, pattern in _PARTS:
            if pattern.search(name) and "/_rels/" not in name:
                counted[kind] = counted.get(kind, 0) + 1
        if "/drawings/drawing" in name and name.endswith(".xml"):
            _count(counted, path, name, (("shapes", _SHAPES), ("pictures", _PICTURES), ("diagrams", _GRAPHICS)))
        elif name.endswith("sharedstrings.xml"):
            _count(counted, path, name, (("rich_text", _RICH), ("readings", _READINGS)))
    return [Loss(kind, count) for kind, count in counted.items()]


def _count(counted: dict[str, int], path: Path, part: str, patterns: Iterable[tuple[str, re.Pattern[bytes]]]) -> None:
    tail = b""
    for piece in unpack_part(path, part):
        seen = tail + piece
        for kind, pattern in patterns:
            found = len(pattern.findall(seen)) - len(pattern.findall(tail))
            if found > 0:
                counted[kind] = counted.get(kind, 0) + found
        tail = piece[-40:]


def _in_sheets(sheets: Mapping[str, SheetScan]) -> list[Loss]:
    lost: list[Loss] = []
    rich = sum(scan.rich for scan in sheets.values())
    if rich:
        lost.append(Loss("rich_text", rich))
    for name, scan in sheets.items():
        for kind, count in (("sparklines", scan.sparklines), ("rules", scan.rules)):
            if count:
                lost.append(Loss(kind, count, name))
        if scan.formulas:
            lost.append(Loss("formulas", scan.formulas, name, tuple(scan.cells)))
    return lost
