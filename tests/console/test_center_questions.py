"""契約確認依頼: from support to the service management center and back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from models.database import transaction
from models.people import Staff
from models.tickets import Ticket
from rules.rights import Role
from rules.tickets import State
from tests.client import Client
from tests.clock import Clock
from tests.people import NOW, add_account, add_certificate, add_staff, add_ticket, sign_in_staff


@pytest.fixture
def ticket(engine: Engine) -> Ticket:
    """A new ticket with a deadline."""
    with transaction(engine) as session:
        add_certificate(session)
        return add_ticket(session, add_account(session), body="誰にも見せない本文です。", due_at=NOW + timedelta(hours=4))


@pytest.fixture
def people(engine: Engine) -> tuple[Staff, Staff]:
    """中村 of the support and 近藤 of the center."""
    with transaction(engine) as session:
        return add_staff(session), add_staff(session, "kondo", name="近藤", roles=(Role.SERVICE_CENTER,))


def sign_in(engine: Engine, client: Client, member: Staff) -> None:
    with transaction(engine) as session:
        sign_in_staff(client, session, member)


def state_of(engine: Engine, ticket: Ticket) -> Ticket:
    with transaction(engine, readonly=True) as session:
        return session.get_one(Ticket, ticket.id)


def test_a_question_goes_to_the_center_and_its_answer_comes_back(
    engine: Engine, client: Client, clock: Clock, people: tuple[Staff, Staff], ticket: Ticket
) -> None:
    nakamura, kondo = people
    sign_in(engine, client, nakamura)
    client.get(f"/console/tickets/{ticket.id}")
    page = client.submit("/questions", question="このシリアルは更新済みですか。")
    assert page.says("サービス管理センターに契約の確認を依頼しました。", "契約確認中", "このシリアルは更新済みですか。")
    waiting = state_of(engine, ticket)
    assert (waiting.state, waiting.assignee_id) == (State.WAITING_CENTER, nakamura.id)

    clock.advance(minutes=90)
    sign_in(engine, client, kondo)
    assert client.get("/console/tickets").says(ticket.subject, "1時間30分")
    asked = client.get(f"/console/tickets/{ticket.id}")
    assert asked.says("このシリアルは更新済みですか。", "中村")
    assert "誰にも見せない本文です。" not in asked.text
    done = client.submit("/questions/answer", answer="4 月に更新済みです。")

    assert done.says(f"チケット #{ticket.id} の契約の確認に回答しました。", "契約の確認を求められているチケットはありません。")
    back = state_of(engine, ticket)
    assert (back.state, back.due_at) == (State.OPEN, NOW + timedelta(hours=4))
    sign_in(engine, client, nakamura)
    assert client.get(f"/console/tickets/{ticket.id}").says("4 月に更新済みです。", "近藤さんが契約の確認に回答しました")


def test_an_empty_question_and_an_empty_answer_say_what_to_do(engine: Engine, client: Client, people: tuple[Staff, Staff], ticket: Ticket) -> None:
    sign_in(engine, client, people[0])
    client.get(f"/console/tickets/{ticket.id}")
    assert client.submit("/questions", question=" ", expect=422).says("確認してほしい内容を入力してください。")
    client.submit("/questions", question="番号は合っていますか。")

    sign_in(engine, client, people[1])
    client.get(f"/console/tickets/{ticket.id}")
    assert client.submit("/questions/answer", answer="", expect=422).says("回答を入力してください。", "番号は合っていますか。")


def test_a_ticket_that_waits_for_nothing_takes_no_answer(engine: Engine, client: Client, people: tuple[Staff, Staff], ticket: Ticket) -> None:
    sign_in(engine, client, people[0])
    client.get(f"/console/tickets/{ticket.id}")
    client.submit("/questions", question="番号は合っていますか。")
    sign_in(engine, client, people[1])
    client.get(f"/console/tickets/{ticket.id}")
    token = client.csrf_token()
    client.submit("/questions/answer", answer="合っています。")

    client.post(f"/console/tickets/{ticket.id}/questions/answer", {"answer": "もう一度", "csrf_token": token}, expect=404)
