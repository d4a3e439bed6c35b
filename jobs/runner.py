"""One jobs process: APScheduler only says "now"; the database decides who does what, so any number of processes may run."""

from __future__ import annotations

import gc
import logging
import os
import random
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.orm import Session

from actions import jobs
from actions.jobs import Broken, Run
from actions.timetable import Daily
from jobs.deliver_mail import Mailer
from jobs.parts import Parts, utc_now
from jobs.pauses import Pauses
from jobs.schedule import JOBS, Job
from models.database import transaction
from storage.store import StorageFault

log = structlog.get_logger("jobs")

BEAT_SECONDS = 10
LOOK_SECONDS = 5.0
"""How often the process looks whether the clock was set back."""
_OFTEN = 60
NICE = 10
STOP_SECONDS = 25.0
"""Of a process that is told to end, for what it has begun; then it hands back what is left."""
_GOODBYE_SECONDS = 5.0
_THREADS = 8
_APART = ("heartbeat", "asked", "deliver_mail")
"""Each with a thread of its own: however many runs take long, their leases are held, letters leave, and a person's wish is heard."""
MOST_CHOSEN = 16
"""Of the slots that were missed, so many at a time; fewer at the end, when several processes are after the last ones."""
_CLOCKS_APART = timedelta(seconds=2)
"""So little the moments of two looks at the clock may contradict each other."""
_TRIES_TO_TELL = 5
_AWAY = (OperationalError, InterfaceError)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def run(parts: Parts, stop: threading.Event | None = None, work: Sequence[Job] = JOBS) -> None:
    """Do the recurring work until `stop` is set (without one: until SIGTERM or SIGINT); what is begun is finished first, or handed back."""
    if stop is None:
        gc.freeze()  # what is loaded now stays: walking it for garbage took a twentieth of a second, every few hundred letters
        os.nice(NICE)  # people come before letters
    stopping = stop or stop_at_signals()
    process = Process(parts, stopping, work)
    process.start()
    while not stopping.wait(LOOK_SECONDS):
        process.keep_time(utc_now())
    if not process.finish() and stop is None:
        # What it still does is no longer its own; Python would wait for those threads.
        sys.stdout.flush()
        os._exit(0)


