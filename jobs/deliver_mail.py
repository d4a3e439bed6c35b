"""Sending the letters that wait: claimed in short transactions, sent outside any, each recorded at once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from actions import delivery, jobs
from actions.delivery import Claim
from actions.timetable import line_of
from jobs.marks import Marks, Tried
from jobs.parts import Parts
from mail.compose import Unsendable, sender_address, to_bytes, to_email
from mail.recorder import open_sender
from mail.smtp import Answer, Blame, Outcome, Sender, ServerDown, Verdict
from mail.talk import Company, Parcel
from models.database import transaction
from models.due_letters import is_due

log = structlog.get_logger("jobs.deliver_mail")

FEWEST, MOST = 5, 80
"""Letters of one claim: few while the server is slow, so that other workers find some; many, and claimed ahead, while it is quick."""
_QUICK, _SLOW = 0.5, 3.0
"""Seconds of a batch after which the next one is four times, or half, as large."""
_SHORTEST_WAIT, _LONGEST_WAIT = timedelta(seconds=2), timedelta(minutes=1)
_IDLE_CONNECTION = timedelta(seconds=30)
_LATE = timedelta(minutes=1)
"""Of a letter that waited so long nobody minds another second; there may be thousands of them."""
_MOMENT = timedelta(minutes=1)
"""A server that took a letter so shortly before works: the first that it does not take then is that one's own fault, unless others follow."""
_TOLD_SECONDS = 5.0
"""How often the counts of the hour are written."""
_LEASE_MARGIN = timedelta(seconds=30)
_AHEAD = 2
"""So many messages are made ahead: the commands of the next one name its size, and while they are answered the one after it is made."""


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
        self._failed: set[int] = set()
        """The letters that failed since the server took one."""
        self._passed: set[int] = set()
        """The letters that failed while the server took others: after them, or a moment before."""
        self._took_at: datetime | None = None
        self._batch = FEWEST
        self._marks = Marks(parts, stop)
        self._last: Tried | None = None
        self._made: dict[int, Parcel | Unsendable] = {}
        self._claiming = ThreadPoolExecutor(1)
        self._untold: Counter[str] = Counter()
        self._told_at = 0.0

    def deliver(self) -> Counter[str]:
        """Send all that is due, until nothing is, the server fails or the process stops; counts by what became of recipients."""
        done: Counter[str] = Counter()
        ahead: Future[list[Claim]] | None = None
        try:
            # What the database would not take last time comes first: once its lease ends, such a letter would go again.
            self._marks.settle()
            while not self._stop.is_set():
                claims = self._next(ahead)
                # While letters leave quickly, the next ones are claimed meanwhile.
                ahead = self._claiming.submit(self._claim) if claims and self._batch == MOST else None
                if not claims:
                    break
                counts, server_works = self._deliver_batch(claims)
                done += counts
                self._record(counts)
                if not server_works:
                    self._back_off()
                    break
        finally:
            self._marks.give_back()
            if ahead is not None:
                self._release(ahead.result())
            self._record()
        return done

    def close(self) -> None:
        """Record what is left to record, and hang up."""
        self._claiming.shutdown()
        self._marks.close()
        self._sender.close()

    def _next(self, ahead: Future[list[Claim]] | None) -> list[Claim]:
        """What was claimed ahead, else what is due now: a letter may have waited for one that has left since."""
        if ahead is not None and (claims := ahead.result()):
            return claims
        return self._claim() if self._may_begin() else []

    def _may_begin(self) -> bool:
        """Whether a letter is due and the server there to take it."""
        now = self._parts.clock()
        with transaction(self._parts.engine, readonly=True) as session:
            due = is_due(session, now)
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
            return delivery.claim(session, now=self._parts.clock(), limit=self._batch, per_minute=self._parts.limits.mails_per_minute)

    def _deliver_batch(self, claims: Sequence[Claim]) -> tuple[Counter[str], bool]:
        """Send one after the other; what was not begun is handed back whatever happens."""
        counts: Counter[str] = Counter()
        self._made.clear()
        begun, began = 0, time.monotonic()
        try:
            for place, claim in enumerate(claims, 1):
                self._spare_others(claim)
                if self._stop.is_set():
                    return counts, True
                begun += 1
                outcome = self._try(claim, claims[place : place + _AHEAD])
                self.record_last()
                if outcome is not None:
                    self._last = Tried(claim, outcome, counts)
                    if outcome.blame is Blame.SERVER:
                        return counts, False
        except ServerDown as fault:
            log.warning("the mail server went away", fault=str(fault))
            begun -= 1
            return counts, False
        finally:
            self.record_last()
            self._marks.settle()
            self._release(claims[begun:])
            log.info("letters tried", **counts)
        self._batch = _next_size(self._batch, len(claims), time.monotonic() - began)
        return counts, True

    def _spare_others(self, claim: Claim) -> None:
        """What piled up leaves evenly, with the machine free for people between one letter and the next."""
        if self._is_spared(claim):
            self.record_last()
            self._stop.wait(60 / self._parts.limits.late_mails_per_minute)

    def _is_spared(self, claim: Claim) -> bool:
        return bool(self._parts.limits.late_mails_per_minute) and self._parts.clock() - claim.due_at > _LATE

    def _try(self, claim: Claim, coming: Sequence[Claim]) -> Outcome | None:
        """The outcome of one try; None when the letter is another worker's by now. Raises ServerDown before it was begun.

        Each time the server thinks, something else is done: the letter before is recorded, and those after are made ready.
        """
        if not claim.open:
            return Outcome()
        parcel = self._made.pop(claim.letter_id, None) or self._make(claim)
        if isinstance(parcel, Unsendable):
            answer = Answer(Verdict.TEMPORARY, str(parcel)[:500])
            return Outcome({one.address: answer for one in claim.open}, Blame.LETTER, answer.text)
        try:
            return self._weigh(claim, self._sender.send(parcel, self._from, _Company(self, self._parts, claim, coming)))
        except LeaseLost:
            log.warning("lease lost", letter=claim.letter_id)
            return None

    def record_last(self) -> None:
        """From here on a kill forgets nothing of the letter before: done before any further text is handed over, so that one letter at most is repeated."""
        if self._last is not None:
            last, self._last = self._last, None
            self._marks.put(last)

    def make_ready(self, coming: Sequence[Claim]) -> None:
        """While the server thinks: one of the next messages, and what is to be recorded together."""
        for claim in coming:
            if claim.letter_id not in self._made:
                self._made[claim.letter_id] = self._make(claim)
                break
        self._marks.gather()

    def next_parcel(self, coming: Sequence[Claim]) -> Parcel | None:
        """What goes out next, unless something else comes between."""
        if not coming or self._stop.is_set() or not coming[0].open or self._is_spared(coming[0]):
            return None
        parcel = self._made.get(coming[0].letter_id)
        return parcel if isinstance(parcel, Parcel) else None

    def _make(self, claim: Claim) -> Parcel | Unsendable:
        try:
            return Parcel(to_bytes(to_email(claim.envelope, self._parts.desk)), tuple([one.address for one in claim.open]))
        except Unsendable as fault:
            return fault

    def _weigh(self, claim: Claim, outcome: Outcome) -> Outcome:
        """A second failure is the letter's own if the server took another one since the first, or if only such letters fail; else it may be failing at all."""
        now = self._parts.clock()
        if any(answer.verdict is Verdict.ACCEPTED for answer in outcome.answers.values()):
            self._passed = (self._passed | self._failed) - {claim.letter_id}
            self._failed.clear()
            self._took_at = now
        elif outcome.blame is Blame.LETTER:
            if not self._failed and self._took_at is not None and now - self._took_at < _MOMENT:
                self._passed.add(claim.letter_id)
            repeated = claim.letter_id in self._failed
            self._failed.add(claim.letter_id)
            if repeated and not self._failed <= self._passed:
                return replace(outcome, blame=Blame.NOBODY)
        return outcome

    def _release(self, claims: Sequence[Claim]) -> None:
        if claims:
            with transaction(self._parts.engine) as session:
                delivery.release(session, claims, now=self._parts.clock())

    def _record(self, counts: Counter[str] | None = None) -> None:
        """Add `counts` to the hour's, every few seconds; without any, what is left."""
        self._untold.update(counts or {})
        line = line_of("deliver_mail")
        if line is None or not self._untold or (counts is not None and time.monotonic() - self._told_at < _TOLD_SECONDS):
            return
        with transaction(self._parts.engine) as session:
            jobs.tally(session, line, self._untold, worker=self._worker, now=self._parts.clock())
        self._untold, self._told_at = Counter(), time.monotonic()


def _next_size(size: int, sent: int, seconds: float) -> int:
    if seconds > _SLOW:
        return max(FEWEST, size // 2)
    return min(MOST, size * 4) if sent == size and seconds < _QUICK else size


class _Company(Company):
    """Beside one letter on its way: its lease, the letter before it and those after."""

    def __init__(self, mailer: Mailer, parts: Parts, claim: Claim, coming: Sequence[Claim]) -> None:
        self._mailer = mailer
        self._parts = parts
        self._claim = claim
        self._coming = coming
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

    def before_text(self) -> None:
        """Record the letter before."""
        self._mailer.record_last()

    def meanwhile(self) -> None:
        """Make what comes."""
        self._mailer.make_ready(self._coming)

    def following(self) -> Parcel | None:
        """The next letter, if it surely goes out next."""
        return self._mailer.next_parcel(self._coming)
