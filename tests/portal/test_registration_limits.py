"""How often a registration may be tried, and how many letters an address gets (SECURITY, attack list, rows 12 and 24)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from models.admission import PendingRegistration
from models.database import transaction
from models.journal import JournalEntry
from tests import people
from tests.clock import Clock
from tests.portal.visit import FILLED, visit


def test_a12_the_tenth_try_of_a_client_in_an_hour_passes_and_the_eleventh_waits(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    portal = visit(engine, clock, tmp_path)
    for _ in range(9):
        portal.register(contract_key="NOPE", expect=422)
    assert portal.register(user_id="tenth").path == "/register/sent"

    page = portal.register(expect=429)

    assert page.says("しばらく受け付けを止めています", "11:00 以降")
    assert page.value_of("email") == people.EMAIL
    assert portal.register(portal.another()).path == "/register/sent"
    clock.advance(hours=1)
    assert portal.register(user_id="later").path == "/register/sent"


def test_a_form_that_could_learn_nothing_is_not_counted(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    portal = visit(engine, clock, tmp_path, registrations_per_hour=1)
    for _ in range(3):
        portal.register(contract_key="", expect=422)

    assert portal.register().path == "/register/sent"


def test_a12_a_contract_with_twenty_failures_a_day_answers_no_more_and_staff_are_told(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    portal = visit(engine, clock, tmp_path, registrations_per_hour=1000)
    for number in range(19):
        portal.register(maintenance_email=f"guess{number}@osaka.tozai.example", expect=422)
    assert portal.register(user_id="before").path == "/register/sent"
    portal.register(maintenance_email="guess20@osaka.tozai.example", expect=422)

    page = portal.register(expect=422)

    assert "登録できません" in page.fault_of("contract_key")
    refusal = portal.refusals()[-1]
    assert refusal.trace["limited"] is True
    assert refusal.trace["passed"] is True
    with transaction(engine, readonly=True) as session:
        assert session.scalars(select(JournalEntry.subject_name).where(JournalEntry.act == "limit_reached")).all() == [people.CONTRACT]
    clock.advance(days=1)
    assert portal.register().path == "/register/sent"


def test_b24_an_address_gets_three_letters_in_six_hours_and_the_page_looks_the_same(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    portal = visit(engine, clock, tmp_path, registrations_per_hour=1000)
    pages = [portal.register(user_id=f"applicant-{number}") for number in range(5)]

    assert len(portal.letters("registration_link")) == 3
    assert portal.count(PendingRegistration) == 3
    assert len({page.text for page in pages}) == 1
    clock.advance(hours=6)
    portal.register(user_id="later")
    assert len(portal.letters("registration_link")) == 4


def test_a12_b33_known_and_unknown_contracts_and_addresses_get_the_same_bytes_for_the_same_work(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    portal = visit(engine, clock, tmp_path, registrations_per_hour=1000)
    with transaction(engine) as session:
        people.add_account(session)
    answers: list[tuple[list[str], int, str]] = []
    unknown = {"contract_key": "JSC29040123A", "maintenance_email": "nobody@osaka.tozai.example"}
    for changed in ({"contract_key": unknown["contract_key"]}, {"maintenance_email": unknown["maintenance_email"]}, {**unknown, "user_id": "tsuchiya"}):
        typed: dict[str, Any] = {**FILLED, **changed}
        portal.client.get("/register")
        with portal.work() as work:
            page = portal.client.submit("/register", expect=422, **typed)
        html = page.html.replace(portal.client.csrf_token(), "")
        for name in ("contract_key", "maintenance_email", "user_id"):
            html = html.replace(f'value="{typed[name]}"', "")
        answers.append((work.statements, work.argon2, re.sub(r"26-\d+", "26-N", html)))

    assert answers[0] == answers[1] == answers[2]
    assert answers[0][1] == 0
