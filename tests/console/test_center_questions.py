"""契約確認依頼: from support to the service management center and back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from models.database import transaction
from models.people import Account, Staff
from models.tickets import Ticket
from rules.rights import Role
from rules.tickets import State
from tests.client import Client, Page
from tests.clock import Clock
from tests.people import NOW, add_account, add_certificate, add_staff, add_ticket, sign_in_customer, sign_in_staff


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
    assert client.submit("/questions", question=" ", expect=422).fault_of("question").startswith("確認してほしい内容を入力してください。")
    client.submit("/questions", question="番号は合っていますか。")

    sign_in(engine, client, people[1])
    client.get(f"/console/tickets/{ticket.id}")
    page = client.submit("/questions/answer", answer="", expect=422)
    assert page.says("番号は合っていますか。") and page.fault_of("answer").startswith("回答を入力してください。")


def test_a_customer_who_writes_meanwhile_makes_the_center_no_later(
    engine: Engine, client: Client, clock: Clock, people: tuple[Staff, Staff], ticket: Ticket
) -> None:
    ask(engine, client, people, ticket)
    clock.advance(minutes=30)
    with transaction(engine) as session:
        account = session.scalars(select(Account)).one()
        sign_in_customer(client, session, account)
    client.get(f"/tickets/{ticket.id}?reply=1")
    client.submit("/replies", body="追記です。")
    clock.advance(minutes=60)

    assert client.get("/console/tickets").says(ticket.subject, "1時間30分")


TOO_LATE = "このチケットは契約の確認を待っていません。"


def ask(engine: Engine, client: Client, people: tuple[Staff, Staff], ticket: Ticket, question: str = "番号は合っていますか。") -> None:
    """中村 asks, and 近藤 opens the page of it."""
    sign_in(engine, client, people[0])
    client.get(f"/console/tickets/{ticket.id}")
    client.submit("/questions", question=question)
    sign_in(engine, client, people[1])
    client.get(f"/console/tickets/{ticket.id}")


def kept_text(page: Page) -> str:
    """What stands in the field that the answer was written in."""
    field = page.root.first("textarea", name="answer")
    return field.text if field else ""


def test_a_question_that_was_answered_meanwhile_says_so_and_keeps_the_text(
    engine: Engine, client: Client, clock: Clock, people: tuple[Staff, Staff], ticket: Ticket
) -> None:
    ask(engine, client, people, ticket)
    token = client.csrf_token()
    client.submit("/questions/answer", answer="合っています。")
    clock.advance(minutes=3)

    page = client.post(f"/console/tickets/{ticket.id}/questions/answer", {"answer": "もう一度\n調べました", "csrf_token": token}, expect=409)

    assert page.says(TOO_LATE, "近藤さんが回答しています。", "どこにも送っていません。", f"契約確認 #{ticket.id}")
    assert kept_text(page) == "もう一度 調べました"
    assert not page.says("合っています。") and ticket.subject not in page.text, "what asks no more is not shown"
    assert client.get("/console/tickets").says("契約の確認を求められているチケットはありません。")


def test_a_question_that_support_took_back_keeps_the_text(engine: Engine, client: Client, people: tuple[Staff, Staff], ticket: Ticket) -> None:
    ask(engine, client, people, ticket)
    token = client.csrf_token()
    with transaction(engine) as session:
        session.get_one(Ticket, ticket.id).state = State.OPEN

    page = client.post(f"/console/tickets/{ticket.id}/questions/answer", {"answer": "合っています。", "csrf_token": token}, expect=409)

    assert page.says(TOO_LATE) and not page.says("さんが回答しています。")
    assert kept_text(page) == "合っています。"


def test_a_question_that_is_asked_elsewhere_by_now_leads_there_with_the_text(
    engine: Engine, client: Client, people: tuple[Staff, Staff], ticket: Ticket
) -> None:
    ask(engine, client, people, ticket)
    with transaction(engine) as session:
        here = session.get_one(Ticket, ticket.id)
        into = add_ticket(session, session.get_one(Account, here.account_id), subject="先の件")
        here.state, here.unresolved, here.merged_into_id = State.CLOSED, False, into.id
    sign_in(engine, client, people[0])
    client.get(f"/console/tickets/{into.id}")
    client.submit("/questions", question="まとめた件の番号は合っていますか。")
    sign_in(engine, client, people[1])
    client.get("/console/tickets")
    token = client.csrf_token()

    page = client.post(f"/console/tickets/{ticket.id}/questions/answer", {"answer": "合っています。", "csrf_token": token}, expect=409)

    assert page.says(TOO_LATE, f"このチケットは #{into.id} にまとめられ", "まとめた件の番号は合っていますか。")
    done = client.submit(f"/console/tickets/{into.id}/questions/answer")

    assert done.says(f"チケット #{into.id} の契約の確認に回答しました。")
    assert state_of(engine, into).state == State.OPEN


def test_an_answer_is_not_taken_for_one_to_a_question_that_its_author_never_saw(
    engine: Engine, client: Client, people: tuple[Staff, Staff], ticket: Ticket
) -> None:
    ask(engine, client, people, ticket)
    seen = client.page.value_of("question") if client.page else ""
    client.submit("/questions/answer", answer="合っています。")
    ask(engine, client, people, ticket, "では、終了日はいつですか。")

    page = client.post(
        f"/console/tickets/{ticket.id}/questions/answer", {"question": seen, "answer": "番号は別のものです。", "csrf_token": client.csrf_token()}, expect=409
    )

    assert page.says("サポートから新しい質問がありました。", "では、終了日はいつですか。")
    assert page.value_of("answer") == "番号は別のものです。"
    assert state_of(engine, ticket).state == State.WAITING_CENTER
    assert client.submit("/questions/answer", answer="3 月です。").says("契約の確認に回答しました。")


def test_who_was_never_asked_about_a_ticket_learns_nothing_of_it(engine: Engine, client: Client, people: tuple[Staff, Staff], ticket: Ticket) -> None:
    sign_in(engine, client, people[1])
    client.get("/console/tickets")
    token = client.csrf_token()

    for number in (ticket.id, ticket.id + 1):
        client.post(f"/console/tickets/{number}/questions/answer", {"answer": "もう一度", "csrf_token": token}, expect=404)


def test_who_reads_tickets_too_is_led_to_the_ticket(engine: Engine, client: Client, ticket: Ticket) -> None:
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session, roles=(Role.SUPPORT, Role.SERVICE_CENTER)))
    client.get("/console/tickets")

    page = client.post(f"/console/tickets/{ticket.id}/questions/answer", {"answer": "合っています。", "csrf_token": client.csrf_token()}, expect=409)

    assert page.says(TOO_LATE)
    assert client.click("チケットを開く").says(ticket.subject)
