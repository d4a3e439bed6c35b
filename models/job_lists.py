"""The named selects of the page of jobs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base import AnyRow, AnySelect
from models.job_runs import Heartbeat, JobRun
from models.paging import Place, Sheet, newest_first

_RUNS: AnySelect = select(
    JobRun.id, JobRun.job, JobRun.slot, JobRun.state, JobRun.worker, JobRun.started_at, JobRun.lease_until, JobRun.finished_at, JobRun.counts, JobRun.fault
)


def last_runs(session: Session) -> dict[str, AnyRow]:
    """The newest run of each job by its name."""
    newest = select(func.max(JobRun.id)).group_by(JobRun.job)
    return {row.job: row for row in session.execute(_RUNS.where(JobRun.id.in_(newest)))}


def failure_counts(session: Session, *, since: datetime) -> dict[str, int]:
    """How often each job's runs failed since `since`, by its name; none for jobs that never did."""
    statement = select(JobRun.job, func.count().label("failures")).where(JobRun.state == "failed", JobRun.started_at >= since)
    return {row.job: row.failures for row in session.execute(statement.group_by(JobRun.job))}


def run_list(session: Session, *, job: str, failed: bool, place: Place, limit: int) -> Sheet:
    """Runs, the newest first; those of one job, or those that failed."""
    statement = _RUNS
    if job:
        statement = statement.where(JobRun.job == job)
    if failed:
        statement = statement.where(JobRun.state == "failed")
    return newest_first(session, statement, JobRun.id, place, limit=limit)


def jobs_processes(session: Session, *, since: datetime) -> Sequence[AnyRow]:
    """The jobs processes that were alive after `since`: worker, at."""
    statement: AnySelect = select(Heartbeat.worker, Heartbeat.at).where(Heartbeat.kind == "jobs", Heartbeat.at >= since)
    return session.execute(statement.order_by(Heartbeat.worker)).all()