class Process:
    """The scheduler's calls, and the runs that are in this process's hands."""

    def __init__(self, parts: Parts, stop: threading.Event, work: Sequence[Job] = JOBS) -> None:
        self.worker = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"[:120]
        self._parts = parts
        self._stop = stop
        self._mailer = Mailer(parts, self.worker, stop)
        self._work = work
        self._lease = timedelta(seconds=parts.limits.job_lease_seconds)
        self._running: dict[int, Run] = {}
        self._pauses = Pauses()
        self._missed: list[Job] = []
        self._chosen: list[Job] = []
        self._choosing = threading.Lock()
        self._adding = threading.Lock()
        self._scheduler = _scheduler()

    def start(self) -> None:
        """Say that this process is there, make up for what was missed, then follow the timetable."""
        self.beat()
        self._missed = [*self._work]
        for number in range(_THREADS // 2):
            self._scheduler.add_job(self.catch_up, id=f"catch up {number}")
        for job in self._work:
            self._scheduler.add_job(self.tick, _trigger(job), args=[job], id=job.line.name)
        for name, (call, seconds) in {"heartbeat": (self.beat, BEAT_SECONDS), "asked": (self.take_asked, 1), "deliver_mail": (self.deliver, 1)}.items():
            self._scheduler.add_job(call, IntervalTrigger(seconds=seconds, timezone=UTC), id=name, executor=name)
        self._scheduler.start()
        log.info("started", worker=self.worker)

    def keep_time(self, now: datetime) -> None:
        """Bring the scheduler's calls near again after the clock was set back: it would wait until the old time comes once more, and nothing be done."""
        for call in self._scheduler.get_jobs():
            latest = now + getattr(call.trigger, "interval", timedelta())
            if call.next_run_time > latest + _CLOCKS_APART:
                log.warning("the clock was set back", call=call.id)
                with suppress(JobLookupError):  # it was made just now
                    call.modify(next_run_time=min(call.trigger.get_next_fire_time(None, now), latest))

    def finish(self) -> bool:
        """Wait a while for what is begun, hand back what takes longer, then say goodbye; whether all is done."""
        # The scheduler ends with its locks in hand: who adds a job at that moment would wait for it, and it for them.
        with self._adding:
            pass
        done = _within(STOP_SECONDS, self._scheduler.shutdown)
        _within(_GOODBYE_SECONDS, self._leave if done else self._hand_back)
        log.info("stopped", worker=self.worker, done=done)
        return done

    def _hand_back(self) -> None:
        lines = {job.line.name: job.line for job in self._work}
        for begun in list(self._running.values()):
            with suppress(DBAPIError), transaction(self._parts.engine) as session:
                if jobs.hand_back(session, begun, lines[begun.job], now=self._parts.clock()):
                    log.info("handed back", run=begun.id, job=begun.job, slot=begun.slot.isoformat())

        self._retire()

    def _leave(self) -> None:
        self._mailer.close()
        self._retire()

    def _retire(self) -> None:
        with suppress(DBAPIError), transaction(self._parts.engine) as session:
            jobs.retire(session, self.worker)

    def catch_up(self) -> None:
        """Run, one after the other, the slots that began before this process did; several threads share them."""
        try:
            while (job := self._next_missed()) is not None and not self._stop.is_set():
                self.tick(job)
        finally:
            # A job that failed ends this call, and none of those behind it.
            with self._adding:
                if (self._missed or self._chosen) and not self._stop.is_set():
                    self._scheduler.add_job(self.catch_up)

    def _next_missed(self) -> Job | None:
        with self._choosing:
            if not self._chosen:
                self._chosen = self._choose()
            return self._chosen.pop() if self._chosen else None

    def _choose(self) -> list[Job]:
        """A few of the slots that nobody has taken, by lot: processes that start together neither want the same ones nor ask for each that is done."""
        with transaction(self._parts.engine, readonly=True) as session:
            left = {line.name for line in jobs.due(session, [job.line for job in self._missed], now=self._parts.clock())}
        self._missed = [job for job in self._missed if job.line.name in left]
        random.shuffle(self._missed)
        few = min(MOST_CHOSEN, len(self._missed) // MOST_CHOSEN + 1)
        chosen, self._missed = self._missed[:few], self._missed[few:]
        return chosen

    def tick(self, job: Job) -> None:
        """It is time for `job`: run this slot unless somebody does or did. A process that ends begins nothing, nor work that has just failed."""
        now = self._parts.clock()
        if self._stop.is_set() or (job.line.quiet and self._pauses.rests(job.line.name, now)):
            return
        with transaction(self._parts.engine, readonly=True) as session:
            if not jobs.due(session, [job.line], now=now) or (job.wants is not None and not job.wants(session, now)):
                return
        with transaction(self._parts.engine) as session:
            begun = jobs.begin(session, job.line, worker=self.worker, now=now, lease=self._lease)
        if begun is not None:
            self._do(job, begun)

    def take_asked(self) -> None:
        """Run what a person asked for in the console."""
        with transaction(self._parts.engine, readonly=True) as session:
            if not jobs.is_asked(session):
                return
        known = {job.line.name: job for job in self._work}
        with transaction(self._parts.engine) as session:
            begun = jobs.begin_asked(session, known, worker=self.worker, now=self._parts.clock(), lease=self._lease)
        if begun is not None:
            self._do(known[begun.job], begun)

    def deliver(self) -> None:
        """Send the letters that are due."""
        self._mailer.deliver()

    def beat(self) -> None:
        """Say that this process is alive, hold the leases of its runs, and end those of processes that died."""
        now = self._parts.clock()
        try:
            with transaction(self._parts.engine) as session:
                jobs.beat(session, self.worker, now=now)
            for held in list(self._running.values()):
                with transaction(self._parts.engine) as session:
                    jobs.renew(session, held, now=now, lease=self._lease)
            with transaction(self._parts.engine) as session:
                jobs.end_abandoned(session, [job.line for job in self._work], now=now)
        except DBAPIError as fault:
            log.warning("no heartbeat", fault=type(fault.orig).__name__)

    def _do(self, job: Job, begun: Run) -> None:
        """Do the work and record how it ended; a failure is recorded and goes on to the log."""
        began = time.monotonic()
        self._running[begun.id] = begun
        try:
            counts = job.work(self._parts, begun)
            kept = self._tell(lambda session, now: jobs.finish(session, begun, counts, now=now))
            self._pauses.end(begun.job)
        except BaseException as fault:
            self._pauses.lengthen(begun.job, self._parts.clock())
            # The database was away or busy: the slot is not lost by it, somebody tries again within the minute.
            away = fault.again if isinstance(fault, Broken) else isinstance(fault, _AWAY)
            again = away and begun.fence < jobs.MOST_TRIES and job.line.rhythm.latest(self._parts.clock()) == begun.slot
            words = str(fault) if isinstance(fault, Broken) else type(fault).__name__
            spared = job.give_back if isinstance(fault, StorageFault) else None

            def tell(session: Session, now: datetime) -> bool:
                ours = jobs.put_back(session, begun, now=now) if again else jobs.fail(session, begun, words, now=now)
                if ours and spared is not None:
                    spared(session)
                return ours

            self._tell(tell)
            raise
        finally:
            del self._running[begun.id]
        log.info("run", run=begun.id, job=begun.job, slot=begun.slot.isoformat(), kept=kept, ms=round((time.monotonic() - began) * 1000), **counts)

    def _tell(self, how: Callable[[Session, datetime], bool]) -> bool:
        """Record how a run ended, and hold its lease meanwhile: what was done is not done again because the database was busy just then."""
        for attempt in range(1, _TRIES_TO_TELL):
            try:
                with transaction(self._parts.engine) as session:
                    return how(session, self._parts.clock())
            except _AWAY:
                self._stop.wait(attempt)
        with transaction(self._parts.engine) as session:
            return how(session, self._parts.clock())


def _within(seconds: float, work: Callable[[], Any]) -> bool:
    """Do `work` in a thread of its own; whether it was done after `seconds`."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    return not thread.is_alive()


def _trigger(job: Job) -> Any:
    """When the scheduler calls: at the beginning of each slot, and every minute of a longer one.

    A slot whose process died, or that found the database away, is taken up within the minute and not in the next slot.
    """
    rhythm = job.line.rhythm
    seconds = _OFTEN if isinstance(rhythm, Daily) else min(rhythm.seconds, _OFTEN)
    return IntervalTrigger(seconds=seconds, start_date=_EPOCH, timezone=UTC)


def _scheduler() -> Any:
    # Its own log would tell every tick, and a failure's statement with its values: `_failed` says what is needed.
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
    scheduler: Any = BackgroundScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(_THREADS), **{name: ThreadPoolExecutor(1) for name in _APART}},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    scheduler.add_listener(_failed, _JOB_ERROR)
    return scheduler


_JOB_ERROR = 2**13
"""apscheduler.events.EVENT_JOB_ERROR."""


def _failed(event: Any) -> None:
    log.error("run failed", job=event.job_id, fault=type(event.exception).__name__, exc_info=event.exception)


def stop_at_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set.

    By way of a pipe into which Python writes at the very moment of a signal. A handler runs in the main thread, between two of its steps: it would wait
    for ever where that thread holds the event's own lock, and is not heard at all where the thread has just begun to wait for the event.
    """
    stop = threading.Event()
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)

    def listen() -> None:
        os.read(reading, 1)
        stop.set()

    threading.Thread(target=listen, name="signals", daemon=True).start()
    return stop
