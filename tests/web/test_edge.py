"""What every answer carries, and what no request gets past: hosts, origins, tokens, sizes, methods."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select
from starlette.types import ASGIApp

from models.database import transaction
from models.people import Account, AccountSession
from models.tickets import Message
from tests import people
from tests.client import BASE_URL, Client
from tests.clock import Clock


@pytest.fixture
def visitor(client: Client, engine: Engine, clock: Clock) -> Client:
    """A signed-in customer with one ticket, #10001."""
    with transaction(engine) as session:
        people.add_certificate(session)
        account = people.add_account(session)
        people.add_ticket(session, account)
        people.sign_in_customer(client, session, account, now=clock())
    return client


def posts(engine: Engine) -> int:
    with transaction(engine, readonly=True) as session:
        return len(session.scalars(select(Message.id)).all())


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "evil.example:8720", "127.0.0.1@evil.example"])
def test_an_unknown_host_gets_nothing(visitor: Client, host: str) -> None:
    answer = visitor.get("/tickets", headers={"host": host or " "}, expect=400)

    assert "evil" not in answer.html


def test_every_page_forbids_foreign_scripts_frames_and_copies(visitor: Client) -> None:
    headers = visitor.get("/tickets").headers

    policy = headers["content-security-policy"]
    assert "script-src 'self';" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")


def test_a_static_file_with_its_mark_is_kept_for_ever(visitor: Client) -> None:
    page = visitor.get("/tickets")
    sheet = next(element.attributes["href"] for element in page.root.all("link", rel="stylesheet"))

    assert "immutable" in visitor.get(sheet).headers["cache-control"]
    assert visitor.get("/static/app.css").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "", "origin": "https://evil.example"},
        {"sec-fetch-site": "", "origin": "null"},
        {"sec-fetch-site": "", "origin": ""},
        {"sec-fetch-site": "cross-site", "hx-request": "true"},
    ],
)
def test_a_form_of_another_site_changes_nothing(visitor: Client, engine: Engine, headers: dict[str, str]) -> None:
    visitor.get("/tickets/10001?reply=1")

    visitor.post("/tickets/10001/replies", {"csrf_token": visitor.csrf_token(), "body": "x"}, headers=headers, expect=403)

    assert posts(engine) == 1


@pytest.mark.parametrize("token", ["", "0" * 40, "ｘ"])
def test_a_form_without_this_sessions_token_changes_nothing(visitor: Client, engine: Engine, token: str) -> None:
    visitor.get("/tickets/10001?reply=1")

    page = visitor.post("/tickets/10001/replies", {"csrf_token": token, "body": "x"}, expect=403)

    assert page.says("画面を開いてから時間がたったため、送信できませんでした。")
    assert posts(engine) == 1


def test_what_was_typed_into_a_stale_form_is_kept_and_one_press_sends_it(visitor: Client, engine: Engine) -> None:
    visitor.get("/tickets/10001?reply=1")
    stale = visitor.post("/tickets/10001/replies", {"csrf_token": "of another session", "body": "長く書いた文章\n2 行目"}, expect=403)
    assert stale.says("入力した内容は残っています。")

    page = visitor.submit("/tickets/10001/replies")

    assert page.says("返信しました。", "長く書いた文章")
    assert posts(engine) == 2


def test_what_was_typed_when_the_session_had_ended_waits_for_the_next_login(visitor: Client, engine: Engine, clock: Clock) -> None:
    visitor.get("/tickets/10001?reply=1")
    clock.advance(hours=13)
    ended = visitor.post("/tickets/10001/replies", {"body": "長く書いた文章"}, headers={"referer": f"{BASE_URL}/tickets/10001?reply=1"}, expect=403)
    assert ended.says("入力した内容は、この画面に残っています")
    assert ended.link("別のタブでログインする").startswith("/login?next=%2Ftickets%2F10001%3Freply%3D1")

    with transaction(engine) as session:
        people.sign_in_customer(visitor, session, session.scalars(select(Account)).one(), now=clock())
    visitor.submit("/tickets/10001/replies", expect=403)
    page = visitor.submit("/tickets/10001/replies")

    assert page.says("返信しました。", "長く書いた文章")
    assert posts(engine) == 2


def test_the_way_to_the_login_leads_back_to_no_other_site(visitor: Client, clock: Clock) -> None:
    visitor.get("/tickets/10001?reply=1")
    clock.advance(hours=13)

    ended = visitor.post("/tickets/10001/replies", {"body": "x"}, headers={"referer": "https://evil.example/tickets/10001"}, expect=403)

    assert ended.link("別のタブでログインする") == "/login?next=&expired=1"


def test_a_stale_login_keeps_no_password(client: Client) -> None:
    client.get("/login")

    page = client.post("/login", {"csrf_token": "x", "user_id": "kimura", "password": "Secret-of-Kimura-1"}, expect=403)

    assert "Secret-of-Kimura-1" not in page.html


def test_a_field_that_comes_twice_is_no_form_of_ours(visitor: Client, engine: Engine) -> None:
    visitor.get("/tickets/10001?reply=1")

    visitor.post("/tickets/10001/replies", [("csrf_token", visitor.csrf_token()), ("body", "a"), ("body", "b")], expect=400)

    assert posts(engine) == 1


def test_a_get_can_write_nothing(visitor: Client, engine: Engine) -> None:
    visitor.get("/tickets/10001/replies?body=x", expect=404)

    assert posts(engine) == 1


def test_a_body_over_the_limit_is_cut(visitor: Client) -> None:
    visitor.get("/tickets/10001?reply=1")

    visitor.post("/login", {"csrf_token": "x", "user_id": "y" * 5_000_000}, expect=413)


def test_a_session_ends_when_it_was_idle_too_long(visitor: Client, clock: Clock) -> None:
    clock.advance(hours=12)

    assert visitor.get("/tickets").path.startswith("/login?next=%2Ftickets")


def test_a_session_in_use_stays_but_not_for_ever(visitor: Client, clock: Clock) -> None:
    for _ in range(7 * 24 // 8 - 1):
        clock.advance(hours=8)
        assert visitor.get("/tickets").path == "/tickets"

    clock.advance(hours=8)
    assert visitor.get("/tickets").path.startswith("/login")


def test_a_revoked_session_is_dead_at_once(visitor: Client, engine: Engine) -> None:
    with transaction(engine) as session:
        for row in session.scalars(select(AccountSession)):
            session.delete(row)

    assert visitor.get("/tickets").path.startswith("/login")


def test_a_customer_finds_no_console_and_a_visitor_is_asked_to_sign_in(visitor: Client, app: ASGIApp) -> None:
    visitor.get("/console/tickets", expect=404)

    assert Client(app).get("/console/tickets").path.startswith("/console/sign-in")


def test_an_unknown_path_is_a_page_that_says_so(visitor: Client) -> None:
    page = visitor.get("/nowhere", expect=404)

    assert page.says("ページが見つかりません。移動または削除された可能性があります。")


@pytest.mark.parametrize("path", ["/openapi.json", "/.git/config", "/static/../settings.py", "/static/%2e%2e/settings.py", "/docs"])
def test_nothing_of_the_house_lies_open(visitor: Client, path: str) -> None:
    visitor.get(path, expect=404)


def test_the_fragment_of_a_lost_session_leads_the_whole_page_to_the_login(visitor: Client, clock: Clock) -> None:
    clock.advance(hours=13)

    answer = visitor.get("/tickets", headers={"hx-request": "true"})

    assert answer.headers["hx-redirect"].startswith("/login?next=")
