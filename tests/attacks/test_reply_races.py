"""Two of the staff answer one ticket at one moment while its customer writes: one answer goes, no text is lost, nothing is written over."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from actions.drafts import keep_draft
from actions.merges import merge
from actions.tickets import answer, reply, ticket_for_staff
from models.actors import Customer, StaffMember
from models.database import transaction
from models.outbox import Letter
from models.people import Account
from models.tickets import Draft, Message, MessageKind
from rules.calendar import BusinessCalendar
from rules.rights import Role
from rules.tickets import State
from tests import people
from tests.attacks.test_races import DESK, HOW_OFTEN, LIMITS, in_one, together
from tests.people import NOW

CALENDAR = BusinessCalendar()


@pytest.fixture
def cast(engine: Engine) -> tuple[Customer, list[StaffMember]]:
    """木村, and 佐藤 and 森 of the support."""
    with transaction(engine) as session:
        account = people.add_account(session)
        found = [people.add_staff(session, name, name=called) for name, called in (("sato", "佐藤"), ("mori", "森"))]
        staff = [StaffMember(id=row.id, name=row.name, email=row.email, roles=frozenset({Role.SUPPORT})) for row in found]
        return Customer(account.id, account.person_name, email=account.email, maintenance_email=account.maintenance_email), staff


def opened(engine: Engine, customer: Customer) -> tuple[int, int]:
    """A new ticket's number and its first post."""
    with transaction(engine) as session:
        ticket = people.add_ticket(session, session.get_one(Account, customer.id))
        return ticket.id, session.scalars(select(Message.id).where(Message.ticket_id == ticket.id)).one()


def answering(engine: Engine, number: int, seen: int, by: StaffMember) -> Callable[[], str]:
    """A member's answer to what they saw, with the draft that was kept while it was written."""
    with transaction(engine) as session:
        keep_draft(session, number, MessageKind.ANSWER, f"{by.name}の返信", by=by, limits=LIMITS, now=NOW)

    def work(session: Session) -> str:
        ticket = ticket_for_staff(session, number, change=True)
        answer(
            session,
            ticket,
            f"{by.name}の返信",
            next_state=State.WAITING_CUSTOMER,
            last_seen=seen,
            submission=f"{number}-{by.id}",
            by=by,
            desk=DESK,
            limits=LIMITS,
            now=NOW,
        )
        return "answered"

    return in_one(engine, work)


@pytest.mark.parametrize("times", HOW_OFTEN)
def test_of_two_answers_unaware_of_each_other_one_is_stopped_and_keeps_its_text(engine: Engine, cast: tuple[Customer, list[StaffMember]], times: int) -> None:
    customer, staff = cast
    for _ in range(times):
        number, seen = opened(engine, customer)

        told = together(*(answering(engine, number, seen, by) for by in staff))

        assert sorted(told) == ["answered", "newer_reply"]
        with transaction(engine, readonly=True) as session:
            posted = session.scalars(select(Message.body).where(Message.ticket_id == number, Message.kind == MessageKind.ANSWER)).all()
            drafts = session.scalars(select(Draft.body).where(Draft.ticket_id == number)).all()
            letters = session.scalars(select(Letter.id).where(Letter.ticket_id == number)).all()
        assert sorted([*posted, *drafts]) == ["佐藤の返信", "森の返信"]
        assert (len(posted), len(letters)) == (1, 1)


def test_a_customer_s_post_is_never_lost_to_an_answer(engine: Engine, cast: tuple[Customer, list[StaffMember]]) -> None:
    customer, staff = cast
    for _ in range(10):
        number, seen = opened(engine, customer)

        def write(session: Session, number: int = number) -> str:
            ticket = ticket_for_staff(session, number, change=True)
            reply(session, ticket, "追加です", submission=f"c{number}", by=customer, desk=DESK, limits=LIMITS, calendar=CALENDAR, now=NOW)
            return "written"

        told = together(answering(engine, number, seen, staff[0]), in_one(engine, write))

        assert told[1] == "written"
        assert told[0] in ("answered", "newer_reply")
        with transaction(engine, readonly=True) as session:
            bodies = session.scalars(select(Message.body).where(Message.ticket_id == number)).all()
        assert "追加です" in bodies
        assert ("佐藤の返信" in bodies) is (told[0] == "answered")


def test_a_post_that_meets_a_merge_lands_in_the_ticket_that_stays(engine: Engine, cast: tuple[Customer, list[StaffMember]]) -> None:
    customer, staff = cast
    for _ in range(10):
        (number, _), (into, _) = opened(engine, customer), opened(engine, customer)

        def join(session: Session, number: int = number, into: int = into) -> str:
            held, target = ticket_for_staff(session, number, change=True), ticket_for_staff(session, into, change=True)
            merge(session, held, target, by=staff[0], limits=LIMITS, calendar=CALENDAR, now=NOW)
            return "merged"

        def write(session: Session, number: int = number) -> str:
            ticket = ticket_for_staff(session, number, change=True)
            reply(session, ticket, "追加です", submission=f"c{number}", by=customer, desk=DESK, limits=LIMITS, calendar=CALENDAR, now=NOW)
            return "written"

        assert together(in_one(engine, join), in_one(engine, write)) == ["merged", "written"]
        with transaction(engine, readonly=True) as session:
            assert session.scalars(select(Message.ticket_id).where(Message.body == "追加です").order_by(Message.id.desc()).limit(1)).one() == into


def test_a_text_that_is_kept_while_it_is_sent_is_no_draft_afterwards(engine: Engine, cast: tuple[Customer, list[StaffMember]]) -> None:
    customer, (by, _) = cast
    number, seen = opened(engine, customer)
    written = Event()

    def sending() -> None:
        with transaction(engine) as session:
            held = ticket_for_staff(session, number, change=True)
            given: dict[str, Any] = {"next_state": None, "last_seen": seen, "submission": "a", "by": by, "desk": DESK, "limits": LIMITS, "now": NOW}
            answer(session, held, "送った返信", **given)
            written.set()
            time.sleep(0.3)

    def keeping() -> None:
        written.wait(10)
        with transaction(engine) as session:
            keep_draft(session, number, MessageKind.ANSWER, "送った返信", submission="a", by=by, limits=LIMITS, now=NOW)

    together(sending, keeping)

    with transaction(engine, readonly=True) as session:
        assert not session.scalars(select(Draft.body)).all()
