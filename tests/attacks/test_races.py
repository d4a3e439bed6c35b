"""Two who press at once: one effect, and the slower one sees what came of it (attack list A 22 and 23, B 26; reliability 16 and 17)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import TypeVar

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from actions import exception_decisions, exception_requests, profiles, registrations
from actions.decisions import entries_of, judge_new
from actions.exception_decisions import Judgement
from mail.desk import Desk
from models.actors import Customer, StaffMember
from models.admission import PendingRegistration
from models.base import Base
from models.database import retrying, transaction
from models.outbox import Letter
from models.people import Account
from models.requests import ExceptionGrant, ExceptionRequest
from rules.limits import Limits
from rules.refusal import Refused
from rules.registration import Applicant, normalise
from rules.requests import Decision, RequestState
from rules.rights import Role
from tests import people
from tests.client import Client
from tests.clock import Clock
from tests.people import NOW
from tests.portal.visit import FILLED, visit

T = TypeVar("T")
DESK = Desk("https://tickets.example.jp", "desk@jscom.example", "tickets-admin@jscom.example", "center@jscom.example")
LIMITS = Limits()
HOW_OFTEN = [pytest.param(20, id="20"), pytest.param(500, id="500", marks=pytest.mark.proof)]
ENTRIES = normalise(Applicant("東西", "木村", "kimura", people.EMAIL, people.MAINTENANCE, people.CONTRACT, consent=True), password_required=False)


def together(*acts: Callable[[], T]) -> list[T]:
    """What each of `acts` returns, all of them begun at one moment."""
    start = Barrier(len(acts))

    def run(act: Callable[[], T]) -> T:
        start.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


def rows(engine: Engine, table: type[Base]) -> int:
    with transaction(engine, readonly=True) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def letters(engine: Engine, kind: str) -> int:
    with transaction(engine, readonly=True) as session:
        return session.scalar(select(func.count()).select_from(Letter).where(Letter.kind == kind)) or 0


def in_one(engine: Engine, work: Callable[[Session], str]) -> Callable[[], str]:
    """`work` in a transaction of its own; the code where it is refused."""

    def act() -> str:
        try:
            with transaction(engine) as session:
                return work(session)
        except Refused as refused:
            return refused.code

    return lambda: retrying(act)


@pytest.fixture
def deciders(engine: Engine) -> Sequence[StaffMember]:
    """佐藤 and 森 of the desk, with the certificate that requests lean on."""
    with transaction(engine) as session:
        people.add_certificate(session)
        found = [people.add_staff(session, name, name=called, roles=(Role.DESK,)) for name, called in (("sato", "佐藤"), ("mori", "森"))]
        return [StaffMember(id=row.id, name=row.name, email=row.email, roles=frozenset({Role.DESK})) for row in found]


@pytest.mark.parametrize("times", HOW_OFTEN)
def test_r17_two_decide_one_request_and_one_wins(engine: Engine, deciders: Sequence[StaffMember], times: int) -> None:
    for number in range(times):
        with transaction(engine) as session:
            request = people.add_request(session, email=f"user{number}@tokyo.tozai.example").id
        approve = Judgement(Decision.GRANT_ACCOUNT, "支店のため", "", None, 1)
        decline = replace(approve, decision=Decision.DECLINE, message="承れません。")

        def decide(judgement: Judgement, by: StaffMember, request: int = request) -> Callable[[], str]:
            def work(session: Session) -> str:
                held = session.get_one(ExceptionRequest, request)
                exception_decisions.decide_request(session, held, judgement, by=by, desk=DESK, now=NOW)
                return judgement.decision

            return in_one(engine, work)

        answers = together(decide(approve, deciders[0]), decide(decline, deciders[1]))

        assert sorted(answers) in (["decided_already", "decline"], ["decided_already", "grant_account"]), answers
    accounts, grants = rows(engine, Account), rows(engine, ExceptionGrant)
    assert accounts == grants == letters(engine, "exception_approved")
    assert letters(engine, "exception_declined") == times - accounts


@pytest.mark.parametrize("times", HOW_OFTEN)
def test_b26_r16_two_confirm_one_registration_and_one_account_comes_of_it(engine: Engine, deciders: Sequence[StaffMember], times: int) -> None:
    for number in range(times):
        entries = replace(ENTRIES, user_id=f"user{number}")
        with transaction(engine) as session:
            registrations.hold(
                session, entries, people.password_hash(), privacy_version=1, desk=DESK, limits=replace(LIMITS, confirmation_mails=10**6), now=NOW
            )
            body = session.scalars(select(Letter.body).where(Letter.kind == "registration_link").order_by(Letter.id.desc()).limit(1)).one()
        token = body.partition("/register/confirm/")[2].split()[0]

        def confirm(session: Session, token: str = token) -> str:
            return "made" if registrations.complete(session, token, client="203.0.113.7", desk=DESK, now=NOW) else "done already"

        assert sorted(together(in_one(engine, confirm), in_one(engine, confirm))) == ["done already", "made"]
    assert rows(engine, Account) == letters(engine, "registered") == times


def test_r16_a_form_sent_twice_is_one_registration_and_both_see_it(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    portal = visit(engine, clock, tmp_path)
    portal.client.get("/register")
    fields = {name: value for name, value in FILLED.items() if isinstance(value, str)} | {"consent": "1", "csrf_token": portal.client.csrf_token()}

    windows = [portal.another() for _ in range(4)]
    for window in windows:
        window.cookies.update(portal.client.cookies)

    def press(window: Client) -> Callable[[], str]:
        return lambda: window.post("/register", fields, follow=False).headers.get("location", "refused")

    pages = together(*[press(window) for window in windows])
    later = portal.client.post("/register", fields, follow=False)

    assert pages == ["/register/sent"] * 4
    assert later.headers["location"] == "/register/sent"
    assert rows(engine, PendingRegistration) == letters(engine, "registration_link") == 1
    assert portal.complete().says("登録が完了しました")


def test_who_knows_a_form_but_not_its_password_or_its_browser_sees_no_other_result(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    portal = visit(engine, clock, tmp_path)
    portal.register()

    other_password = portal.register(password="Another-Word-2026", password_confirmation="Another-Word-2026", expect=422)
    other_browser = portal.register(portal.another(), expect=422)

    assert "すでに使われています" in other_password.fault_of("user_id")
    assert "すでに使われています" in other_browser.fault_of("user_id")


@pytest.mark.parametrize("times", HOW_OFTEN)
def test_a1_one_pair_is_asked_for_once_however_often_it_is_pressed(engine: Engine, deciders: Sequence[StaffMember], times: int) -> None:
    for number in range(times):
        with transaction(engine) as session:
            presses = [_held(session, f"user{number}@tokyo.tozai.example", f"user{number}-{form}") for form in range(2)]

        def ask(press: str) -> Callable[[], str]:
            def work(session: Session) -> str:
                return "asked" if exception_requests.ask(session, press, desk=DESK, limits=LIMITS, now=NOW) else "gone"

            return in_one(engine, work)

        assert sorted(together(ask(presses[0]), ask(presses[1]))) == ["asked", "exception_asked"]
    assert letters(engine, "exception_link") == times


def test_a22_a_profile_change_and_the_withdrawal_of_its_grant_end_in_one_order(engine: Engine, deciders: Sequence[StaffMember]) -> None:
    for number in range(10):
        email = f"user{number}@tokyo.tozai.example"
        with transaction(engine) as session:
            request = people.add_request(session, email=email)
            judgement = Judgement(Decision.GRANT_ACCOUNT, "支店のため", "", None, 1)
            exception_decisions.decide_request(session, request, judgement, by=deciders[0], desk=DESK, now=NOW)
            grant = session.scalars(select(ExceptionGrant).order_by(ExceptionGrant.id.desc()).limit(1)).one().id
            account = request.account_id

        def edit(session: Session, account: int | None = account) -> str:
            held = session.get_one(Account, account)
            entries = replace(entries_of(held), company_name="東西ネットワーク株式会社 東京支店")
            by = Customer(id=held.id, name=held.person_name)
            profiles.edit(session, held, entries, by=by, desk=DESK, limits=LIMITS, now=NOW)
            return "edited"

        def revoke(session: Session, grant: int = grant) -> str:
            exception_decisions.revoke_grant(session, session.get_one(ExceptionGrant, grant), reason="閉鎖", by=deciders[1], now=NOW)
            return "revoked"

        answers = together(in_one(engine, edit), in_one(engine, revoke))

        assert answers in (["edited", "revoked"], ["changed_meanwhile", "revoked"])
        with transaction(engine, readonly=True) as session:
            assert session.get_one(Account, account).company_name.endswith("東京支店") is (answers[0] == "edited")
            assert session.get_one(ExceptionRequest, session.get_one(ExceptionGrant, grant).request_id).state == RequestState.VOID
        assert in_one(engine, edit)() == "changed_meanwhile"


def _held(session: Session, email: str, user_id: str) -> str:
    """The press below a registration that the domain rule alone refuses."""
    applicant = Applicant("東西", "木村", user_id, email, people.MAINTENANCE, people.CONTRACT, consent=True)
    entries = normalise(applicant, password_required=False)
    trace, _ = judge_new(session, entries, now=NOW)
    assert trace.held
    return exception_requests.hold_registration(
        session, entries, trace, people.password_hash(), reference="26-1", privacy_version=1, client="203.0.113.7", now=NOW
    )
