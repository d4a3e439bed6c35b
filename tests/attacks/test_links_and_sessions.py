"""Hosts, links, sessions, redirects and forged forms (attack list B, rows 30, 31, 36 to 41)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from asgi import application
from models.admission import SignIn
from models.database import transaction
from models.outbox import Letter
from rules.limits import Limits
from rules.rights import Role
from tests import people
from tests.attacks.conftest import KEY, Process
from tests.attacks.house import House, faults, pages
from tests.attacks.wire import running, status
from tests.client import Client
from tests.portal.visit import answer_recoveries
from web.csrf import token_for

ELSEWHERE = [
    "//evil.example", "https://evil.example/console", "https:evil", "/\\evil", "\\\\evil", "javascript:alert(1)", "/%0d%0aSet-Cookie:x", "/console/../x",
    "/console\r\nX: y", "/console//evil.example", "data:text/html,x", "/console/tickets#@evil", " /console", "/consoleevil", "/console/tickets\x00",
]  # fmt: skip
one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.mark.parametrize("target", ["/register", "/recover", "/x", "/x/"])
@pytest.mark.parametrize("form", ["origin", "absolute"])
def test_b30_a_foreign_host_is_turned_away_and_a_forwarded_one_is_nothing(process: Process, target: str, form: str) -> None:
    wanted = f"http://evil.example{target}" if form == "absolute" else target
    foreign = process.desk.ask("GET", wanted, host="evil.example")
    forwarded = process.desk.ask("GET", wanted, "X-Forwarded-Host: evil.example", "Forwarded: host=evil.example", "X-Original-URL: /console")

    assert status(foreign) == 400
    assert status(forwarded) in (200, 404)
    assert b"evil" not in foreign + forwarded


def test_b30_a_letters_link_leads_to_the_configured_address_whatever_the_request_says(process: Process) -> None:
    visitor = token_for(KEY.encode(), "a-visitor")
    form = f"csrf_token={visitor}&email={people.EMAIL.replace('@', '%40')}".encode()
    headers = ("Cookie: jtickets_visitor=a-visitor", "Sec-Fetch-Site: same-origin", "Content-Type: application/x-www-form-urlencoded")

    answer = process.desk.ask("POST", "http://evil.example/recover", "X-Forwarded-Host: evil.example", *headers, body=form)

    assert b"location: /recover/sent" in answer
    answer_recoveries(process.engine, limits=Limits(), now=people.NOW, base_url=f"http://{process.desk.host}")
    body = _letter(process.engine, "login_ids")
    assert f"http://{process.desk.host}/recover/" in body
    assert "evil" not in body


def test_b31_a_links_secret_is_in_no_log_and_goes_to_nobody(process: Process) -> None:
    for number, path in enumerate(("/register/confirm/", "/recover/", "/profile/email/")):
        secret = f"a-secret-{number}-0123456789abcdef0123456789abcdef"
        answer = process.desk.ask("GET", path + secret)
        process.desk.ask("GET", f"{path}{secret}/", "Referer: x")
        process.desk.ask("POST", path + secret, "Sec-Fetch-Site: same-origin", "Content-Type: text/plain", body=b"x")
        assert b"referrer-policy: no-referrer" in answer.lower()

    log = process.desk.log.read_text()
    assert "a-secret-" not in log
    assert log.count("path=/recover/…") >= 2


@one_database
@pytest.mark.parametrize(("proxies", "told"), [("", "127.0.0.1"), ("192.0.2.0/24", "127.0.0.1"), ("127.0.0.0/8", "198.51.100.7")])
def test_b36_only_a_configured_proxy_is_believed(database_url: str, engine: Engine, tmp_path: Path, proxies: str, told: str) -> None:
    with transaction(engine) as session:
        people.add_account(session)
    headers = ("Cookie: jtickets_visitor=a-visitor", "Sec-Fetch-Site: same-origin", "Content-Type: application/x-www-form-urlencoded")
    form = f"csrf_token={token_for(KEY.encode(), 'a-visitor')}&user_id=kimura&password=Wrong-1234".encode()

    with running(database_url, tmp_path, secret_key=KEY, trusted_proxies=proxies) as desk:
        answer = desk.ask("POST", "/login", "X-Forwarded-For: 203.0.113.99, 198.51.100.7", "X-Real-IP: 203.0.113.98", *headers, body=form)

    assert status(answer) == 422
    with transaction(engine, readonly=True) as session:
        assert session.scalars(select(SignIn.client)).all() == [told]


@one_database
def test_b36_what_a_proxy_calls_an_address_may_be_anything(house: House) -> None:
    client = Client(house.app, address="x" * 500 + "\n")
    client.get("/login")

    client.submit("/login", user_id="kimura", password="Wrong-1234", expect=422)


@one_database
def test_b37_a_changed_role_counts_at_the_next_request(house: House) -> None:
    support = house.staff("support")
    assert support.get(f"/console/tickets/{house.numbers['tickets number']}").status_code == 200
    with transaction(house.engine) as session:
        session.get_one(people.Staff, int(house.numbers["staff support"])).roles = [Role.SERVICE_CENTER.value]

    page = support.get(f"/console/attachments/{house.numbers['attachments token']}")

    assert page.status_code == 403


@one_database
def test_b38_a_cookie_of_one_world_opens_nothing_in_the_other(house: House) -> None:
    customer, member = house.customer(), house.staff()
    customer.cookie, member.cookie = member.cookie, customer.cookie

    assert customer.get("/console/tickets").headers["location"].startswith("/console/sign-in")
    assert member.get("/tickets").headers["location"].startswith("/login")


@one_database
@pytest.mark.parametrize("cookie", ["x", "é", "a" * 5000, "a.b", '"', "%00", "a.é", "é.é"])
def test_no_cookie_of_ours_can_be_made_up(house: House, cookie: str) -> None:
    names = ["jtickets_portal", "jtickets_console", "jtickets_visitor", "jtickets_flash", "jtickets_language", "registration", "consent", "jtickets_attempt"]
    visitor = house.visitor()

    def sent() -> Iterator[tuple[str, Any]]:
        for path in ("/", "/tickets", "/register/sent", "/console/sign-in", "/console/tickets", "/login/consent"):
            raw = "; ".join(f"{name}={cookie}" for name in names).encode()
            yield path, visitor.http.get(path, headers=[(b"cookie", raw)])

    assert faults(sent()) == ""


@one_database
@pytest.mark.parametrize("target", ELSEWHERE)
def test_b39_no_form_of_ours_leads_to_another_place(house: House, target: str) -> None:
    signed_in, visitor = house.staff(), house.visitor()

    door = signed_in.get("/console/sign-in", params={"next": target})
    language = visitor.post("/language", {"language": "en", "next": target})
    login = visitor.post("/login", {"user_id": "kimura", "password": people.PASSWORD, "next": target})

    assert door.headers["location"] == "/console/tickets"
    assert language.headers["location"] == "/" or language.headers["location"].startswith("/console")
    assert login.headers["location"] == "/tickets"


@one_database
def test_b40_every_form_asks_where_it_comes_from_and_whose_it_is(house: House) -> None:
    stranger = house.customer("ishii")
    unguarded: list[str] = []
    for page in pages("POST"):
        visitor, path = house.fitting(page), house.path(page)
        tries = {
            "another site": visitor.post(path, {}, headers={"sec-fetch-site": "cross-site", "origin": "https://evil.example"}),
            "no word of a site": visitor.post(path, {}, headers={"sec-fetch-site": "", "origin": ""}),
            "no token": visitor.post(path, {"csrf_token": ""}, headers={"hx-request": "true"}),
            "another's token": visitor.post(path, {"csrf_token": stranger.csrf}),
            "plain text of another site": visitor.post(path, content=b"x", headers={"content-type": "text/plain", "sec-fetch-site": "cross-site"}),
        }
        unguarded += [f"{path}: {what} {answer.status_code}" for what, answer in tries.items() if answer.status_code != 403]

    assert unguarded == []


@one_database
def test_b40_no_form_is_taken_by_a_get(house: House) -> None:
    readable = {page.path for page in pages("GET")}
    found = {page.path: house.fitting(page).get(house.path(page)).status_code for page in pages("POST") if page.path not in readable}

    assert {path for path, answered in found.items() if answered not in (404, 405)} <= {"/tickets/{number:int}/replies"}


@one_database
def test_b41_no_page_is_stored_framed_or_sniffed(house: House) -> None:
    for page in pages("GET"):
        answer = house.fitting(page).get(house.path(page))
        assert "no-store" in answer.headers["cache-control"], page.path
        assert answer.headers["x-content-type-options"] == "nosniff", page.path
        policy = answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy or policy.startswith("sandbox"), page.path


@one_database
def test_a_head_tells_what_a_get_would_and_changes_nothing(house: House) -> None:
    for page in pages("GET"):
        visitor, path = house.fitting(page), house.path(page)
        if page.prepare:
            continue
        asked, got = visitor.head(path), visitor.get(path)
        assert asked.status_code == got.status_code, page.path


@one_database
def test_https_binds_every_cookie_to_this_host(house: House) -> None:
    secure = replace(house.wiring, settings=replace(house.wiring.settings, base_url="https://127.0.0.1:8720"))
    http = TestClient(application(secure), base_url="https://127.0.0.1:8720", follow_redirects=False)
    kept = http.get("/login").headers["set-cookie"].lower()

    assert kept.startswith("__host-jtickets_visitor=")
    assert all(part in kept for part in ("httponly", "secure", "samesite=lax", "path=/")) and "domain=" not in kept
    assert "max-age=31536000" in http.get("/login").headers["strict-transport-security"]


def _letter(engine: Engine, kind: str) -> str:
    """The newest letter of a kind, which is written after the answer has left."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        with transaction(engine, readonly=True) as session:
            body = session.scalars(select(Letter.body).where(Letter.kind == kind).order_by(Letter.id.desc())).first()
        if body:
            return body
        time.sleep(0.05)
    return ""
