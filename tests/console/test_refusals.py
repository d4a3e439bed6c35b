"""断られた登録 and the rehearsal: why a registration fails, what stands close, and the explanation as a letter."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from models.admission import PendingRegistration, Refusal
from models.database import transaction
from models.outbox import Letter, Recipient
from models.people import Account
from models.requests import ExceptionRequest
from rules.near import is_near
from rules.rights import Role
from tests.client import Client, Page
from tests.people import CONTRACT, MAINTENANCE, PASSWORD, add_certificate, add_staff, sign_in_staff

ENTRIES = {"contract_key": CONTRACT, "maintenance_email": MAINTENANCE, "email": "yamada@osaka.tozai.example"}


@pytest.fixture(autouse=True)
def desk(engine: Engine, client: Client) -> None:
    """Two certificates, and 佐藤 of the desk, who is signed in."""
    with transaction(engine) as session:
        add_certificate(session)
        add_certificate(session, "JSC26040124A", end_user="joho@aozora.example")
        sign_in_staff(client, session, add_staff(session, "sato", name="佐藤", roles=(Role.DESK,)))


def refused(client: Client, **changed: Any) -> None:
    client.get("/register")
    fields = {"company_name": "東西", "person_name": "山田", "user_id": "yamada", "password": PASSWORD, "password_confirmation": PASSWORD}
    filled: dict[str, Any] = {**fields, **ENTRIES, **changed}
    client.submit("/register", expect=422, consent=True, **filled)


def test_a_refusal_is_found_by_its_number_and_says_what_was_close(engine: Engine, client: Client) -> None:
    refused(client, contract_key="JSC26040124A")
    with transaction(engine, readonly=True) as session:
        number = session.scalars(select(Refusal.id)).one()

    listed = client.get("/console/refusals")
    page = client.get(f"/console/refusals?q=26-{number}")

    assert listed.says(f"26-{number}", "JSC26040124A")
    assert page.path == f"/console/refusals/{number}"
    assert page.says("満たさない", MAINTENANCE, CONTRACT, "joho@aozora.example", "1 文字ちがいの契約番号")


def test_a_number_that_nobody_was_given_finds_nothing(client: Client) -> None:
    refused(client, contract_key="X-1")

    assert client.get("/console/refusals?q=26-999999").says("条件に合う記録がありません。")
    client.get("/console/refusals/999999", expect=404)


def rehearse(client: Client, **changed: Any) -> Page:
    if not client.page or client.page.path != "/console/rehearsal":
        client.get("/console/rehearsal")
    filled: dict[str, Any] = {**ENTRIES, **changed}
    return client.submit("/console/rehearsal", **filled)


def test_a_rehearsal_tells_every_rule_and_creates_nothing(engine: Engine, client: Client) -> None:
    assert rehearse(client).says("登録できます。", "すべての条件を満たしています。")

    page = rehearse(client, email="yamada@tokyo.tozai.example")

    assert page.says("例外申請になります。", "結果が変わりました")
    with transaction(engine, readonly=True) as session:
        for table in (Account, PendingRegistration, Refusal, ExceptionRequest):
            assert session.scalar(select(func.count()).select_from(table)) == 0


def test_the_explanation_goes_to_the_caller_and_says_nothing_staff_alone_may_know(engine: Engine, client: Client) -> None:
    rehearse(client, contract_key="JSC26040124A")

    page = client.submit("/console/rehearsal/letter")

    assert page.says("説明のメールを yamada@osaka.tozai.example へお送りします。")
    with transaction(engine, readonly=True) as session:
        to, body = session.execute(
            select(Recipient.address, Letter.body).join(Letter, Letter.id == Recipient.letter_id).where(Letter.kind == "explanation")
        ).one()
    assert to == "yamada@osaka.tozai.example"
    assert "joho@aozora.example" not in body
    assert CONTRACT not in body


def test_an_explanation_without_words_is_not_sent(client: Client) -> None:
    rehearse(client)

    assert client.submit("/console/rehearsal/letter", text="", expect=422).says("登録できます。")


@pytest.mark.parametrize(
    ("typed", "real", "near"),
    [
        ("JSC2604O123A", "JSC26040123A", True),
        ("JSC26040132A", "JSC26040123A", True),
        ("JSC2604012A", "JSC26040123A", True),
        ("JSC260401234A", "JSC26040123A", True),
        ("JSC26040123A", "JSC26040123A", False),
        ("JSC26040999A", "JSC26040123A", False),
        ("", "A", True),
    ],
)
def test_near_is_one_slip_away(typed: str, real: str, near: bool) -> None:
    assert is_near(typed, real) is near
