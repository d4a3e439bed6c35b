"""The reports: what tickets' time came to, counted by the database, drawn, told in a table and taken away as a file."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import Engine, insert, select

from actions.figures import measure
from actions.merges import merge
from actions.splits import Heading, split_off
from actions.tickets import answer, change_priority, change_state, withdraw_answer
from mail.desk import Desk
from models.actors import StaffMember
from models.base import NEVER
from models.database import transaction
from models.figures import TicketFigures
from models.journal import JournalEntry
from models.people import Account
from models.reports import By, Period, backlog_at, figures_by, spread_by
from models.tickets import Ticket
from rules.calendar import BusinessCalendar
from rules.limits import Limits
from rules.rights import Role
from rules.tickets import Priority, State
from tests.client import Client
from tests.console.counting import counted
from tests.people import NOW, add_account, add_post, add_staff, add_ticket, sign_in_staff
from web.wiring import Wiring

REPORTS = "/console/reports"
HOUR = timedelta(hours=1)
CALENDAR, LIMITS = BusinessCalendar(), Limits()
MORNING = datetime(2026, 11, 16, 0, 0, tzinfo=UTC)
"""A Monday, nine o'clock in Japan."""


def sign_in(engine: Engine, client: Client, *roles: Role) -> StaffMember:
    with transaction(engine) as session:
        row = add_staff(session, "reader", name="山本", roles=roles)
        sign_in_staff(client, session, row)
        return StaffMember(row.id, "山本")


def history(engine: Engine, desk: Desk, by: StaffMember) -> None:
    """山本's ticket of November: answered after 2 hours, waited 1 for the customer, solved after 6. Another is 不明 and stays open."""
    with transaction(engine) as session:
        account = add_account(session)
        mine = add_ticket(session, account, now=MORNING, due_at=MORNING + 4 * HOUR)
        answer(session, mine, "確認します", next_state=None, last_seen=2**31, submission="a", by=by, desk=desk, limits=LIMITS, now=MORNING + HOUR)
        message = session.scalars(select(JournalEntry).where(JournalEntry.act == "answer")).one().facts["message"]
        withdraw_answer(session, mine, message, by=by, limits=LIMITS, now=MORNING + HOUR)
        number = mine.id
    with transaction(engine) as session:
        mine, account = session.get_one(Ticket, number), session.scalars(select(Account)).one()
        now = MORNING + 2 * HOUR
        answer(session, mine, "お試しください", next_state=State.WAITING_CUSTOMER, last_seen=2**31, submission="b", by=by, desk=desk, limits=LIMITS, now=now)
        change_state(session, mine, State.OPEN, by=by, calendar=CALENDAR, now=now + HOUR)
        change_state(session, mine, State.RESOLVED, by=by, calendar=CALENDAR, now=MORNING + 6 * HOUR)
        add_ticket(session, account, family="ruckus", contract="不明", now=MORNING - timedelta(days=30))
        merged = add_ticket(session, account, now=MORNING)
        merged.merged_into_id = mine.id


def test_the_figures_are_counted_drawn_told_and_taken_away(client: Client, engine: Engine, wiring: Wiring) -> None:
    history(engine, wiring.desk, sign_in(engine, client, Role.LEAD))
    with transaction(engine) as session:
        assert (measure(session, now=NOW, limit=2), measure(session, now=NOW, limit=500), measure(session, now=NOW, limit=500)) == (2, 1, 0)

    with counted(engine) as statements:
        page = client.get(f"{REPORTS}?by=product&since=2026/10/01&until=2026年11月30日")

    assert len(statements) <= 9
    assert page.says("Juniper-SRX 1 1 2時間 2時間 100.0% 6時間 6時間 1時間 0 0 0（0.0%）", "Ruckus 1 0 – – – – – 0 0 0 1（100.0%）")
    assert page.says("2026年10月 1", "2026年11月 1", "不明の割合50.0%")
    titles = [element.first("title") for element in page.root.all("svg") if element.attributes.get("role") == "img"]
    assert [title.text for title in titles if title] == [
        "受付と解決",
        "最初の回答までの時間",
        "解決までの時間",
        "待ちの時間",
        "不明の割合",
        "月末の未解決の件数",
    ]
    assert client.get(f"{REPORTS}?by=engineer&since=2026/10/01").says("山本 1 1 2時間", "未割り当て 1 0")
    assert client.get(f"{REPORTS}?by=category&since=2026/10/01").says("障害 2 1")
    assert client.get(f"{REPORTS}?since=2026/08/01").says("2026年8月 0 0", "2026年11月 1 1 2時間")

    xlsx = client.submit("xlsx で書き出す")
    rows = [*load_workbook(BytesIO(xlsx.content)).worksheets[0].values]
    assert (rows[0][0], rows[-2][0], rows[-2][1:5]) == ("月", "2026年11月", (1, 1, 2, 2))
    client.get(f"{REPORTS}?by=product&since=2026/10/01")
    assert "Ruckus,1,0,,,,,,0.0,0.0,0.0,1,100.0" in client.submit("csv（UTF-8）").content.decode()
    with transaction(engine, readonly=True) as session:
        entries = session.scalars(select(JournalEntry).where(JournalEntry.act == "export_report").order_by(JournalEntry.id)).all()
        assert [entry.facts["kind"] for entry in entries] == ["xlsx", "csv"]


