"""An answer taken back while it waits: two tabs and the mail worker decide exactly once, and no text is lost."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from actions import delivery
from actions.drafts import keep_draft
from actions.outside_mails import outside_counts
from actions.ticket_facts import reopen, settle
from actions.ticket_snapshots import snapshot
from actions.tickets import answer, assign, change_priority, reply, shown_state, ticket_for_staff, withdraw_answer
from actions.undo_changes import undo_last
from mail.desk import Desk
from models.actors import Customer, StaffMember
from models.base import NEVER
from models.database import retrying, transaction
from models.journal import JournalEntry
from models.outbox import CopyStop, Letter, LetterState
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


def test_a_customer_who_says_it_is_solved_before_the_answer_that_says_so_is_taken_back_is_believed(session: Session) -> None:
    member, account = add_staff(session), add_account(session)
    by, ticket = StaffMember(id=member.id, name=member.name), add_ticket(session, account, state=State.OPEN, due_at=NOW + timedelta(hours=1))
    made, pressed = answered(session, by, ticket.id), NOW + timedelta(seconds=5)
    settle(session, ticket, by=Customer(id=account.id, name=account.person_name), calendar=CALENDAR, now=pressed)
    assert (shown_state(ticket, pressed), ticket.resolved_at) == (State.RESOLVED, pressed)

    withdraw_answer(session, ticket, made.id, by=by, limits=LIMITS, now=NOW + timedelta(seconds=8))

    assert (ticket.state, ticket.unresolved, ticket.resolved_at, ticket.due_at) == (State.RESOLVED, False, pressed, NEVER)
    assert ticket.first_answer_at is None
    assert session.scalars(select(JournalEntry.facts).where(JournalEntry.act == "settle")).one()["state"] == [State.OPEN, State.RESOLVED]


def test_of_two_answers_that_are_taken_back_neither_takes_the_customers_word_with_it(session: Session) -> None:
    member, account = add_staff(session), add_account(session)
    by, ticket = StaffMember(id=member.id, name=member.name), add_ticket(session, account, state=State.OPEN, due_at=NOW + timedelta(hours=1))
    first, pressed = answered(session, by, ticket.id), NOW + timedelta(seconds=2)
    settle(session, ticket, by=Customer(id=account.id, name=account.person_name), calendar=CALENDAR, now=pressed)
    later: dict[str, Any] = {"submission": "", "by": by, "desk": DESK, "limits": LIMITS, "now": NOW + timedelta(seconds=3)}
    second = answer(session, ticket, "書き直した返信", next_state=State.RESOLVED, last_seen=2**31 - 1, **later)

    for made in (first, second):
        withdraw_answer(session, ticket, made.id, by=by, limits=LIMITS, now=NOW + timedelta(seconds=5))

    assert (ticket.state, ticket.unresolved, ticket.resolved_at, ticket.due_at) == (State.RESOLVED, False, pressed, NEVER)


@pytest.mark.parametrize("act", ["reopen", "reply"])
def test_a_customer_who_takes_a_solved_ticket_up_again_is_heard_though_an_answer_did_so_and_is_taken_back(session: Session, act: str) -> None:
    member, account = add_staff(session), add_account(session)
    by, ticket = StaffMember(id=member.id, name=member.name), add_ticket(session, account, state=State.RESOLVED)
    ticket.unresolved, ticket.resolved_at = False, NOW - timedelta(days=1)
    customer, later = Customer(id=account.id, name=account.person_name), NOW + timedelta(seconds=5)
    made = answer(session, ticket, "再開します", next_state=State.OPEN, last_seen=2**31 - 1, submission="", by=by, desk=DESK, limits=LIMITS, now=NOW)
    if act == "reopen":
        reopen(session, ticket, by=customer, calendar=CALENDAR, now=later)
    else:
        reply(session, ticket, "直っていません", submission="", by=customer, desk=DESK, limits=LIMITS, calendar=CALENDAR, now=later)

    withdraw_answer(session, ticket, made.id, by=by, limits=LIMITS, now=NOW + timedelta(seconds=8))

    assert (ticket.state, shown_state(ticket, later), ticket.unresolved, ticket.resolved_at) == (State.OPEN, State.OPEN, True, None)
    assert ticket.due_at < NEVER


def test_a_customer_who_wrote_is_waited_for_no_more_though_the_answer_that_said_so_is_taken_back(session: Session) -> None:
    member, account = add_staff(session), add_account(session)
    by, ticket = StaffMember(id=member.id, name=member.name), add_ticket(session, account, state=State.WAITING_CUSTOMER)
    made = answer(session, ticket, "確認します", next_state=State.OPEN, last_seen=2**31 - 1, submission="", by=by, desk=DESK, limits=LIMITS, now=NOW)
    written: dict[str, Any] = {"submission": "", "desk": DESK, "limits": LIMITS, "calendar": CALENDAR, "now": NOW + timedelta(seconds=5)}
    reply(session, ticket, "お待たせしました", by=Customer(id=account.id, name=account.person_name), **written)

    withdraw_answer(session, ticket, made.id, by=by, limits=LIMITS, now=NOW + timedelta(seconds=8))

    assert (ticket.state, ticket.due_at < NEVER) == (State.OPEN, True)


def test_giving_a_ticket_to_somebody_neither_tells_the_state_of_an_answer_early_nor_is_lost_with_it(session: Session) -> None:
    member, other = add_staff(session), add_staff(session, "sato", name="佐藤")
    by, sato = StaffMember(id=member.id, name=member.name), StaffMember(id=other.id, name=other.name)
    ticket, later = add_ticket(session, add_account(session), due_at=NOW + timedelta(hours=4)), NOW + timedelta(seconds=5)
    made = answered(session, by, ticket.id)
    assign(session, ticket, sato.id, by=sato, desk=DESK, limits=LIMITS, now=later)
    assert shown_state(ticket, later) == State.NEW

    withdraw_answer(session, ticket, made.id, by=by, limits=LIMITS, now=NOW + timedelta(seconds=8))

    assert (ticket.state, ticket.assignee_id) == (State.OPEN, sato.id)


def test_an_answer_that_is_taken_back_gives_back_the_outside_copies_of_its_day(session: Session) -> None:
    member, account = add_staff(session), add_account(session)
    by, ticket = StaffMember(id=member.id, name=member.name), add_ticket(session, account, cc=["x@other.example", "y@other.example", "z@tozai.example"])
    limits, evening = Limits(outside_cc_mails_per_day=3), datetime(2026, 12, 1, 14, 59, 55, tzinfo=UTC)
    sent: dict[str, Any] = {"next_state": None, "last_seen": 2**31 - 1, "submission": "", "by": by, "desk": DESK, "limits": limits, "now": evening}
    answer(session, ticket, "残る返信", **sent)
    made = answer(session, ticket, "取り消す返信", **sent)
    assert outside_counts(session, now=evening) == [(account.id, 4)]

    withdraw_answer(session, ticket, made.id, by=by, limits=limits, now=evening + timedelta(seconds=8))

    assert outside_counts(session, now=evening) == [(account.id, 2)], "the day that it was written on, with the copy that was held back"


def test_copies_that_nobody_wanted_are_not_given_back(session: Session) -> None:
    member, account = add_staff(session), add_account(session)
    by, ticket = StaffMember(id=member.id, name=member.name), add_ticket(session, account, cc=["x@other.example", "y@other.example"])
    session.add(CopyStop(address="x@other.example", address_key="x@other.example", ticket_id=ticket.id, at=NOW))
    answered(session, by, ticket.id)
    made = answered(session, by, ticket.id)

    withdraw_answer(session, ticket, made.id, by=by, limits=LIMITS, now=NOW)

    assert outside_counts(session, now=NOW) == [(account.id, 1)]
