"""Out of hours the portal says when the desk answers next, by the calendar of the product."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, select

from models.calendars import ServiceCalendar
from models.database import transaction
from models.masters import CompanyDay, ProductFamily
from rules.service_hours import Terms, kept
from tests.client import Client
from tests.clock import Clock
from tests.people import add_account, sign_in_customer

FILLED: dict[str, Any] = {"subject": "VPN", "contract_key": "不明", "serial": "不明", "category": "障害", "body": "切断されます。"}


def tokyo(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Tokyo"))


def test_every_page_of_a_new_ticket_says_when_the_desk_answers_next(client: Client, engine: Engine, clock: Clock) -> None:
    clock.set(tokyo("2026-11-20T17:00"))
    with transaction(engine) as session:
        sign_in_customer(client, session, add_account(session), now=clock())
    told = "いまは受付時間外です。次の受付は 11月24日(火) 9:00 からです。"

    assert client.get("/tickets/new/juniper-srx").says("平日 9:00〜17:00（祝日と 12/29〜1/3 を除く）に順次回答します。", told)
    assert client.submit("/tickets/new/juniper-srx", **FILLED).says(told)
    page = client.submit("新規チケットの作成")
    assert page.text.count("次の受付は 11月24日(火) 9:00 からです。") == 2
    assert client.get(page.path).says(told)


def test_at_the_years_end_and_on_company_days_the_next_day_is_the_calendars(client: Client, engine: Engine, clock: Clock) -> None:
    clock.set(tokyo("2026-12-28T17:00"))
    assert client.get("/").says("次の受付は 2027年1月4日(月) 9:00 からです。")
    with transaction(engine) as session:
        session.add(CompanyDay(day=date(2027, 1, 4), name="年始休業"))
        row = ServiceCalendar(name="24時間", terms=kept(Terms((((0, 1440),),) * 7, False, False, False)), standard=False, updated_at=clock())
        session.add(row)
        session.flush()
        session.scalars(select(ProductFamily).where(ProductFamily.slug == "ruckus")).one().calendar_id = row.id
        sign_in_customer(client, session, add_account(session), now=clock())

    assert client.get("/tickets/new/juniper-srx").says("次の受付は 2027年1月5日(火) 9:00 からです。")
    assert client.get("/tickets/new/ruckus").says("毎日 終日に順次回答します。いまは受付時間内です。")
