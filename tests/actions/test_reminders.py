"""Reminders of answers that are owed: to whom, when, and never twice."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.reminders import remind_of_answers
from mail.desk import Desk
from models.outbox import Letter, Recipient
from models.people import QueueMember
from models.reminders import Reminder
from rules.calendar import BusinessCalendar
from rules.reminders import Kind, Outcome
from rules.rights import Role
from rules.tickets import State
from tests.people import NOW, add_account, add_staff, add_ticket, family_id

DESK = Desk("https://tickets.example.jp", "desk <tickets@jscom.example>", "admin@jscom.example", "center@jscom.example")
PAST, NEAR, AHEAD = NOW - timedelta(minutes=1), NOW + timedelta(minutes=59), NOW + timedelta(minutes=61)


def remind(session: Session, *, now: datetime = NOW, active: Collection[Kind] = tuple(Kind)) -> tuple[int, int]:
    told = remind_of_answers(session, active=active, calendar=BusinessCalendar(), desk=DESK, now=now)
    return told[Outcome.TOLD], told[Outcome.NOBODY]


def letters(session: Session, kind: str = "staff_first_answer_overdue") -> Sequence[Letter]:
    return session.scalars(select(Letter).where(Letter.kind == kind).order_by(Letter.id)).all()


def told(session: Session, kind: str) -> list[list[str]]:
    """The recipients of each letter of a kind."""
    return [
        list(session.scalars(select(Recipient.address).where(Recipient.letter_id == letter.id).order_by(Recipient.id))) for letter in letters(session, kind)
    ]


def test_an_overdue_first_answer_is_told_to_the_queues_staff(session: Session) -> None:
    member = add_staff(session, "sato")
    add_staff(session, "nakamura")
    session.add(QueueMember(family_id=family_id(session, "juniper-srx"), staff_id=member.id))
    ticket = add_ticket(session, add_account(session), due_at=PAST)

    assert remind(session) == (1, 0)

    (letter,) = letters(session)
    assert session.scalars(select(Recipient.address)).all() == ["sato@jscom.co.jp"]
    assert letter.ticket_id == ticket.id
    assert f"https://tickets.example.jp/console/tickets/{ticket.id}\n" in letter.body
    assert "回答の期限：2026/12/01(火) 09:59" in letter.body


def test_nobody_is_reminded_twice_of_one_ticket(session: Session) -> None:
    add_staff(session)
    add_ticket(session, add_account(session), due_at=PAST)

    assert [remind(session), remind(session)] == [(1, 0), (0, 0)]

    assert len(letters(session)) == 1


def test_tickets_that_owe_no_first_answer_are_left_alone(session: Session) -> None:
    add_staff(session)
    account = add_account(session)
    add_ticket(session, account, due_at=AHEAD)
    add_ticket(session, account, due_at=PAST, state=State.CLOSED)
    add_ticket(session, account, due_at=PAST, state=State.RESOLVED)
    add_ticket(session, account, due_at=PAST, state=State.WAITING_CUSTOMER)
    answered = add_ticket(session, account, state=State.OPEN)
    answered.first_answer_at = NOW + timedelta(seconds=5)
    session.flush()

    assert remind(session) == (0, 0)


def test_asking_the_vendor_is_no_first_answer(session: Session) -> None:
    add_staff(session)
    add_ticket(session, add_account(session), due_at=PAST, state=State.WAITING_VENDOR)

    assert remind(session) == (1, 0)


def test_a_reminder_that_can_reach_nobody_is_counted(session: Session) -> None:
    add_ticket(session, add_account(session), due_at=PAST)

    assert remind(session) == (0, 1)
    assert len(session.scalars(select(Reminder.id)).all()) == 1


def test_a_deadline_is_near_when_a_quarter_of_its_time_is_left(session: Session) -> None:
    member = add_staff(session)
    add_ticket(session, add_account(session), due_at=NEAR, assignee=member)
    add_ticket(session, add_account(session, "tanaka"), due_at=AHEAD, assignee=member)

    assert remind(session) == (1, 0)
    assert told(session, "staff_first_answer_near") == [["nakamura@jscom.co.jp"]]
    assert remind(session, now=NOW + timedelta(minutes=2)) == (1, 0)


def test_what_is_past_goes_to_the_assignee_and_the_leads(session: Session) -> None:
    add_staff(session, "sato")
    add_staff(session, "honda", roles=(Role.LEAD,))
    ticket = add_ticket(session, add_account(session), due_at=PAST, assignee=add_staff(session), state=State.OPEN)
    ticket.first_answer_at = NOW - timedelta(days=1)

    assert remind(session) == (1, 0)

    assert told(session, "staff_next_answer_overdue") == [["nakamura@jscom.co.jp", "honda@jscom.co.jp"]]


def test_each_answer_that_is_owed_is_reminded_of_once(session: Session) -> None:
    ticket = add_ticket(session, add_account(session), due_at=PAST, assignee=add_staff(session), state=State.OPEN)
    ticket.first_answer_at = NOW - timedelta(days=1)
    assert [remind(session), remind(session)] == [(1, 0), (0, 0)]

    ticket.owed_since = NOW + timedelta(hours=1)  # answered, and the customer wrote again

    assert [remind(session), remind(session)] == [(1, 0), (0, 0)]


def test_a_near_reminder_that_was_slept_through_is_not_given_late(session: Session) -> None:
    add_ticket(session, add_account(session), due_at=PAST, assignee=add_staff(session))

    assert remind(session) == (1, 0)

    assert letters(session, "staff_first_answer_near") == []


def test_what_is_switched_off_reminds_nobody(session: Session) -> None:
    add_ticket(session, add_account(session), due_at=PAST, assignee=add_staff(session))

    assert remind(session, active=[Kind.FIRST_ANSWER_NEAR]) == (0, 0)
