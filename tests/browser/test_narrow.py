"""What a phone shows, and a long subject: choices in full, and lists whose rows stay rows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine

from models.database import transaction
from rules.limits import Limits
from tests import people
from tests.people import NOW
from tests.services.browser import NARROW, WIDE, new_context
from web.sessions import open_customer_session, open_staff_session

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]
_CUT = """() => [...document.querySelectorAll('select')].filter((x) => {
  const style = getComputedStyle(x), pen = document.createElement('canvas').getContext('2d');
  pen.font = style.font;
  const room = x.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  return x.checkVisibility() && pen.measureText(x.selectedOptions[0].text).width > room;
}).map((x) => x.selectedOptions[0].text)"""

_LINES = "x => { const text = document.createRange(); text.selectNodeContents(x); return text.getClientRects().length }"


@pytest.fixture(params=[NARROW, WIDE], ids=["narrow", "wide"])
def page(request: pytest.FixtureRequest, browser: Browser, desk_address: str, engine: Engine) -> Iterator[Page]:
    """中村's page of a desk whose one ticket has the longest subject."""
    with transaction(engine) as session:
        member = people.add_staff(session)
        people.add_ticket(session, people.add_account(session), subject="ＳＲＸ３００のトンネルが切断される" * 17)
        token = open_staff_session(session, member.id, totp_passed=True, client="127.0.0.1", limits=Limits(), now=NOW)
    context = new_context(browser, request.param)
    context.add_cookies([{"name": "jtickets_console", "value": token, "url": desk_address}])
    yield context.new_page()
    context.close()


def test_choices_are_shown_in_full(page: Page, desk_address: str) -> None:
    for path in ("?open=tools", *(f"/bulk?ticket=10001&act={act}" for act in ("assign", "state", "reply", "macro"))):
        page.goto(f"{desk_address}/console/tickets{path}")
        assert page.evaluate(_CUT) == [], path


def test_a_long_subject_fills_no_screen_of_the_list(page: Page, desk_address: str) -> None:
    page.goto(f"{desk_address}/console/tickets")
    box = page.locator("#queue tbody tr").bounding_box()
    assert box and box["height"] < 170
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth")


def test_a_long_subject_takes_few_lines_of_its_page_and_is_shown_whole_to_who_asks(page: Page, desk_address: str) -> None:
    page.goto(f"{desk_address}/console/tickets/10001")
    heading = page.get_by_role("heading", level=1)
    box = heading.bounding_box()
    assert box and box["height"] < 130

    heading.click()

    assert heading.evaluate("x => x.scrollHeight <= x.clientHeight + 1")
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    expect(heading).to_be_focused()
    page.emulate_media(media="print")
    page.locator("body").focus()
    assert heading.evaluate("x => x.scrollHeight <= x.clientHeight + 1")


def test_a_long_subject_leaves_a_product_its_line(page: Page, desk_address: str, engine: Engine) -> None:
    with transaction(engine) as session:
        token = open_customer_session(session, 1, client="127.0.0.1", limits=Limits(), now=NOW)
    page.context.add_cookies([{"name": "jtickets_portal", "value": token, "url": desk_address}])
    page.goto(f"{desk_address}/tickets")

    assert page.get_by_text("Juniper-SRX", exact=True).evaluate(_LINES) == 1
    link = page.locator("a.subj").bounding_box()
    assert link and link["height"] < 130
