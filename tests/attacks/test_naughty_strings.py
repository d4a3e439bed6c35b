"""Naughty strings and script payloads in every text field: shown as typed, kept as typed, never run (attack list 65)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.database import transaction
from models.people import Account
from models.tickets import Message, Ticket
from rules.limits import Limits
from rules.rights import Role
from rules.text import searchable
from tests import people
from tests.attacks.house import House
from tests.attacks.strings import NAUGHTY, PAYLOADS
from tests.client import Client
from web.sessions import open_customer_session, open_staff_session

EVERYTHING = [*NAUGHTY, *PAYLOADS]
IN_FIELDS = [typed for typed in EVERYTHING if not typed.strip().lower().startswith("javascript:")]
"""What the audit of a page lets stand in a field's value; the others are shown as text."""
one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def as_kept(typed: str) -> str:
    """DOMAIN keeps a post as written; line ends are the form's own."""
    return typed.replace("\r\n", "\n")


def as_read(typed: str) -> str:
    """What a reader of a page finds of it, blanks made single."""
    return " ".join(typed.split())


def unmarked(text: str) -> str:
    """`text` without back-ticks: around code they are shown as a face of letters."""
    return text.replace("`", "")


def browser(house: House, cookie: str, token: str) -> Client:
    """A visitor who audits every page they are shown."""
    visitor = Client(house.app)
    visitor.cookies.set(cookie, token)
    return visitor


def test_the_list_is_long_enough() -> None:
    assert len(set(NAUGHTY)) > 150 and len(set(PAYLOADS)) >= 60


def test_d65_every_post_is_kept_as_written_and_shown_to_both_sides(house: House) -> None:
    number = house.numbers["tickets number"]
    customer, member = house.customer(), house.staff("support")
    for typed in EVERYTHING:
        assert customer.post(f"/tickets/{number}/replies", {"body": typed}).status_code in (303, 422), repr(typed)

    for typed in PAYLOADS:
        assert member.post(f"/console/tickets/{number}/notes", {"body": typed}).status_code == 303, repr(typed)

    with transaction(house.engine, readonly=True) as session:
        kept = {(row.kind, row.body) for row in session.execute(select(Message.kind, Message.body))}
    wanted = [as_kept(typed) for typed in EVERYTHING if typed.strip() and searchable(typed).strip()]
    assert [text for text in wanted if ("customer", text) not in kept] == []
    assert [text for text in PAYLOADS if ("note", text) not in kept] == []
    portal = unmarked(browser(house, customer.cookie, customer.token).get(f"/tickets/{number}").text)
    console = unmarked(browser(house, member.cookie, member.token).get(f"/console/tickets/{number}").text)
    assert [text for text in wanted if unmarked(as_read(text)) not in portal or unmarked(as_read(text)) not in console] == []


@one_database
def test_d65_every_field_of_a_ticket_comes_back_as_typed_from_the_check_page(house: House) -> None:
    visitor = browser(house, "jtickets_portal", house.customer().token)
    for first, second in _pairs(IN_FIELDS):
        visitor.get("/tickets/new/juniper-srx")
        typed = {"subject": first, "contract_key": second[:100], "serial": first[:100], "model": second[:100], "os_version": first[:100], "body": second}
        page = visitor.post("/tickets/new/juniper-srx", {"csrf_token": visitor.csrf_token(), "category": "障害", **typed}, multipart=True, follow=False)
        assert page.status in (200, 422), repr(first)
        for name, value in typed.items():
            assert page.value_of(name) in (as_kept(value), as_kept(value).removeprefix("\n")), (name, value)


