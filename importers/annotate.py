"""The workbook handed back: its error cells marked and commented, a result and an advice beside every row, and a sheet of causes."""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from importers.archive import Kind, tell_kind
from importers.confined import run_confined
from importers.losses import Losses
from importers.reader import Issue
from rules.refusal import Refused

MOST_ROWS = 20_000
"""Rows of a workbook that is handed back itself; of a longer one the rows that need a look."""
PROGRESS = "progress"
"""The file of the folder in which the process says how many percent are done."""
SECONDS = 60
"""Of processor time: 20,000 rows take 15."""

log = logging.getLogger(__name__)


class AnnotatedRow(NamedTuple):
    """What became of one row of the workbook."""

    sheet: str
    row: int
    """As Excel numbers it."""
    result: str
    """The word for 結果, in Japanese."""
    errors: Sequence[Issue] = ()
    warnings: Sequence[Issue] = ()
    held: bool = False
    """Whether it waits, for its own sake or for another row of its certificate."""


def annotate(
    source: Path,
    file_name: str,
    rows: Iterable[AnnotatedRow],
    out: Path,
    *,
    sheets: Sequence[Mapping[str, Any]],
    watch: Callable[[int], None] | None = None,
) -> Losses:
    """Write `source` with what is to be done to the file `out`, and say what it lacks.

    `rows` are all rows of the plan; `sheets` tell of each sheet its name, heading row and columns (`importers.reader.SheetReading`).
    Of an xls, a csv, more than `MOST_ROWS` rows, or what openpyxl cannot open, `out` is a new xlsx of the rows that wait, with their cells.
    openpyxl opens a stranger's file here, so a limited process of its own does it. `watch` is told every half second how many percent are done,
    and ends the writing by raising.
    Refuses workbook_encrypted, workbook_unreadable, workbook_too_large, workbook_too_slow, workbook_entries, workbook_dtd.
    """
    with tempfile.TemporaryDirectory(prefix="jtickets-workbook-") as made:
        folder = Path(made)
        count = _write_rows(folder / "rows", rows)
        request = {"path": str(source.resolve()), "folder": made, "file_name": file_name, "sheets": list(sheets)}
        found = _kept(source, count)
        if found.kept_workbook:
            try:
                return _take(_ask({**request, "task": "mark"}, folder, watch), folder, out)
            except Refused as refused:
                log.warning("workbook is handed back as rows (%s)", refused.code)
                found = Losses(kept_workbook=False, reason="unopenable")
        _take(_ask({**request, "task": "rows"}, folder, watch), folder, out)
        return found


def _kept(source: Path, rows: int) -> Losses:
    """Whether the workbook itself can be handed back."""
    if tell_kind(source) is not Kind.XLSX:
        return Losses(kept_workbook=False, reason="kind")
    return Losses(kept_workbook=rows <= MOST_ROWS, reason="" if rows <= MOST_ROWS else "rows")


def _write_rows(path: Path, rows: Iterable[AnnotatedRow]) -> int:
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count


def _ask(request: Mapping[str, Any], folder: Path, watch: Callable[[int], None] | None = None) -> dict[str, Any]:
    """Let the limited process do it: what it says. Refuses what it refused, workbook_unreadable where it died."""
    asked = json.dumps(request).encode()
    look = (lambda: watch(_percent(folder))) if watch else None
    with (folder / "answer").open("w+b") as answer:
        code, said = run_confined("importers.annotate_child", asked, answer, seconds=SECONDS, folder=folder, watch=look)
        answer.seek(0)
        told: dict[str, Any] = json.loads(answer.read() or b"{}")
    if "refused" in told:
        raise Refused(told["refused"], **told["facts"])
    if code or not told:
        kinds = [line.split(b":")[0].strip().decode("ascii", "replace") for line in said.splitlines()[-1:]]
        log.warning("workbook writer ended with %s (%s)", code, "".join(kinds)[:80])
        raise Refused("workbook_unreadable")
    return told


def _percent(folder: Path) -> int:
    """How far the process says it is; it may be writing that this very moment."""
    place = folder / PROGRESS
    told = place.read_text("ascii") if place.exists() else ""
    return int(told) if told.isdecimal() else 0


def _take(told: Mapping[str, Any], folder: Path, out: Path) -> Losses:
    shutil.move(folder / "out.xlsx", out)
    return Losses.of(told)
