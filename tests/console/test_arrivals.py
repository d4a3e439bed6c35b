"""New tickets are announced, and no row moves."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine

from models.database import transaction
from rules.tickets import State
from tests.client import Client
from tests.clock import Clock
from tests.console.counting import counted
from tests.people import NOW, add_account, add_staff, add_ticket, sign_in_staff

HTMX = {"hx-request": "true"}


def test_a_list_is_told_what_came_since_it_was_drawn_and_only_of_its_own(engine: Engine, client: Client, clock: Clock) -> None:
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session))
        account = add_account(session)
        for n in range(5):
            add_ticket(session, account, subject=f"前からの件 {n}", now=NOW - timedelta(hours=1))
    asked = client.get("/console/tickets?state=new").root.first(id="arrivals")
    assert asked
    url = asked.attributes["hx-get"]
    assert client.get(url, headers=HTMX, expect=204).content == b""
    clock.advance(seconds=40)
    with transaction(engine) as session:
        for state in (State.NEW, State.NEW, State.OPEN):
            add_ticket(session, account, state=state, now=clock())

    with counted(engine) as statements:
        page = client.get(url, headers=HTMX)

    assert page.root.text == "新着 2件を表示" and len(statements) <= 3, "\n".join(statements)
    again = page.root.first(id="arrivals")
    assert again and again.attributes["data-n"] == "2"
    assert client.get(again.attributes["hx-get"], headers=HTMX, expect=204).content == b""
    link = page.root.first("a")
    assert link and client.get(link.attributes["href"]).text.count("#10") == 7


def test_a_search_and_a_list_of_last_year_are_told_nothing(engine: Engine, client: Client) -> None:
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session))
        add_ticket(session, add_account(session))

    assert client.get("/console/tickets?q=VPN").root.first(id="arrivals") is None
    for query in ("", "?since=1", "?since=x", "?since=99999999999", f"?since={int(NOW.timestamp()) - 60}&q=VPN"):
        client.get(f"/console/tickets/arrivals{query}", headers=HTMX, expect=204)
