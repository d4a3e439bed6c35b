"""Jobs that are late: a slot beyond its grace that nobody brought to its end, a run that does not end, work that waits for a shared job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from actions.jobs import RunState
from actions.timetable import TIMETABLE, Line
from models.admission import RecoveryRequest
from models.base import AnyRow
from models.handed_back import COMING, HandedBack
from models.imports import BatchState, ImportBatch
from models.job_runs import JobRun
from models.outbox import Letter, LetterState
from models.tickets import Message


@dataclass(frozen=True)
class Late:
    """A job that is late, and since when; `stuck`: a run has begun and does not end."""

    line: Line
    since: datetime
    stuck: bool = False

    @property
    def name(self) -> str:
        """The job's name in the timetable."""
        return self.line.name


def late_jobs(session: Session, *, now: datetime, lines: Sequence[Line] = TIMETABLE) -> list[Late]:
    """The jobs that are late or stuck. A desk whose jobs never ran has none: its heartbeat is missing instead."""
    ends, running = _runs(session)
    waiting = waiting_since(session, now)
    began = waiting["began"]
    if began is None:
        return []
    found: list[Late] = []
    for line in lines:
        if line.quiet:
            since = waiting.get(line.name)
            # What waited before the desk had any jobs is not their lateness, nor what a run left to the next one because it was so much.
            done = ends.get(line.name, began) if not line.shared else began
            since = max(since, began, done) if since is not None else None
        else:
            since = line.rhythm.after(ends.get(line.name) or line.rhythm.latest(began))
        if since is not None and now > since + line.grace:
            found.append(Late(line, since))
    return found + list(_stuck(running, lines, now))


def _stuck(running: Sequence[AnyRow], lines: Sequence[Line], now: datetime) -> Iterator[Late]:
    known = {line.name: line for line in lines}
    for row in running:
        line = known.get(row.job)
        if line and now > row.started_at + line.longest:
            yield Late(line, row.started_at, stuck=True)


def _runs(session: Session) -> tuple[Mapping[str, datetime], Sequence[AnyRow]]:
    """(the newest slot of each job that came to its end, what is running)."""
    ended = select(JobRun.job, func.max(JobRun.slot).label("slot")).where(JobRun.state.in_([RunState.DONE, RunState.SKIPPED])).group_by(JobRun.job)
    ends = {row.job: row.slot for row in session.execute(ended)}
    running = session.execute(select(JobRun.job, JobRun.started_at).where(JobRun.state == RunState.RUNNING)).all()
    return ends, running


def waiting_since(session: Session, now: datetime) -> Mapping[str, datetime | None]:
    """Since when the oldest work waits that a job does whenever there is some; as `began`, when the oldest known run did."""
    wanted = {
        "began": select(func.min(JobRun.started_at)),
        "deliver_mail": select(func.min(Letter.try_at)).where(Letter.state.in_([LetterState.WAITING, LetterState.SENDING]), Letter.try_at <= now),
        "plan_import": select(func.min(ImportBatch.uploaded_at)).where(ImportBatch.state == BatchState.RECEIVED),
        "hand_back": select(func.min(HandedBack.asked_at)).where(HandedBack.state.in_(COMING)),
        "index_search": select(func.min(Message.published_at)).where(~Message.indexed, Message.published_at <= now),
        "answer_recoveries": select(func.min(RecoveryRequest.asked_at)),
    }
    row = session.execute(select(*(statement.scalar_subquery().label(name) for name, statement in wanted.items()))).mappings().one()
    return {name: row[name] for name in wanted}
