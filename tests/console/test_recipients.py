"""Who will receive an answer, told beside the button before it is sent; where the page opens for who was here before."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select

from models.database import transaction
from models.outbox import CopyStop, Letter, Recipient
from models.people import RateCount
from models.tickets import Ticket
from rules.limits import Limits
from tests.client import Client, Page
from tests.console.counting import counted
from tests.people import EMAIL, NOW, add_account, add_post, add_staff, add_ticket, sign_in_staff

CC = ["infra@osaka.tozai.example", "help@other.example", "late@other.example", "quiet@osaka.tozai.example"]


@pytest.fixture
def ticket(engine: Engine, client: Client) -> Ticket:
    """A ticket with four in CC, one of whom wants no copies; 中村 is signed in."""
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session))
        made = add_ticket(session, add_account(session), cc=CC)
        session.add(CopyStop(address="quiet@osaka.tozai.example", address_key="quiet@osaka.tozai.example", ticket_id=made.id, at=NOW))
    return made


def told(page: Page) -> str:
    return next(line.text for line in page.root.all("p") if "told" in line.attributes.get("class", ""))


def beat(client: Client, ticket: Ticket, token: str, seen: str) -> None:
    """The sign that an open page gives, with the newest message it shows."""
    fields = {"last_seen": seen, "csrf_token": token}
    client.post(f"/console/tickets/{ticket.id}/presence", fields, headers={"hx-request": "true"})


def test_what_is_told_before_is_what_is_sent(engine: Engine, client: Client, ticket: Ticket) -> None:
    with counted(engine) as statements:
        page = client.get(f"/console/tickets/{ticket.id}")
    assert len(statements) <= 6
    going, staying = told(page).split("送らない先：")
    assert going.split() == [f"送る先：{EMAIL}、infra@osaka.tozai.example、help@other.example（社外）、late@other.example（社外）"]
    assert staying == "quiet@osaka.tozai.example（受取人が写しを停止）"
    client.submit("/replies", button="waiting_customer", body="一通目")
    with transaction(engine) as session:
        session.scalars(select(RateCount).where(RateCount.bucket == "outside_cc")).one().count = Limits().outside_cc_mails_per_day - 1

    page = client.get(f"/console/tickets/{ticket.id}")
    assert "送らない先：late@other.example（社外への本日の上限）、quiet@osaka.tozai.example（受取人が写しを停止）" in told(page)
    client.submit("/replies", button="waiting_customer", body="二通目")

    with transaction(engine, readonly=True) as session:
        newest = session.scalars(select(Letter.id).order_by(Letter.id.desc()).limit(1)).one()
        waiting = session.scalars(select(Recipient.address).where(Recipient.letter_id == newest, Recipient.state == "waiting")).all()
    assert set(waiting) == {EMAIL, "infra@osaka.tozai.example", "help@other.example"}


def test_the_page_opens_at_the_first_post_that_came_since(engine: Engine, client: Client, ticket: Ticket) -> None:
    page = client.get(f"/console/tickets/{ticket.id}")
    assert not page.says("未読")
    token, seen = client.csrf_token(), page.value_of("last_seen")
    beat(client, ticket, token, seen)
    assert not client.get(f"/console/tickets/{ticket.id}").says("未読")
    with transaction(engine) as session:
        here = session.get_one(Ticket, ticket.id)
        first = add_post(session, here, "追加の情報です")
        add_post(session, here, "もう一つあります")

    page = client.get(f"/console/tickets/{ticket.id}")

    assert page.says("未読 2件へ", "ここから未読です")
    assert next(link.attributes["href"] for link in page.root.all("a") if link.text == "未読 2件へ") == f"#m{first.id}"
    beat(client, ticket, token, page.value_of("last_seen"))
    beat(client, ticket, token, seen)
    assert not client.get(f"/console/tickets/{ticket.id}").says("未読")
