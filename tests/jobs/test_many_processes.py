"""Several jobs processes at once: each due job once, none missed; one that is stopped and wakes up again writes nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from models.database import transaction
from models.job_runs import Heartbeat, JobRun
from models.places import find

KILLS = int(os.environ.get("KILLS", "20"))
THREADS = 8
"""Of one process: so many runs at most are in its hands when it is killed."""


@contextmanager
def started(database_url: str, folder: Path, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of `tests.jobs.working`; it does not outlive the test."""
    chosen = {
        "JTICKETS_DATABASE_URL": database_url,
        "JTICKETS_STATE_DIR": str(folder),
        "JTICKETS_SECRET_KEY": "a-secret-only-the-tests-know-0123456789",
        "PYTHONPATH": str(find("jobs").parent),
    }
    command = [sys.executable, "-m", "tests.jobs.working"]
    with subprocess.Popen(command, env={**os.environ, **chosen, **variables}, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()


def done(engine: Engine) -> Sequence[str]:
    with transaction(engine, readonly=True) as session:
        return session.scalars(select(Heartbeat.worker).where(Heartbeat.kind == "work")).all()


def alive(engine: Engine) -> int:
    with transaction(engine, readonly=True) as session:
        return session.scalar(select(func.count()).where(Heartbeat.kind == "jobs")) or 0


def states(engine: Engine) -> dict[str, int]:
    with transaction(engine, readonly=True) as session:
        return {row.state: row.n for row in session.execute(select(JobRun.state, func.count().label("n")).group_by(JobRun.state))}


def eventually(holds: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, f"not after {seconds} s"
        time.sleep(0.1)


def run_at_once(engine: Engine, database_url: str, folder: Path, processes: int, many: int, seconds: float) -> None:
    with ExitStack() as running:
        workers = [running.enter_context(started(database_url, folder, MANY=str(many))) for _ in range(processes)]
        eventually(lambda: states(engine).get("done", 0) == many and alive(engine) == processes, seconds)
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        assert [worker.wait(60) for worker in workers] == [0] * processes

    rows = [row.split(":")[0] for row in done(engine)]
    assert len(rows) == len(set(rows)) == many
    assert states(engine) == {"done": many}


def test_three_processes_do_each_due_job_once(engine: Engine, database_url: str, tmp_path: Path) -> None:
    run_at_once(engine, database_url, tmp_path, 3, 40, 60)


@pytest.mark.proof
def test_eight_processes_do_a_thousand_due_jobs_once_each(engine: Engine, database_url: str, tmp_path: Path) -> None:
    run_at_once(engine, database_url, tmp_path, 8, 1000, 300)


def at_least(engine: Engine, wanted: int) -> bool:
    return len(done(engine)) >= wanted


@pytest.mark.proof
def test_killed_processes_leave_no_job_undone(engine: Engine, database_url: str, tmp_path: Path) -> None:
    chance, many = random.Random(20261201), 20 * KILLS
    chosen = {"MANY": str(many), "JTICKETS_LIMITS_JOB_LEASE_SECONDS": "30"}  # longer than the heartbeat that renews it
    with ExitStack() as running:
        workers = [running.enter_context(started(database_url, tmp_path, **chosen)) for _ in range(3)]
        for _ in range(KILLS):
            wanted = min(len(done(engine)) + chance.randint(1, 10), many)
            eventually(partial(at_least, engine, wanted), 60)
            time.sleep(chance.random() * 0.02)
            fallen = chance.randrange(3)
            workers[fallen].kill()
            workers[fallen] = running.enter_context(started(database_url, tmp_path, **chosen))
        eventually(lambda: states(engine) == {"done": many}, 200)

    rows = [row.rsplit(":", 2) for row in done(engine)]
    again = Counter(work for work, _, _ in rows)
    assert len(again) == many
    assert len({(work, fence) for work, fence, _ in rows}) == len(rows), "a run in one process's hands is done once"
    assert len(rows) - many <= KILLS * THREADS, "done again only where the kill fell between the work and its end"


def sleep_and_wake(engine: Engine, database_url: str, folder: Path, *, lease: int, asleep: float) -> None:
    short = {"JTICKETS_LIMITS_JOB_LEASE_SECONDS": str(lease), "SLOW_SECONDS": str(lease / 2)}
    with started(database_url, folder, **short) as sleeper:
        eventually(lambda: states(engine) == {"running": 1}, 30)
        sleeper.send_signal(signal.SIGSTOP)
        assert done(engine) == [], "stopped too late: it was through already"
        until = time.monotonic() + asleep
        with started(database_url, folder, **short):
            # It tries at its start and every minute: within the lease it waits, after it takes over.
            eventually(lambda: len(done(engine)) == 1, asleep + 90)
            time.sleep(max(0.0, until - time.monotonic()))
            sleeper.send_signal(signal.SIGCONT)
            time.sleep(5)

    (row,) = done(engine)
    assert not row.endswith(f":{sleeper.pid}")
    assert states(engine) == {"done": 1}


def test_a_process_that_is_ended_in_a_long_run_hands_it_back_and_is_gone(engine: Engine, database_url: str, tmp_path: Path) -> None:
    with started(database_url, tmp_path, SLOW_SECONDS="600", STOP_SECONDS="1") as ended:
        eventually(lambda: states(engine) == {"running": 1}, 30)
        ended.send_signal(signal.SIGTERM)
        assert ended.wait(30) == 0
    assert alive(engine) == 0

    with started(database_url, tmp_path, SLOW_SECONDS="0"):
        # Its lease would have held for minutes.
        eventually(lambda: states(engine) == {"done": 1}, 30)
    assert len(done(engine)) == 1


@pytest.mark.proof
def test_a_process_stopped_for_a_minute_writes_nothing_stale(engine: Engine, database_url: str, tmp_path: Path) -> None:
    sleep_and_wake(engine, database_url, tmp_path, lease=15, asleep=60)
