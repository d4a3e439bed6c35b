"""What a customer does to a ticket besides writing: CC, solved, not solved after all."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select

from models.base import NEVER
from models.database import transaction
from models.journal import JournalEntry
from models.people import Account
from models.tickets import Message, Ticket
from rules.tickets import State
from tests.client import Client
from tests.people import add_account, add_staff, add_ticket, sign_in_customer, sign_in_staff


@pytest.fixture
def ticket(engine: Engine, client: Client) -> Ticket:
    """A ticket of 木村, who is signed in."""
    with transaction(engine) as session:
        account = add_account(session)
        sign_in_customer(client, session, account)
        return add_ticket(session, account, state=State.OPEN, cc=["infra@osaka.tozai.example"])


def now_is(engine: Engine, ticket: Ticket) -> Ticket:
    with transaction(engine, readonly=True) as session:
        return session.get_one(Ticket, ticket.id)


def test_the_cc_is_changed_shown_and_remembered_on_both_sides(engine: Engine, client: Client, ticket: Ticket) -> None:
    client.get(f"/tickets/{ticket.id}?cc=1")

    page = client.submit("/cc", cc="Infra@osaka.tozai.example、 partner@aozora.example，partner@aozora.example")

    assert now_is(engine, ticket).cc == ["Infra@osaka.tozai.example", "partner@aozora.example"]
    assert page.says("「partner@aozora.example」は貴社のドメインではありません。", "社外", "木村 はるか 様がメールCC を変更しました")
    with transaction(engine) as session:
        assert session.scalars(select(JournalEntry.facts).where(JournalEntry.act == "change_cc")).one()["cc"][0] == ["infra@osaka.tozai.example"]
        sign_in_staff(client, session, add_staff(session))
    assert client.get(f"/console/tickets/{ticket.id}").says("木村 はるか 様がメールCC を変更しました", "partner@aozora.example")


def test_a_cc_that_cannot_be_mailed_to_changes_nothing_and_stays_typed(engine: Engine, client: Client, ticket: Ticket) -> None:
    client.get(f"/tickets/{ticket.id}?cc=1")

    page = client.submit("/cc", cc="partner＠aozora", expect=422)

    assert page.value_of("cc").strip() == "partner＠aozora"
    assert now_is(engine, ticket).cc == ["infra@osaka.tozai.example"]


def test_a_solved_ticket_can_be_opened_again(engine: Engine, client: Client, ticket: Ticket) -> None:
    client.get(f"/tickets/{ticket.id}")
    page = client.submit("/resolution")
    assert page.says("解決済みにしました", "再開する")
    assert (now_is(engine, ticket).state, now_is(engine, ticket).unresolved) == (State.RESOLVED, False)

    page = client.submit("/reopening")

    after = now_is(engine, ticket)
    assert page.says("木村 はるか 様がお問合せを再開しました")
    assert (after.state, after.unresolved, after.due_at < NEVER) == (State.OPEN, True, True)


def test_a_closed_ticket_stays_closed(engine: Engine, client: Client, ticket: Ticket) -> None:
    client.get(f"/tickets/{ticket.id}")
    token = client.csrf_token()
    with transaction(engine) as session:
        session.get_one(Ticket, ticket.id).state = State.CLOSED

    page = client.post(f"/tickets/{ticket.id}/reopening", {"csrf_token": token}, expect=422)

    assert page.says("「終了」から「対応中」には変更できません。")
    assert now_is(engine, ticket).state == State.CLOSED


@pytest.mark.parametrize("act", ["cc", "resolution", "reopening"])
def test_another_accounts_ticket_is_not_there(engine: Engine, client: Client, ticket: Ticket, act: str) -> None:
    client.get(f"/tickets/{ticket.id}")
    token = client.csrf_token()
    with transaction(engine) as session:
        other = add_ticket(session, add_account(session, "aozora", email="it@aozora.example"))

    client.post(f"/tickets/{other.id}/{act}", {"csrf_token": token, "cc": ""}, expect=404)


def test_the_person_who_writes_is_named(engine: Engine, client: Client, ticket: Ticket) -> None:
    client.get(f"/tickets/{ticket.id}?reply=1")

    page = client.submit("/replies", body="再起動しました。", writer=" 山田\u3000太郎 ")

    assert page.says("山田 太郎 様")
    with transaction(engine, readonly=True) as session:
        assert session.scalars(select(Message.author_name).order_by(Message.id.desc()).limit(1)).one() == "山田 太郎"


def test_what_support_put_into_the_cc_meanwhile_stays_there(engine: Engine, client: Client, ticket: Ticket) -> None:
    client.get(f"/tickets/{ticket.id}?cc=1")
    with transaction(engine) as session:
        session.get_one(Ticket, ticket.id).cc = ["infra@osaka.tozai.example", "noc@osaka.tozai.example"]

    client.submit("/cc", cc="partner@osaka.tozai.example")

    assert now_is(engine, ticket).cc == ["noc@osaka.tozai.example", "partner@osaka.tozai.example"]


@pytest.mark.parametrize(("path", "fields"), [("cc", {"cc": "a@osaka.tozai.example"}), ("resolution", {}), ("reopening", {})])
def test_an_old_page_of_a_merged_ticket_leads_to_the_other_one(engine: Engine, client: Client, ticket: Ticket, path: str, fields: dict[str, str]) -> None:
    client.get(f"/tickets/{ticket.id}")
    token = client.csrf_token()
    with transaction(engine) as session:
        here = session.get_one(Ticket, ticket.id)
        into = add_ticket(session, session.get_one(Account, here.account_id), subject="先の件", state=State.OPEN)
        here.state, here.unresolved, here.merged_into_id = State.CLOSED, False, into.id

    page = client.post(f"/tickets/{ticket.id}/{path}", {"csrf_token": token, **fields})

    assert page.says("先の件", f"お問合せ #{ticket.id} は、#{into.id} にまとめました。")
    assert not page.says("解決済みにしました") and not page.says("変更しました")
    assert now_is(engine, ticket).cc == ["infra@osaka.tozai.example"]


def test_a_reply_that_is_led_over_two_merges_is_called_a_reply(engine: Engine, client: Client, ticket: Ticket) -> None:
    client.get(f"/tickets/{ticket.id}?reply=1")
    token = client.csrf_token()
    with transaction(engine) as session:
        here = session.get_one(Ticket, ticket.id)
        second, last = (add_ticket(session, session.get_one(Account, here.account_id), subject=subject, state=State.OPEN) for subject in ("次の件", "最後の件"))
        for one, into in ((here, second), (second, last)):
            one.state, one.unresolved, one.merged_into_id = State.CLOSED, False, into.id

    page = client.post(f"/tickets/{ticket.id}/replies", {"csrf_token": token, "body": "古い画面から"})

    assert page.path.startswith(f"/tickets/{last.id}")
    assert page.says("返信しました。", "古い画面から") and not page.says("続きのチケット")
