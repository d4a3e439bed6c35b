"""Headers that claim a person, events that claim to be two, one source per field (attack list F, rows 81, 88, 91, 92)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select
from structlog.processors import LogfmtRenderer

from models.admission import SignIn
from models.database import transaction
from models.journal import JournalEntry
from rules.rights import Role
from tests.attacks.conftest import Process
from tests.attacks.house import House, faults, pages
from tests.services.databases import Database
from web.logs import escape

CLAIMS = {
    "x-remote-user": "everything",
    "remote-user": "everything",
    "x-forwarded-user": "everything",
    "x-forwarded-email": "everything@jscom.co.jp",
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "evil.example",
    "x-original-url": "/console/staff",
    "x-rewrite-url": "/console/staff",
    "x-http-method-override": "POST",
    "authorization": "Basic ZXZlcnl0aGluZzpLYWVkZS1uby1LaS0yMDI2",
}
SIGNS = ["\n", "\r", "\r\n", "\x1b[2J", "\x00", "\x85", "\u2028", "\u2029", "\u202e", "\x7f", "\x9b31m", "\ufeff"]


@pytest.fixture
def database(sqlite: Database) -> Database:
    """Nothing here depends on the database: one is enough."""
    sqlite.reset()
    return sqlite


@pytest.mark.parametrize("claim", CLAIMS)
def test_f81_no_header_says_who_somebody_is(house: House, claim: str) -> None:
    visitor, said = house.visitor(), {claim: CLAIMS[claim]}

    assert visitor.get("/console/staff", headers=said).headers["location"].startswith("/console/sign-in")
    assert visitor.get("/tickets", headers=said).headers["location"].startswith("/login")
    assert house.customer().get("/console/staff", headers=said).status_code == 404
    assert "evil" not in str(visitor.get("/login", headers=said).headers)


@pytest.mark.parametrize("sign", SIGNS)
def test_f88_one_event_is_one_line_whatever_people_send(sign: str) -> None:
    sent = f'x{sign}level=error event="forged" \\" y'

    line = LogfmtRenderer()(None, "info", escape(None, "info", {"event": "request", "path": sent, "names": [sent]}))

    assert line.isprintable() and len(line.splitlines()) == 1
    assert " level=error" not in line.partition('path="')[0]


def test_f88_the_log_of_a_process_holds_one_line_a_request(process: Process) -> None:
    before = process.desk.log.read_text().splitlines()
    for path in ("/%0aevent=forged", "/%1b[2J%9b", "/%e2%80%a8%c2%85x", "/%22%20event=forged"):
        process.desk.ask("GET", path, "User-Agent: x event=forged")

    added = process.desk.log.read_text().split("\n")[len(before) :]
    lines = [line for line in added if line]
    assert len(lines) == 4
    assert [line for line in lines if not line.isprintable() or not line.startswith("timestamp=") or " level=info event=request request=" not in line] == []


def test_f88_the_journal_and_the_sign_ins_keep_an_event_as_one_row(house: House) -> None:
    for sign in SIGNS:
        house.visitor().post("/login", {"user_id": f"kimura{sign}", "password": "Wrong-1234"}, headers={"user-agent": "x"})

    with transaction(house.engine, readonly=True) as session:
        assert len(session.scalars(select(SignIn.id)).all()) <= len(SIGNS)
        assert session.scalars(select(JournalEntry.id)).all() == []


def test_f91_a_query_that_says_two_things_is_refused(house: House) -> None:
    asked = ["/tickets?q=a&q=b", "/profile?q=a&q=b", "/tickets?before=1&before=2", "/login?next=/a&next=/b"]
    asked += [f"/console/{noun}?{name}=a&{name}=b" for noun, name in (("tickets", "q"), ("accounts", "q"), ("journal", "actor"), ("mails", "state"))]

    for path in asked:
        visitor = house.staff() if path.startswith("/console") else house.customer()
        assert visitor.get(path).status_code == 400, path


def test_f91_a_field_comes_from_the_form_and_from_nowhere_else(house: House) -> None:
    number = house.numbers["tickets number"]

    nothing = house.customer().post(f"/tickets/{number}/replies?body=from-the-query", {})
    twice = house.customer().post(f"/tickets/{number}/replies", {"body": ["a", "b"]})
    named = house.customer().post(f"/tickets/{number}/replies?body=from-the-query", {"body": "from-the-form"})

    assert (nothing.status_code, twice.status_code, named.status_code) == (422, 400, 303)
    assert "from-the-query" not in house.customer().get(f"/tickets/{number}").text


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/xml", "application/octet-stream", "multipart/mixed; boundary=x", "x"])
def test_f91_nothing_but_a_form_is_a_form(house: House, kind: str) -> None:
    def sent() -> Iterator[tuple[str, Any]]:
        for page in pages("POST"):
            if not page.access.signed_in or page.uploads:
                answer = house.fitting(page).post(house.path(page), content=b'{"csrf_token": "x"}', headers={"content-type": kind})
                assert answer.status_code == 400, page.path
                yield page.path, answer

    assert faults(sent()) == ""


def test_f86_nobody_decides_about_their_own_rights(house: House) -> None:
    admin = house.staff(Role.ADMIN.value)
    own = f"/console/staff/{house.numbers['staff admin']}"
    form = {"name": "admin", "email": "admin@jscom.co.jp", "roles": ["admin"]}

    assert admin.post(own, form).status_code == 422
    assert admin.post(own, {**form, "roles": ["support"], "active": "1"}).status_code == 422


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "X"])
@pytest.mark.parametrize("path", ["/", "/tickets/10001", "/console/staff", "/healthz", "/readyz", "/static/app.css"])
def test_d71_a_method_that_nobody_offers_finds_nothing(house: House, method: str, path: str) -> None:
    answer = house.staff().http.request(method, path, headers={"origin": "https://evil.example"})

    assert answer.status_code == 404
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "path",
    [
        "/static/%00", "/static/", "/static/..%2fsettings.py", "/static/%2e%2e%2f%2e%2e/settings.py", "/static/%252e%252e/settings.py", "/static//etc/passwd",
        "/static/..%5csettings.py", "/static/" + "a" * 5000, "/.env", "/.git/HEAD", "/debug", "/metrics", "/console/../settings.py", "/%2e%2e/settings.py",
        "/\\evil.example", "/tickets;x=1", "/tickets/10001.json", "/TICKETS",
    ],
)  # fmt: skip
def test_d71_no_other_path_leads_anywhere(house: House, path: str) -> None:
    answer = house.staff().get(path)

    assert answer.status_code in (400, 404)
    assert "SECRET" not in answer.text.upper() and "Traceback" not in answer.text
