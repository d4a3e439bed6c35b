"""Others' tickets, files and what is hidden in them (attack list D, rows 52 to 67)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from customer_portal.routes import NOUNS
from models.database import transaction
from models.journal import JournalEntry
from models.people import Account, AccountState
from models.tickets import Attachment, Message, Ticket
from rules.rights import Role
from tests import people
from tests.attacks.house import House
from tests.client import Client
from tests.clock import Clock
from web.nouns import pages_of
from web.refusals import AT_MOST

one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
HOSTILE_FILES = {
    "a.svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "a.html": b"<script>alert(1)</script>",
    "a.xml": b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]><x>&y;</x>",
    "a.pdf": b"%PDF-1.7 /OpenAction",
    "a.mht": b"MIME-Version: 1.0",
    "a.gif": b"GIF89a/*\x00*/=1;alert(1)",
    "html.txt": b"<html><script>alert(1)</script>",
    "a.pickle": b"cos\nsystem\n(S'id'\ntR.",
    ".htaccess": b"AddType text/html .txt",
    "a.php": b"<?php phpinfo();",
}
TYPES = ["text/html", "image/svg+xml", "image/png", "application/x-httpd-php", "multipart/related", "x" * 300, ""]
FILE_NAMES = {
    b"../../x": "x",
    rb"C:\x\y.log": "y.log",
    b"a.txt\x00.html": "a.txt.html",
    b"CON": "_CON",
    b"": "",
    "長".encode() * 200 + b".log": "長" * 65 + ".log",
    "photo\u202egnp.exe".encode(): "photognp.exe",
    "か\u3099.txt".encode(): "が.txt",
    "障害ログ.txt".encode("cp932"): "障害ログ.txt",
    b"%22%0d%0aX: y": "%22%0d%0aX: y",
    b"<img src=x onerror=alert(1)>": "<img src=x onerror=alert(1)>",
    b"{{7*7}}": "{{7*7}}",
}


def reply(house: House, **fields: str | list[str]) -> int:
    """kimura's reply to their own ticket; the status."""
    return house.customer().post(f"/tickets/{house.numbers['tickets number']}/replies", {"body": "x", **fields}).status_code


def journal(house: House) -> list[tuple[str, str, str]]:
    """(kind of actor, act, subject) of what was kept, the oldest first."""
    with transaction(house.engine, readonly=True) as session:
        statement = select(JournalEntry.actor_kind, JournalEntry.act, JournalEntry.subject_name).order_by(JournalEntry.id)
        return [(row.actor_kind, row.act, row.subject_name) for row in session.execute(statement)]


def browser(house: House, user_id: str) -> Client:
    """A signed-in account with a browser's manners."""
    visitor = Client(house.app)
    visitor.cookies.set("jtickets_portal", house.customer(user_id).token)
    return visitor


@one_database
def test_d52_nothing_of_another_accounts_ticket_is_there(house: House) -> None:
    stranger = house.customer("ishii")
    of_tickets = [page for page in pages_of(NOUNS) if "{number:int}" in page.path or page.path.startswith("/attachments")]
    assert len(of_tickets) >= 3

    for page in of_tickets:
        there, missing = house.path(page), house.path(page, instead={"number": "987654", "token": "no-such-file"})
        for headers in ({}, {"hx-request": "true"}, {"accept": "application/json"}, {"range": "bytes=0-1"}):
            if page.method == "GET":
                answers = [stranger.get(path, headers=headers) for path in (there, missing)]
                assert stranger.head(there).status_code == 404
            else:
                answers = [stranger.post(path, {"body": "x"}, headers=headers) for path in (there, missing)]
            assert [answer.status_code for answer in answers] == [404, 404], page.path
            assert answers[0].text.replace(there, "") == answers[1].text.replace(missing, "")


