"""A jobs process of the tests: many small jobs, or one slow one, each leaving a row for every time it was done."""

from __future__ import annotations

import os
import sys
import time
from datetime import time as clock_time
from datetime import timedelta

from actions.jobs import Counts, Run, confirm
from actions.timetable import Daily, Every, Line
from jobs import runner
from jobs.parts import Parts, parts_of
from jobs.runner import run
from jobs.schedule import Job
from models.database import transaction
from models.job_runs import Heartbeat
from settings import read_settings

MANY = int(os.environ.get("MANY", "0"))
SLOW_SECONDS = float(os.environ.get("SLOW_SECONDS", "3"))
runner.STOP_SECONDS = float(os.environ.get("STOP_SECONDS", runner.STOP_SECONDS))


def leave_a_row(parts: Parts, run: Run) -> Counts:
    """Say, by a row of its own, that the work was done."""
    with transaction(parts.engine) as session:
        confirm(session, run)
        session.add(Heartbeat(worker=f"{run.job}:{run.slot.isoformat()}:{run.fence}:{os.getpid()}", kind="work", at=parts.clock()))
    return {"done": 1}


def work_slowly(parts: Parts, run: Run) -> Counts:
    """Begin, wait, and write at the end: whoever slept through its lease meanwhile must not write."""
    until = time.monotonic() + SLOW_SECONDS
    while time.monotonic() < until:
        time.sleep(0.05)
    return leave_a_row(parts, run)


def main() -> int:
    """Run until SIGTERM."""
    day = timedelta(days=1)
    many = [Job(Line(f"work {number}", "仕事", "仕事です。", Daily(clock_time(0)), grace=day), leave_a_row) for number in range(MANY)]
    slow = [] if MANY else [Job(Line("slow", "長い仕事", "長い仕事です。", Every(86400), grace=day), work_slowly)]
    run(parts_of(read_settings()), work=many + slow)
    return 0


if __name__ == "__main__":
    sys.exit(main())
