"""Texts that are kept while they are typed, and who else is on a ticket."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select

from models.database import transaction
from models.people import Staff, StaffSession
from models.tickets import Draft, Ticket
from tests.client import Client, Page
from tests.clock import Clock
from tests.people import NOW, add_account, add_post, add_staff, add_ticket, sign_in_staff


@pytest.fixture
def team(engine: Engine) -> tuple[Staff, Staff]:
    """中村 and 佐藤 of the support."""
    with transaction(engine) as session:
        return add_staff(session), add_staff(session, "sato", name="佐藤")


@pytest.fixture
def ticket(engine: Engine, client: Client, team: tuple[Staff, Staff]) -> Ticket:
    """A ticket that 中村 has open."""
    with transaction(engine) as session:
        sign_in_staff(client, session, team[0])
        found = add_ticket(session, add_account(session))
    client.get(f"/console/tickets/{found.id}")
    return found


def keep(client: Client, ticket: Ticket, text: str, *, kind: str = "answer", expect: int = 204, submission: str = "") -> None:
    client.post(f"/console/tickets/{ticket.id}/drafts/{kind}", {"body": text, "submission": submission, "csrf_token": client.csrf_token()}, expect=expect)


def beat(client: Client, ticket: Ticket, last_seen: str = "999999") -> Page:
    """What the page asks for every 15 seconds."""
    token = client.get(f"/console/tickets/{ticket.id}").root.first("input", name="csrf_token")
    assert token
    fields = {"last_seen": last_seen, "csrf_token": token.attributes["value"]}
    return client.post(f"/console/tickets/{ticket.id}/presence", fields, headers={"hx-request": "true"})


def drafts(engine: Engine) -> list[str]:
    with transaction(engine, readonly=True) as session:
        return list(session.scalars(select(Draft.body).order_by(Draft.id)))


def change_person(engine: Engine, client: Client, member: Staff) -> None:
    with transaction(engine) as session:
        sign_in_staff(client, session, member)


def test_the_newest_text_is_kept_and_stands_in_the_form_again(engine: Engine, client: Client, ticket: Ticket) -> None:
    keep(client, ticket, "お調べします")
    keep(client, ticket, "お調べしますので、ログを")
    keep(client, ticket, "原因は電源かも", kind="note")

    page = client.get(f"/console/tickets/{ticket.id}")

    assert drafts(engine) == ["お調べしますので、ログを", "原因は電源かも"]
    assert page.says("お調べしますので、ログを", "原因は電源かも")


def test_an_open_page_keeps_nobody_signed_in_and_a_typed_text_does(engine: Engine, client: Client, ticket: Ticket, clock: Clock) -> None:
    token = client.csrf_token()
    clock.advance(hours=5)
    client.post(f"/console/tickets/{ticket.id}/presence", {"last_seen": "1", "csrf_token": token}, headers={"hx-request": "true"})
    with transaction(engine, readonly=True) as session:
        assert session.scalars(select(StaffSession.seen_at)).all() == [NOW]

    keep(client, ticket, "お調べします")

    with transaction(engine, readonly=True) as session:
        assert session.scalars(select(StaffSession.seen_at)).all() == [clock()]


def test_an_emptied_text_is_forgotten(engine: Engine, client: Client, ticket: Ticket) -> None:
    keep(client, ticket, "やはりやめる")
    keep(client, ticket, "  ")

    assert drafts(engine) == []


def test_a_draft_that_comes_after_its_answer_changes_nothing(engine: Engine, client: Client, ticket: Ticket) -> None:
    page = client.get(f"/console/tickets/{ticket.id}")
    mark = page.value_of("submission")
    keep(client, ticket, "ログをお送りください", submission=mark)
    client.submit("/replies", button="waiting_customer", body="ログをお送りください。")

    keep(client, ticket, "ログをお送りください。", submission=mark)

    assert drafts(engine) == []


def test_a_text_beyond_the_limit_is_refused_and_the_last_one_stays(engine: Engine, client: Client, ticket: Ticket) -> None:
    keep(client, ticket, "ここまで")
    keep(client, ticket, "あ" * 200_001, expect=413)

    assert drafts(engine) == ["ここまで"]


def test_nothing_is_kept_on_a_ticket_that_is_not_there(client: Client, ticket: Ticket) -> None:
    for part in ("drafts/answer", "drafts/note", "presence"):
        client.get(f"/console/tickets/{ticket.id}")
        client.post(f"/console/tickets/999999/{part}", {"body": "x", "csrf_token": client.csrf_token()}, expect=404)


def test_a_colleague_sees_who_looks_who_writes_and_what(engine: Engine, client: Client, clock: Clock, team: tuple[Staff, Staff], ticket: Ticket) -> None:
    beat(client, ticket)
    change_person(engine, client, team[1])
    assert beat(client, ticket).says("中村さんが閲覧中です。")

    change_person(engine, client, team[0])
    client.get(f"/console/tickets/{ticket.id}")
    keep(client, ticket, "<b>まだ途中</b>")
    change_person(engine, client, team[1])
    assert beat(client, ticket).says("中村さんが返信を書いています", "<b>まだ途中</b>")

    clock.advance(seconds=31)
    late = beat(client, ticket)
    assert late.says("中村さんの返信の下書き")
    assert "閲覧中" not in late.text


def test_what_came_meanwhile_is_announced_and_moves_nothing(engine: Engine, client: Client, ticket: Ticket) -> None:
    page = client.get(f"/console/tickets/{ticket.id}")
    with transaction(engine) as session:
        held = session.get_one(Ticket, ticket.id)
        add_post(session, held, "追加のログです")

    seen = beat(client, ticket, page.value_of("last_seen"))

    assert seen.says("新しい書き込みが 1件あります")
    assert "追加のログです" not in seen.text


def test_a_page_whose_session_ended_is_not_taken_away_from_who_writes_on_it(client: Client, ticket: Ticket, clock: Clock) -> None:
    token = client.csrf_token()
    clock.advance(hours=25)

    for path in ("drafts/answer", "drafts/note", "presence"):
        page = client.post(f"/console/tickets/{ticket.id}/{path}", {"body": "x", "csrf_token": token}, headers={"hx-request": "true"}, expect=401)
        assert "hx-redirect" not in page.headers
    assert client.post(f"/console/tickets/{ticket.id}/replies", {"body": "まだ送っていない返信"}, expect=403).says("別のタブでサインインしてください")