@pytest.mark.parametrize("query", ["", "?q=%23{n}", "?q={n}", "?q=vpn", "?state=received", "?before=999999999", "?q=kimura", "?account_id=1&user=kimura"])
@one_database
def test_d52_no_list_or_search_shows_anothers_ticket(house: House, query: str) -> None:
    page = house.customer("ishii").get("/tickets" + query.format(n=house.numbers["tickets number"]))

    assert "VPN" not in page.text


def test_d54_a_file_is_read_through_its_post_only(house: House, clock: Clock) -> None:
    tokens = ("file-of-customer", "file-of-note", "file-of-undone")

    def seen(user_id: str) -> list[int]:
        return [house.customer(user_id).get(f"/attachments/{token}").status_code for token in tokens]

    assert (seen("kimura"), seen("ishii")) == ([200, 404, 404], [404, 404, 404])
    clock.advance(hours=2)
    assert (seen("kimura"), seen("ishii")) == ([200, 404, 200], [404, 404, 404])


@pytest.mark.parametrize("role", list(Role))
@one_database
def test_d54_only_who_reads_threads_reads_their_files(house: House, role: Role) -> None:
    found = [house.staff(role.value).get(f"/console/attachments/{token}").status_code for token in ("file-of-customer", "file-of-note")]

    assert found == ([403, 403] if role is Role.SERVICE_CENTER else [200, 200])


@one_database
def test_d54_a_suspended_account_reads_no_file(house: House) -> None:
    visitor = house.customer()
    with transaction(house.engine) as session:
        session.scalars(select(Account).where(Account.user_id == "kimura")).one().state = AccountState.SUSPENDED

    assert visitor.get("/attachments/file-of-customer").headers["location"].startswith("/login")


def test_d54_a_file_that_is_held_for_one_is_nobody_elses(house: House) -> None:
    house.customer().post("/tickets/new/juniper-srx", {"subject": ""}, files=[("files", ("mine.txt", b"mine"))])
    with transaction(house.engine, readonly=True) as session:
        token = session.scalars(select(Attachment.token).where(Attachment.name == "mine.txt")).one()

    stranger = house.customer("ishii")
    assert stranger.get(f"/attachments/{token}").status_code == 404
    assert house.staff().get(f"/console/attachments/{token}").status_code == 404
    filled = {"subject": "s", "contract_key": "不明", "serial": "不明", "category": "障害", "body": "b", "held": token, "confirmed": "1"}
    stranger.post("/tickets/new/juniper-srx", filled)
    with transaction(house.engine, readonly=True) as session:
        assert session.scalars(select(Attachment.message_id).where(Attachment.token == token)).one() is None


@one_database
def test_a_file_that_the_storage_lost_is_not_there(house: House) -> None:
    for key, _ in list(house.wiring.store.listing()):
        house.wiring.store.delete(key)

    assert house.customer().get("/attachments/file-of-customer").status_code == 404
    assert house.staff().get("/console/attachments/file-of-customer").status_code == 404