def test_a_reopened_ticket_is_counted_anew(engine: Engine, client: Client, wiring: Wiring) -> None:
    me = sign_in(engine, client, Role.LEAD)
    history(engine, wiring.desk, me)
    with transaction(engine) as session:
        measure(session, now=NOW, limit=500)
        ticket = session.scalars(select(Ticket).where(Ticket.first_answer_at.is_not(None))).one()
        change_state(session, ticket, State.OPEN, by=me, calendar=CALENDAR, now=MORNING + 7 * HOUR)
        number = ticket.id
    with transaction(engine) as session:
        assert measure(session, now=NOW, limit=500) == 1
        figures = session.get_one(TicketFigures, number)
        assert (figures.first_answer, figures.first_in_time, figures.resolution, figures.waited_customer) == (7210, True, None, 3600)


def test_an_engineer_sees_their_own_figures_and_nobody_elses(client: Client, engine: Engine, wiring: Wiring) -> None:
    with transaction(engine) as session:
        other = add_staff(session, "sato", name="佐藤")
    history(engine, wiring.desk, StaffMember(other.id, "佐藤"))
    sign_in(engine, client, Role.SUPPORT)

    page = client.get(f"{REPORTS}?by=engineer&since=2026/10/01")

    assert page.says("ご自身が担当したチケットの集計です。", "この期間に受け付けたチケットはありません。")
    assert not page.says("佐藤")


def test_days_that_are_none_or_too_many_give_way_to_six_months(client: Client, engine: Engine) -> None:
    sign_in(engine, client, Role.AUDITOR)

    assert client.get(f"{REPORTS}?since=いつか").says("日付を読めませんでした。", "いまは 6 か月分を表示しています。")
    assert client.get(f"{REPORTS}?until=0001/01/05").says("日付を読めませんでした。")
    assert client.get(f"{REPORTS}?since=2020/01/01").says("期間は 36か月までにしてください。")
    assert client.get(f"{REPORTS}?since=2026/12/24&until=2026/11/01").says("期間を確かめてください。")
    client.post(f"{REPORTS}/export", {"kind": "pdf", "csrf_token": client.csrf_token()}, expect=404)


@pytest.mark.proof
def test_a_hundred_thousand_tickets_are_reported_by_a_few_statements(engine: Engine) -> None:
    with transaction(engine) as session:
        account, staff = add_account(session), [add_staff(session, f"s{n}", name=f"担当{n}") for n in range(20)]
        template: dict[str, Any] = {
            "account_id": account.id,
            "subject": "x",
            "search_text": "",
            "contract_text": "x",
            "serial_text": "x",
            "cc": [],
            "opening_verdict": {},
        }
        template |= {"state_before": State.OPEN, "due_at": NEVER, "clock_pauses": [], "version": 1, "serial_key": "X", "unresolved": False}
        for begin in range(0, 100_000, 1000):
            rows = [_past(n, template, staff[n % 20].id) for n in range(begin, begin + 1000)]
            session.execute(insert(Ticket), rows)
    spent = time.perf_counter()
    while True:
        with transaction(engine) as session:
            if measure(session, now=NOW, limit=500) < 500:
                break
    assert time.perf_counter() - spent < 120
    period = Period(NOW - timedelta(days=360), NOW, tuple(NOW - timedelta(days=30 * n) for n in range(11, -1, -1)))
    for by in By:
        began = time.perf_counter()
        with transaction(engine, readonly=True) as session:
            groups, spread, backlog = figures_by(session, by, period), spread_by(session, by, period), backlog_at(session, period)
        took = time.perf_counter() - began
        print(f"{engine.dialect.name} {by} {took:.2f} s")  # noqa: T201 - shown beside the proof
        assert sum(row.opened for row in groups) == 100_000
        assert {row.part for row in spread} == {row.part for row in groups}
        assert len(backlog) == 12
        assert took < 10, by


