"""Letters on their way: claimed once, recorded per recipient, tried again, given up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, String, cast, select
from sqlalchemy.orm import Session

from actions import delivery
from actions.delivery import Claim
from actions.letters import Draft, write_letters
from mail.compose import Text
from mail.desk import Desk
from mail.smtp import Answer, Blame, Outcome, Verdict
from models.actors import StaffMember
from models.database import transaction
from models.due_letters import is_due
from models.journal import JournalEntry
from models.linked import held_for_changes
from models.outbox import Letter, LetterState, Recipient, RecipientState
from rules.limits import Limits
from rules.refusal import Refused
from tests.people import NOW, add_account, add_ticket

DESK = Desk("https://tickets.example.jp", "desk <tickets@jscom.example>", "admin@jscom.example", "center@jscom.example")
LIMITS = Limits()
A, B = "a@tozai.example", "b@tozai.example"
ACCEPTED = Answer(Verdict.ACCEPTED, "250 ok")
BY = StaffMember(id=None, name="本田")
SECOND = timedelta(seconds=1)


def write(session: Session, cause: str, *, cc: Sequence[str] = (), ticket_id: int | None = None, leaves_at: datetime | None = None) -> int:
    draft = Draft("answered", cause, Text("件名", "本文\n"), [A], cc, ticket_id=ticket_id, leaves_at=leaves_at)
    return write_letters(session, [draft], desk=DESK, now=NOW)[0]


def claim(session: Session, now: datetime = NOW, limit: int = 20) -> list[Claim]:
    return delivery.claim(session, now=now, limit=limit)


def settle(session: Session, held: Claim, verdict: Verdict, *, blame: Blame = Blame.NOBODY, now: datetime = NOW, words: str = "words") -> bool:
    answers = {one.address: Answer(verdict, words) for one in held.open}
    return delivery.settle(
        session.connection(), delivery.ending(held, Outcome(answers, blame, "" if verdict is Verdict.ACCEPTED else words), limits=LIMITS, now=now)
    )


def letter(session: Session, id_: int) -> Letter:
    session.flush()
    session.expire_all()
    return session.get_one(Letter, id_)


def states(session: Session, id_: int) -> dict[str, RecipientState]:
    session.flush()
    session.expire_all()
    return {row.address: row.state for row in session.scalars(select(Recipient).where(Recipient.letter_id == id_))}


def test_of_several_letters_only_those_of_a_new_cause_are_written_each_to_its_own_people(session: Session) -> None:
    known = write(session, "known")

    drafts = [Draft("answered", cause, Text(f"件名 {cause}", "本文\n"), [to]) for cause, to in (("first", A), ("known", B), ("second", B))]
    written = write_letters(session, drafts, desk=DESK, now=NOW)

    assert {letter(session, id_).cause: list(states(session, id_)) for id_ in written} == {"first": [A], "second": [B]}
    assert list(states(session, known)) == [A]


def test_a_letter_is_claimed_once(session: Session) -> None:
    id_ = write(session, "one")

    (held,) = claim(session)

    assert held.letter_id == id_
    assert held.envelope.to == (A,)
    assert claim(session) == []


def test_a_letter_that_may_not_leave_yet_stays(session: Session) -> None:
    write(session, "later", leaves_at=NOW + 10 * SECOND)

    assert claim(session) == []
    assert not is_due(session, NOW)
    assert len(claim(session, NOW + 10 * SECOND)) == 1


def test_an_accepted_letter_is_done(session: Session) -> None:
    id_ = write(session, "one", cc=[B])

    assert settle(session, claim(session)[0], Verdict.ACCEPTED)

    assert letter(session, id_).state == LetterState.DONE
    assert letter(session, id_).sent_at == NOW
    assert states(session, id_) == {A: RecipientState.ACCEPTED, B: RecipientState.ACCEPTED}
    assert claim(session, NOW + timedelta(days=9)) == []


def test_only_the_recipient_that_failed_is_tried_again(session: Session) -> None:
    id_ = write(session, "one", cc=[B])
    answers = {A: Answer(Verdict.ACCEPTED, "250 ok"), B: Answer(Verdict.TEMPORARY, "451 greylisted")}

    delivery.settle(session.connection(), delivery.ending(claim(session)[0], Outcome(answers), limits=LIMITS, now=NOW))

    assert states(session, id_) == {A: RecipientState.ACCEPTED, B: RecipientState.TEMPORARY}
    assert claim(session, NOW + 59 * SECOND) == []
    (again,) = claim(session, NOW + timedelta(minutes=2))
    assert [one.address for one in again.open] == [B]
    assert (again.envelope.to, again.envelope.cc) == ((A,), (B,))


def test_the_headers_stay_the_same_at_every_try(session: Session) -> None:
    write(session, "one")
    (first,) = claim(session)
    settle(session, first, Verdict.TEMPORARY)

    (second,) = claim(session, NOW + timedelta(minutes=2))

    assert second.envelope == first.envelope


def test_a_refused_recipient_ends_the_letter_with_its_answer_kept(session: Session) -> None:
    id_ = write(session, "one")

    settle(session, claim(session)[0], Verdict.PERMANENT, words="550 5.1.1 no such user")

    assert letter(session, id_).state == LetterState.DONE
    assert letter(session, id_).fault == "550 5.1.1 no such user"
    assert session.scalars(select(Recipient.answer)).one() == "550 5.1.1 no such user"


def test_pauses_grow_up_to_the_limit() -> None:
    pauses = [delivery.pause(tries, LIMITS) for tries in range(1, 12)]

    assert timedelta(minutes=1) <= pauses[0] <= timedelta(seconds=75)
    assert timedelta(minutes=4) <= pauses[2] <= timedelta(minutes=5)
    assert max(pauses) == timedelta(minutes=10)


def test_greylisting_for_a_quarter_of_an_hour_costs_at_most_six_tries(session: Session) -> None:
    id_ = write(session, "one")
    now, tries = NOW, 0

    while letter(session, id_).state is not LetterState.DONE:
        for held in claim(session, now):
            tries += 1
            settle(session, held, Verdict.TEMPORARY if now < NOW + timedelta(minutes=15) else Verdict.ACCEPTED, blame=Blame.LETTER, now=now)
        now += 10 * SECOND

    assert tries <= 6


def test_retries_end_after_three_days_and_a_person_decides(session: Session) -> None:
    id_ = write(session, "one")
    now = NOW

    while letter(session, id_).state is LetterState.WAITING:
        for held in claim(session, now):
            settle(session, held, Verdict.TEMPORARY, now=now)
        now += timedelta(minutes=11)

    assert letter(session, id_).state == LetterState.PARKED
    assert timedelta(hours=72) < now - NOW < timedelta(hours=73)
    assert states(session, id_) == {A: RecipientState.TEMPORARY}


def test_five_failures_of_its_own_park_a_letter(session: Session) -> None:
    id_ = write(session, "poison")
    now = NOW

    for _ in range(5):
        now += timedelta(minutes=11)
        settle(session, claim(session, now)[0], Verdict.TEMPORARY, blame=Blame.LETTER, now=now)

    assert letter(session, id_).state == LetterState.PARKED
    assert claim(session, now + timedelta(days=1)) == []


def test_the_servers_failures_park_nothing(session: Session) -> None:
    id_ = write(session, "one")
    now = NOW

    for _ in range(20):
        now += timedelta(minutes=11)
        settle(session, claim(session, now)[0], Verdict.TEMPORARY, blame=Blame.SERVER, now=now)

    assert letter(session, id_).state == LetterState.WAITING


def test_a_recipient_whose_answer_was_lost_twice_gets_no_third_copy_while_another_is_tried_on(session: Session) -> None:
    id_ = write(session, "one", cc=[B])
    now, tried = NOW, list[list[str]]()
    lost = {A: Answer(Verdict.UNKNOWN, "Connection unexpectedly closed"), B: Answer(Verdict.TEMPORARY, "451 greylisted")}

    for outcome in (Outcome(lost, Blame.LETTER, "closed"), Outcome(lost, Blame.LETTER, "closed"), Outcome({B: lost[B]}), Outcome({B: ACCEPTED})):
        (held,) = claim(session, now)
        tried.append([one.address for one in held.open])
        delivery.settle(session.connection(), delivery.ending(held, outcome, limits=LIMITS, now=now))
        now += timedelta(minutes=11)

    assert tried == [[A, B], [A, B], [B], [B]]
    assert states(session, id_) == {A: RecipientState.UNKNOWN, B: RecipientState.ACCEPTED}
    assert letter(session, id_).state == LetterState.PARKED, "a person decides about the other"
    assert "Connection unexpectedly closed" in letter(session, id_).fault
    assert delivery.resend(session, id_, by=BY, now=now) == 1
    assert [one.address for one in claim(session, now)[0].open] == [A]


def test_a_lost_answer_is_asked_for_once_more(session: Session) -> None:
    id_ = write(session, "one")
    settle(session, claim(session)[0], Verdict.UNKNOWN)
    assert states(session, id_) == {A: RecipientState.UNKNOWN}

    settle(session, claim(session, NOW + timedelta(minutes=2))[0], Verdict.ACCEPTED)

    assert states(session, id_) == {A: RecipientState.ACCEPTED}


def test_an_answer_lost_twice_stays_visible_and_is_not_repeated(session: Session) -> None:
    id_ = write(session, "one")
    for minutes in (0, 5):
        now = NOW + timedelta(minutes=minutes)
        settle(session, claim(session, now)[0], Verdict.UNKNOWN, now=now)

    assert letter(session, id_).state == LetterState.PARKED
    assert states(session, id_) == {A: RecipientState.UNKNOWN}


def test_a_lease_that_ran_out_lets_another_worker_have_the_letter(session: Session) -> None:
    id_ = write(session, "one")
    (slept,) = claim(session)
    later = NOW + delivery.LEASE + SECOND

    (taken,) = claim(session, later)

    assert taken.fence == slept.fence + 1
    assert not settle(session, slept, Verdict.PERMANENT, now=later), "who lost the lease writes nothing"
    assert not delivery.renew(session, slept, until=later)
    assert states(session, id_) == {A: RecipientState.WAITING}
    assert settle(session, taken, Verdict.ACCEPTED, now=later)


def test_a_renewed_lease_holds(session: Session) -> None:
    write(session, "one")
    (held,) = claim(session)

    assert delivery.renew(session, held, until=NOW + timedelta(minutes=9))

    assert claim(session, NOW + delivery.LEASE + SECOND) == []


def test_released_letters_are_free_at_once(session: Session) -> None:
    write(session, "one")

    delivery.release(session, claim(session), now=NOW)

    assert len(claim(session)) == 1


def test_first_tries_of_a_ticket_go_in_order(session: Session) -> None:
    ticket = add_ticket(session, add_account(session))
    first, second = (write(session, cause, ticket_id=ticket.id) for cause in ("first", "second"))
    other = write(session, "other")

    held = claim(session)
    assert [one.letter_id for one in held] == [first, other]
    assert claim(session) == [], "the second waits while the first is on its way"
    settle(session, held[0], Verdict.TEMPORARY)

    assert [one.letter_id for one in claim(session)] == [second], "a first try that failed holds up nobody"


def test_a_letter_that_may_not_leave_yet_holds_up_no_other(session: Session) -> None:
    ticket = add_ticket(session, add_account(session))
    write(session, "answer in its undo time", ticket_id=ticket.id, leaves_at=NOW + 10 * SECOND)
    reply = write(session, "reply", ticket_id=ticket.id)

    assert [one.letter_id for one in claim(session)] == [reply]


def test_resending_reaches_those_who_were_not_reached(session: Session) -> None:
    id_ = write(session, "one", cc=[B])
    answers = {A: Answer(Verdict.ACCEPTED, "250 ok"), B: Answer(Verdict.PERMANENT, "550 full")}
    delivery.settle(session.connection(), delivery.ending(claim(session)[0], Outcome(answers), limits=LIMITS, now=NOW))

    assert delivery.resend(session, id_, by=BY, now=NOW) == 1

    (again,) = claim(session)
    assert [one.address for one in again.open] == [B]
    assert session.scalars(select(JournalEntry.act)).all() == ["resend"]


def test_a_letter_that_reached_everybody_is_not_resent(session: Session) -> None:
    id_ = write(session, "one")
    settle(session, claim(session)[0], Verdict.ACCEPTED)

    with pytest.raises(Refused, match="mail_all_reached"):
        delivery.resend(session, id_, by=BY, now=NOW)


def test_a_letter_on_its_way_is_left_alone(session: Session) -> None:
    id_ = write(session, "one")
    claim(session)

    for act in (delivery.resend, delivery.suppress):
        with pytest.raises(Refused, match="mail_sending"):
            act(session, id_, by=BY, now=NOW)


def test_suppressing_gives_up_whom_it_has_not_reached(session: Session) -> None:
    id_ = write(session, "one")
    settle(session, claim(session)[0], Verdict.TEMPORARY)

    assert delivery.suppress(session, id_, by=BY, now=NOW) == 1

    assert letter(session, id_).state == LetterState.DONE
    assert states(session, id_) == {A: RecipientState.SUPPRESSED}
    with pytest.raises(Refused, match="mail_nothing_open"):
        delivery.suppress(session, id_, by=BY, now=NOW)


def test_a_parked_letter_can_be_sent_again(session: Session) -> None:
    id_ = write(session, "one")
    for minutes in (0, 5):
        now = NOW + timedelta(minutes=minutes)
        settle(session, claim(session, now)[0], Verdict.UNKNOWN, now=now)

    delivery.resend(session, id_, by=BY, now=now)

    assert len(claim(session, now)) == 1


def test_a_settled_letter_keeps_its_moments_as_every_other_row_does(session: Session) -> None:
    write(session, "one")
    settle(session, claim(session)[0], Verdict.TEMPORARY)
    session.expire_all()
    kept = session.execute(select(cast(Letter.try_at, String), cast(Letter.created_at, String), cast(Recipient.updated_at, String)).join(Recipient)).one()

    assert len({"+" in moment for moment in kept}) == 1, kept


def test_a_worker_tells_again_over_a_connection_that_others_rolled_back_meanwhile(engine: Engine) -> None:
    for cause in ("first", "second"):
        with transaction(engine) as session:
            write(session, cause)
        with transaction(engine) as session:
            (held,) = claim(session)
        ended = delivery.ending(held, Outcome({A: Answer(Verdict.ACCEPTED, "")}, Blame.NOBODY, ""), limits=LIMITS, now=NOW)
        with held_for_changes(engine) as connection:
            assert delivery.tell(connection, ended)()
        with engine.connect() as again:
            for _ in range(9):  # until the driver prepares it, and has something to forget
                again.execute(select(Letter.id)).all()
            again.rollback()
