"""Runs of the jobs: the unique row (job, slot) decides who does it, a lease says how long, a fencing number who lost it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from actions.journal import record
from actions.timetable import Line
from models.actors import Actor
from models.database import among, insert_on_conflict, lock
from models.job_runs import Heartbeat, JobRun

LEASE = timedelta(minutes=5)
"""How long a run holds without its process's heartbeat, unless the limits say otherwise."""
BEATS_KEPT = timedelta(days=1)
JOBS = "jobs"
"""The kind of a jobs process's heartbeat."""
MOST_TRIES = 5
"""Of a run that found the database away or busy; then it has failed."""
_FAULT_CHARACTERS = 500
_HANDED_BACK = "handed back: its process was ended"
_runs = JobRun.__table__
Counts = Mapping[str, int]


class RunState(StrEnum):
    ASKED = "asked"
    """A person wants it run now; the next free process takes it."""
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Its slot was too old when a process woke up."""


@dataclass(frozen=True)
class Run:
    """A run in one process's hands. Whoever holds an older `fence` has lost it."""

    id: int
    job: str
    slot: datetime
    fence: int
    missed: int = 0
    """Slots before this one that nobody ran; this run makes up for them."""


class LeaseLost(Exception):
    """Another process has this run by now: what was done here must not be written."""


class Broken(Exception):
    """A run could not do its work. The text says why, in words that may be shown; `again`: somebody should try it once more in its slot."""

    def __init__(self, words: str, *, again: bool = False) -> None:
        super().__init__(words)
        self.again = again


def begin(session: Session, line: Line, *, worker: str, now: datetime, lease: timedelta = LEASE) -> Run | None:
    """Take the run of the slot that `now` lies in; None when it is done, somebody does it, or it is too old.

    A run whose process died is taken over in its own slot, and marked as failed in a later one. A short transaction of its own.
    """
    slot = line.rhythm.latest(now)
    lock(session, f"job:{line.name}")
    last = session.execute(
        select(JobRun.slot).where(JobRun.job == line.name, JobRun.state != RunState.ASKED, JobRun.slot <= slot).order_by(JobRun.slot.desc()).limit(1)
    ).scalar_one_or_none()
    for running in session.scalars(select(JobRun).where(JobRun.job == line.name, JobRun.state == RunState.RUNNING)):
        if running.lease_until > now or not _is_left(session, running):
            return None
        if running.slot == slot:
            return _take_over(session, running, worker, now, lease)
        _end_abandoned(running, now)
    session.flush()
    if last == slot:
        return None
    state = RunState.SKIPPED if now - slot > line.grace else RunState.RUNNING
    missed = line.rhythm.between(last, slot) if last is not None else 0
    id_ = _insert(session, line.name, slot, state, worker, now, missed, lease)
    return Run(id_, line.name, slot, 1, missed) if id_ is not None and state is RunState.RUNNING else None


def last_done(session: Session, run: Run) -> datetime | None:
    """When the last run of this job that did its work began; None where none is remembered."""
    done = select(JobRun.started_at).where(JobRun.job == run.job, JobRun.state == RunState.DONE)
    return session.scalar(done.order_by(JobRun.started_at.desc()).limit(1))


def end_abandoned(session: Session, lines: Iterable[Line], *, now: datetime) -> int:
    """End the runs of dead processes that nobody can take over because their slot is over; how many.

    `begin` does so too, but of work that is begun only when there is some, the next run may never come.
    """
    slots = {line.name: line.rhythm.latest(now) for line in lines}
    over = (JobRun.state == RunState.RUNNING, JobRun.lease_until <= now)
    found = session.execute(select(JobRun.id, JobRun.job, JobRun.slot).where(*over).order_by(JobRun.job)).all()
    ended = 0
    for row in found:
        if slots.get(row.job, row.slot) == row.slot:
            continue
        lock(session, f"job:{row.job}")
        # Asked anew behind the lock: its process may have woken up, or another begun.
        for running in session.scalars(select(JobRun).where(JobRun.id == row.id, *over).with_for_update(skip_locked=True)):
            _end_abandoned(running, now)
            ended += 1
    session.flush()
    return ended


