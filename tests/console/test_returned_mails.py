"""届いたメール: what nobody could place waits for somebody who can; nothing becomes a customer's post."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, func, select
from starlette.types import ASGIApp

from models.database import transaction
from models.outbox import Letter, ReturnedKind, ReturnedMail
from models.tickets import Message
from rules.rights import Role
from tests import people
from tests.client import Client


@pytest.fixture
def ticket(engine: Engine, client: Client) -> int:
    """A ticket, and a lead in the browser."""
    with transaction(engine) as session:
        people.sign_in_staff(client, session, people.add_staff(session, "sato", name="佐藤", roles=(Role.LEAD,)))
        return people.add_ticket(session, people.add_account(session)).id


def test_a_lost_answer_is_shown_on_the_ticket_it_belongs_to(engine: Engine, app: ASGIApp, client: Client, ticket: int) -> None:
    with transaction(engine) as session:
        number = people.add_returned_mail(session).id
        posts = session.scalar(select(func.count()).select_from(Message))
    assert client.get("/console/mails").says("宛先の分からないメールが 1件届いています。")
    assert client.get("/console/mails/returned").says("tanaka@elsewhere.example")
    assert client.get(f"/console/mails/returned/{number}").says("本体の交換をお願いします。")

    for typed, told in (
        ("", "チケット番号を入力してください。"),
        ("999999", "この番号のチケットはありません。"),
        ("１０Ｘ", "この番号のチケットはありません。"),
    ):
        assert told in client.submit("/ticket", expect=422, ticket=typed).fault_of("ticket")
    client.get(f"/console/mails/returned/{number}")
    other = Client(app)
    other.cookies.update(client.cookies)
    other.get(f"/console/mails/returned/{number}")
    assert client.submit("/ticket", ticket=f"＃{ticket}").says("「メールで返信が届きました」と表示します。")

    assert other.submit("/ticket", ticket=str(ticket), expect=422).says("すでにチケットに表示しています")
    assert client.get(f"/console/tickets/{ticket}").says("本体の交換をお願いします。")
    assert client.get("/console/mails/returned").says("宛先の分からないメールはありません。")
    with transaction(engine, readonly=True) as session:
        assert session.scalar(select(func.count()).select_from(Message)) == posts
        assert session.scalar(select(func.count()).select_from(Letter)) == 0
        assert session.get_one(ReturnedMail, number).settled_by == "佐藤"


def test_a_report_that_names_no_letter_is_settled_and_kinds_are_kept_apart(engine: Engine, client: Client, ticket: int) -> None:
    with transaction(engine) as session:
        report = people.add_returned_mail(session, kind=ReturnedKind.REPORT, sender="postmaster@elsewhere.example").id
        people.add_returned_mail(session, kind=ReturnedKind.AUTOMATIC, sender="absent@elsewhere.example")
        people.add_returned_mail(session, ticket_id=ticket)
    waiting = client.get("/console/mails/returned")
    assert waiting.says("postmaster@elsewhere.example")
    assert not waiting.says("absent@elsewhere.example")
    assert not waiting.says("tanaka@elsewhere.example")

    client.get(f"/console/mails/returned/{report}")
    assert client.submit("/settlement").says("対応済みにしました。")

    assert client.get("/console/mails/returned").says("宛先の分からないメールはありません。")
    assert client.get("/console/mails/returned?show=automatic").says("absent@elsewhere.example")
    assert client.get("/console/mails/returned?show=all&q=post").says("postmaster@elsewhere.example")
    client.get("/console/mails/returned/999", expect=404)
