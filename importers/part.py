"""One look at a worksheet's part while it is unpacked: how far its values reach, what a reader hides, and the values themselves."""

from __future__ import annotations

import re
from pathlib import Path

from importers.archive import Package, unpack_part
from importers.marks import BlockScan, MarkScan, ReachScan, SheetMarks, padding_styles
from importers.markup import read_marks
from importers.package import read_workbook_part
from importers.pieces import Ahead, Pieces, Sizes
from rules.refusal import Refused

DENSE_CELLS = 9_000_000
"""A sheet is held densely, 32 bytes a cell: beyond this one stray cell far off would cost more memory than the child has."""

_PLAIN_ROWS = re.compile(
    # Nothing is hidden or in error, and nothing but a stored value stands in a cell, none beyond column Z; cells and rows tell the same number.
    rb'(?:<row r="([0-9]{1,7}+)"(?: (?!hidden|ht="0|xmlns)[A-Za-z0-9:]++="[^"<>&]*+")*+>'
    rb'(?:<c r="[A-Z]\1"(?: s="[0-9]++")?+(?: t="(?:[bns]|str)"(?: ?+/>|>(?:<v>[^<]*+</v>)?+</c>)| ?+/>|>(?:<v>(?!60<)[^<]*+</v>)?+</c>))*+</row>)*'
)


class PartScan(BlockScan):
    """Looks at a worksheet's part once; most lists are spelt so plainly that one expression says all of a block."""

    def __init__(self, styles: dict[bytes, str], pieces: Pieces | None, sizes: Sizes) -> None:
        super().__init__()
        self._sizes = sizes
        self.reach = ReachScan()
        self.pieces = pieces
        self._styles = styles
        self._marking = MarkScan(styles)
        self._refused: Refused | None = None
        self._begun = False

    @property
    def is_dense(self) -> bool:
        """Whether a reader would need more room for the sheet than there is."""
        return self.reach.last_row * self.reach.widest > DENSE_CELLS

    def feed(self, piece: bytes) -> None:
        """Take the next bytes of the part, no more at once than a piece of the sheet has."""
        step = self._sizes.piece
        for at in range(0, len(piece), step):
            super().feed(piece[at : at + step])

    def scan(self, block: bytes) -> None:
        """Look at some whole rows, or at what stands before and after them. Refuses workbook_unreadable."""
        plain = self._begun and bool(_PLAIN_ROWS.fullmatch(block))
        self._begun = True
        rows = self.reach.scan(block, narrow=plain)
        self._mark(block, plain=plain)
        if self.pieces is None:
            return
        if self.is_dense or not self.reach.in_order or not self._marking.marks.canonical:
            self.pieces.give_up()
        else:
            self.pieces.add(block, rows=rows, width=self.reach.widest, plain=plain)

    def close(self) -> None:
        """Look at what is left."""
        super().close()
        if self.pieces is not None:
            self.pieces.close()

    def marks(self, path: Path, part: str) -> SheetMarks:
        """The marks of the part. Refuses workbook_unreadable, workbook_too_large, workbook_dtd."""
        if self._refused:
            raise self._refused
        marks = self._marking.marks
        return marks if marks.canonical else read_marks(unpack_part(path, part), self._styles)

    def _mark(self, block: bytes, *, plain: bool) -> None:
        """Marks are asked for when the sheet's turn comes: a refusal waits until then."""
        try:
            (self._marking.scan_plain if plain else self._marking.scan)(block)
        except Refused as refused:
            self._refused = self._refused or refused


class Scans:
    """Makes a scan for each worksheet's part of a workbook."""

    def __init__(self, ahead: Ahead) -> None:
        self.of: dict[str, PartScan] = {}
        """By the part's name in lower case."""
        self.ahead = ahead
        self._styles: dict[bytes, str] = {}
        self._sheets: dict[str, str] | None = None

    def make(self, part: str, size: int, package: Package, /) -> PartScan:
        """The scan of the part. Refuses workbook_unreadable."""
        if self._sheets is None:
            self._styles = padding_styles(package.styles)
            self._sheets = {place: name for name, place in read_workbook_part(package).sheets.items()}
        name = self._sheets.get(part)
        self.of[part] = PartScan(self._styles, None if name is None else self.ahead.pieces(package, part, name, size), self.ahead.sizes)
        return self.of[part]
