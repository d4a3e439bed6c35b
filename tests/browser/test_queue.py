"""The queue in a real browser: where its pages begin, and where the focus is after what is drawn anew."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from models.database import transaction
from rules.limits import Limits
from tests import people
from tests.clock import Clock
from web.sessions import open_staff_session

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]


@pytest.fixture
def page(engine: Engine, clock: Clock, desk_address: str, browser_page: Page) -> Page:
    """中村's page of a desk with more tickets than a page of the queue holds."""
    with transaction(engine) as session:
        member = people.add_staff(session)
        for n in range(60):
            people.add_ticket(session, None, subject=f"{n} 件目")
        token = open_staff_session(session, member.id, totp_passed=True, client="127.0.0.1", limits=Limits(), now=clock())
    browser_page.context.add_cookies([{"name": "jtickets_console", "value": token, "url": desk_address}])
    browser_page.goto(f"{desk_address}/console/tickets")
    return browser_page


def test_another_page_of_the_list_begins_at_its_top(page: Page) -> None:
    heading = page.get_by_role("heading", level=1)
    page.get_by_role("link", name="次のページ").click()
    expect(page.get_by_role("link", name="前のページ")).to_be_visible()

    expect(heading).to_be_focused()
    assert page.evaluate("scrollY") == 0
    page.keyboard.press("j")
    expect(page.locator("#queue tbody tr").first).to_have_attribute("aria-current", "true")

    page.go_back()
    expect(page.get_by_role("link", name="次のページ")).to_be_visible()
    expect(heading).to_be_focused()


def test_the_conditions_open_at_their_first_field(page: Page) -> None:
    page.get_by_role("link", name="条件・保存・書き出し").press("Enter")

    expect(page.get_by_label("状態", exact=True)).to_be_focused()
