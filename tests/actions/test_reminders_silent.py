"""Customers who do not answer: reminded, warned, closed; nobody who wrote last, and nobody twice."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session

from actions import tickets
from actions.letters import Draft, write_letters
from actions.reminders_silent import close_resolved, remind_the_silent
from mail.compose import Text
from mail.desk import Desk
from models.actors import StaffMember
from models.database import transaction
from models.journal import JournalEntry
from models.outbox import Letter, Recipient, ReturnedKind
from models.people import Account, Staff
from models.reminders import Reminder
from models.tickets import Ticket
from rules.calendar import BusinessCalendar
from rules.limits import Limits
from rules.reminders import Kind, Outcome
from rules.tickets import State
from tests.people import EMAIL, add_account, add_post, add_returned_mail, add_staff, add_ticket

DESK = Desk("https://tickets.example.jp", "desk <tickets@jscom.example>", "admin@jscom.example", "center@jscom.example")
ANSWERED = datetime(2026, 9, 11, 5, 0, tzinfo=UTC)
STEPS = [datetime(2026, 9, 18, tzinfo=UTC), datetime(2026, 9, 30, tzinfo=UTC), datetime(2026, 10, 7, tzinfo=UTC)]
"""5, 10 and 15 business days after it, over 9/21-23."""
STEP_KINDS = ["silent_reminder", "silent_notice", "silent_closed"]


@pytest.fixture
def account(session: Session) -> Account:
    return add_account(session)


@pytest.fixture
def staff(session: Session) -> Staff:
    return add_staff(session)


def waiting(session: Session, account: Account | None, staff: Staff, *, cc: Collection[str] = ()) -> Ticket:
    ticket = add_ticket(session, account, state=State.WAITING_CUSTOMER, now=ANSWERED, cc=list(cc))
    add_post(session, ticket, "設定をお送りください。", staff=staff, now=ANSWERED)
    add_post(session, ticket, "待ち", staff=staff, note=True, now=STEPS[0])
    return ticket


def look(session: Session, now: datetime) -> dict[str, int]:
    return dict(remind_the_silent(session, after=0, active=list(Kind), calendar=BusinessCalendar(), desk=DESK, limits=Limits(), now=now).counts)


def letters(session: Session) -> list[tuple[str, str]]:
    statement = select(Letter.kind, Recipient.address).join(Recipient, Recipient.letter_id == Letter.id).order_by(Letter.id)
    return [(row.kind, row.address) for row in session.execute(statement)]


def test_a_silent_customer_is_reminded_warned_and_closed(session: Session, account: Account, staff: Staff) -> None:
    ticket = waiting(session, account, staff, cc=["sato@osaka.tozai.example"])

    assert [look(session, now) for now in STEPS for _ in range(2)] == [
        {"silent_reminder": 1}, {}, {"silent_notice": 1}, {}, {"silent_closed": 1}, {},
    ]  # fmt: skip

    assert letters(session) == [("silent_reminder", EMAIL), ("silent_notice", EMAIL), ("silent_closed", EMAIL)]
    bodies = session.scalars(select(Letter.body).order_by(Letter.id)).all()
    assert "2026/09/11 の回答について、ご返信をお待ちしています。" in bodies[0]
    assert "2026/10/07 にこのチケットを終了します" in bodies[1]
    assert ticket.state is State.CLOSED
    assert session.scalars(select(JournalEntry.actor_name).where(JournalEntry.act == "change_state")).all() == ["システム"]


def test_who_wrote_last_is_not_reminded(session: Session, account: Account, staff: Staff) -> None:
    ticket = waiting(session, account, staff)
    add_post(session, ticket, "お待ちください。", account=account, now=ANSWERED)

    assert [look(session, now) for now in STEPS] == [{}, {}, {}]


def test_giving_a_ticket_to_somebody_else_puts_nothing_off(session: Session, account: Account, staff: Staff) -> None:
    ticket = waiting(session, account, staff)
    by = StaffMember(id=staff.id, name=staff.name)

    tickets.assign(session, ticket, staff.id, by=by, desk=DESK, limits=Limits(), now=STEPS[0] - timedelta(days=1))

    assert look(session, STEPS[0]) == {"silent_reminder": 1}


def mailed(session: Session, ticket: Ticket, *, at: datetime, to: Account | None, **columns: Any) -> None:
    """A mail that answered a letter, which went to an account or to staff."""
    letter = Draft("answered", f"cause:{at}", Text("件名", "本文\n"), [EMAIL], ticket_id=ticket.id, account_id=to.id if to else None)
    (letter_id,) = write_letters(session, [letter], desk=DESK, now=ANSWERED)
    add_returned_mail(session, letter_id=letter_id, ticket_id=ticket.id, **columns).at = at
    session.flush()


def test_who_answered_by_mail_is_not_silent_until_there_is_another_answer(session: Session, account: Account, staff: Staff) -> None:
    ticket = waiting(session, account, staff)
    mailed(session, ticket, at=ANSWERED, to=account)
    assert [look(session, now) for now in STEPS] == [{}, {}, {}]

    add_post(session, ticket, "ありがとうございます。いかがでしょうか。", staff=staff, now=STEPS[0])

    assert look(session, STEPS[1]) == {"silent_reminder": 1}


def test_a_state_that_staff_set_after_a_mail_begins_another_silence(session: Session, account: Account, staff: Staff) -> None:
    ticket = waiting(session, account, staff)
    mailed(session, ticket, at=ANSWERED, to=account)
    ticket.state_from = ANSWERED + timedelta(minutes=5)

    assert look(session, STEPS[0]) == {"silent_reminder": 1}


def test_a_mail_that_staff_showed_on_the_ticket_is_an_answer(session: Session, account: Account, staff: Staff) -> None:
    ticket = waiting(session, account, staff)
    add_returned_mail(session, ticket_id=ticket.id, settled_at=STEPS[0], settled_by="中村").at = ANSWERED
    session.flush()

    assert [look(session, now) for now in STEPS] == [{}, {}, {}]


@pytest.mark.parametrize("case", ["before the answer", "a guess", "to staff", "a machine"])
def test_another_mail_breaks_no_silence(session: Session, account: Account, staff: Staff, case: str) -> None:
    ticket = waiting(session, account, staff)
    if case == "a guess":
        add_returned_mail(session, ticket_id=ticket.id).at = STEPS[0]
    elif case == "a machine":
        mailed(session, ticket, at=STEPS[0], to=account, kind=ReturnedKind.AUTOMATIC)
    else:
        mailed(session, ticket, at=STEPS[0] if case == "to staff" else ANSWERED - timedelta(hours=1), to=None if case == "to staff" else account)
    session.flush()

    assert look(session, STEPS[0]) == {"silent_reminder": 1}


@pytest.mark.parametrize("step", [0, 1, 2])
def test_who_writes_between_the_look_and_the_letter_is_neither_reminded_nor_closed(engine: Engine, step: int) -> None:
    if engine.dialect.name == "sqlite":
        return  # its one writer lets nobody come between
    with transaction(engine) as session:
        ticket_id = waiting(session, add_account(session), add_staff(session)).id
    for now in STEPS[:step]:
        with transaction(engine) as session:
            look(session, now)
    told, written = STEP_KINDS[:step], list[bool]()

    def write(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "max(message" in statement and not written:
            written.append(True)
            with transaction(engine) as other:
                ticket = other.get_one(Ticket, ticket_id, with_for_update=True)
                add_post(other, ticket, "遅くなりました。", account=other.get_one(Account, ticket.account_id), now=STEPS[step])
                tickets.move(ticket, State.OPEN, calendar=BusinessCalendar(), now=STEPS[step])

    event.listen(engine, "after_cursor_execute", write)
    with transaction(engine) as session:
        assert look(session, STEPS[step]) == {}

    with transaction(engine, readonly=True) as session:
        assert session.get_one(Ticket, ticket_id).state is State.OPEN
        assert [kind for kind, _address in letters(session)] == told
        assert session.scalars(select(Reminder.kind).order_by(Reminder.id)).all() == told, "what did not happen is not noted"


def test_a_ticket_of_nobody_is_left_to_the_staff(session: Session, staff: Staff) -> None:
    waiting(session, None, staff)

    assert [look(session, now) for now in STEPS] == [{}, {}, {}]


def test_another_answer_begins_another_silence(session: Session, account: Account, staff: Staff) -> None:
    ticket = waiting(session, account, staff)
    look(session, STEPS[0])

    add_post(session, ticket, "いかがでしょうか。", staff=staff, now=STEPS[0])

    assert look(session, STEPS[1]) == {"silent_reminder": 1}


def test_a_reminder_that_was_slept_through_is_recorded_as_dropped(session: Session, account: Account, staff: Staff) -> None:
    waiting(session, account, staff)

    assert [look(session, STEPS[2]), look(session, STEPS[2])] == [{"silent_notice": 1}, {}]

    rows = session.execute(select(Reminder.kind, Reminder.outcome).order_by(Reminder.id)).all()
    assert [tuple(row) for row in rows] == [("silent_notice", Outcome.TOLD), ("silent_reminder", Outcome.DROPPED)]


def test_an_erased_customer_is_written_to_no_more_and_their_ticket_ends(session: Session, account: Account, staff: Staff) -> None:
    ticket = waiting(session, account, staff)
    account.email = account.email_key = ""
    session.flush()

    for now in STEPS:
        look(session, now)

    assert (ticket.state, letters(session)) == (State.CLOSED, [])


@pytest.mark.parametrize("resolved_on", [11, 12, 13])
def test_a_ticket_that_was_resolved_on_a_closed_day_waits_no_longer_than_one_of_the_day_before(session: Session, account: Account, resolved_on: int) -> None:
    ticket = add_ticket(session, account, state=State.RESOLVED, now=ANSWERED)
    ticket.resolved_at = ANSWERED.replace(day=resolved_on)
    session.flush()
    days = [datetime(2026, 9, day, tzinfo=UTC) for day in (29, 30)]

    done = [close_resolved(session, after=0, calendar=BusinessCalendar(), limits=Limits(), now=now).counts["closed"] for now in days]

    assert done == [0, 1]


def test_a_resolved_ticket_ends_after_ten_business_days_without_a_letter(session: Session, account: Account) -> None:
    ticket = add_ticket(session, account, state=State.RESOLVED, now=ANSWERED)
    ticket.resolved_at = ANSWERED
    session.flush()

    done = [close_resolved(session, after=0, calendar=BusinessCalendar(), limits=Limits(), now=now).counts["closed"] for now in (STEPS[0], STEPS[1], STEPS[2])]

    assert done == [0, 1, 0]
    assert ticket.state is State.CLOSED
    assert letters(session) == []
