"""電話の受付: a ticket for a caller, with an account or for nobody yet; attaching the account later, and taking it back."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, select

from models.database import transaction
from models.outbox import Letter, Recipient
from models.people import Account
from models.tickets import Message, MessageKind, Source, Ticket
from rules.tickets import Priority, State
from tests.client import Client
from tests.people import EMAIL, MAINTENANCE, add_account, add_certificate, add_post, add_staff, add_ticket, family_id, sign_in_customer, sign_in_staff

TYPED: dict[str, Any] = {
    "contract_key": "不明",
    "serial": "不明",
    "subject": "通信できない",
    "category": "障害",
    "body": "今朝から通信できません。",
    "contact_name": "田村",
    "contact_phone": "06-0000-0000",
}


@pytest.fixture
def desk(engine: Engine, client: Client) -> dict[str, int]:
    """木村's account and certificate; 中村 is signed in, 佐藤 answers too."""
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session))
        add_staff(session, "sato", name="佐藤")
        add_certificate(session)
        return {"account": add_account(session).id, "product": family_id(session, "juniper-srx")}


def recipients(engine: Engine) -> list[str]:
    with transaction(engine, readonly=True) as session:
        return sorted(session.scalars(select(Recipient.address)))


def newest(engine: Engine) -> tuple[Ticket, Message]:
    with transaction(engine, readonly=True) as session:
        ticket = session.scalars(select(Ticket).order_by(Ticket.id.desc()).limit(1)).one()
        return ticket, session.scalars(select(Message).where(Message.ticket_id == ticket.id)).one()


def test_a_caller_with_an_account_gets_the_same_letters_as_from_the_portal(engine: Engine, client: Client, desk: dict[str, int]) -> None:
    assert client.get("/console/tickets/new").says("お客様を選ぶ")
    page = client.get("/console/tickets/new?q=東西")
    page = client.get(next(link.attributes["href"] for link in page.root.all("a") if "このお客様で受け付ける" in link.text))
    assert page.says("JSC26040123A", f"受付のメールを {EMAIL}")

    page = client.submit("/new", product=str(desk["product"]), **TYPED, cc="infra@osaka.tozai.example", priority="high")

    ticket, message = newest(engine)
    assert (ticket.source, ticket.account_id, ticket.priority) == (Source.PHONE, desk["account"], Priority.HIGH)
    assert (ticket.state, message.kind, message.author_name, message.account_id) == (State.OPEN, MessageKind.CUSTOMER, "田村", None)
    assert page.says(f"チケット #{ticket.id} を作成しました。", "田村 様", "電話で・受付：中村", "中村さんが電話で受け付けました", "06-0000-0000")
    told = recipients(engine)
    assert told == sorted([EMAIL, "infra@osaka.tozai.example", "sato@jscom.co.jp"])
    assert MAINTENANCE not in told
    client.cookies.clear()
    with transaction(engine) as session:
        sign_in_customer(client, session, session.get_one(Account, desk["account"]))
    assert client.get(f"/tickets/{ticket.id}").says("今朝から通信できません。", "田村")


def test_nobody_s_ticket_mails_nobody_and_finds_its_account_later(engine: Engine, client: Client, desk: dict[str, int]) -> None:
    client.get("/console/tickets/new?account=none")
    assert client.submit("/new", product=str(desk["product"]), **(TYPED | dict[str, Any](contact_name="")), expect=422).says(
        "お名前を入力してください。", "今朝から通信できません。"
    )

    page = client.submit("/new", contact_name="田村", contact_company="東西ネットワーク")

    ticket, _ = newest(engine)
    assert page.says("メールは送りません。", "アカウントはまだありません。", "東西ネットワーク")
    assert recipients(engine) == ["sato@jscom.co.jp"]
    assert client.get("/console/tickets?q=田村").says("通信できない")

    page = client.get(f"/console/tickets/{ticket.id}/account")
    assert page.says("このチケットの書き込み 1件（社内メモを除く）が、お客様の画面に表示されます。", "木村 はるか 様")
    page = client.submit("このアカウントに結び付ける：東西ネットワーク株式会社 木村 はるか")
    assert page.says("「東西ネットワーク株式会社」のチケットにしました。", "中村さんがアカウント「東西ネットワーク株式会社 kimura」のチケットにしました")
    assert newest(engine)[0].account_id == desk["account"]
    assert recipients(engine) == ["sato@jscom.co.jp"]

    page = client.submit("/account/withdrawal")
    assert page.says("アカウントを外しました。")
    assert newest(engine)[0].account_id is None


def test_an_account_that_wrote_keeps_its_ticket(engine: Engine, client: Client, desk: dict[str, int]) -> None:
    with transaction(engine) as session:
        account = add_account(session, "other")
        ticket = add_ticket(session, account)
        ticket.source = Source.PHONE
        add_post(session, ticket, "自分で書きました", account=account)
    client.get(f"/console/tickets/{ticket.id}/account")

    assert client.submit("/account/withdrawal", expect=422).says("このチケットのアカウントは外せません。")


def test_a_closed_ticket_is_carried_on_by_its_follow_up(engine: Engine, client: Client, desk: dict[str, int]) -> None:
    with transaction(engine) as session:
        closed = add_ticket(session, add_account(session, "other"), state=State.CLOSED, cc=["infra@osaka.tozai.example"])
    page = client.get(f"/console/tickets/{closed.id}")
    page = client.get(next(link.attributes["href"] for link in page.root.all("a") if link.text == "続きのチケットを作る"))
    assert page.says(f"#{closed.id}「SRX300 で IPsec VPN が切断される」の続き")

    client.submit("/new", body="また切れました。")

    ticket, _ = newest(engine)
    assert (ticket.follows_id, ticket.account_id, ticket.subject, ticket.cc) == (closed.id, closed.account_id, closed.subject, closed.cc)


def test_the_same_form_twice_makes_one_ticket(engine: Engine, client: Client, desk: dict[str, int]) -> None:
    page = client.get(f"/console/tickets/new?account={desk['account']}")
    for _ in range(2):
        client.page = page
        client.submit("/new", product=str(desk["product"]), **TYPED)

    with transaction(engine, readonly=True) as session:
        assert len(session.scalars(select(Ticket)).all()) == 1
        assert session.scalars(select(Letter.kind).order_by(Letter.kind)).all() == ["staff_ticket_opened", "ticket_opened"]
