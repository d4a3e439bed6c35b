"""Peak memory of the process that reads a workbook, asked from a fresh parent: `python -m bench.reading DATABASE_URL FILE`."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from jobs.plan_import import read_rows
from models.database import make_engine
from rules.limits import Limits


def main() -> None:
    """Read, then print what the largest child took, in MB."""
    url, path = sys.argv[1], Path(sys.argv[2])
    read_rows(make_engine(url), path, file_name=path.name, limits=Limits())
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
