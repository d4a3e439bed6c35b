"""Letters on their way: claimed with a lease and a fencing number, tried outside any transaction, recorded per recipient.

What the columns of a letter mean here: `fence` counts claims; `try_at` is when it may be claimed next, and while it is being sent when its
lease ends; `attempts` counts failures of the letter itself, which park it; `fault` is "" as long as no try failed, and again once all were reached.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Connection, Integer, String, Update, and_, bindparam, case, func, or_, select, update
from sqlalchemy.orm import Session

from actions.copies import stopped_among
from actions.journal import record
from actions.rates import count_one, counted
from mail.compose import SECRET_NOTICES, Envelope
from mail.smtp import Answer, Blame, Outcome, Verdict
from models.actors import Actor
from models.base import NEVER, AnyRow
from models.database import lock
from models.due_letters import due_letters, places, take
from models.linked import Each, LinkedChange
from models.notes import forget_notes, notes_folder, read_notes
from models.outbox import Letter, LetterState, Recipient, RecipientState
from rules.addresses import parse_address
from rules.limits import Limits
from rules.refusal import Refused

log = structlog.get_logger("actions.delivery")

LEASE = timedelta(minutes=3)
"""How long a claim holds without being renewed; longer than any one command of the mail server may take (`renew`)."""
POISON_FAILURES = 5
_PACE, _MINUTE = "mails", timedelta(minutes=1)
_FIRST_PAUSE = timedelta(minutes=1)
_OPEN = frozenset({RecipientState.WAITING, RecipientState.SENDING, RecipientState.TEMPORARY, RecipientState.UNKNOWN})
_TWICE = "2 x "
"""What the words of a recipient begin with of whom the answer was lost twice."""
_FAILED = frozenset({RecipientState.TEMPORARY, RecipientState.PERMANENT, RecipientState.UNKNOWN, RecipientState.SUPPRESSED})
_STATES = {
    Verdict.ACCEPTED: RecipientState.ACCEPTED,
    Verdict.TEMPORARY: RecipientState.TEMPORARY,
    Verdict.PERMANENT: RecipientState.PERMANENT,
    Verdict.UNKNOWN: RecipientState.UNKNOWN,
}
_OF_A_LETTER = frozenset({"letter", "held", "failures", "words", "sent", "ended", "next_try"})
_OF_A_RECIPIENT = frozenset({"recipient", "ended", "words", "since"})
"""What an `Ending` says of them."""
_MOMENTS = frozenset({"sent", "next_try", "since"})
"""What is a moment of an `Ending`."""


@dataclass(frozen=True)
class OpenRecipient:
    """An address the letter still has to reach; `since` is when it came into its state."""

    id: int
    address: str
    state: RecipientState
    since: datetime


@dataclass(frozen=True)
class Claim:
    """One letter in one worker's hands. Whoever holds an older `fence` has lost it."""

    letter_id: int
    fence: int
    lease_until: datetime
    due_at: datetime
    """Since when it could have left."""
    failures: int
    """Earlier failures of the letter itself."""
    envelope: Envelope
    open: tuple[OpenRecipient, ...]
    lost: bool = False
    """Whether there is a recipient of whom the answer was lost twice: a person decides, and no try is for them."""


@dataclass(frozen=True)
class Ending:
    """How a try ended, as it is recorded: the letter's columns, and those of its recipients."""

    header_id: str
    letter: dict[str, Any]
    recipients: list[dict[str, Any]]

    def told(self) -> list[Any]:
        """What `read` makes it of again, for JSON."""
        return [self.header_id, _told(self.letter), [_told(one) for one in self.recipients]]

    @classmethod
    def read(cls, told: list[Any]) -> Ending:
        """The ending that was `told`. Raises ValueError when it is none as this version tells them."""
        try:
            header_id, letter, recipients = told
            ended = cls(header_id, _read(letter), [_read(one) for one in recipients])
        except (TypeError, AttributeError) as fault:
            raise ValueError("not an ending") from fault
        if ended.letter.keys() != _OF_A_LETTER or any(one.keys() != _OF_A_RECIPIENT for one in ended.recipients):
            raise ValueError("an ending of another shape")
        if not all(isinstance(moment, datetime) for moment in (ended.letter["next_try"], *(one["since"] for one in ended.recipients))):
            raise ValueError("an ending without its moments")
        return ended


