"""One jobs process over a database: it says that it lives, follows the timetable, does what it is asked, and ends in peace."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, func, select
from sqlalchemy.exc import OperationalError

from actions import jobs
from actions.jobs import Broken, Run, RunState
from actions.lateness import late_jobs
from actions.timetable import TIMETABLE, Every, Line, line_of
from jobs import runner
from jobs.parts import Parts
from jobs.runner import Process, run
from jobs.schedule import Job
from models.actors import StaffMember
from models.database import transaction
from models.job_runs import Heartbeat, JobRun
from models.places import find
from tests.clock import Clock
from tests.jobs.mailroom import letter_states, parts_for, write_many

_SIGNAL_WITHIN_WAIT = """
import os, signal
from jobs.runner import stop_at_signals
stop = stop_at_signals()
with stop._cond:
    os.kill(os.getpid(), signal.SIGTERM)
print(stop.wait(5))
"""
LINE = next(line for line in TIMETABLE if line.name == "expire")


@contextmanager
def running(parts: Parts) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(parts, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()


def eventually(holds: Callable[[], bool], seconds: float = 15) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


def states_of(engine: Engine) -> dict[str, str]:
    with transaction(engine, readonly=True) as session:
        return {row.job: row.state for row in session.execute(select(JobRun.job, JobRun.state).order_by(JobRun.id))}


def test_a_process_makes_up_for_what_was_missed_and_sends_what_waits(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    parts = parts_for(engine, clock, tmp_path)
    write_many(engine, parts, 3)

    with running(parts):
        eventually(lambda: letter_states(engine) == {"done": 3})
        eventually(lambda: {"expire", "sweep_uploads", "remind_answers"} <= set(states_of(engine)))
        with transaction(engine, readonly=True) as session:
            assert session.scalar(select(func.max(Heartbeat.at)).where(Heartbeat.kind == jobs.JOBS)) == clock()

    assert set(states_of(engine).values()) == {"done"}
    with transaction(engine, readonly=True) as session:
        assert session.scalars(select(Heartbeat.worker)).all() == []


def test_a_process_runs_what_a_person_asks_for(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    line = line_of("expire")
    assert line

    with running(parts_for(engine, clock, tmp_path)):
        eventually(lambda: states_of(engine).get("expire") == "done")
        clock.advance(seconds=30)
        with transaction(engine) as session:
            jobs.ask(session, line, by=StaffMember(id=None, name="本田"), now=clock())
        eventually(lambda: states_of(engine).get("expire") == "done")

    with transaction(engine, readonly=True) as session:
        assert len(session.scalars(select(JobRun.id).where(JobRun.job == "expire")).all()) == 2


def test_however_many_runs_take_long_leases_are_held_letters_leave_and_wishes_are_heard(
    engine: Engine, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "BEAT_SECONDS", 1)
    parts, release, begun = parts_for(engine, clock, tmp_path), threading.Event(), list[str]()

    def work(_parts: Parts, run: Run) -> dict[str, int]:
        begun.append(run.job)
        release.wait(60)
        return {}

    lines = [Line(f"long {number}", "長い仕事", "長い仕事です。", Every(1)) for number in range(12)]
    wish = Line("wish", "頼んだ仕事", "頼んだ仕事です。", Every(86400 * 365))
    stop = threading.Event()
    jobs_of_process = [*(Job(line, work) for line in lines), Job(wish, lambda _parts, _run: {"wished": 1}, wants=lambda _session, _now: False)]
    thread = threading.Thread(target=run, args=(parts, stop, jobs_of_process))
    thread.start()
    try:
        eventually(lambda: len(begun) >= 8)
        clock.advance(seconds=60)
        write_many(engine, parts, 3)
        with transaction(engine) as session:
            jobs.ask(session, wish, by=StaffMember(id=None, name="本田"), now=clock())

        eventually(lambda: letter_states(engine) == {"done": 3})
        eventually(lambda: states_of(engine).get("wish") == "done")
        eventually(lambda: held_until(engine) == {clock() + timedelta(seconds=parts.limits.job_lease_seconds)})
    finally:
        release.set()
        stop.set()
        thread.join(20)
    assert not thread.is_alive()


def held_until(engine: Engine) -> set[datetime]:
    with transaction(engine, readonly=True) as session:
        return set(session.scalars(select(JobRun.lease_until).where(JobRun.state == RunState.RUNNING)))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_clock_that_is_set_back_an_hour_stops_nothing(engine: Engine, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = parts_for(engine, clock, tmp_path)
    made: list[Any] = []
    make = runner.__dict__["_scheduler"]
    monkeypatch.setattr(runner, "_scheduler", lambda: made.append(make()) or made[-1])
    monkeypatch.setattr(runner, "LOOK_SECONDS", 0.2)

    with running(parts):
        eventually(lambda: "expire" in states_of(engine))
        for call in made[0].get_jobs():
            call.modify(next_run_time=call.next_run_time + timedelta(hours=1))
        write_many(engine, parts, 3)
        clock.advance(minutes=20)

        eventually(lambda: letter_states(engine) == {"done": 3})
        eventually(lambda: all(call.next_run_time < datetime.now(UTC) + timedelta(minutes=2) for call in made[0].get_jobs()))


def test_a_run_that_breaks_off_is_recorded_and_told(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    def break_off(_parts: Parts, _run: Run) -> Any:
        raise OSError("no space left")

    process = Process(parts_for(engine, clock, tmp_path), threading.Event())
    try:
        process.tick(Job(LINE, break_off))
    except OSError as told:
        assert str(told) == "no space left"

    with transaction(engine, readonly=True) as session:
        row = session.scalars(select(JobRun)).one()
        assert (row.state, row.fault) == (RunState.FAILED, "OSError")


def away() -> OperationalError:
    return OperationalError("", {}, OSError("the database is away"))


def test_a_run_that_finds_the_database_away_is_tried_again_in_its_slot_and_not_for_ever(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    tries: list[int] = []

    def work(_parts: Parts, begun: Run) -> dict[str, int]:
        tries.append(begun.fence)
        if len(tries) < 3:
            raise away() if len(tries) < 2 else Broken("some of it", again=True)
        return {}

    process = Process(parts_for(engine, clock, tmp_path), threading.Event())
    daily = next(line for line in TIMETABLE if line.name == "remind_contracts")
    for _ in range(2):
        with pytest.raises((OperationalError, Broken)):
            process.tick(Job(daily, work))
    process.tick(Job(daily, work))
    process.tick(Job(daily, work))
    assert (tries, states_of(engine)) == ([1, 2, 3], {"remind_contracts": "done"})

    def never(_parts: Parts, _run: Run) -> dict[str, int]:
        raise away()

    for _ in range(jobs.MOST_TRIES):
        assert states_of(engine).get("expire") != "failed"
        with pytest.raises(OperationalError):
            process.tick(Job(LINE, never))
    assert states_of(engine)["expire"] == "failed"


def test_quiet_work_that_fails_rests_longer_each_time_and_not_once_it_worked(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    line, tries, works, began = line_of("answer_recoveries"), list[float](), list[bool](), clock()
    assert line
    process = Process(parts_for(engine, clock, tmp_path), threading.Event())

    def work(_parts: Parts, _run: Run) -> dict[str, int]:
        tries.append((clock() - began).total_seconds())
        if not works:
            raise KeyError("x")
        return {}

    for _ in range(1000):
        with suppress(KeyError):
            process.tick(Job(line, work))
        clock.advance(seconds=1)
    assert tries == [0, 2, 6, 14, 30, 62, 126, 254, 434, 614, 794, 974]

    works.append(True)
    for _ in range(200):
        process.tick(Job(line, work))
        clock.advance(seconds=1)
    assert tries[12:] == list(range(1154, 1200))


def test_what_was_done_is_recorded_though_the_database_is_busy_just_then(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    process = Process(parts_for(engine, clock, tmp_path), threading.Event())

    def refuse(_connection: Connection) -> None:
        raise away()

    def work(_parts: Parts, _run: Run) -> dict[str, int]:
        event.listen(engine, "begin", refuse, once=True)
        return {"done": 1}

    process.tick(Job(LINE, work))

    with transaction(engine, readonly=True) as session:
        assert session.execute(select(JobRun.state, JobRun.counts, JobRun.fence)).one() == ("done", {"done": 1}, 1)


def test_a_slot_with_nothing_to_do_leaves_no_run(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    process = Process(parts_for(engine, clock, tmp_path), threading.Event())

    process.tick(Job(LINE, lambda _parts, _run: {}, wants=lambda _session, _now: False))

    assert states_of(engine) == {}


def test_a_run_of_a_dead_process_is_stuck_no_longer_than_its_lease_though_nothing_waits(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    parts, line = parts_for(engine, clock, tmp_path), line_of("plan_import")
    assert line
    with transaction(engine) as session:
        jobs.begin(session, line, worker="killed", now=clock())
    process = Process(parts, threading.Event())

    clock.advance(hours=2)
    process.beat()

    assert states_of(engine) == {"plan_import": "failed"}
    with transaction(engine, readonly=True) as session:
        assert late_jobs(session, now=clock(), lines=[line]) == []


def test_a_process_that_slept_holds_its_own_runs_when_it_wakes(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    process = Process(parts_for(engine, clock, tmp_path), threading.Event())

    def sleep(_parts: Parts, begun: Run) -> dict[str, int]:
        clock.advance(hours=2)
        process.beat()
        with transaction(engine) as session:
            jobs.confirm(session, begun)
        return {}

    process.tick(Job(LINE, sleep))

    assert states_of(engine) == {"expire": "done"}


def test_two_processes_share_the_slots(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    done: list[str] = []

    def work(_parts: Parts, begun: Run) -> dict[str, int]:
        done.append(begun.slot.isoformat())
        return {}

    processes = [Process(parts_for(engine, clock, tmp_path), threading.Event()) for _ in range(2)]
    for _ in range(5):
        for process in processes:
            process.tick(Job(LINE, work))
        clock.advance(minutes=10)

    assert len(done) == len(set(done)) == 5


def test_a_signal_is_heard_even_while_the_event_is_in_hand() -> None:
    environment = {**os.environ, "PYTHONPATH": str(find("jobs").parent)}
    told = subprocess.run([sys.executable, "-c", _SIGNAL_WITHIN_WAIT], env=environment, capture_output=True, text=True, timeout=30, check=True)

    assert told.stdout == "True\n"
