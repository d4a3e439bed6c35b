"""Reads a workbook of certificates in a child process with limits (SECURITY §1.1), and hands back its rows in order."""

from __future__ import annotations

import json
import logging
import os
import re
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

from importers.confined import run_confined
from importers.packing import Kept, unpack, unpack_rows
from rules.limits import Limits
from rules.lines import FIELDS, Values
from rules.refusal import Refused

LEAST_SECONDS = 8
MOST_SECONDS = 60
SECONDS_PER_MEGABYTE = 1
"""Of processor time. A workbook of 100,000 lines has 8 MB and takes 3 s; a small one gets its plan or its reason within 10 s."""

_MEGABYTE = 1_000_000
_STEP = 1024 * 1024
_LOOK_SECONDS = 0.02
_OF_BLOCK = b'{"sheet"'

log = logging.getLogger(__name__)

Issue = dict[str, str]
"""``{"field", "heading", "message", "code"}``"""


class ParsedRow(NamedTuple):
    """One line of a certificate as the workbook tells it."""

    sheet: str
    row: int
    """As Excel numbers it."""
    hidden: bool
    values: Values
    """In the order of `rules.lines.FIELDS`; "" for what is absent or could not be read."""
    warnings: list[Issue]
    errors: list[Issue]

    def values_by_field(self) -> dict[str, str]:
        """Field -> text, as `import plan --json` prints it."""
        return dict(zip(FIELDS, self.values, strict=True))


@dataclass(frozen=True)
class SheetReading:
    """What was found of one sheet."""

    name: str
    rows: int
    """Lines of certificates."""
    heading_row: int | None
    """As Excel numbers it; of two heading rows the upper one."""
    skipped: str | None
    """The reason, in Japanese."""
    hidden: bool = False
    notes: tuple[str, ...] = ()
    """What was found and what was done about it, in Japanese."""
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    """Field -> ``{"column": "E", "heading": "S/N"}``"""
    turns: tuple[Mapping[str, Any], ...] = ()
    """``{"row": 12, "columns": {…}}`` for each row of headings below which the columns stand in another order."""
    unmapped: tuple[str, ...] = ()
    """Headings of columns that hold no field."""
    missing: tuple[str, ...] = ()
    """Required fields without a column."""
    fingerprint: str = ""
    """Of the headings: what was chosen for them is remembered by it."""
    names: tuple[str, ...] = ()
    """The headings as they are remembered, from `first_column` on."""
    first_column: int = 0
    remembered: bool = False
    """Whether the columns are those that a person once chose for these headings."""
    preview: tuple[Mapping[str, Any], ...] = ()
    """``{"column": "E", "heading": "S/N", "values": ["CV41…"]}`` for each column that holds anything."""
    head: tuple[Mapping[str, Any], ...] = ()
    """``{"row": 1, "cells": ["…"]}`` for the first rows that hold anything, from `first_column` on."""
    findings: tuple[Mapping[str, Any], ...] = ()
    """``{"code", "count", "places"}``: what the sheet hides or spells oddly (`importers.doctor`)."""


class Block(NamedTuple):
    """Consecutive rows of one sheet, for bulk inserts."""

    sheet: str
    rows: list[int]
    hidden: frozenset[int]
    """Indexes into `rows`."""
    columns: list[list[str]]
    """One list for each of `FIELDS`, along `rows`."""
    errors: dict[int, list[Issue]]
    """Index into `rows` -> errors."""
    warnings: dict[int, list[Issue]]