def claim(session: Session, *, now: datetime, limit: int, per_minute: int = 0, lease: timedelta = LEASE) -> list[Claim]:
    """Take up to `limit` letters that are due, the oldest first, each for one worker only. A short transaction of its own.

    A letter whose holder let its lease run out is due again, unless it noted how the try ended. The first try of a ticket's letter
    waits for the first try of the ticket's earlier ones. With `per_minute` no more are taken in a minute, by all workers together.
    """
    if per_minute:
        lock(session, _PACE)
        limit = min(limit, per_minute - counted(session, _PACE, "", window=_MINUTE, now=now))
        if limit <= 0:
            return []
    session.flush()
    rows = due_letters(session, now=now, limit=limit)
    if any(row.state is LetterState.SENDING for row in rows) and settle_noted(session):
        rows = due_letters(session, now=now, limit=limit)
    if not rows:
        return []
    if per_minute:
        count_one(session, _PACE, "", window=_MINUTE, now=now, more=len(rows))
    ids = [row.id for row in rows]
    until = now + lease
    take(session, ids, until=until)
    mine = places(session, ids)
    return [_claimed(row, mine[row.id], until) for row in rows]


def renew(session: Session, held: Claim, *, until: datetime) -> bool:
    """Hold the lease until `until`; False when another worker has the letter by now."""
    statement = update(Letter).where(_held(held)).values(try_at=until)
    return _changed(session, statement)


def release(session: Session, held: Sequence[Claim], *, now: datetime) -> None:
    """Hand back letters (one at least) that were not tried; they keep their place."""
    mine = or_(*(_held(one) for one in held))
    session.execute(update(Letter).where(mine).values(state=LetterState.WAITING, try_at=now))


def ending(held: Claim, outcome: Outcome, *, limits: Limits, now: datetime) -> Ending:
    """What is to be recorded of a try.

    Accepted, refused for good and a second time unknown are final. The rest is tried again, with growing pauses, for
    `limits.mail_retry_hours` after its first failure; five failures of the letter itself park it.
    """
    ends = [_end(one, outcome.answers.get(one.address), limits, now) for one in held.open]
    failures = held.failures + (outcome.blame is Blame.LETTER)
    unreached = held.lost or any(state in _OPEN for state, _, _ in ends)
    again = failures < POISON_FAILURES and any(state in _OPEN and not final for state, _, final in ends)
    troubled = [words for state, words, _ in ends if state is not RecipientState.ACCEPTED]
    taken = any(state is RecipientState.ACCEPTED for state, _, _ in ends)
    letter = {
        "letter": held.letter_id,
        "held": held.fence,
        "failures": failures,
        "words": (outcome.fault or "; ".join(troubled))[:500] if troubled or outcome.fault else "",
        "sent": now if taken else None,
        "ended": LetterState.WAITING if again else LetterState.PARKED if unreached else LetterState.DONE,
        "next_try": now + pause(held.fence, limits) if again else NEVER,
    }
    return Ending(held.envelope.header_id, letter, [_settled(one, state, words, now) for one, (state, words, _) in zip(held.open, ends, strict=True)])


def settle(connection: Connection, ended: Ending) -> bool:
    """Record how a try ended; False, and nothing written, when another worker has the letter by now. A short transaction of its own, unless one is begun."""
    return _SETTLE.make(connection, ended.letter, ended.recipients)


def settle_all(connection: Connection, ended: Sequence[Ending]) -> bool:
    """Record how several tries ended, in a transaction that is begun; False when another worker has one of the letters by now, and it is to be rolled back."""
    return _SETTLE.make_all(connection, [(one.letter, one.recipients) for one in ended])


def tell(connection: Connection, ended: Ending) -> Callable[[], bool]:
    """As `settle`, whose answer is asked for later: the database works at it meanwhile, and is told nothing else over `connection`."""
    return _SETTLE.tell(connection, ended.letter, ended.recipients)


def settle_noted(session: Session) -> bool:
    """Record the tries that workers noted and did not live to record (`models.notes`); whether there were any."""
    folder = notes_folder(session.connection())
    settled = False
    for path, notes in read_notes(folder) if folder else ():
        found = [_settle_same(session, ended) for ended in _endings(path, notes)]
        if not any(found):
            forget_notes(path)
        settled = settled or any(found)
    return settled


def pause(tries: int, limits: Limits) -> timedelta:
    """How long to wait after the `tries`-th try: doubling from a minute up to `limits.mail_backoff_minutes`, with a little chance in it."""
    longest = timedelta(minutes=limits.mail_backoff_minutes)
    chance = 1 + random.random() / 4  # noqa: S311 - spreads load, keeps no secret
    return min(_FIRST_PAUSE * 2 ** min(tries - 1, 16) * chance, longest)


