"""What the queue costs: statements, bytes, and counts that stop counting."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from models.base import NEVER
from models.database import is_sqlite, transaction
from models.queue import Order, Wanted, queue_statement
from rules.rights import Role
from rules.tickets import State
from tests.client import Client
from tests.console.counting import counted
from tests.people import NOW, add_account, add_staff, add_ticket, sign_in_staff

COMPANIES = ("東西ネットワーク株式会社", "学校法人あおぞら学園", "みなと情報システム株式会社")
SUBJECTS = ("SRX300 で IPsec VPN が数分おきに切断される", "無線 AP が 1 台だけコントローラに帰属しない", "ライセンスの更新手順を確認したい")


def fill(engine: Engine, client: Client, tickets: int, *, roles: tuple[Role, ...] = (Role.SUPPORT,)) -> None:
    """Tickets of several companies in several states, and a signed-in engineer who has some of them."""
    with transaction(engine) as session:
        member = add_staff(session, roles=roles)
        sign_in_staff(client, session, member)
        accounts = [add_account(session, f"user{n}", company_name=name) for n, name in enumerate(COMPANIES)]
        states = (State.NEW, State.OPEN, State.OPEN, State.WAITING_CUSTOMER)
        for n in range(tickets):
            state = states[n % 4]
            due_at = NEVER if state is State.WAITING_CUSTOMER else NOW + timedelta(minutes=7 * n - 60)
            add_ticket(session, accounts[n % 3], subject=SUBJECTS[n % 3], state=state, assignee=None if state is State.NEW else member, due_at=due_at)


@pytest.mark.parametrize("tickets", [0, 3, 130])
@pytest.mark.parametrize("query", ["", "?view=mine", "?view=due", "?state=all&product=juniper-srx"])
def test_the_queue_asks_the_database_four_times_whatever_it_shows(engine: Engine, client: Client, tickets: int, query: str) -> None:
    fill(engine, client, tickets)

    with counted(engine) as statements:
        client.get(f"/console/tickets{query}")

    assert len(statements) <= 4, "\n".join(statements)


@pytest.mark.parametrize("tickets", [3, 130])
def test_a_search_asks_the_database_twelve_times_whatever_it_finds(engine: Engine, client: Client, tickets: int) -> None:
    fill(engine, client, tickets)

    with counted(engine) as statements:
        client.get("/console/tickets?q=VPN")

    assert len(statements) <= 12, "\n".join(statements)


def test_fifty_rows_weigh_at_most_25_kib_without_the_frame(engine: Engine, client: Client) -> None:
    fill(engine, client, 60)

    page = client.get("/console/tickets", headers={"hx-request": "true"})

    assert page.text.count("#10") == 50
    assert len(page.content) <= 25 * 1024


def test_the_side_menu_counts_to_99_and_no_further(engine: Engine, client: Client) -> None:
    fill(engine, client, 140)

    menu = client.get("/console/tickets").root.first("nav", **{"aria-label": "チケットのビュー"})

    assert menu
    items = {item.text for item in menu.all("li")}
    assert any(item.startswith("自分の担当") and "99+" in item for item in items), items
    assert any(item.startswith("お客様確認待ち") and "35" in item for item in items), items
    assert any(item.startswith("未割り当て") and "35" in item for item in items), items


@pytest.mark.parametrize(
    ("wanted", "order", "index"),
    [
        (Wanted(unresolved=True), Order.DUE, "ix_ticket_due"),
        (Wanted(unresolved=True), Order.UPDATED, "ix_ticket_unresolved_updated"),
        (Wanted(unresolved=True), Order.CREATED, "ix_ticket_unresolved"),
        (Wanted(unresolved=True, assignee_id=1), Order.DUE, "ix_ticket_assignee"),
        (Wanted(unresolved=True, family_id=1), Order.DUE, "ix_ticket_family"),
        (Wanted(state=State.WAITING_VENDOR), Order.DUE, "ix_ticket_state"),
        (Wanted(state=State.CLOSED), Order.RESOLVED, "ix_ticket_resolved"),
        (Wanted(), Order.UPDATED, "ix_ticket_updated"),
        (Wanted(unresolved=True), Order.NUMBER, "ix_ticket_unresolved"),
        (Wanted(family_id=1), Order.UPDATED, "ix_ticket_family_updated"),
        (Wanted(family_id=1), Order.CREATED, "ix_ticket_family_number"),
        (Wanted(assignee_id=1), Order.UPDATED, "ix_ticket_assignee_updated"),
        (Wanted(assignee_id=1), Order.NUMBER, "ix_ticket_assignee_number"),
    ],
)
def test_the_queue_walks_an_index_and_sorts_nothing(session: Session, wanted: Wanted, order: Order, index: str) -> None:
    lookup = queue_statement(wanted, order, limit=51).compile(session.connection(), compile_kwargs={"literal_binds": True})
    sqlite = is_sqlite(session)
    if not sqlite:
        # What the server counted while other tests filled the table would speak for them.
        session.execute(text("TRUNCATE ticket CASCADE"))
        session.execute(text("DELETE FROM pg_statistic WHERE starelid = 'ticket'::regclass"))
        # A table of no rows is read faster as a whole; the planner shall choose as it would among a million.
        for way in ("seqscan", "bitmapscan", "sort"):
            session.execute(text(f"SET LOCAL enable_{way} = off"))

    plan = session.execute(text(f"EXPLAIN {'QUERY PLAN ' if sqlite else ''}{lookup}"))
    steps = " ".join(str(row[-1]) for row in plan)

    assert f"{index} " in f"{steps} "
    assert "TEMP B-TREE" not in steps
    assert "Sort Key" not in steps
