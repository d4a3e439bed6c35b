"""Reminders of first answers: to whom, when, and never twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.reminders import remind_of_first_answers
from mail.desk import Desk
from models.outbox import Letter, Recipient, Reminder
from models.people import QueueMember
from rules.limits import Limits
from rules.tickets import State
from tests.people import NOW, add_account, add_staff, add_ticket, family_id

DESK = Desk("https://tickets.example.jp", "desk <tickets@jscom.example>", "admin@jscom.example", "center@jscom.example")
PAST, AHEAD = NOW - timedelta(minutes=1), NOW + timedelta(minutes=1)


def remind(session: Session) -> tuple[int, int]:
    return remind_of_first_answers(session, desk=DESK, limits=Limits(), now=NOW)


def letters(session: Session) -> Sequence[Letter]:
    return session.scalars(select(Letter).where(Letter.kind == "staff_first_answer_overdue").order_by(Letter.id)).all()


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
    add_ticket(session, account, due_at=PAST, state=State.OPEN).first_answer_at = NOW + timedelta(seconds=5)
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