def resend(session: Session, letter_id: int, *, by: Actor, now: datetime) -> int:
    """再送: let a letter go again to every recipient it has not reached, held ones included; how many they are.

    Who asked for no more copies gets none: that is theirs alone to take back. Refuses: mail_withdrawn, mail_sending, mail_all_reached, mail_stopped.
    """
    letter = _letter_at_rest(session, letter_id)
    unreached = session.scalars(select(Recipient).where(Recipient.letter_id == letter_id, Recipient.state.in_([*_FAILED, RecipientState.WAITING]))).all()
    if not unreached:
        raise Refused("mail_all_reached")
    stopped = stopped_among(session, [one.address_key for one in unreached if one.place == "cc"])
    again = [one for one in unreached if one.place == "to" or one.address_key not in stopped]
    if not again:
        raise Refused("mail_stopped")
    before = {one.address: one.state for one in again}
    for one in again:
        one.state, one.updated_at = RecipientState.WAITING, now
    letter.state, letter.try_at, letter.attempts, letter.fault = LetterState.WAITING, now, 0, ""
    record(session, "resend", "letter", letter_id, by=by, now=now, subject_name=letter.subject[:300], recipients=before)
    return len(again)


def correct(session: Session, letter_id: int, old: str, typed: str, *, by: Actor, now: datetime) -> str:
    """宛先を直して再送: let the letter go to `typed` in the place of `old`, which it has not reached; the address as it is mailed to.

    Refuses at ``address``: what `rules.addresses.parse_address` refuses, mail_address_there; besides mail_withdrawn, mail_sending,
    mail_all_reached, mail_stopped (who asked for no copies), and mail_secret: a link that gives a right goes to nobody but the one it was made for.
    """
    letter = _letter_at_rest(session, letter_id)
    if letter.kind in SECRET_NOTICES:
        raise Refused("mail_secret")
    address = parse_address(typed)
    recipients = session.scalars(select(Recipient).where(Recipient.letter_id == letter_id)).all()
    wrong = next((one for one in recipients if one.address == old and one.state in {*_FAILED, RecipientState.WAITING}), None)
    if wrong is None:
        raise Refused("mail_all_reached")
    if any(one.address_key == address.key for one in recipients):
        raise Refused("mail_address_there", "address")
    if wrong.place == "cc" and stopped_among(session, [wrong.address_key, address.key]):
        raise Refused("mail_stopped", "address")
    wrong.address, wrong.address_key, wrong.state, wrong.answer, wrong.updated_at = address.value, address.key, RecipientState.WAITING, "", now
    letter.state, letter.try_at, letter.attempts = LetterState.WAITING, now, 0
    if not any(one.state in {RecipientState.PERMANENT, RecipientState.UNKNOWN} for one in recipients):
        letter.fault = ""
    record(session, "correct_address", "letter", letter_id, by=by, now=now, subject_name=letter.subject[:300], address=[old, address.value])
    return address.value


def suppress(session: Session, letter_id: int, *, by: Actor, now: datetime) -> int:
    """抑止: give up every recipient the letter has not reached yet; how many they are.

    Refuses: mail_withdrawn, mail_sending, mail_nothing_open.
    """
    letter = _letter_at_rest(session, letter_id)
    given_up = session.scalars(select(Recipient).where(Recipient.letter_id == letter_id, Recipient.state.in_(_OPEN))).all()
    if not given_up:
        raise Refused("mail_nothing_open")
    before = {one.address: one.state for one in given_up}
    for one in given_up:
        one.state, one.answer, one.updated_at = RecipientState.SUPPRESSED, "by_staff", now
    letter.state, letter.try_at, letter.fault = LetterState.DONE, NEVER, ""
    record(session, "suppress", "letter", letter_id, by=by, now=now, subject_name=letter.subject[:300], recipients=before)
    return len(given_up)


# -- inner parts


def _claimed(row: AnyRow, mine: Sequence[AnyRow], until: datetime) -> Claim:
    # The headers name everybody the letter is meant for; suppressed addresses are not written to and not named, and of an erased person none is left.
    named = [place for place in mine if place.state is not RecipientState.SUPPRESSED and "@" in place.address]
    envelope = Envelope(
        header_id=row.header_id,
        thread_ids=tuple(row.thread_ids),
        subject=row.subject,
        body=row.body,
        created_at=row.created_at,
        to=tuple(place.address for place in named if place.place == "to"),
        cc=tuple(place.address for place in named if place.place == "cc"),
    )
    lost = {place.id for place in mine if place.state is RecipientState.UNKNOWN and place.answer.startswith(_TWICE)}
    still = [OpenRecipient(place.id, place.address, place.state, place.updated_at) for place in mine if place.state in _OPEN and place.id not in lost]
    return Claim(row.id, row.fence + 1, until, row.try_at, row.attempts, envelope, tuple(still), bool(lost))