def test_a20_d55_fields_that_no_form_has_change_nothing_and_are_told_by_name(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    number = int(house.numbers["tickets number"])
    extra = {"ticket_id": "1", "author_id": "1", "created_at": "2000-01-01", "kind": "answer", "account_id": "2", "is_active\n": "a-value-of-an-extra-field"}

    assert reply(house, **extra, state="closed", priority="urgent") == 303

    with transaction(house.engine, readonly=True) as session:
        posted = session.scalars(select(Message).order_by(Message.id.desc())).first()
        ticket = session.get_one(Ticket, number)
        assert posted and (posted.ticket_id, posted.kind, posted.created_at, posted.author_name) == (number, "customer", people.NOW, "木村 はるか")
        assert (ticket.state, ticket.priority) == ("waiting_center", "normal")
    told = next(line for line in capsys.readouterr().out.splitlines() if "unknown fields" in line)
    assert all(repr(name)[1:-1] in told for name in extra) and "a-value-of-an-extra-field" not in told


def test_two_who_use_one_mark_for_their_forms_both_get_their_ticket(house: House) -> None:
    filled = {"contract_key": "不明", "serial": "不明", "category": "障害", "body": "b", "confirmed": "1"}
    for mark in ("1", "長" * 100, "x" * 5000):
        made = [
            house.customer(who).post("/tickets/new/juniper-srx", {**filled, "subject": who, "submission": mark}).headers["location"]
            for who in ("kimura", "ishii")
        ]
        assert made[0] != made[1]
    with transaction(house.engine, readonly=True) as session:
        assert list(session.scalars(select(Ticket.subject).order_by(Ticket.id)))[1:] == ["kimura", "ishii"] * 3


def test_d57_accounts_of_one_company_and_one_address_see_their_own_only(house: House) -> None:
    with transaction(house.engine) as session:
        twin = people.add_account(session, "kimura2")
        people.add_ticket(session, twin, subject="双子のチケット")
        house.numbers["account kimura2"] = str(twin.id)

    own, other = house.customer("kimura").get("/tickets").text, house.customer("kimura2").get("/tickets").text

    assert "双子の" not in own and "VPN" in own
    assert "双子の" in other and "VPN" not in other


def test_d58_who_is_turned_away_by_name_leaves_a_line_in_the_journal(house: House) -> None:
    assert house.customer().get("/console/tickets").status_code == 404
    assert house.staff("support").get("/tickets").status_code == 404
    assert house.staff("support").post("/console/staff", {}).status_code == 404
    assert house.staff("auditor").post("/console/masters/categories", {}).status_code == 403
    assert house.visitor().get("/console/tickets").status_code == 303
    assert house.customer().post("/console/jobs/a%00b/run", {}).status_code == 404

    assert [line for line in journal(house) if line[1] == "refuse_access"] == [
        ("customer", "refuse_access", "/console/tickets"),
        ("staff", "refuse_access", "/tickets"),
        ("staff", "refuse_access", "/console/staff"),
        ("staff", "refuse_access", "/console/masters/categories"),
        ("customer", "refuse_access", "/console/jobs/a b/run"),
    ]


@one_database
def test_d58_one_person_cannot_fill_the_journal(house: House, clock: Clock) -> None:
    customer = house.customer()
    for _ in range(AT_MOST + 5):
        customer.get("/console/tickets")
    assert len(journal(house)) == AT_MOST

    clock.advance(hours=1, seconds=1)
    customer.get("/console/tickets")
    assert len(journal(house)) == AT_MOST + 1


@one_database
def test_d58_a_file_of_somebody_turned_away_is_never_stored(house: House) -> None:
    before = len(list(house.wiring.store.listing()))

    answer = house.staff("auditor").post(f"/console/tickets/{house.numbers['tickets number']}/replies", {"body": "x"}, files=[("files", ("a", b"x"))])

    assert answer.status_code == 403
    assert len(list(house.wiring.store.listing())) == before
    assert [line[1] for line in journal(house)] == ["refuse_access"]


@one_database
def test_d60_to_d63_whatever_a_file_is_it_comes_back_as_bytes_to_keep(house: House) -> None:
    kinds = TYPES * 2
    files = [("files", (name, content, kind)) for (name, content), kind in zip(HOSTILE_FILES.items(), kinds, strict=False)]
    house.customer().post(f"/tickets/{house.numbers['tickets number']}/replies", {"body": "x"}, files=files)

    with transaction(house.engine, readonly=True) as session:
        rows = session.execute(select(Attachment.token, Attachment.name, Attachment.storage_key).where(Attachment.name != "a.txt")).all()
    assert {row.name for row in rows} == {name.lstrip(".") for name in HOSTILE_FILES}
    for row in rows:
        content = next(content for name, content in HOSTILE_FILES.items() if name.lstrip(".") == row.name)
        assert row.name not in row.storage_key
        for options in ({}, {"params": {"inline": "1", "disposition": "inline"}}, {"headers": {"accept": "text/html"}}, {"headers": {"range": "bytes=0-2"}}):
            answer = house.customer().get(f"/attachments/{row.token}", **options)
            assert (answer.status_code, answer.content) == (200, content)
            assert answer.headers["content-type"] == "application/octet-stream"
            assert answer.headers["content-disposition"].startswith("attachment;")
            assert answer.headers["content-security-policy"].startswith("sandbox")
            assert answer.headers["x-content-type-options"] == "nosniff"


def test_d64_no_file_name_reaches_a_path_or_a_header(house: House) -> None:
    customer, path = house.customer(), f"/tickets/{house.numbers['tickets number']}/replies"
    parts = [b'Content-Disposition: form-data; name="csrf_token"\r\n\r\n' + customer.csrf.encode(), b'Content-Disposition: form-data; name="body"\r\n\r\nx']
    parts += [b'Content-Disposition: form-data; name="files"; filename="' + name.replace(b"\\", b"\\\\") + b'"\r\n\r\nx' for name in FILE_NAMES]
    body = b"".join(b"--x\r\n" + part + b"\r\n" for part in parts) + b"--x--\r\n"

    assert customer.post(path, content=body, headers={"content-type": "multipart/form-data; boundary=x"}).status_code == 303

    with transaction(house.engine, readonly=True) as session:
        rows = session.execute(select(Attachment.token, Attachment.name).where(Attachment.name != "a.txt").order_by(Attachment.id)).all()
    assert [row.name for row in rows] == [name for name in FILE_NAMES.values() if name]
    for row in rows:
        header = customer.get(f"/attachments/{row.token}").headers["content-disposition"]
        assert header.isascii() and header.isprintable() and "\\" not in header
        assert header.count('"') == 2
    page = browser(house, "kimura").get(f"/tickets/{house.numbers['tickets number']}")
    assert "<img src=x onerror=alert(1)>" in page.text


@pytest.mark.parametrize(
    "typed",
    [
        "javascript:alert(1)//http://x",
        "data:text/html,<script>alert(1)</script>",
        "http://x\"onmouseover='alert(1)'",
        "http://x'><script>alert(1)</script>",
        "https://evil.example/\u202egnp.exe",
        "vbscript:x http://a?<b>",
        "http://[::1]/",
        "HTTP://X/<svg/onload=alert(1)>",
    ],
)
@one_database
def test_d66_text_becomes_a_link_only_to_the_web(house: House, typed: str) -> None:
    reply(house, body=typed)

    page = browser(house, "kimura").get(f"/tickets/{house.numbers['tickets number']}")

    for link in page.root.all("a", rel="noopener nofollow"):
        assert link.attributes["href"].startswith(("http://", "https://"))
        assert set(link.attributes) == {"href", "rel"}
        assert link.text == link.attributes["href"]


@pytest.mark.parametrize(
    "typed", ['<div hx-get="/logout" hx-trigger="load">', "<hx-partial>", '<div hx-swap-oob="true" id="reply">', '<b hx-on:click="alert(1)">', "</div></main>"]
)
@one_database
def test_d67_what_htmx_would_obey_is_text_and_stands_where_htmx_does_not_look(house: House, typed: str) -> None:
    reply(house, body=typed)

    page = browser(house, "kimura").get(f"/tickets/{house.numbers['tickets number']}")

    around = next(element for element in page.root.all("div") if "hx-ignore" in element.attributes and typed in element.text)
    assert not [inner for inner in around.walk() for name in inner.attributes if name.startswith("hx-") and name != "hx-ignore"]


@one_database
def test_d54_a_file_of_an_undone_answer_is_gone_for_the_customer(house: House, clock: Clock) -> None:
    number, message = house.numbers["tickets number"], house.numbers["replies message"]
    house.staff("support").post(f"/console/tickets/{number}/replies/{message}/withdrawal", {})
    clock.set(clock() + timedelta(hours=3))

    assert house.customer().get("/attachments/file-of-undone").status_code == 404
    assert "取り消せる回答" not in house.customer().get(f"/tickets/{number}").text
