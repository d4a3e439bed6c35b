"""Sending the letters that wait: claimed in short transactions, sent outside any, each recorded at once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import DBAPIError

from actions import delivery, jobs
from actions.delivery import Claim
from actions.timetable import line_of
from jobs.parts import Parts
from mail.compose import Unsendable, sender_address, to_bytes, to_email
from mail.recorder import open_sender
from mail.smtp import Answer, Blame, Outcome, Sender, ServerDown, Verdict
from models.database import transaction

log = structlog.get_logger("jobs.deliver_mail")

BATCH = 20
_SHORTEST_WAIT, _LONGEST_WAIT = timedelta(seconds=2), timedelta(minutes=1)
_IDLE_CONNECTION = timedelta(seconds=30)
_TRIES_TO_WRITE = 6
_LEASE_MARGIN = timedelta(seconds=30)


class LeaseLost(Exception):
    """Another worker has the letter: it is not to be sent here."""


class Mailer:
    """One worker with one connection. While the server is down it claims nothing, so that no letter pays for it."""

    def __init__(self, parts: Parts, worker: str, stop: threading.Event, *, sender: Sender | None = None) -> None:
        self._parts = parts
        self._worker = worker
        self._stop = stop
        self._sender = sender or open_sender(parts.settings.smtp_url)
        self._from = sender_address(parts.settings.mail_from)
        self._wait = timedelta()
        self._not_before: datetime | None = None
        self._used_at: datetime | None = None
        self._failed_last: int | None = None

    def deliver(self) -> Counter[str]:
        """Send all that is due, until nothing is, the server fails or the process stops; counts by what became of recipients."""
        done: Counter[str] = Counter()
        while not self._stop.is_set() and self._may_begin():
            claims = self._claim()
            if not claims:
                break
            counts, server_works = self._deliver_batch(claims)
            done += counts
            self._record(counts)
            if not server_works:
                self._back_off()
                break
        return done

    def close(self) -> None:
        """Hang up."""
        self._sender.close()

    def _may_begin(self) -> bool:
        """Whether a letter is due and the server there to take it."""
        now = self._parts.clock()
        with transaction(self._parts.engine, readonly=True) as session:
            due = delivery.is_due(session, now=now)
        if not due:
            if self._used_at and now - self._used_at > _IDLE_CONNECTION:
                self._sender.close()
                self._used_at = None
            return False
        if self._not_before and now < self._not_before <= now + _LONGEST_WAIT:
            return False
        try:
            self._sender.ready()
        except ServerDown as fault:
            log.warning("the mail server takes no letters", fault=str(fault))
            self._back_off()
            return False
        self._wait, self._not_before, self._used_at = timedelta(), None, now
        return True

    def _back_off(self) -> None:
        self._wait = min(max(self._wait * 2, _SHORTEST_WAIT), _LONGEST_WAIT)
        self._not_before = self._parts.clock() + self._wait

    def _claim(self) -> list[Claim]:
        with transaction(self._parts.engine) as session:
            return delivery.claim(session, now=self._parts.clock(), limit=BATCH)

    def _deliver_batch(self, claims: Sequence[Claim]) -> tuple[Counter[str], bool]:
        """Send one after the other; what was not begun is handed back whatever happens."""
        counts: Counter[str] = Counter()
        begun = 0
        try:
            for claim in claims:
                if self._stop.is_set():
                    return counts, True
                begun += 1
                outcome = self._try(claim)
                if outcome is None:
                    continue
                self._settle(claim, outcome, counts)
                if outcome.blame is Blame.SERVER:
                    return counts, False
        except ServerDown as fault:
            log.warning("the mail server went away", fault=str(fault))
            begun -= 1
            return counts, False
        finally:
            self._release(claims[begun:])
        return counts, True

    def _try(self, claim: Claim) -> Outcome | None:
        """The outcome of one try; None when the letter is another worker's by now. Raises ServerDown before it was begun."""
        if not claim.open:
            return Outcome()
        try:
            message = to_bytes(to_email(claim.envelope, self._parts.desk))
        except Unsendable as fault:
            answer = Answer(Verdict.TEMPORARY, str(fault)[:500])
            return Outcome({one.address: answer for one in claim.open}, Blame.LETTER, answer.text)
        lease = _Lease(self._parts, claim)
        try:
            return self._sender.send(message, self._from, [one.address for one in claim.open], lease.renew)
        except LeaseLost:
            # The connection stands in the middle of a transaction that nobody wants any more.
            self._sender.close()
            log.warning("lease lost", letter=claim.letter_id)
            return None

    def _settle(self, claim: Claim, outcome: Outcome, counts: Counter[str]) -> None:
        weighed = self._weigh(claim, outcome)
        if not self._write_down(claim, weighed):
            log.warning("another worker has the letter", letter=claim.letter_id)
            return
        verdicts = Counter(str(answer.verdict) for answer in weighed.answers.values())
        counts += Counter(letters=1) + verdicts
        if weighed.fault:
            log.warning("letter failed", letter=claim.letter_id, blame=str(weighed.blame), **verdicts)
        else:
            log.info("letter sent", letter=claim.letter_id, **verdicts)

    def _write_down(self, claim: Claim, outcome: Outcome) -> bool:
        """Record the outcome, and try hard: a database that restarts now would make the letter go twice."""
        for attempt in range(1, _TRIES_TO_WRITE + 1):
            try:
                with transaction(self._parts.engine) as session:
                    return delivery.settle(session, claim, outcome, limits=self._parts.limits, now=self._parts.clock())
            except DBAPIError:
                if attempt == _TRIES_TO_WRITE:
                    raise
                self._stop.wait(attempt)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _weigh(self, claim: Claim, outcome: Outcome) -> Outcome:
        """A failure is the letter's own unless a different letter failed just before it: then the server fails at all of them."""
        if outcome.blame is Blame.LETTER:
            another, self._failed_last = self._failed_last not in (None, claim.letter_id), claim.letter_id
            return replace(outcome, blame=Blame.NOBODY) if another else outcome
        if any(answer.verdict is Verdict.ACCEPTED for answer in outcome.answers.values()):
            self._failed_last = None
        return outcome

    def _release(self, claims: Sequence[Claim]) -> None:
        if claims:
            with transaction(self._parts.engine) as session:
                delivery.release(session, claims, now=self._parts.clock())

    def _record(self, counts: Counter[str]) -> None:
        line = line_of("deliver_mail")
        if line and counts:
            with transaction(self._parts.engine) as session:
                jobs.tally(session, line, counts, worker=self._worker, now=self._parts.clock())


class _Lease:
    """The lease of one letter, prolonged before a command that may outlive it."""

    def __init__(self, parts: Parts, claim: Claim) -> None:
        self._parts = parts
        self._claim = claim
        self._until = claim.lease_until

    def renew(self, seconds: float) -> None:
        """Make sure that the lease holds for `seconds` more. Raises LeaseLost."""
        now = self._parts.clock()
        needed = now + timedelta(seconds=seconds) + _LEASE_MARGIN
        if needed <= self._until:
            return
        until = max(needed, now + delivery.LEASE)
        with transaction(self._parts.engine) as session:
            held = delivery.renew(session, self._claim, until=until)
        if not held:
            raise LeaseLost
        self._until = until