def _held(held: Claim) -> ColumnElement[bool]:
    return and_(Letter.id == held.letter_id, Letter.fence == held.fence, Letter.state == LetterState.SENDING)


def _changed(session: Session, statement: Update) -> bool:
    return session.execute(statement.returning(Letter.id)).first() is not None


def _end(one: OpenRecipient, answer: Answer | None, limits: Limits, now: datetime) -> tuple[RecipientState, str, bool]:
    """(the recipient's state after the try, the server's words, whether that is final)."""
    if answer is None:
        return one.state, "", False
    state = _STATES[answer.verdict]
    if state is RecipientState.UNKNOWN:
        # One repeat is allowed for a lost answer; after a second loss a person decides, however often the letter goes to others.
        again = one.state is RecipientState.UNKNOWN
        return state, f"{_TWICE}{answer.text}" if again else answer.text, again
    if state is RecipientState.TEMPORARY:
        if one.state is RecipientState.UNKNOWN:
            return RecipientState.UNKNOWN, answer.text, now - one.since > timedelta(hours=limits.mail_retry_hours)
        over = one.state is RecipientState.TEMPORARY and now - one.since > timedelta(hours=limits.mail_retry_hours)
        return state, answer.text, over
    return state, answer.text, True


def _endings(path: Path, notes: Sequence[Any]) -> list[Ending]:
    """What `notes` say. One that cannot be read, as an older version's, keeps no letter from leaving."""
    endings: list[Ending] = []
    odd = 0
    for note in notes:
        try:
            endings.append(Ending.read(note))
        except ValueError:
            odd += 1
    if odd:
        log.warning("notes of another shape", file=path.name, notes=odd)
    return endings


def _settle_same(session: Session, ended: Ending) -> bool:
    """Record what was noted, unless the note is about a letter of another database that lay here before and numbered its letters alike."""
    header_id = session.execute(select(Letter.header_id).where(Letter.id == ended.letter["letter"])).scalar()
    return header_id == ended.header_id and settle(session.connection(), ended)


def _told(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


def _read(values: dict[str, Any]) -> dict[str, Any]:
    return {name: datetime.fromisoformat(value) if name in _MOMENTS and value else value for name, value in values.items()}


def _settled(one: OpenRecipient, state: RecipientState, words: str, now: datetime) -> dict[str, Any]:
    """`updated_at` moves only with the state: it says since when."""
    return {"recipient": one.id, "ended": state, "words": words[:500], "since": one.since if one.state is state else now}


_letters, _recipients = Letter.__table__, Recipient.__table__
_words = bindparam("words", type_=Letter.fault.type)
_refused = (
    select(func.max(func.coalesce(func.nullif(_recipients.c.answer, ""), _letters.c.fault)))
    .where(_recipients.c.letter_id == _letters.c.id)
    .where(
        or_(
            _recipients.c.state == RecipientState.PERMANENT,
            and_(_recipients.c.state == RecipientState.UNKNOWN, _recipients.c.answer.startswith(_TWICE, autoescape=True)),
        )
    )
    .correlate(_letters)
    .scalar_subquery()
)
"""What was said of those whom an earlier try, or a mail that came back, has shown to be out of reach, or left in doubt: this try was not for them."""
_SETTLED_LETTER = (
    update(_letters)
    .where(_letters.c.id == bindparam("letter"), _letters.c.fence == bindparam("held"), _letters.c.state == LetterState.SENDING)
    .values(
        attempts=bindparam("failures"),
        fault=case((and_(_words == "", _letters.c.fault != ""), func.coalesce(_refused, "")), else_=_words),
        state=bindparam("ended"),
        try_at=bindparam("next_try"),
        sent_at=func.coalesce(bindparam("sent", type_=Letter.sent_at.type), _letters.c.sent_at),
    )
)


def _settled_recipient(each: Each) -> Update:
    mine = _recipients.c.letter_id == bindparam("letter")
    return update(_recipients).where(_recipients.c.id == each["recipient"], mine).values(state=each["ended"], answer=each["words"], updated_at=each["since"])


_SETTLE = LinkedChange(
    _SETTLED_LETTER, _letters.c.id, _settled_recipient, {"recipient": Integer(), "ended": String(), "words": String(), "since": Recipient.updated_at.type}
)
"""Put together once: it is run for every single letter."""


def _letter_at_rest(session: Session, letter_id: int) -> Letter:
    """The letter, locked. Refuses mail_withdrawn and mail_sending."""
    letter = session.scalars(select(Letter).where(Letter.id == letter_id).with_for_update()).one()
    if letter.state is LetterState.WITHDRAWN:
        raise Refused("mail_withdrawn")
    if letter.state is LetterState.SENDING:
        raise Refused("mail_sending")
    return letter