def due(session: Session, lines: Sequence[Line], *, now: datetime) -> list[Line]:
    """Those of `lines` for which `begin` may find something to do: asked first and without a lock, for nearly always another process was quicker."""
    slots = {line.name: line.rhythm.latest(now) for line in lines}
    held = select(JobRun.job, JobRun.slot, JobRun.state, JobRun.lease_until).where(among(session, _runs.c.job, [*slots]), JobRun.slot.in_({*slots.values()}))
    taken = {row.job for row in session.execute(held) if row.slot == slots[row.job] and not (row.state == RunState.RUNNING and row.lease_until <= now)}
    return [line for line in lines if line.name not in taken]


def begin_asked(session: Session, names: Iterable[str], *, worker: str, now: datetime, lease: timedelta = LEASE) -> Run | None:
    """Take the oldest run that a person asked for and that no run of the same job stands in the way of."""
    asked = session.execute(
        select(JobRun.id, JobRun.job, JobRun.slot).where(JobRun.state == RunState.ASKED, JobRun.job.in_(list(names))).order_by(JobRun.id)
    ).all()
    for row in asked:
        lock(session, f"job:{row.job}")
        busy = select(JobRun.id).where(JobRun.job == row.job, JobRun.state == RunState.RUNNING, JobRun.lease_until > now)
        if session.execute(busy).first() is not None:
            continue
        values = {"state": RunState.RUNNING, "worker": worker, "started_at": now, "lease_until": now + lease}
        taken = update(JobRun).where(JobRun.id == row.id, JobRun.state == RunState.ASKED).values(**values)
        fence = session.execute(taken.returning(JobRun.fence)).scalar_one_or_none()
        if fence is not None:
            return Run(row.id, row.job, row.slot, fence)
    return None


def is_asked(session: Session) -> bool:
    """Whether a person waits for a run."""
    return session.execute(select(JobRun.id).where(JobRun.state == RunState.ASKED).limit(1)).first() is not None


def ask(session: Session, line: Line, *, by: Actor, now: datetime) -> None:
    """今すぐ実行: leave a request that the next free jobs process takes; asking twice is asking once."""
    lock(session, f"job:{line.name}")
    if session.execute(select(JobRun.id).where(JobRun.job == line.name, JobRun.state == RunState.ASKED)).first() is None:
        _insert(session, line.name, now, RunState.ASKED, "", now, 0)
    record(session, "run_job", "job", None, by=by, now=now, subject_name=line.name)


def confirm(session: Session, run: Run) -> None:
    """Make sure, until this transaction ends, that the run is still ours. Raises LeaseLost.

    Every writing transaction of a job asks this, so that a process that slept through its lease writes nothing.
    """
    held = session.execute(select(JobRun.fence, JobRun.state).where(JobRun.id == run.id).with_for_update()).first()
    if held is None or held.fence != run.fence or held.state != RunState.RUNNING:
        raise LeaseLost(f"{run.job} {run.slot.isoformat()}")


def renew(session: Session, run: Run, *, now: datetime, lease: timedelta = LEASE) -> None:
    """Hold the lease on. A run in the middle of a transaction of its own (`confirm`) is left alone: nobody can take it, and the heartbeat waits for none."""
    held = (JobRun.id == run.id, JobRun.fence == run.fence, JobRun.state == RunState.RUNNING)
    free = select(JobRun.id).where(*held).with_for_update(skip_locked=True)
    session.execute(update(JobRun).where(JobRun.id.in_(free)).values(lease_until=now + lease))


def finish(session: Session, run: Run, counts: Counts, *, now: datetime) -> bool:
    """Record what the run did; False, and nothing written, when another process has it by now."""
    told = {**({"missed": run.missed} if run.missed else {}), **counts}
    return _end(session, run, {"state": RunState.DONE, "finished_at": now, "counts": told})


def fail(session: Session, run: Run, fault: str, *, now: datetime) -> bool:
    """Record that the run broke off; its next slot is run as usual."""
    return _end(session, run, {"state": RunState.FAILED, "finished_at": now, "fault": fault[:_FAULT_CHARACTERS]})


