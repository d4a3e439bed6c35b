"""Product, category and CC of a ticket, changed by support."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from models.database import transaction
from models.masters import Category, ProductFamily
from models.tickets import Ticket
from tests.client import Client
from tests.people import add_account, add_staff, add_ticket, family_id, sign_in_staff


@pytest.fixture
def ticket(engine: Engine, client: Client) -> Ticket:
    """A ticket; 中村 is signed in."""
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session))
        return add_ticket(session, add_account(session))


def now_is(engine: Engine, ticket: Ticket) -> Ticket:
    with transaction(engine, readonly=True) as session:
        return session.get_one(Ticket, ticket.id)


def test_one_save_changes_what_differs_and_says_so_in_the_history(engine: Engine, client: Client, ticket: Ticket) -> None:
    with transaction(engine, readonly=True) as session:
        ruckus = family_id(session, "ruckus")
    client.get(f"/console/tickets/{ticket.id}/edit")

    page = client.submit("/edit", product=str(ruckus), category="2", cc="infra@osaka.tozai.example")

    after = now_is(engine, ticket)
    assert (after.family_id, after.category_id, after.cc) == (ruckus, 2, ["infra@osaka.tozai.example"])
    assert page.says("チケットの情報を変更しました。", "製品を「Juniper-SRX」から「Ruckus」に変更しました", "カテゴリを", "メールCC を変更しました")


def test_saving_the_same_changes_nothing(engine: Engine, client: Client, ticket: Ticket) -> None:
    client.get(f"/console/tickets/{ticket.id}/edit")

    assert client.submit("/edit").says("変更はありませんでした。")
    assert now_is(engine, ticket).version == ticket.version


@pytest.mark.parametrize(
    ("field", "value", "says"), [("cc", "a@b@c", "メール"), ("product", "9999", "製品を選んでください。"), ("category", "", "カテゴリを選んでください。")]
)
def test_what_cannot_be_is_refused_and_changes_nothing(engine: Engine, client: Client, ticket: Ticket, field: str, value: str, says: str) -> None:
    client.get(f"/console/tickets/{ticket.id}/edit")
    token = client.csrf_token()
    fields = {"product": str(ticket.family_id), "category": "1", "cc": "", "csrf_token": token, field: value}

    page = client.post(f"/console/tickets/{ticket.id}/edit", fields, expect=422)

    assert page.says(says)
    assert now_is(engine, ticket).version == ticket.version


def test_a_ticket_of_nobody_has_nobody_to_send_copies_of(engine: Engine, client: Client, ticket: Ticket) -> None:
    with transaction(engine) as session:
        nobodys = add_ticket(session, None)
    client.get(f"/console/tickets/{nobodys.id}/edit")

    assert client.submit("/edit", cc="infra@osaka.tozai.example", expect=422).says("メールCC は指定できません。")


def test_what_others_changed_since_the_page_was_shown_stays_theirs(engine: Engine, client: Client, ticket: Ticket) -> None:
    with transaction(engine) as session:
        ruckus = family_id(session, "ruckus")
        session.get_one(Ticket, ticket.id).cc = ["a@osaka.tozai.example", "b@osaka.tozai.example"]
    client.get(f"/console/tickets/{ticket.id}/edit")
    with transaction(engine) as session:
        here = session.get_one(Ticket, ticket.id)
        here.cc, here.family_id = ["a@osaka.tozai.example", "b@osaka.tozai.example", "c@osaka.tozai.example"], ruckus

    client.submit("/edit", category="2", cc="B@osaka.tozai.example, d@osaka.tozai.example")

    after = now_is(engine, ticket)
    assert (after.family_id, after.category_id) == (ruckus, 2)
    assert after.cc == ["b@osaka.tozai.example", "c@osaka.tozai.example", "d@osaka.tozai.example"]


def test_a_product_that_was_switched_off_stays_until_another_is_chosen(engine: Engine, client: Client, ticket: Ticket) -> None:
    with transaction(engine) as session:
        session.get_one(ProductFamily, ticket.family_id).active = False
        session.get_one(Category, ticket.category_id).active = False
    client.get(f"/console/tickets/{ticket.id}/edit")

    page = client.submit("/edit", cc="infra@osaka.tozai.example")

    after = now_is(engine, ticket)
    assert (after.family_id, after.category_id, after.cc) == (ticket.family_id, ticket.category_id, ["infra@osaka.tozai.example"])
    assert not page.says("製品を「")