def test_d65_lists_and_searches_show_what_was_typed(house: House) -> None:
    with transaction(house.engine) as session:
        account = session.scalars(select(Account).where(Account.user_id == "kimura")).one()
        for typed in EVERYTHING:
            people.add_ticket(session, account, subject=as_read(typed) or "x", contract=as_read(typed)[:200] or "x", serial=as_read(typed)[:200] or "x")
    customer, member = house.customer(), house.staff()
    for place, typed in enumerate(EVERYTHING):
        searches = ((customer, "/tickets"), (member, "/console/tickets"), (customer, "/profile"), (member, "/console/contracts"), (member, "/console/mails"))
        for visitor, path in searches if place % 4 == 0 else searches[:1]:
            assert visitor.get(path, params={"q": typed}).status_code == 200, (path, typed)
    portal, console = browser(house, customer.cookie, customer.token), browser(house, member.cookie, member.token)
    for typed in PAYLOADS[::6]:
        assert as_read(typed) in portal.get(f"/tickets?q={_quoted(typed)}").text
        assert console.get(f"/console/tickets?q={_quoted(typed)}").status == 200
        assert console.get(f"/console/accounts?q={_quoted(typed)}").status == 200
        assert console.get(f"/console/journal?actor={_quoted(typed)}").status == 200


@one_database
def test_d65_the_registration_shows_again_what_was_typed(house: House) -> None:
    visitor = Client(house.app)
    visitor.get("/register")
    for first, second in _pairs(IN_FIELDS):
        typed = {"company_name": first, "person_name": second, "user_id": first, "email": second, "maintenance_email": first, "contract_key": second}
        page = visitor.post("/register", {"csrf_token": visitor.csrf_token(), **typed, "password": first}, follow=False)
        assert page.status in (422, 429), repr(first)
        for name, value in typed.items():
            assert page.value_of(name) == as_kept(value), (name, value)


@one_database
@pytest.mark.browser
def test_d65_a_browser_runs_nothing_of_what_people_typed(desk_address: str, engine: Engine, browser_page: Page) -> None:
    ran: list[str] = []
    browser_page.expose_function("attacked", lambda: ran.append(browser_page.url))  # pyright: ignore[reportUnknownMemberType] - its callback takes anything
    with transaction(engine) as session:
        number = _poisoned(session)
        account, member = session.scalars(select(Account)).one(), session.scalars(select(people.Staff)).one()
        cookies = {
            "jtickets_portal": open_customer_session(session, account.id, client="127.0.0.1", limits=Limits(), now=people.NOW),
            "jtickets_console": open_staff_session(session, member.id, totp_passed=True, client="127.0.0.1", limits=Limits(), now=people.NOW),
        }
    for name, value in cookies.items():
        browser_page.context.add_cookies([{"name": name, "value": value, "url": desk_address}])

    for path in ("/tickets", f"/tickets/{number}?reply=1", "/profile", "/profile/edit"):
        browser_page.goto(desk_address + path)
    for path in ("/console/tickets?state=all", f"/console/tickets/{number}", "/console/accounts", "/console/journal", "/console/staff"):
        browser_page.goto(desk_address + path)
        browser_page.wait_for_load_state("networkidle")

    assert browser_page.evaluate("typeof window.attacked") == "function"
    assert ran == []


def _poisoned(session: Session) -> int:
    """An account, a member of the staff and a ticket whose every word is a payload; the ticket's number."""
    people.add_certificate(session)
    account = people.add_account(session, company_name=PAYLOADS[0], person_name=PAYLOADS[25])
    member = people.add_staff(session, name=PAYLOADS[2], roles=tuple(Role))
    ticket = people.add_ticket(session, account, subject=PAYLOADS[25], body="\n".join(PAYLOADS), contract=PAYLOADS[27], serial=PAYLOADS[28], cc=[PAYLOADS[3]])
    ticket.model, ticket.os_version = PAYLOADS[4], PAYLOADS[30]
    for payload in PAYLOADS:
        people.add_post(session, ticket, payload, account=account)
        people.add_post(session, ticket, payload, staff=member, note=True)
    return session.get_one(Ticket, ticket.id).id


def _pairs(texts: list[str]) -> Iterator[tuple[str, str]]:
    yield from zip(texts[::2], texts[1::2], strict=False)


def _quoted(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())
