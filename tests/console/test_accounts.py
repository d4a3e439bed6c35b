"""Customers' accounts in the console: found, read, closed and opened again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select
from starlette.types import ASGIApp

from models.admission import Consent, SignIn
from models.database import transaction
from models.journal import JournalEntry
from models.people import Account, AccountSession
from rules.rights import Role
from tests.client import Client, Page
from tests.console.counting import counted
from tests.people import NOW, add_account, add_certificate, add_staff, add_ticket, sign_in_customer, sign_in_staff

ACCOUNTS = "/console/accounts"


def sign_in(client: Client, engine: Engine, role: Role) -> None:
    client.cookies.clear()
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session, role, name="森", roles=(role,)))


@pytest.fixture
def kimura(engine: Engine, client: Client) -> Account:
    """木村's account; 森 of the desk is signed in."""
    sign_in(client, engine, Role.DESK)
    with transaction(engine) as session:
        add_account(
            session, "ito", email="ito@minato.example", maintenance_email="nw@minato.example", contract_key="JSC9", company_name="みなと", person_name="伊藤 花"
        )
        return add_account(session)


def found(page: Page) -> list[str]:
    return [row.all("a")[0].text for row in page.root.all("tr")[1:]]


@pytest.mark.parametrize(
    ("typed", "companies"),
    [
        ("", ["東西ネットワーク株式会社", "みなと"]),
        ("東西", ["東西ネットワーク株式会社"]),
        ("ＩＴＯ", ["みなと"]),
        ("伊藤 minato", ["みなと"]),
        ("KIBAN@osaka", ["東西ネットワーク株式会社"]),
        ("jsc26040123a", ["東西ネットワーク株式会社"]),
        ("%", []),
        ("_", []),
    ],
)
def test_an_account_is_found_by_what_staff_know(client: Client, kimura: Account, typed: str, companies: list[str]) -> None:
    client.get(ACCOUNTS)

    assert found(client.submit(ACCOUNTS, q=typed)) == companies


def test_the_page_of_an_account_tells_all_that_hangs_on_it(client: Client, engine: Engine, kimura: Account) -> None:
    with transaction(engine) as session:
        certificate = add_certificate(session)
        ticket = add_ticket(session, kimura)
        session.add(Consent(account_id=kimura.id, privacy_version=1, at=NOW - timedelta(days=3)))
        session.add(SignIn(account_id=kimura.id, succeeded=False, how="password", client="198.51.100.4", at=NOW))
        sign_in_customer(client, session, kimura)

    page = client.get(f"{ACCOUNTS}/{kimura.id}")

    assert page.says("木村 はるか 様", "kimura@osaka.tozai.example", "kiban@osaka.tozai.example", "第 1 版", "198.51.100.4", "失敗", "203.0.113.7")
    assert page.link("JSC26040123A") == f"/console/contracts/{certificate.id}"
    assert page.link("SRX300 で IPsec VPN が切断される") == f"/console/tickets/{ticket.id}"


def test_suspending_ends_the_sessions_at_once(client: Client, app: ASGIApp, engine: Engine, kimura: Account) -> None:
    with Client(app) as customer, transaction(engine) as session:
        sign_in_customer(customer, session, kimura)
    client.get(f"{ACCOUNTS}/{kimura.id}")

    page = client.submit(f"{ACCOUNTS}/{kimura.id}/suspension", reason="退職のご連絡（電話）")

    assert page.says("アカウントの利用を停止しました。", "このアカウントは利用を停止しています。", "退職のご連絡（電話）")
    with transaction(engine, readonly=True) as session:
        assert session.scalars(select(AccountSession.id)).all() == []
        entry = session.scalars(select(JournalEntry)).one()
        assert (entry.act, entry.actor_name, entry.facts) == ("suspend", "森", {"state": ["active", "suspended"], "reason": "退職のご連絡（電話）"})
    assert found(client.get(f"{ACCOUNTS}?state=suspended")) == ["東西ネットワーク株式会社"]


def test_a_suspended_account_is_opened_again(client: Client, engine: Engine, kimura: Account) -> None:
    client.get(f"{ACCOUNTS}/{kimura.id}")
    client.submit(f"{ACCOUNTS}/{kimura.id}/suspension", reason="退職のご連絡")

    page = client.submit(f"{ACCOUNTS}/{kimura.id}/reopening", reason="復職のご連絡")

    assert page.says("アカウントの利用を再開しました。")
    with transaction(engine, readonly=True) as session:
        assert session.get_one(Account, kimura.id).state == "active"


@pytest.mark.parametrize(("reason", "told"), [("", "理由を入力してください。"), (" \n", "理由を入力してください。"), ("あ" * 1001, "理由は、1,000 文字以内で")])
def test_no_account_is_closed_without_a_reason(client: Client, kimura: Account, reason: str, told: str) -> None:
    client.get(f"{ACCOUNTS}/{kimura.id}")

    page = client.submit(f"{ACCOUNTS}/{kimura.id}/suspension", reason=reason, expect=422)

    assert told in page.fault_of("reason")
    assert not page.says("停止中")


def test_a_second_click_changes_nothing(client: Client, engine: Engine, kimura: Account) -> None:
    client.get(f"{ACCOUNTS}/{kimura.id}")
    client.submit(f"{ACCOUNTS}/{kimura.id}/suspension", reason="退職のご連絡")

    page = client.post(f"{ACCOUNTS}/{kimura.id}/suspension", {"csrf_token": client.csrf_token(), "reason": "もう一度"}, expect=422)

    assert "すでに利用を停止しています。" in " ".join(page.alerts)
    with transaction(engine, readonly=True) as session:
        assert session.get_one(Account, kimura.id).state_reason == "退職のご連絡"


def test_the_support_reads_but_does_not_close(client: Client, engine: Engine, kimura: Account) -> None:
    sign_in(client, engine, Role.SUPPORT)

    page = client.get(f"{ACCOUNTS}/{kimura.id}")

    assert not page.says("利用を停止する")
    client.post(f"{ACCOUNTS}/{kimura.id}/suspension", {"csrf_token": client.csrf_token(), "reason": "x"}, expect=403)


def test_the_service_center_sees_no_tickets_here(client: Client, engine: Engine, kimura: Account) -> None:
    with transaction(engine) as session:
        add_ticket(session, kimura)
    sign_in(client, engine, Role.SERVICE_CENTER)

    assert not client.get(f"{ACCOUNTS}/{kimura.id}").says("SRX300 で IPsec VPN が切断される")


def test_a_list_costs_the_same_however_long_it_is(client: Client, engine: Engine, kimura: Account) -> None:
    with counted(engine) as few:
        client.get(ACCOUNTS)
    with transaction(engine) as session:
        for number in range(60):
            add_account(session, f"user{number}")
    with counted(engine) as many:
        client.get(ACCOUNTS)

    assert len(few) == len(many) <= 5
    assert len(found(client.get(ACCOUNTS))) == 50


def test_an_account_that_is_not_there_is_not_found(client: Client, kimura: Account) -> None:
    client.get(f"{ACCOUNTS}/987654", expect=404)
