"""The numbers of the desk for Prometheus, read from the database: every process of every host tells the same.

Requests are counted by the workers of this host (`web.tallies`), in the units that Prometheus wants.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from itertools import accumulate

from prometheus_client import CollectorRegistry, Gauge, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base import NEVER
from models.database import transaction
from models.imports import BatchState, ImportBatch
from models.job_lists import failure_counts, last_runs
from models.job_runs import Heartbeat
from models.outbox import Letter, LetterState
from models.tickets import Attachment, Ticket
from web.health import Lateness
from web.tallies import BOUNDS, Tallies
from web.wiring import Wiring

_FAILURES = timedelta(days=1)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(wiring: Wiring, late_jobs: Lateness) -> bytes:
    """All numbers in Prometheus's text form."""
    registry, now = CollectorRegistry(auto_describe=False), wiring.clock()
    with transaction(wiring.engine, readonly=True) as session:
        _tickets(registry, session, now)
        _letters(registry, session, now)
        _jobs(registry, session, {one.name for one in late_jobs(session, now)}, now)
        waiting = session.scalar(select(func.count()).where(ImportBatch.state == BatchState.RECEIVED)) or 0
        _gauge(registry, "jtickets_imports_waiting", "Workbooks that wait to be read.", waiting)
        size = session.scalar(select(func.coalesce(func.sum(Attachment.size), 0))) or 0
        _gauge(registry, "jtickets_attachment_bytes", "Bytes of all attachments.", size)
    registry.register(_Requests(wiring.tallies))
    return generate_latest(registry)


class _Requests:
    """How many requests each page answered and how long they took; a page goes by its route, so that no number or secret is in it."""

    def __init__(self, tallies: Tallies) -> None:
        self._tallies = tallies

    def collect(self) -> Iterator[Metric]:
        """What prometheus-client asks of a collector."""
        answered = CounterMetricFamily("jtickets_requests", "Requests by page and by the first digit of the answer.", labels=["page", "status"])
        took = HistogramMetricFamily("jtickets_request_seconds", "How long requests took.", labels=["page"])
        for page, told in self._tallies.told().items():
            for digit, count in enumerate(told.statuses, 1):
                if count:
                    answered.add_metric([page, f"{digit}xx"], count)
            reached = zip([*map(str, BOUNDS), "+Inf"], accumulate(told.shares), strict=True)
            took.add_metric([page], [(bound, float(count)) for bound, count in reached], told.microseconds / 1_000_000)
        yield answered
        yield took


def _tickets(registry: CollectorRegistry, session: Session, now: datetime) -> None:
    counted = Gauge("jtickets_tickets", "Unresolved tickets by state.", ["state"], registry=registry)
    for row in session.execute(select(Ticket.state, func.count().label("n")).where(Ticket.unresolved).group_by(Ticket.state)):
        counted.labels(str(row.state)).set(row.n)
    overdue = select(func.count()).where(Ticket.unresolved, Ticket.due_at <= now, Ticket.due_at != NEVER)
    _gauge(registry, "jtickets_tickets_overdue", "Tickets whose next answer is past its deadline.", session.scalar(overdue) or 0)


def _letters(registry: CollectorRegistry, session: Session, now: datetime) -> None:
    counted = Gauge("jtickets_letters", "Letters by state, those that are done aside.", ["state"], registry=registry)
    statement = select(Letter.state, func.count().label("n")).where(Letter.state.in_([LetterState.WAITING, LetterState.SENDING, LetterState.PARKED]))
    for row in session.execute(statement.group_by(Letter.state)):
        counted.labels(str(row.state)).set(row.n)
    oldest = session.scalar(select(func.min(Letter.try_at)).where(Letter.state == LetterState.WAITING, Letter.try_at <= now))
    _gauge(registry, "jtickets_letter_wait_seconds", "How long the oldest due letter has waited.", (now - oldest).total_seconds() if oldest else 0)


def _jobs(registry: CollectorRegistry, session: Session, late: Collection[str], now: datetime) -> None:
    beat = session.scalar(select(func.max(Heartbeat.at)))
    if beat is not None:
        _gauge(registry, "jtickets_jobs_heartbeat_seconds", "How long ago a jobs process was last alive.", (now - beat).total_seconds())
    failures, newest = failure_counts(session, since=now - _FAILURES), last_runs(session)
    lateness = Gauge("jtickets_job_late", "1 where a job is late or stuck.", ["job"], registry=registry)
    failed = Gauge("jtickets_job_failures", "Failed runs of the last day.", ["job"], registry=registry)
    began = Gauge("jtickets_job_last_run_seconds", "How long ago the newest run began.", ["job"], registry=registry)
    for name in sorted({*newest, *late}):
        lateness.labels(name).set(name in late)
        failed.labels(name).set(failures.get(name, 0))
        if name in newest:
            began.labels(name).set((now - newest[name].started_at).total_seconds())


def _gauge(registry: CollectorRegistry, name: str, told: str, value: float) -> None:
    Gauge(name, told, registry=registry).set(value)
