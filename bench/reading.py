"""Peak memory of the process that reads a workbook and of the one that plans it, asked from a fresh one: `python -m bench.reading DATABASE_URL FILE`."""

from __future__ import annotations

import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from jobs.plan_import import compare, read_rows
from models.database import make_engine
from rules.calendar import tokyo_date
from rules.limits import Limits

_EVERY_SECONDS = 0.002


class _Children(threading.Thread):
    """Watches what the children of this process take; what the kernel tells of them at their end counts in what they were forked from."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most_kb = 0
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(_EVERY_SECONDS):
            for place in Path("/proc/self/task").glob("*/children"):
                for child in place.read_text().split():
                    self.most_kb = max(self.most_kb, _peak_kb(Path("/proc") / child))


def main() -> None:
    """Read and compare, then print what the largest child took, and what this process did, in MB."""
    url, path = sys.argv[1], Path(sys.argv[2])
    engine = make_engine(url)
    children = _Children()
    children.start()
    rows, _ = read_rows(engine, path, file_name=path.name, limits=Limits())
    children.over.set()
    compare(engine, rows, today=tokyo_date(datetime.now(UTC)))
    print(children.most_kb / 1024, _peak_kb(Path("/proc/self")) / 1024)


def _peak_kb(process: Path) -> int:
    try:
        told = (process / "status").read_text()
        # Until it runs its own program it is a picture of this process.
        mine = process.name == "self" or b"importers.child" in (process / "cmdline").read_bytes()
    except OSError:  # it has ended
        return 0
    return next((int(line.split()[1]) for line in told.splitlines() if mine and line.startswith("VmHWM:")), 0)


if __name__ == "__main__":
    main()
