"""An answer taken back while it waits: two tabs and the mail worker decide exactly once, and no text is lost."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from actions import delivery
from actions.drafts import keep_draft
from actions.ticket_facts import settle
from actions.ticket_snapshots import snapshot
from actions.tickets import answer, assign, change_priority, reply, ticket_for_staff, withdraw_answer
from actions.undo_changes import undo_last
from mail.desk import Desk
from models.actors import Customer, StaffMember
from models.base import NEVER
from models.database import retrying, transaction
from models.outbox import Letter, LetterState
from models.tickets import Draft, Message, MessageKind
from rules.calendar import BusinessCalendar
from rules.limits import Limits
from rules.refusal import Refused
from rules.tickets import Priority, State
from tests.people import NOW, add_account, add_staff, add_ticket

DESK = Desk("https://tickets.example.jp", "desk@jscom.example", "tickets-admin@jscom.example", "center@jscom.example")
LIMITS = Limits()
CALENDAR = BusinessCalendar(frozenset())
HOW_OFTEN = [pytest.param(8, id="8"), pytest.param(500, id="500", marks=pytest.mark.proof)]


def answered(session: Session, by: StaffMember, ticket_id: int, text: str = "早すぎた返信") -> Message:
    held = ticket_for_staff(session, ticket_id, change=True)
    return answer(session, held, text, next_state=State.RESOLVED, last_seen=2**31 - 1, submission="", by=by, desk=DESK, limits=LIMITS, now=NOW)


def taking_back(engine: Engine, by: StaffMember, ticket_id: int, message_id: int) -> Callable[[], str]:
    def act() -> str:
        try:
            with transaction(engine) as session:
                held = ticket_for_staff(session, ticket_id, change=True)
                withdraw_answer(session, held, message_id, by=by, limits=LIMITS, now=NOW + timedelta(seconds=9.9))
                return "withdrawn"
        except Refused as refused:
            return refused.code

    return lambda: retrying(act)


def claiming(engine: Engine) -> Callable[[], str]:
    def act() -> str:
        with transaction(engine) as session:
            return "claimed" if delivery.claim(session, now=NOW + timedelta(seconds=10), limit=1) else ""

    return lambda: retrying(act)


@pytest.mark.parametrize("often", HOW_OFTEN)
def test_two_tabs_and_the_mail_worker_decide_once(engine: Engine, often: int) -> None:
    with transaction(engine) as session:
        member, account = add_staff(session), add_account(session)
        by = StaffMember(id=member.id, name=member.name)
        tickets = [add_ticket(session, account).id for _ in range(often)]

    for ticket_id in tickets:
        with transaction(engine) as session:
            message_id = answered(session, by, ticket_id).id
        start = Barrier(3)
        acts = [taking_back(engine, by, ticket_id, message_id), taking_back(engine, by, ticket_id, message_id), claiming(engine)]

        def run(act: Callable[[], str], start: Barrier = start) -> str:
            start.wait()
            return act()

        with ThreadPoolExecutor(3) as threads:
            told = sorted(threads.map(run, acts))

        with transaction(engine) as session:
            kept = session.get(Message, message_id)
            drafts = session.scalars(select(Draft.body).where(Draft.ticket_id == ticket_id)).all()
            states = session.scalars(select(Letter.state).where(Letter.ticket_id == ticket_id)).all()
            if "withdrawn" in told:
                assert (kept, drafts, states) == (None, ["早すぎた返信"], [LetterState.WITHDRAWN])
                assert told.count("withdrawn") == 1
                assert "undone_already" in told
            else:
                assert kept is not None
                assert (drafts, states) == ([], [LetterState.SENDING])
                assert told == ["claimed", "undo_too_late", "undo_too_late"]


def test_what_was_begun_since_stays_below_the_text_that_comes_back(session: Session) -> None:
    member = add_staff(session)
    by, ticket = StaffMember(id=member.id, name=member.name), add_ticket(session, add_account(session))
    made = answered(session, by, ticket.id)
    keep_draft(session, ticket.id, MessageKind.ANSWER, "続けて書いた文", by=by, limits=LIMITS, now=NOW)

    withdraw_answer(session, ticket, made.id, by=by, limits=LIMITS, now=NOW)

    assert session.scalars(select(Draft.body)).one() == "早すぎた返信\n\n続けて書いた文"


def test_what_a_colleague_changed_since_stays_and_the_rest_goes_back(session: Session) -> None:
    member, other = add_staff(session), add_staff(session, "sato", name="佐藤")
    by, sato = StaffMember(id=member.id, name=member.name), StaffMember(id=other.id, name=other.name)
    ticket = add_ticket(session, add_account(session), due_at=NOW + timedelta(hours=4))
    made = answered(session, by, ticket.id)
    change_priority(session, ticket, Priority.HIGH, by=sato, calendar=CALENDAR, now=NOW)
    assign(session, ticket, sato.id, by=sato, desk=DESK, limits=LIMITS, now=NOW)

    withdraw_answer(session, ticket, made.id, by=by, limits=LIMITS, now=NOW)

    assert (ticket.priority, ticket.assignee_id) == (Priority.HIGH, sato.id)
    assert (ticket.due_at, ticket.first_answer_at, ticket.resolved_at) == (NOW + timedelta(hours=2), None, None)


def test_a_change_that_is_undone_gives_nothing_back_to_who_answers_no_more(session: Session) -> None:
    member, gone = add_staff(session), add_staff(session, "sato", name="佐藤")
    by, ticket = StaffMember(id=member.id, name=member.name), add_ticket(session, add_account(session), assignee=gone)
    before = snapshot(ticket)
    assign(session, ticket, by.id, by=by, desk=DESK, limits=LIMITS, now=NOW)
    gone.active = False
    session.flush()

    undo_last(session, ticket, before, version=ticket.version, by=by, now=NOW)

    assert ticket.assignee_id is None


def test_taking_back_the_first_of_two_answers_leaves_the_ticket_to_the_second(session: Session) -> None:
    member = add_staff(session)
    by, ticket = StaffMember(id=member.id, name=member.name), add_ticket(session, add_account(session), due_at=NOW + timedelta(hours=4))
    first = answered(session, by, ticket.id)
    second = answer(
        session,
        ticket,
        "書き直した返信",
        next_state=State.RESOLVED,
        last_seen=2**31 - 1,
        submission="",
        by=by,
        desk=DESK,
        limits=LIMITS,
        now=NOW + timedelta(seconds=3),
    )

    withdraw_answer(session, ticket, first.id, by=by, limits=LIMITS, now=NOW + timedelta(seconds=5))

    assert (ticket.state, ticket.assignee_id, ticket.owed_since, ticket.due_at) == (State.RESOLVED, by.id, None, NEVER)
    assert (ticket.first_answer_at, ticket.resolved_at) == (second.published_at, second.published_at)

    withdraw_answer(session, ticket, second.id, by=by, limits=LIMITS, now=NOW + timedelta(seconds=6))

    assert (ticket.state, ticket.assignee_id, ticket.due_at, ticket.owed_since) == (State.NEW, None, NOW + timedelta(hours=4), NOW)
    assert (ticket.first_answer_at, ticket.resolved_at) == (None, None)


def test_a_customer_who_wrote_meanwhile_does_not_put_off_what_was_owed(session: Session) -> None:
    member, account = add_staff(session), add_account(session)
    by, ticket = StaffMember(id=member.id, name=member.name), add_ticket(session, account, due_at=NOW + timedelta(hours=1))
    made = answered(session, by, ticket.id)
    customer, later = Customer(id=account.id, name=account.person_name), NOW + timedelta(seconds=5)
    reply(session, ticket, "追記です", submission="", by=customer, desk=DESK, limits=LIMITS, calendar=CALENDAR, now=later)

    withdraw_answer(session, ticket, made.id, by=by, limits=LIMITS, now=NOW + timedelta(seconds=8))

    assert (ticket.state, ticket.first_answer_at) == (State.OPEN, None)
    assert (ticket.owed_since, ticket.due_at) == (NOW, NOW + timedelta(hours=1))


def test_a_customer_who_settled_it_meanwhile_leaves_no_clock_running(session: Session) -> None:
    member, account = add_staff(session), add_account(session)
    by, ticket = StaffMember(id=member.id, name=member.name), add_ticket(session, account, due_at=NOW + timedelta(hours=1))
    held = ticket_for_staff(session, ticket.id, change=True)
    made = answer(session, held, "確認中です", next_state=State.WAITING_CUSTOMER, last_seen=2**31 - 1, submission="", by=by, desk=DESK, limits=LIMITS, now=NOW)
    settle(session, ticket, by=Customer(id=account.id, name=account.person_name), calendar=CALENDAR, now=NOW + timedelta(seconds=5))

    withdraw_answer(session, ticket, made.id, by=by, limits=LIMITS, now=NOW + timedelta(seconds=8))

    assert (ticket.state, ticket.unresolved, ticket.due_at) == (State.RESOLVED, False, NEVER)
