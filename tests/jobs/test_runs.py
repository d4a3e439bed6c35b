"""Runs: each slot once, by one process; missed ones made up for once; who lost the lease writes nothing."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from actions import jobs
from actions.jobs import LEASE, LeaseLost, Run, RunState
from actions.timetable import TIMETABLE, Daily, Every, Line
from jobs.schedule import JOBS
from models.actors import StaffMember
from models.database import transaction
from models.job_runs import Heartbeat, JobRun
from tests.people import NOW

LINE = Line("tidy", "片付け", "片付けます。", Every(60), grace=timedelta(hours=1))
BY = StaffMember(id=None, name="本田")
MINUTE = timedelta(minutes=1)


def begin(session: Session, now: datetime = NOW, worker: str = "one", line: Line = LINE) -> Run | None:
    return jobs.begin(session, line, worker=worker, now=now)


def run_of(session: Session, run: Run) -> JobRun:
    session.expire_all()
    return session.get_one(JobRun, run.id)


def finished(session: Session, now: datetime) -> Run:
    run = begin(session, now)
    assert run
    jobs.finish(session, run, {}, now=now)
    return run


def test_a_slot_is_run_once(session: Session) -> None:
    finished(session, NOW)

    assert begin(session, NOW + timedelta(seconds=59)) is None
    assert begin(session, NOW + MINUTE) is not None


def test_of_many_lines_those_are_due_that_nobody_does_or_did(session: Session) -> None:
    daily = Line("fetch", "取り込み", "取り込みます。", Daily(time(0)))
    never = Line("rest", "休み", "休みます。", Every(60))
    finished(session, NOW - MINUTE)
    begin(session, line=daily)

    assert jobs.due(session, [LINE, daily, never], now=NOW) == [LINE, never]
    begin(session)
    assert jobs.due(session, [LINE, daily, never], now=NOW) == [never]
    assert jobs.due(session, [LINE, daily], now=NOW + timedelta(seconds=59) + LEASE) == [LINE, daily], "a new slot, and a dead process's run"


def test_a_run_is_recorded_with_what_it_did(session: Session) -> None:
    run = begin(session)
    assert run

    jobs.finish(session, run, {"held": 3}, now=NOW + timedelta(seconds=4))

    row = run_of(session, run)
    assert (row.state, row.counts, row.finished_at, row.worker) == (RunState.DONE, {"held": 3}, NOW + timedelta(seconds=4), "one")


def test_no_second_run_begins_while_one_is_running(session: Session) -> None:
    run = begin(session)
    assert run

    for minutes in range(1, 5):
        jobs.renew(session, run, now=NOW + minutes * MINUTE)
        assert begin(session, NOW + minutes * MINUTE, worker="two") is None


def test_missed_slots_are_made_up_for_once(session: Session) -> None:
    finished(session, NOW)

    late = begin(session, NOW + 10 * MINUTE)

    assert late
    assert late.missed == 9
    assert begin(session, NOW + 10 * MINUTE) is None


def test_a_slot_older_than_its_grace_is_dropped_with_a_record(session: Session) -> None:
    daily = Line("digest", "まとめ", "まとめます。", Daily(time(8)), grace=timedelta(hours=6))
    evening = datetime(2026, 12, 1, 11, 0, tzinfo=UTC)

    assert begin(session, evening, line=daily) is None

    assert session.scalars(select(JobRun.state)).all() == [RunState.SKIPPED]
    assert begin(session, evening + timedelta(hours=13), line=daily) is not None


def test_a_clock_that_is_set_runs_no_slot_twice_and_makes_up_for_a_day_by_one_run(session: Session) -> None:
    """R22: an hour back, a day ahead."""
    moments = [NOW + minutes * MINUTE for minutes in range(60)]
    for now in moments:
        finished(session, now)

    assert [begin(session, now) for now in moments] == [None] * 60, "the same hour again"
    ahead = begin(session, moments[-1] + timedelta(days=1))
    assert ahead
    assert ahead.missed == 24 * 60 - 1
    jobs.finish(session, ahead, {}, now=moments[-1] + timedelta(days=1))
    assert begin(session, moments[-1]) is None, "and back"
    assert begin(session, moments[-1] + MINUTE) is not None, "what was jumped over is still there to be run, once"
    assert begin(session, moments[-1] + MINUTE) is None


def test_a_dead_processs_run_is_taken_over_in_its_slot(session: Session) -> None:
    slow = Line("slow", "長い仕事", "長い仕事です。", Every(3600))
    dead = begin(session, line=slow)
    assert dead

    assert begin(session, NOW + LEASE - timedelta(seconds=1), worker="two", line=slow) is None
    taken = begin(session, NOW + LEASE, worker="two", line=slow)

    assert taken
    assert (taken.id, taken.fence) == (dead.id, dead.fence + 1)


def test_a_dead_processs_run_ends_as_failed_when_its_slot_is_over(session: Session) -> None:
    dead = begin(session)
    assert dead

    assert begin(session, NOW + LEASE + MINUTE, worker="two") is not None

    assert run_of(session, dead).state == RunState.FAILED


def test_a_dead_processs_run_ends_without_another_unless_it_can_be_taken_over(session: Session) -> None:
    hourly = Line("slow", "長い仕事", "長い仕事です。", Every(3600))
    dead, takeable, alive = begin(session), begin(session, line=hourly), begin(session, NOW + 4 * MINUTE, line=Line("new", "仕事", "仕事です。", Every(60)))
    assert dead
    assert takeable
    assert alive
    lines = [LINE, hourly, Line("new", "仕事", "仕事です。", Every(60))]

    assert jobs.end_abandoned(session, lines, now=NOW + LEASE - MINUTE) == 0
    assert jobs.end_abandoned(session, lines, now=NOW + LEASE) == 1

    assert [run_of(session, run).state for run in (dead, takeable, alive)] == [RunState.FAILED, RunState.RUNNING, RunState.RUNNING]
    with pytest.raises(LeaseLost):
        jobs.confirm(session, dead)
    assert begin(session, NOW + LEASE, worker="two", line=hourly) is not None


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_nobody_waits_for_a_run_in_the_middle_of_a_long_transaction_nor_takes_it(engine: Engine) -> None:
    hourly, other = (Line(name, "仕事", "仕事です。", Every(3600)) for name in ("slow", "other"))
    with transaction(engine) as session:
        runs = [jobs.begin(session, line, worker="one", now=NOW) for line in (hourly, other)]
    slow, quick = (run for run in runs if run)
    began: list[Run | None] = []

    def beat() -> None:
        with transaction(engine) as session:
            for run in (slow, quick):
                jobs.renew(session, run, now=NOW + 4 * MINUTE)
        with transaction(engine) as session:
            jobs.end_abandoned(session, [hourly, other], now=NOW + 90 * MINUTE)
        with transaction(engine) as session:
            began.append(jobs.begin(session, hourly, worker="two", now=NOW + 20 * MINUTE))

    with transaction(engine) as working:
        jobs.confirm(working, slow)
        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        thread.join(10)
        assert not thread.is_alive()
        assert jobs.finish(working, slow, {}, now=NOW)

    assert began == [None]
    with transaction(engine, readonly=True) as session:
        assert {row.job: row.state for row in session.execute(select(JobRun.job, JobRun.state))} == {"slow": RunState.DONE, "other": RunState.FAILED}
        assert session.scalars(select(JobRun.lease_until).where(JobRun.job == "other")).one() == NOW + 4 * MINUTE + LEASE


def test_a_run_that_is_handed_back_is_anothers_at_once(session: Session) -> None:
    hourly = Line("slow", "長い仕事", "長い仕事です。", Every(3600))
    quiet = Line("quiet", "静かな仕事", "静かな仕事です。", Every(1), quiet=True)
    ended, over, nothing = begin(session, line=hourly), begin(session), begin(session, line=quiet)
    jobs.ask(session, Line("wish", "頼んだ仕事", "頼んだ仕事です。", Every(3600)), by=BY, now=NOW + timedelta(seconds=1))
    wish = jobs.begin_asked(session, ["wish"], worker="one", now=NOW + timedelta(seconds=1))
    later = NOW + MINUTE
    lines = {"slow": hourly, "tidy": LINE, "quiet": quiet, "wish": Line("wish", "頼んだ仕事", "頼んだ仕事です。", Every(3600))}
    runs = [run for run in (ended, over, nothing, wish) if run]

    assert [jobs.hand_back(session, run, lines[run.job], now=later) for run in runs] == [True] * 4

    for run in runs:
        with pytest.raises(LeaseLost):
            jobs.confirm(session, run)
        assert not jobs.finish(session, run, {}, now=later)
        assert not jobs.hand_back(session, run, lines[run.job], now=later)
    assert [run_of(session, run).state for run in runs] == [RunState.RUNNING, RunState.FAILED, RunState.FAILED, RunState.ASKED]
    taken, again = begin(session, later, "two", hourly), jobs.begin_asked(session, ["wish"], worker="two", now=later)
    assert taken
    assert again
    assert (taken.id, again.id) == (runs[0].id, runs[3].id)
    for run in (taken, again):
        jobs.confirm(session, run)
        assert jobs.finish(session, run, {}, now=later)
        assert run_of(session, run).fault == ""


def test_who_slept_through_the_lease_writes_nothing(session: Session) -> None:
    slow = Line("slow", "長い仕事", "長い仕事です。", Every(3600))
    slept = begin(session, line=slow)
    assert slept
    begin(session, NOW + LEASE, worker="two", line=slow)

    with pytest.raises(LeaseLost):
        jobs.confirm(session, slept)
    assert not jobs.finish(session, slept, {"held": 99}, now=NOW + LEASE)
    assert not jobs.fail(session, slept, "late", now=NOW + LEASE)

    assert run_of(session, slept).state == RunState.RUNNING


def test_many_processes_at_once_run_each_slot_once(engine: Engine) -> None:
    lines = [Line(f"job {number}", "仕事", "仕事です。", Every(60)) for number in range(40)]
    taken: list[str] = []

    def work(worker: str) -> None:
        for line in lines:
            with transaction(engine) as session:
                run = jobs.begin(session, line, worker=worker, now=NOW)
                if run:
                    taken.append(line.name)
                    jobs.finish(session, run, {}, now=NOW)

    threads = [threading.Thread(target=work, args=(f"worker {number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(taken) == sorted(line.name for line in lines)


def test_a_run_asked_for_is_taken_by_one_process(session: Session) -> None:
    jobs.ask(session, LINE, by=BY, now=NOW)
    jobs.ask(session, LINE, by=BY, now=NOW)
    assert jobs.is_asked(session)

    run = jobs.begin_asked(session, ["tidy"], worker="one", now=NOW)

    assert run
    assert jobs.begin_asked(session, ["tidy"], worker="two", now=NOW) is None
    assert jobs.finish(session, run, {}, now=NOW)
    assert not jobs.is_asked(session)


def test_a_run_asked_for_waits_for_the_one_that_is_running(session: Session) -> None:
    running = begin(session)
    assert running
    jobs.ask(session, LINE, by=BY, now=NOW + timedelta(seconds=1))

    assert jobs.begin_asked(session, ["tidy"], worker="two", now=NOW) is None
    jobs.finish(session, running, {}, now=NOW)

    assert jobs.begin_asked(session, ["tidy"], worker="two", now=NOW) is not None


def test_shared_work_is_summed_up_by_the_hour(session: Session) -> None:
    for minutes, letters in ((0, 3), (20, 4), (70, 5)):
        jobs.tally(session, TIMETABLE[0], {"letters": letters}, worker="one", now=NOW + minutes * MINUTE)
        session.flush()

    assert [row.counts for row in session.scalars(select(JobRun).order_by(JobRun.slot))] == [{"letters": 7}, {"letters": 5}]


def test_a_process_is_alive_as_long_as_it_says_so(session: Session) -> None:
    jobs.beat(session, "one", now=NOW)
    jobs.beat(session, "one", now=NOW + MINUTE)
    jobs.beat(session, "two", now=NOW + timedelta(days=2))

    assert [(beat.worker, beat.at) for beat in session.scalars(select(Heartbeat))] == [("two", NOW + timedelta(days=2))]
    jobs.retire(session, "two")
    assert session.scalar(select(func.count()).select_from(Heartbeat)) == 0


def test_every_line_of_the_timetable_has_its_work() -> None:
    assert {line.name for line in TIMETABLE if not line.shared} == {job.line.name for job in JOBS}


def test_slots_are_named_alike_whenever_one_asks() -> None:
    every, daily = Every(600), Daily(time(8))

    assert every.latest(NOW + timedelta(seconds=599)) == every.latest(NOW) == NOW
    assert every.after(NOW) == NOW + timedelta(minutes=10)
    assert daily.latest(datetime(2026, 12, 1, 22, 59, tzinfo=UTC)) == datetime(2026, 11, 30, 23, 0, tzinfo=UTC)
    assert daily.latest(datetime(2026, 12, 1, 23, 0, tzinfo=UTC)) == datetime(2026, 12, 1, 23, 0, tzinfo=UTC)
    assert daily.after(daily.latest(NOW)) == datetime(2026, 12, 1, 23, 0, tzinfo=UTC)
