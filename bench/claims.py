"""Jobs claimed a second: processes that take, confirm and end the runs of one timetable, whose work is nothing."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time

from sqlalchemy import func, select

from actions import jobs
from actions.timetable import Daily, Line
from bench.databases import Databases
from bench.measure import desk_environment
from bench.servers import python
from jobs.parts import Parts, parts_of
from jobs.runner import MOST_CHOSEN
from models.database import make_engine, transaction
from models.job_runs import JobRun
from settings import read_settings

PROCESSES = (1, 4, 8)


@dataclass(frozen=True)
class Claimed:
    """Runs a second that all processes together began and ended, by the number of processes."""

    database: str
    runs: int
    ours: dict[int, float]


def measure_claims(databases: Databases, runs: int) -> Claimed:
    """`runs` due runs for each number of processes, which all want all of them."""
    return Claimed(databases.kind, runs, {processes: _measure(databases, processes, runs) for processes in PROCESSES})


def _measure(databases: Databases, processes: int, runs: int) -> float:
    url = databases.empty_desk(f"claims{processes}")
    environment = {**os.environ, **desk_environment(url, databases.folder), "JTICKETS_BASE_URL": "http://127.0.0.1"}
    words = python("-m", "bench.claims", str(runs))
    with ExitStack() as stack:
        started = [
            stack.enter_context(subprocess.Popen(words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)) for _ in range(processes)
        ]
        for process in started:
            _line(process)
        began = time.perf_counter()
        for process in started:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        taken = sum(int(_line(process)) for process in started)
        seconds = time.perf_counter() - began
    engine = make_engine(url)
    with transaction(engine, readonly=True) as session:
        done = session.scalar(select(func.count()).select_from(JobRun).where(JobRun.state == jobs.RunState.DONE))
    engine.dispose()
    if taken != runs or done != runs:
        raise SystemExit(f"{taken} runs were taken and {done} done of {runs}")
    return runs / seconds


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise SystemExit("a process of the bench ended early")
    return line


def main(runs: int) -> None:
    """One process: take what can be taken, a few by lot at a time as a jobs process does, and say how many runs that were."""
    parts, worker, now = parts_of(read_settings()), f"bench:{os.getpid()}", datetime.now(UTC)
    lines = [Line(f"work {number}", "仕事", "仕事です。", Daily(clock_time(0)), grace=timedelta(days=2)) for number in range(runs)]
    print("ready", flush=True)
    sys.stdin.readline()
    taken = 0
    while lines:
        with transaction(parts.engine, readonly=True) as session:
            lines = jobs.due(session, lines, now=now)
        random.shuffle(lines)
        few = min(MOST_CHOSEN, len(lines) // MOST_CHOSEN + 1)
        taken += sum(_take(parts, line, worker, now) for line in lines[:few])
        lines = lines[few:]
    print(taken, flush=True)


def _take(parts: Parts, line: Line, worker: str, now: datetime) -> bool:
    with transaction(parts.engine, readonly=True) as session:
        if not jobs.due(session, [line], now=now):
            return False
    with transaction(parts.engine) as session:
        begun = jobs.begin(session, line, worker=worker, now=now)
    if begun is None:
        return False
    with transaction(parts.engine) as session:
        jobs.confirm(session, begun)
        return jobs.finish(session, begun, {}, now=now)


if __name__ == "__main__":
    main(int(sys.argv[1]))
