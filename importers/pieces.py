"""The values of a long worksheet, read in pieces by threads while the part they stand in is still unpacked.

python-calamine reads a sheet whole before it gives the first row, and leaves the interpreter free meanwhile. So each stretch of some
thousand rows becomes a small workbook of its own: the same texts, styles and relations, and a sheet of these rows alone.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from python_calamine import CalamineSheet, CalamineWorkbook

from importers.archive import Package
from importers.raw import Cell

PIECE = 9_000_000
"""Bytes of rows; more where the texts that cells share are more, for those are read again with each piece."""
LEAST_PART = 2_000_000
"""Bytes of a worksheet part that is read in pieces."""
MOST_PARTS = 64_000_000
"""Bytes of all of them: they are held until their turn comes. 100,000 lines of 12 cells take 44 MB."""
MOST_CELLS = 4_000_000
"""Cells of all of them with the empty ones between, for the same reason."""
THREADS = 2
_TEXTS_AT_ONCE = 12_000_000
"""Bytes of the texts that cells share, over all pieces that are being read."""

_ROWS = re.compile(
    # The row tells its number, and each of its cells the same one. Nothing is spelt in a way that a cut could fall into.
    rb'(?:<row r="([0-9]{1,7}+)"(?: (?!xmlns)[A-Za-z0-9:]++="[^"<>&]*+")*+(?: ?+/>|>'
    rb'(?:<c r="[A-Z]{1,3}+\1"(?: [a-z]++="[A-Za-z0-9]*+")*+(?: ?+/>|>'
    rb"(?:<f(?: [^<>/]*+)?+(?:/>|>[^<]*+</f>))?+(?:<v(?: [^<>/]*+)?+(?:/>|>[^<]*+</v>)|<is><t(?: [^<>/]*+)?+>[^<]*+</t></is>)?+"
    rb"</c>))*+</row>))*"
)
_BEGINS, _ENDS = b"<sheetData>", b"</sheetData>"


@dataclass(frozen=True)
class Sizes:
    """What is read in pieces, in bytes: the size of one, and of the smallest part."""

    piece: int = PIECE
    least_part: int = LEAST_PART


USUAL = Sizes()


@dataclass(frozen=True)
class Frame:
    """What a piece's workbook holds beside its rows."""

    parts: dict[str, bytes]
    """By name."""
    part: str
    """The name of the worksheet's part."""
    sheet: str


class Ahead:
    """Reads the sheets of one workbook before their turn comes, as long as there is room for them."""

    def __init__(self, sizes: Sizes) -> None:
        self.threads = ThreadPoolExecutor(THREADS)
        self.sizes = sizes
        self._bytes_left, self._cells_left = MOST_PARTS, MOST_CELLS

    def pieces(self, package: Package, part: str, sheet: str, size: int) -> Pieces | None:
        """Where the rows of the worksheet `sheet` go, None where it is read when its turn comes."""
        if not package.is_whole or not self.sizes.least_part <= size <= self._bytes_left:
            return None
        self._bytes_left -= size
        parts = {package.names[name]: content for name, content in (package.kept | package.texts).items()}
        texts = sum(map(len, package.texts.values()))
        return Pieces(self, Frame(parts, package.names[part], sheet), max(self.sizes.piece, texts), min(THREADS, _TEXTS_AT_ONCE // (texts or 1)))

    def reserve(self, cells: int) -> bool:
        """Whether there is room for so many cells more."""
        self._cells_left -= cells
        return self._cells_left >= 0


class Pieces:
    """Takes the rows of one worksheet part in order, and has what is enough for a piece read."""

    def __init__(self, ahead: Ahead, frame: Frame, size: int, at_once: int) -> None:
        self._ahead, self._frame, self._size, self._at_once = ahead, frame, size, at_once
        self._head: bytes | None = None
        self._blocks: list[bytes] = []
        self._held = 0
        self._read: list[Future[CalamineSheet]] = []
        self._going, self._ended = True, False

    def add(self, block: bytes, *, rows: int, width: int, plain: bool) -> None:
        """Take some whole rows, or what stands before and after them; `rows` may hold values, over `width` columns.

        `plain` rows need no look at how they are spelt.
        """
        if not self._going:
            return
        if self._ended or not (plain or self._fits(block)) or not self._ahead.reserve(rows * width):
            self.give_up()
            return
        if self._blocks and self._held + len(block) > self._size and not self._ended:
            self._send(_ENDS + b"</worksheet>")
        self._blocks.append(block)
        self._held += len(block)

    def give_up(self) -> None:
        """The sheet is to be read whole, when its turn comes."""
        self._going = False
        self._blocks.clear()
        for each in self._read:
            each.cancel()
        self._read.clear()

    def close(self) -> None:
        """No more will come."""
        if self._going and self._ended:
            self._send(b"")
        else:
            self.give_up()

    def read(self) -> deque[CalamineSheet] | None:
        """The pieces in order, None where the sheet is to be read whole."""
        # What a piece fails at, the whole does too, and says why.
        if not self._read or any(each.exception() for each in self._read):
            self._read.clear()
            return None
        found = deque(each.result() for each in self._read)
        self._read.clear()
        return found

    def _fits(self, block: bytes) -> bool:
        """Whether the block may be cut off from the others."""
        if self._head is None:
            head, begins, block = block.partition(_BEGINS)
            self._head = head + begins
            if not begins:
                return False
        block, ends, _ = block.partition(_ENDS)
        self._ended = bool(ends)
        return bool(_ROWS.fullmatch(block))

    def _send(self, tail: bytes) -> None:
        # The first block brings its head along.
        head = self._head if self._read and self._head else b""
        blocks, self._blocks, self._held = [head, *self._blocks, tail], [], 0
        if len(self._read) >= self._at_once:
            # No more of the part is held than is being read.
            self._read[-self._at_once].exception()
        self._read.append(self._ahead.threads.submit(_values, self._frame, blocks))


def columns_of(pieces: Iterable[CalamineSheet]) -> tuple[int, int]:
    """The first column that holds a value, and how many there are from it to the last one."""
    spans = [(piece.start[1], piece.end[1]) for piece in pieces if piece.start and piece.end]
    first = min((left for left, _ in spans), default=0)
    return first, max((right for _, right in spans), default=first - 1) - first + 1


def rows_of(pieces: deque[CalamineSheet], first_column: int, width: int) -> Iterator[list[Cell]]:
    """All rows from the first of the sheet on, as the whole sheet would give them; a piece is let go when it was looked at."""
    number = 0
    while pieces:
        piece = pieces.popleft()
        if piece.start is None or piece.end is None:
            continue
        (top, left), (bottom, right) = piece.start, piece.end
        for _ in range(number, top):
            yield [""] * width
        before, after = left - first_column, first_column + width - 1 - right
        rows = piece.to_python(skip_empty_area=True)
        yield from ([""] * before + row + [""] * after for row in rows) if before or after else rows
        number = bottom + 1


def _values(frame: Frame, blocks: list[bytes]) -> CalamineSheet:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in frame.parts.items():
            archive.writestr(name, content)
        with archive.open(frame.part, "w") as part:
            while blocks:
                part.write(blocks.pop(0))
    made.seek(0)
    book = CalamineWorkbook.from_filelike(made)
    made.close()
    return book.get_sheet_by_name(frame.sheet)
