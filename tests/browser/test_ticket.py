"""A ticket's page in a real browser: candidates come by themselves and are set with one press; the page opens at what is unread."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from models.database import transaction
from models.people import Staff
from models.reading import note_reading
from models.tickets import Ticket
from rules.limits import Limits
from tests.clock import Clock
from tests.people import add_account, add_certificate, add_post, add_staff, add_ticket
from tests.services.browser import axe_faults
from web.sessions import open_staff_session

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]


@pytest.fixture
def nakamura(engine: Engine, clock: Clock, desk_address: str, browser_page: Page) -> Staff:
    """中村, signed in with the browser."""
    with transaction(engine) as session:
        member = add_staff(session)
        token = open_staff_session(session, member.id, totp_passed=True, client="127.0.0.1", limits=Limits(), now=clock())
    browser_page.context.add_cookies([{"name": "jtickets_console", "value": token, "url": desk_address}])
    return member


def test_a_slip_is_shown_and_set_right_with_one_press(engine: Engine, desk_address: str, browser_page: Page, nakamura: Staff) -> None:
    with transaction(engine) as session:
        add_certificate(session)
        ticket = add_ticket(session, add_account(session), contract="JSC26O40123A", serial="不明", assignee=nakamura)
    browser_page.goto(f"{desk_address}/console/tickets/{ticket.id}")

    expect(browser_page.get_by_text("英字 O → 数字 0")).to_be_visible()
    assert not axe_faults(browser_page)
    browser_page.get_by_role("button", name="JSC26040123A CV4126AF0093").click()

    expect(browser_page.get_by_role("heading", name="保守対象です")).to_be_visible()
    browser_page.get_by_role("button", name="取り消す").first.click()
    expect(browser_page.get_by_role("heading", name="契約が見つかりません")).to_be_visible()


def test_a_long_thread_opens_at_the_first_unread_post(engine: Engine, desk_address: str, browser_page: Page, nakamura: Staff) -> None:
    with transaction(engine) as session:
        ticket = add_ticket(session, add_account(session))
        seen = [add_post(session, ticket, f"{n} 通目\n" * 12).id for n in range(6)][-1]
        note_reading(session, ticket.id, staff_id=nakamura.id, last_seen=seen)
        unread = add_post(session, session.get_one(Ticket, ticket.id), "まだ読んでいません")
    browser_page.goto(f"{desk_address}/console/tickets/{ticket.id}")

    expect(browser_page.locator(f"#m{unread.id}")).to_be_in_viewport()
    expect(browser_page.get_by_text("ここから未読です")).to_have_count(1)


def test_one_list_is_worked_through_by_keyboard(engine: Engine, desk_address: str, browser_page: Page, nakamura: Staff) -> None:
    with transaction(engine) as session:
        account = add_account(session)
        for n in range(1, 4):
            add_ticket(session, account, subject=f"{n} 件目")
        add_ticket(session, account, subject="担当あり", assignee=nakamura)
    press, heading = browser_page.keyboard.press, browser_page.get_by_role("heading", level=1)
    browser_page.goto(f"{desk_address}/console/tickets?view=unassigned&sort=created")
    press("j")
    press("Enter")
    expect(heading).to_have_text("1 件目")
    expect(browser_page.get_by_role("link", name="前のチケット")).to_have_count(0)
    press("j")
    expect(heading).to_have_text("2 件目")
    press("i")
    expect(browser_page.locator("#toast")).to_contain_text("自分の担当にしました。")
    press("k")
    expect(heading).to_have_text("1 件目")
    browser_page.get_by_role("link", name="次のチケット").click()
    expect(heading).to_have_text("2 件目")
    press("u")

    expect(browser_page).to_have_url(f"{desk_address}/console/tickets?view=unassigned&sort=created")
    expect(browser_page.get_by_role("link", name="3 件目")).to_be_focused()


def test_a_menu_closes_for_who_leaves_it_by_a_key(engine: Engine, desk_address: str, browser_page: Page, nakamura: Staff) -> None:
    with transaction(engine) as session:
        ticket = add_ticket(session, add_account(session), assignee=nakamura)
    page = browser_page
    page.goto(f"{desk_address}/console/tickets/{ticket.id}")
    opened = page.locator(".menu[open]")

    page.keyboard.press("a")
    expect(page.get_by_label("担当者")).to_be_focused()
    page.keyboard.press("Escape")
    expect(opened).to_have_count(0)
    expect(page.locator("summary:focus")).to_contain_text("担当：中村")
    page.keyboard.press("a")
    page.keyboard.press("Tab")
    expect(opened).to_have_count(1)
    page.keyboard.press("Tab")
    expect(opened).to_have_count(0)


def test_an_error_leads_to_its_field_though_it_is_folded_away(engine: Engine, desk_address: str, browser_page: Page, nakamura: Staff) -> None:
    with transaction(engine) as session:
        ticket = add_ticket(session, add_account(session), assignee=nakamura)
    page = browser_page
    page.goto(f"{desk_address}/console/tickets/{ticket.id}")
    page.locator("summary", has_text="契約の確認を依頼").click()
    page.get_by_label("確認してほしいこと").fill(" ")
    page.get_by_role("button", name="サービス管理センターに依頼する").click()
    page.keyboard.press("Escape")

    page.locator(".errsum a").first.click()

    expect(page.get_by_label("確認してほしいこと")).to_be_focused()