def _past(n: int, template: dict[str, Any], assignee: int) -> dict[str, Any]:
    opened = NOW - timedelta(minutes=5 * (n % 103_000) + 1)
    return template | {
        "family_id": n % 15 + 1,
        "category_id": n % 6 + 1,
        "contract_key": "" if n % 9 == 0 else "X",
        "state": State.CLOSED,
        "state_from": opened,
        "priority": [*Priority][n % 4],
        "assignee_id": assignee,
        "created_at": opened,
        "updated_at": opened + 50 * HOUR,
        "first_answer_at": opened + timedelta(minutes=n % 600),
        "resolved_at": opened + timedelta(minutes=n % 6000),
    }


def test_an_answer_is_measured_by_the_priority_it_was_given_under(engine: Engine, client: Client, wiring: Wiring) -> None:
    me = sign_in(engine, client, Role.LEAD)
    history(engine, wiring.desk, me)
    with transaction(engine) as session:
        ticket = session.scalars(select(Ticket).where(Ticket.first_answer_at.is_not(None))).one()
        change_priority(session, ticket, Priority.URGENT, by=me, calendar=CALENDAR, now=MORNING + 7 * HOUR)
        number = ticket.id

    with transaction(engine) as session:
        measure(session, now=NOW, limit=500)
        figures = session.get_one(TicketFigures, number)
        assert (figures.first_answer, figures.first_in_time) == (7210, True)


def test_a_merge_ends_the_waiting_of_the_ticket_that_took_the_posts(engine: Engine, client: Client, wiring: Wiring) -> None:
    me = sign_in(engine, client, Role.LEAD)
    with transaction(engine) as session:
        account = add_account(session)
        into = add_ticket(session, account, now=MORNING, due_at=MORNING + 4 * HOUR)
        ticket = add_ticket(session, account, now=MORNING + 2 * HOUR, due_at=MORNING + 6 * HOUR)
        answer(session, into, "?", next_state=State.WAITING_CUSTOMER, last_seen=2**31, submission="a", by=me, desk=wiring.desk, limits=LIMITS, now=MORNING)
        merge(session, ticket, into, by=me, limits=LIMITS, calendar=CALENDAR, now=MORNING + 3 * HOUR)
        change_state(session, into, State.RESOLVED, by=me, calendar=CALENDAR, now=MORNING + 5 * HOUR)
        number = into.id

    with transaction(engine) as session:
        measure(session, now=NOW, limit=500)
        assert session.get_one(TicketFigures, number).waited_customer == 3 * 3600


def test_a_first_answer_is_in_time_where_its_deadline_was_met_after_the_ticket_was_taken_up_again(engine: Engine, client: Client, wiring: Wiring) -> None:
    me = sign_in(engine, client, Role.LEAD)
    with transaction(engine) as session:
        ticket = add_ticket(session, add_account(session), now=MORNING, due_at=MORNING + 4 * HOUR)
        change_state(session, ticket, State.RESOLVED, by=me, calendar=CALENDAR, now=MORNING + HOUR)
        change_state(session, ticket, State.OPEN, by=me, calendar=CALENDAR, now=MORNING + 25 * HOUR)
        assert ticket.due_at == MORNING + 28 * HOUR
        at = MORNING + 26 * HOUR
        answer(session, ticket, "確認しました", next_state=None, last_seen=2**31, submission="a", by=me, desk=wiring.desk, limits=LIMITS, now=at)
        number = ticket.id

    with transaction(engine) as session:
        measure(session, now=NOW, limit=500)
        figures = session.get_one(TicketFigures, number)
        assert (figures.first_answer, figures.first_in_time) == (10 * 3600 + 10, True)
    page = client.get(f"/console/tickets/{number}/deadline")
    assert page.says("済んだ最初の回答", "停止（解決済み）", "停止：山本", "再開：山本")


def test_the_first_answer_of_a_split_ticket_is_measured_from_the_post_that_it_was_owed_to(engine: Engine, client: Client, wiring: Wiring) -> None:
    me = sign_in(engine, client, Role.LEAD)
    with transaction(engine) as session:
        account = add_account(session)
        ticket = add_ticket(session, account, now=MORNING, due_at=MORNING + 4 * HOUR)
        post = add_post(session, ticket, "別の件もお願いします", account=account, now=MORNING + HOUR)
        heading = Heading("別の件", ticket.family_id, 1)
        made = split_off(session, ticket, post.id, heading, by=me, desk=wiring.desk, limits=LIMITS, calendar=CALENDAR, now=MORNING + 6 * HOUR)
        assert (made.owed_since, made.due_at) == (MORNING + HOUR, MORNING + 5 * HOUR)
        at = MORNING + 7 * HOUR
        answer(session, made, "確認しました", next_state=None, last_seen=2**31, submission="a", by=me, desk=wiring.desk, limits=LIMITS, now=at)
        number = made.id

    with transaction(engine) as session:
        measure(session, now=NOW, limit=500)
        figures = session.get_one(TicketFigures, number)
        assert (figures.first_answer, figures.first_in_time) == (6 * 3600 + 10, False)