class Reading:
    """A workbook that was read. Its rows stand in an unnamed temporary file until it is closed; nothing holds them all."""

    def __init__(self, file_name: str, answer: IO[bytes]) -> None:
        self.file_name = file_name
        self.kind = ""
        self.sheets: list[SheetReading] = []
        self.row_count = 0
        self.error_rows = 0
        self.warning_rows = 0
        self._answer = answer
        self._take_stock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the temporary file back."""
        self._answer.close()

    def blocks(self) -> Iterator[Block]:
        """The rows in order, up to some thousands at a time; may be asked again."""
        self._answer.seek(0)
        for line in self._answer:
            if line.startswith(_OF_BLOCK):
                yield _block(line)

    def rows(self) -> Iterator[ParsedRow]:
        """The rows in order, one at a time."""
        for block in self.blocks():
            for index, values in enumerate(zip(*block.columns, strict=True)):
                yield ParsedRow(block.sheet, block.rows[index], index in block.hidden, values, block.warnings.get(index) or [], block.errors.get(index) or [])

    def _take_stock(self) -> None:
        """Read what is told of the file and its sheets. Refuses what the child refused; an answer without end is none."""
        ended = False
        self._answer.seek(0)
        for line in self._answer:
            if line.startswith(_OF_BLOCK):
                continue
            told: dict[str, Any] = json.loads(line)
            if "refused" in told:
                raise Refused(told["refused"], **told["facts"])
            if "end" in told:
                ended, self.kind = True, told["kind"]
                self.error_rows, self.warning_rows = told["error_rows"], told["warning_rows"]
            else:
                self.sheets.append(_sheet(told))
        if not ended:
            raise Refused("workbook_unreadable")
        self.row_count = sum(sheet.rows for sheet in self.sheets)


def read_workbook(
    path: Path,
    *,
    file_name: str,
    families: Mapping[str, str],
    mailboxes: Collection[str],
    limits: Limits,
    mapping: Mapping[str, Any] | None = None,
    remembered: Mapping[str, Mapping[str, str]] | None = None,
    take: Callable[[Block], None] | None = None,
) -> Reading:
    """Read a workbook (xlsx, xlsm, xlsb, ods, xls, csv: told by content) of certificates.

    `families` are alias -> canonical name (the canonical ones among the aliases), `mailboxes` the old contacts.
    `mapping` is what a person chose: sheet name -> ``{"skip": true}`` or ``{"heading_row": 4, "columns": {field: "E"}}``.
    `remembered` is what people chose for sets of headings: fingerprint -> {heading name: field, "" for none}.
    `take` is given each block as soon as it is there, while the rest is read; it ends the reading by raising. A workbook may be refused after that.
    Close the reading after use (it is a context manager).
    Refuses workbook_bytes(max, n), workbook_encrypted, workbook_unreadable, workbook_entries, workbook_dtd,
    workbook_too_large, workbook_too_slow, workbook_far_cell(sheet, cell), workbook_rows(max).
    """
    size = path.stat().st_size
    if size > limits.workbook_bytes:
        raise Refused("workbook_bytes", max=limits.workbook_bytes // (1024 * 1024), n=-(-size // (1024 * 1024)))
    seconds = min(MOST_SECONDS, LEAST_SECONDS + SECONDS_PER_MEGABYTE * (size // _MEGABYTE))
    request = {
        "path": str(path.resolve()),
        "families": dict(families),
        "mailboxes": sorted(mailboxes),
        "most_rows": limits.workbook_rows,
        "mapping": mapping,
        "remembered": remembered,
        "seconds": seconds,
    }
    answer = tempfile.TemporaryFile(prefix="jtickets-import-")  # noqa: SIM115 - the reading closes it
    try:
        following = _Following(answer, take) if take else None
        _run_child(json.dumps(request).encode(), answer, seconds, following)
        if following:
            following.look()
        return Reading(file_name, answer)
    except BaseException:
        answer.close()
        raise


class _Following:
    """Hands on the blocks of an answer that is still being written."""

    def __init__(self, answer: IO[bytes], take: Callable[[Block], None]) -> None:
        self._answer = answer.fileno()
        self._take = take
        self._at = 0
        self._rest = b""
        self._kept = [Kept() for _ in FIELDS]
        """What `take` gathers holds equal texts once."""

    def look(self) -> None:
        """Take what has come since the last time."""
        # Beside the file's own place, at which the child writes on.
        while piece := os.pread(self._answer, _STEP, self._at):
            self._at += len(piece)
            *lines, self._rest = (self._rest + piece).split(b"\n")
            for line in lines:
                if line.startswith(_OF_BLOCK):
                    self._take(_block(line, self._kept))


def _run_child(request: bytes, answer: IO[bytes], seconds: int, following: _Following | None) -> None:
    """Let the child write its answer. Refuses workbook_too_slow, workbook_too_large, workbook_unreadable (it died)."""
    watch = following.look if following else None
    code, said = run_confined("importers.child", request, answer, seconds=seconds, watch=watch, look_seconds=_LOOK_SECONDS)
    if code and b"memory allocation of" in said:
        # python-calamine makes room for all cells between the first and the last one of which a sheet tells.
        raise Refused("workbook_too_large")
    if code and b"PanicException" in said:
        # What python-calamine trips over in a broken file is no Exception that its caller could name.
        raise Refused("workbook_unreadable")
    if code:
        log.warning("workbook reader ended with %s (%s)", code, _fault(said.decode("utf-8", "replace")))
        raise Refused("workbook_unreadable")


def _fault(said: str) -> str:
    """The kind of fault and the file it arose in; its text may hold what stands in a cell."""
    kinds = [line.split(":")[0].strip() for line in said.splitlines()[-1:]]
    files = re.findall(r'^  File "([^"]+)", line (\d+)', said, re.MULTILINE)
    place = f" at {Path(files[-1][0]).parent.name}/{Path(files[-1][0]).name}:{files[-1][1]}" if files else ""
    return ("".join(kinds)[:80] + place)[:160]


def _block(line: bytes, kept: Sequence[Kept] = ()) -> Block:
    told: dict[str, Any] = json.loads(line)
    errors = {int(index): found for index, found in told["errors"].items()}
    warnings = {int(index): found for index, found in told["warnings"].items()}
    rows = unpack_rows(told["rows"])
    packed = told["columns"]
    columns = list(map(unpack, packed, kept)) if kept else list(map(unpack, packed))
    return Block(told["name"], rows, frozenset(told["hidden"]), columns, errors, warnings)


def _sheet(told: Mapping[str, Any]) -> SheetReading:
    return SheetReading(
        name=told["name"],
        rows=told["rows"],
        heading_row=told["heading_row"],
        skipped=told["skipped"],
        hidden=told["hidden"],
        notes=tuple(told["notes"]),
        columns=told.get("columns", {}),
        turns=tuple(told.get("turns", ())),
        unmapped=tuple(told.get("unmapped", ())),
        missing=tuple(told.get("missing", ())),
        fingerprint=told.get("fingerprint", ""),
        names=tuple(told.get("names", ())),
        first_column=told.get("first_column", 0),
        remembered=told.get("remembered", False),
        preview=tuple(told.get("preview", ())),
        head=tuple(told.get("head", ())),
        findings=tuple(told.get("findings", ())),
    )