def put_back(session: Session, run: Run, *, now: datetime) -> bool:
    """Let whoever comes next take the run over at once, in its slot; False when another process has it by now."""
    return _end(session, run, {"lease_until": now})


def hand_back(session: Session, run: Run, line: Line, *, now: datetime) -> bool:
    """Leave a run to others at once, as its process ends before it: what that process still writes for it is refused. False when another has it by now.

    It is taken over in its slot, asked for again when a person asked for it, and over when its slot is or when the next one asks anew what waits.
    """
    values: dict[str, object] = {"fence": run.fence + 1, "lease_until": now}
    if line.rhythm.latest(run.slot) != run.slot:
        values |= {"state": RunState.ASKED, "worker": ""}
    elif line.quiet or line.rhythm.latest(now) != run.slot:
        values |= {"state": RunState.FAILED, "finished_at": now, "fault": _HANDED_BACK}
    else:
        values |= {"fault": _HANDED_BACK}
    return _end(session, run, values)


def tally(session: Session, line: Line, counts: Counts, *, worker: str, now: datetime) -> None:
    """Add to what shared work did in this hour: one row (job, hour) for all processes."""
    slot = now.replace(minute=0, second=0, microsecond=0)
    lock(session, f"job:{line.name}")
    row = session.scalars(select(JobRun).where(JobRun.job == line.name, JobRun.slot == slot)).one_or_none()
    if row is None:
        row = JobRun(job=line.name, slot=slot, state=RunState.DONE, worker=worker, started_at=now, lease_until=now, counts={})
        session.add(row)
    row.counts = {name: int(row.counts.get(name, 0)) + counts.get(name, 0) for name in {*row.counts, *counts}}
    row.finished_at, row.worker = now, worker


def beat(session: Session, worker: str, *, now: datetime) -> None:
    """Say that this jobs process is alive, and forget those long gone."""
    statement = insert_on_conflict(session, Heartbeat).values(worker=worker, kind=JOBS, at=now)
    session.execute(statement.on_conflict_do_update(index_elements=["worker"], set_={"at": now}))
    session.execute(delete(Heartbeat).where(Heartbeat.at < now - BEATS_KEPT))


def retire(session: Session, worker: str) -> None:
    """Forget a process that ends in peace."""
    session.execute(delete(Heartbeat).where(Heartbeat.worker == worker))


def _is_left(session: Session, running: JobRun) -> bool:
    """Whether nobody is in the middle of a transaction of this run, nor ended it just now; then it is held."""
    same = (JobRun.id == running.id, JobRun.fence == running.fence, JobRun.state == RunState.RUNNING)
    return session.execute(select(JobRun.id).where(*same).with_for_update(skip_locked=True)).first() is not None


def _take_over(session: Session, running: JobRun, worker: str, now: datetime, lease: timedelta) -> Run:
    running.fence += 1
    running.worker, running.started_at, running.lease_until, running.fault = worker, now, now + lease, ""
    session.flush()
    return Run(running.id, running.job, running.slot, running.fence)


def _end_abandoned(running: JobRun, now: datetime) -> None:
    running.fence += 1
    running.state, running.finished_at, running.fault = RunState.FAILED, now, "the process ended before the run did"


def _insert(session: Session, job: str, slot: datetime, state: RunState, worker: str, now: datetime, missed: int, lease: timedelta = LEASE) -> int | None:
    values = {
        "job": job,
        "slot": slot,
        "state": state,
        "worker": worker,
        "started_at": now,
        "lease_until": now + lease if state is RunState.RUNNING else now,
        "finished_at": now if state is RunState.SKIPPED else None,
        "counts": {"missed": missed} if missed else {},
    }
    statement = insert_on_conflict(session, JobRun).values(**values).on_conflict_do_nothing(index_elements=["job", "slot"])
    return session.execute(statement.returning(JobRun.id)).scalar_one_or_none()


def _end(session: Session, run: Run, values: dict[str, object]) -> bool:
    held = (JobRun.id == run.id, JobRun.fence == run.fence, JobRun.state == RunState.RUNNING)
    return session.execute(update(JobRun).where(*held).values(**values).returning(JobRun.id)).first() is not None
