"""Where a worker of the outbox records what became of its letters: always before the next text is handed over."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from actions import delivery
from actions.delivery import Claim, Ending
from jobs.parts import Parts
from mail.smtp import Outcome
from models.linked import held_for_changes
from models.notes import Notes, notes_folder

log = structlog.get_logger("jobs.deliver_mail")

_TRIES_TO_WRITE = 6
_TOGETHER, _TOGETHER_SECONDS = 32, 0.25
"""How many noted letters one transaction records, and how long the first of them waits for it."""


@dataclass(frozen=True)
class Tried:
    """A letter whose try is over; `counts` is where it will be counted once it is recorded."""

    claim: Claim
    outcome: Outcome
    counts: Counter[str]


class Marks:
    """The tries of one worker that are not in the database yet.

    A kill forgets none that was put. On SQLite a try is noted beside the database, and recorded together with others; on PostgreSQL the
    database is told of each, and has the time of one further letter to answer: what lies in its socket it does, whoever dies.
    """

    def __init__(self, parts: Parts, stop: threading.Event) -> None:
        self._parts = parts
        self._stop = stop
        self._held = ExitStack()
        self._connection: Connection | None = None
        folder = notes_folder(parts.engine)
        self._notes = Notes(folder) if folder else None
        self._open: list[tuple[Tried, Ending]] = []
        self._since = 0.0
        self._answer: Callable[[], bool] | None = None

    def put(self, tried: Tried) -> None:
        """Record `tried`: from here on a kill forgets nothing of it."""
        if self._notes is None:
            self.settle()
        ended = delivery.ending(tried.claim, tried.outcome, limits=self._parts.limits, now=self._parts.clock())
        if not self._open:
            self._since = time.monotonic()
        self._open.append((tried, ended))
        try:
            if self._notes is None:
                self._answer = delivery.tell(self._reach(), ended)
            else:
                self._notes.add(ended.told())
        except DBAPIError:
            self.give_back()
            self.settle()
        except OSError:
            self.settle()

    def gather(self) -> None:
        """Have the noted ones in the database, if they are enough or have waited; a moment when nobody waits for it is chosen by the caller."""
        if self._notes is not None and self._open and (len(self._open) >= _TOGETHER or time.monotonic() - self._since >= _TOGETHER_SECONDS):
            self.settle()

    def settle(self) -> None:
        """Have all that was put in the database, and count it. Tries hard: a database that restarts now would make a letter go twice."""
        for attempt in range(1, _TRIES_TO_WRITE + 1 if self._open else 0):
            try:
                ours = self._record()
                break
            except DBAPIError:
                self.give_back()
                if attempt == _TRIES_TO_WRITE:
                    raise
                self._stop.wait(attempt)
        else:
            return
        self._count(ours)
        self._open.clear()
        if self._notes is not None:
            self._notes.clear()

    def give_back(self) -> None:
        """Let others have the connection."""
        self._connection = self._answer = None
        with suppress(DBAPIError):
            self._held.close()

    def _record(self) -> list[bool]:
        """Whether each was still ours."""
        connection = self._reach()
        if self._notes is None:
            answers: list[bool] = []
            for _, ended in self._open:
                answer, self._answer = self._answer or delivery.tell(connection, ended), None
                answers.append(answer())
            return answers
        with connection.begin() as whole:
            if delivery.settle_all(connection, [ended for _, ended in self._open]):
                return [True] * len(self._open)
            whole.rollback()
        with connection.begin():
            return [delivery.settle(connection, ended) for _, ended in self._open]

    def _reach(self) -> Connection:
        if self._connection is None:
            self._connection = self._held.enter_context(held_for_changes(self._parts.engine))
        return self._connection

    def _count(self, ours: Sequence[bool]) -> None:
        for (tried, _), held in zip(self._open, ours, strict=True):
            if not held:
                log.warning("another worker has the letter", letter=tried.claim.letter_id)
                continue
            tried.counts["letters"] += 1
            for answer in tried.outcome.answers.values():
                tried.counts[answer.verdict.value] += 1
            if tried.outcome.fault:
                verdicts = Counter(answer.verdict.value for answer in tried.outcome.answers.values())
                log.warning("letter failed", letter=tried.claim.letter_id, blame=str(tried.outcome.blame), **verdicts)
