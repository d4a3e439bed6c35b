"""Files that are sent ahead one by one, in both faces; a form takes them by their tokens."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from sqlalchemy import Engine, select
from starlette.types import ASGIApp

from models.database import transaction
from models.tickets import Attachment, Message, MessageKind, Ticket
from rules.limits import Limits
from tests.client import Client, Page, filled_in
from tests.people import add_account, add_staff, add_ticket, sign_in_customer, sign_in_staff
from web.wiring import Wiring


@pytest.fixture
def ticket(engine: Engine, client: Client) -> Ticket:
    """A ticket of 木村, who is signed in in the portal, and so is 中村 in the console."""
    with transaction(engine) as session:
        account = add_account(session)
        sign_in_customer(client, session, account)
        sign_in_staff(client, session, add_staff(session))
        return add_ticket(session, account)


def send(client: Client, path: str, content: bytes = b"abc", name: str = "trace.log", expect: int = 200) -> Page:
    assert client.page
    return client.post(path, {"csrf_token": client.csrf_token()}, files={"files": [(name, content)]}, expect=expect)


def take(client: Client, page: Page, action: str, *tokens: str) -> Page:
    """Send a form with the held files of `tokens`, as the script does."""
    typed = [(name, "添付します。" if name == "body" else value) for name, value in filled_in(page.form(action))]
    return client.post(page.form(action).attributes["action"], [*typed, *(("held", token) for token in tokens)], multipart=True)


def attached(engine: Engine) -> list[tuple[str, bool]]:
    with transaction(engine, readonly=True) as session:
        return [(row.name, row.message_id is not None) for row in session.scalars(select(Attachment).order_by(Attachment.id))]


@pytest.mark.parametrize(("face", "query"), [("/console", ""), ("", "?reply=1")])
def test_a_file_sent_ahead_goes_with_the_reply(engine: Engine, client: Client, ticket: Ticket, face: str, query: str) -> None:
    page = client.get(f"{face}/tickets/{ticket.id}{query}")
    told = json.loads(send(client, f"{face}/uploads", name="画面写真_20261201_1000.png").html)
    gone = json.loads(send(client, f"{face}/uploads", name="間違い.txt").html)
    client.post(f"{face}/uploads/{gone['token']}/removal", {"csrf_token": client.csrf_token()}, expect=204)
    empty = json.loads(send(client, f"{face}/uploads", b"", "空.txt", expect=422).html)

    shown = take(client, page, "/replies", told["token"])

    assert (told["name"], told["size"]) == ("画面写真_20261201_1000.png", 3)
    assert empty == {"said": "「空.txt」は空のファイルです。中身をお確かめください。"}
    assert shown.says("添付します。", "画面写真_20261201_1000.png")
    assert [pair for pair in attached(engine) if pair[1]] == [("画面写真_20261201_1000.png", True)]


def test_nobody_takes_or_drops_what_another_holds(engine: Engine, client: Client, app: ASGIApp, ticket: Ticket) -> None:
    client.get(f"/tickets/{ticket.id}?reply=1")
    token = json.loads(send(client, "/uploads").html)["token"]
    page = client.get(f"/console/tickets/{ticket.id}")
    client.post(f"/console/uploads/{token}/removal", {"csrf_token": client.csrf_token()}, expect=204)

    shown = take(client, page, "/replies", token)

    assert "trace.log" not in shown.text
    assert attached(engine) == [("trace.log", False)]
    with Client(app) as stranger:
        stranger.get("/login")
        assert send(stranger, "/uploads", expect=200).path.startswith("/login")
    client.get(f"/tickets/{ticket.id}?reply=1")
    client.post("/uploads", {"csrf_token": client.csrf_token()}, expect=400)
    client.post("/uploads", {"csrf_token": "x"}, files={"files": [("a", b"a")]}, expect=403)


def test_a_file_over_the_limit_is_cut_and_leaves_nothing(engine: Engine, wiring: Wiring, ticket: Ticket) -> None:
    from asgi import application

    small = replace(wiring, limits=Limits(attachment_bytes=1000))
    with Client(application(small)) as client:
        with transaction(engine) as session:
            sign_in_staff(client, session, add_staff(session, "sato"))
        client.get(f"/console/tickets/{ticket.id}")
        send(client, "/console/uploads", b"x" * 1001, expect=413)

    assert attached(engine) == []


def test_files_that_nobody_posts_give_way_to_newer_ones(engine: Engine, wiring: Wiring, ticket: Ticket) -> None:
    from asgi import application

    small = replace(wiring, limits=Limits(post_bytes=1000))
    with Client(application(small)) as client:
        with transaction(engine) as session:
            sign_in_staff(client, session, add_staff(session, "sato"))
        client.get(f"/console/tickets/{ticket.id}")
        for name in ("a", "b", "c", "d"):
            send(client, "/console/uploads", b"x" * 700, name)

    assert attached(engine) == [("c", False), ("d", False)]
    assert len(list(wiring.store.listing())) == 2


def test_a_cc_that_changed_meanwhile_stops_an_answer_once(engine: Engine, client: Client, ticket: Ticket) -> None:
    client.get(f"/console/tickets/{ticket.id}")
    with transaction(engine) as session:
        session.get_one(Ticket, ticket.id).cc = ["infra@osaka.tozai.example"]

    stopped = client.submit("/replies", button="waiting_customer", body="お調べします", expect=422)
    assert stopped.says("画面を開いたあとで、メールCC が変わりました。", "infra@osaka.tozai.example", "お調べします")
    client.submit("/replies", button="waiting_customer")

    with transaction(engine, readonly=True) as session:
        assert session.scalars(select(Message.body).where(Message.kind == MessageKind.ANSWER)).all() == ["お調べします"]
