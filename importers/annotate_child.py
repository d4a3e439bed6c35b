"""The process that writes workbooks to hand back: openpyxl opens a stranger's file in it, under hard limits.

Started by `importers.annotate` and by nothing else.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from importers.annotate import PROGRESS, SECONDS, AnnotatedRow
from importers.confined import close_the_door, limit_resources
from importers.losses import Losses, find_losses
from importers.marking import mark_workbook
from importers.problem_rows import problem_tables
from importers.xlsx_stream import write_tables
from rules.refusal import Refused

MEMORY_ABOVE = 768 * 1024 * 1024
"""Bytes of address space; 20,000 rows of 15 columns ask for 150 MB."""
OUTPUT_BYTES = 256 * 1024 * 1024
_LOOKED_THROUGH = 10
"""Percent of the work."""


def main() -> None:
    """Read the request from standard input, write the file and then the answer."""
    request = json.load(sys.stdin)
    folder = Path(request["folder"])
    limit_resources(SECONDS, memory_above=MEMORY_ABOVE, output_bytes=OUTPUT_BYTES)
    close_the_door(Path(request["path"]), writes=(folder,))
    # What openpyxl does not keep is told by `importers.losses`, not on standard error.
    warnings.simplefilter("ignore")
    answer: dict[str, Any]
    try:
        answer = _do(request, folder)
    except Refused as refusal:
        answer = {"refused": refusal.code, "facts": refusal.facts}
    except MemoryError:
        answer = {"refused": "workbook_too_large", "facts": {}}
    sys.stdout.write(json.dumps(answer, ensure_ascii=False))


def _do(request: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    path = Path(request["path"])
    if request["task"] == "mark":
        found = find_losses(path)

        def tell(percent: int) -> None:
            (folder / PROGRESS).write_text(str(percent), "ascii")

        tell(_LOOKED_THROUGH)
        out, told = folder / "out.xlsx", request["sheets"]
        mark_workbook(path, out, _rows(folder), told, found.last_columns, file_name=request["file_name"], tell=tell)
        return Losses(kept_workbook=True, lost=found.lost).told()
    with (folder / "out.xlsx").open("wb") as out:
        for piece in write_tables(problem_tables(path, list(_rows(folder)), request["sheets"], file_name=request["file_name"])):
            out.write(piece)
    return Losses(kept_workbook=False).told()


def _rows(folder: Path) -> Iterator[AnnotatedRow]:
    with (folder / "rows").open(encoding="utf-8") as file:
        for line in file:
            yield AnnotatedRow(*json.loads(line))


if __name__ == "__main__":
    main()
