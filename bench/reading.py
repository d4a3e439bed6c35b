"""Peak memory of the process that reads a workbook and of the one that plans it, asked from a fresh one: `python -m bench.reading DATABASE_URL FILE`."""

from __future__ import annotations

import resource
import sys
from datetime import UTC, datetime
from pathlib import Path

from jobs.plan_import import compare, read_rows
from models.database import make_engine
from rules.calendar import tokyo_date
from rules.limits import Limits


def main() -> None:
    """Read and compare, then print what the largest child took, and what this process did, in MB."""
    url, path = sys.argv[1], Path(sys.argv[2])
    engine = make_engine(url)
    rows, _ = read_rows(engine, path, file_name=path.name, limits=Limits())
    compare(engine, rows, today=tokyo_date(datetime.now(UTC)))
    print(*(resource.getrusage(whose).ru_maxrss / 1024 for whose in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)))


if __name__ == "__main__":
    main()
