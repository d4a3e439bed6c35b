"""Service calendars: typed, previewed, changed with the deadlines of open tickets; and the listing of why a deadline is what it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from actions import deadlines
from actions.clock import Moved, end_clock, follow_state, start_clock
from actions.tickets import change_state
from models.actors import StaffMember
from models.base import NEVER, AnyRow
from models.calendars import ServiceCalendar, business_calendar
from models.database import transaction
from models.journal import JournalEntry
from models.masters import CompanyDay, ProductFamily
from models.tickets import Ticket
from rules.calendar import BusinessCalendar, Targets
from rules.rights import Role
from rules.service_hours import WEEKDAYS, kept, read
from rules.tickets import Priority, State
from tests.client import Client
from tests.clock import Clock
from tests.console.counting import counted
from tests.people import NOW, add_account, add_staff, add_ticket, family_id, sign_in_staff

CALENDARS = "/console/masters/calendars"
HOUR = timedelta(hours=1)


def sign_in(engine: Engine, client: Client, *roles: Role) -> None:
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session, "tanaka", name="田中", roles=roles))


def test_a_calendar_is_added_typed_and_given_to_a_product_and_its_tickets_follow(client: Client, engine: Engine, clock: Clock) -> None:
    sign_in(engine, client, Role.ADMIN, Role.SUPPORT)
    with transaction(engine) as session:
        account, srx = add_account(session), family_id(session, "juniper-srx")
        moved = add_ticket(session, account, due_at=NOW + 4 * HOUR, assignee=None)
        stays = add_ticket(session, account, family="ruckus", due_at=NOW + 4 * HOUR)
        waits = add_ticket(session, account, state=State.WAITING_CUSTOMER)
        numbers = moved.id, stays.id, waits.id

    client.get(CALENDARS)
    client.submit(CALENDARS, name="標準", expect=422)
    page = client.submit(CALENDARS, name="２４時間")
    assert page.heading == "24時間"
    assert page.says("平日 9:00〜17:00（祝日と 12/29〜1/3 を除く）")
    closed: dict[str, Any] = {f"hours_{day}": "" for day in WEEKDAYS}
    ever: dict[str, Any] = dict.fromkeys(closed, "0:00〜24:00")
    faulty: dict[str, Any] = {"hours_mon": "9-17", "hours_tue": "17:00-9:00", "hours_wed": "9:00-12:00,11:00-13:00", "first_low": "0", "next_high": ""}
    wrong = client.submit("変更を保存する", expect=422, **faulty)
    assert all(wrong.fault_of(name) for name in faulty)
    assert "受付時間のある曜日がありません" in client.submit("変更を保存する", expect=422, **closed, first_low="8", next_high="2").fault_of("hours_mon")

    page = client.get(page.path)
    page = client.submit("変更を保存する", **ever, first_normal="１:30", families=[str(srx)], holidays=False, year_end=False)
    assert page.says("対応中のチケット 1件の回答の期限が動きます。", f"#{numbers[0]}", "まだ保存していません。")
    with transaction(engine, readonly=True) as session:
        assert session.get_one(Ticket, numbers[0]).due_at == NOW + 4 * HOUR

    page = client.submit("期限を動かして保存する", button="期限を動かして保存する")
    assert page.says("「24時間」を変更しました。", "回答の期限が動いたチケットは 1件です。", "毎日 終日")
    with transaction(engine, readonly=True) as session:
        row = session.scalars(select(ServiceCalendar).where(ServiceCalendar.name == "24時間")).one()
        assert session.get_one(Ticket, numbers[0]).due_at == NOW + HOUR + timedelta(minutes=30)
        assert [session.get_one(Ticket, number).calendar_id for number in numbers] == [row.id, None, row.id]
        assert session.get_one(Ticket, numbers[1]).due_at == NOW + 4 * HOUR
        assert session.get_one(ProductFamily, srx).calendar_id == row.id
        facts = session.scalars(select(JournalEntry).where(JournalEntry.act == "change_calendar")).one().facts
        assert (facts["deadlines"], facts["products"], facts["target_first"]) == (1, ["", "Juniper-SRX"], ["1 / 2 / 4 / 8", "1 / 2 / 1:30 / 8"])
    # In the evening the queue and the side menu know which calendar is whose.
    clock.set(datetime(2026, 12, 1, 8, 30, tzinfo=UTC))
    with transaction(engine) as session:
        session.get_one(Ticket, numbers[0]).due_at = clock() + timedelta(minutes=20)
        session.get_one(Ticket, numbers[1]).due_at = clock() + 16 * HOUR + timedelta(minutes=31)
    page = client.get("/console/tickets?view=due")
    assert page.says(f"#{numbers[0]}", "残り 20分") and not page.says(f"#{numbers[1]}")


def test_a_form_that_somebody_overtook_changes_nothing(client: Client, engine: Engine) -> None:
    sign_in(engine, client, Role.ADMIN)
    page = client.get(f"{CALENDARS}/1")
    with transaction(engine) as session:
        session.get_one(ServiceCalendar, 1).version = 2

    page = client.submit("変更を保存する", first_normal="3", expect=422)

    assert page.says("ほかの人がこのカレンダーを変更しました。")


def test_a_company_day_moves_deadlines_and_says_how_many(client: Client, engine: Engine) -> None:
    sign_in(engine, client, Role.ADMIN)
    with transaction(engine) as session:
        number = add_ticket(session, add_account(session), due_at=NOW + 4 * HOUR).id

    client.get("/console/masters/company-days")
    page = client.submit("/console/masters/company-days", day="2026年12月1日", name="臨時休業")

    assert page.says("回答の期限が動いたチケットは 1件です。")
    with transaction(engine, readonly=True) as session:
        assert session.get_one(Ticket, number).due_at == NOW + 27 * HOUR
        day = session.scalars(select(CompanyDay.id)).one()
    client.submit(f"/console/masters/company-days/{day}/removal")
    with transaction(engine, readonly=True) as session:
        assert session.get_one(Ticket, number).due_at == NOW + 4 * HOUR


def test_why_a_deadline_is_what_it_is(client: Client, engine: Engine, clock: Clock) -> None:
    sign_in(engine, client, Role.SUPPORT)
    friday = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
    with transaction(engine) as session:
        session.add(CompanyDay(day=datetime(2026, 11, 24, tzinfo=UTC).date(), name="創立記念日"))
        member = StaffMember(add_staff(session, "sato", name="佐藤").id, "佐藤")
        ticket = add_ticket(session, add_account(session), state=State.OPEN, now=friday, due_at=friday + HOUR)
        ticket.first_answer_at, ticket.due_at = friday - HOUR, datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
        desk = business_calendar(session)
        change_state(session, ticket, State.WAITING_VENDOR, by=member, calendar=desk, now=friday + timedelta(minutes=30))
        number = ticket.id
    clock.set(friday + timedelta(minutes=40))
    path = f"/console/tickets/{number}/deadline"
    assert client.get(path).says("いまも停止中", "停止（メーカー確認中）", "停止：佐藤", "3時間30分")
    assert not client.get(path).says("解決の目標")
    with transaction(engine) as session:
        standard = session.scalars(select(ServiceCalendar).where(ServiceCalendar.standard)).one()
        standard.terms = kept(replace(read(standard.terms), resolution={Priority.NORMAL: 16 * 60}))
        ticket = session.get_one(Ticket, number)
        change_state(session, ticket, State.OPEN, by=member, calendar=desk, now=friday + timedelta(minutes=50))

    with counted(engine) as statements:
        page = client.get(path)

    assert page.says("次の回答", "目標 4時間", "数えた時間 4時間", "11/25(水) 12:20", "停止：佐藤、再開：佐藤")
    assert page.says("解決の目標", "目標 16時間", "目標の時刻 2026/11/26(木) 16:20")
    assert page.says("勤労感謝の日", "創立記念日", "受付時間外", "土日")
    assert len(statements) <= 9
    assert client.get(f"/console/tickets/{number}").link("なぜこの期限か") == path


def test_a_clock_that_stood_and_ended_while_a_calendar_was_changed_stays_ended(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = BusinessCalendar(), BusinessCalendar(targets=Targets(next=dict.fromkeys(Priority, 90)))
    with transaction(engine) as session:
        ticket = add_ticket(session, add_account(session), state=State.WAITING_VENDOR)
        ticket.first_answer_at = NOW - HOUR
        start_clock(ticket, before, NOW)
        number = ticket.id
    with transaction(engine, readonly=True) as session:
        read = [*deadlines.moves_of(session, before, after)]
    assert [(row.id, moved.left) for row, moved in read] == [(number, 90 * 60)]

    def moves_of(*_: object) -> list[tuple[AnyRow, Moved]]:
        return read

    monkeypatch.setattr(deadlines, "moves_of", moves_of)
    with transaction(engine) as session:
        end_clock(session.get_one(Ticket, number))

    with transaction(engine) as session:
        deadlines.move_deadlines(session, before, after)

    with transaction(engine) as session:
        ticket = session.get_one(Ticket, number)
        assert (ticket.clock_left, ticket.owed_since) == (None, None)
        ticket.state = State.OPEN
        follow_state(ticket, after, NOW + HOUR)
        assert ticket.due_at == NEVER


def test_a_pause_that_began_before_the_post_that_is_owed_is_told_as_over(client: Client, engine: Engine, clock: Clock) -> None:
    sign_in(engine, client, Role.SUPPORT)
    with transaction(engine) as session:
        ticket = add_ticket(session, add_account(session), state=State.OPEN, due_at=NOW + 5 * HOUR)
        ticket.first_answer_at = NOW - HOUR
        ticket.clock_pauses = [{"state": "waiting_vendor", "since": (NOW - HOUR).isoformat(), "until": (NOW + HOUR).isoformat()}]
        number = ticket.id
    clock.set(NOW + 2 * HOUR)

    page = client.get(f"/console/tickets/{number}/deadline")

    assert page.says("停止（メーカー確認中）", "数えた時間 4時間")
    assert not page.says("いまも停止中")
