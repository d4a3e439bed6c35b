"""Writing a reply in a real browser: texts by 「::」, files that break off and go again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from sqlalchemy import Engine, select

from models.canned import Canned, CannedKind
from models.database import transaction
from models.tickets import Attachment
from rules.limits import Limits
from tests import people
from tests.people import NOW
from tests.services.browser import new_context
from web.sessions import open_staff_session

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]
_GIVE = """([kind, name, type]) => {
  const carrier = new DataTransfer(), target = document.getElementById('body');
  carrier.items.add(new File(['x'.repeat(2000)], name, { type }));
  const given = kind === 'paste' ? new ClipboardEvent('paste', { clipboardData: carrier, bubbles: true, cancelable: true })
                                 : new DragEvent('drop', { dataTransfer: carrier, bubbles: true, cancelable: true });
  target.dispatchEvent(given);
}"""


@pytest.fixture
def signed_in(browser: Browser, desk_address: str, engine: Engine) -> Iterator[BrowserContext]:
    """中村's browser; ticket 10001 waits, and there are two canned texts."""
    with transaction(engine) as session:
        member = people.add_staff(session)
        people.add_ticket(session, people.add_account(session))
        for name, body in (("ログのお願い", "{お客様名} 様\nログをお送りください。"), ("交換の手配", "{機種} を手配します。")):
            session.add(Canned(kind=CannedKind.TEXT, name=name, body=body, updated_at=NOW, updated_by="佐藤"))
        token = open_staff_session(session, member.id, totp_passed=True, client="127.0.0.1", limits=Limits(), now=NOW)
    context = new_context(browser)
    context.add_cookies([{"name": "jtickets_console", "value": token, "url": desk_address}])
    yield context
    context.close()


def test_a_reply_takes_texts_and_files_by_keyboard_paste_and_drop(signed_in: BrowserContext, desk_address: str, engine: Engine) -> None:
    page = signed_in.new_page()
    page.goto(f"{desk_address}/console/tickets/10001")
    field, options = page.get_by_label("返信の本文"), page.get_by_role("listbox", name="定型文").get_by_role("option")
    field.press_sequentially("お待たせしました。::")
    expect(options).to_have_count(2)
    field.press_sequentially("交換")
    expect(options).to_have_count(1)
    page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    for _ in "::交換":
        page.keyboard.press("Backspace")
    keyboard: Any = signed_in.new_cdp_session(page)
    keyboard.send("Input.imeSetComposition", {"text": "：：", "selectionStart": 2, "selectionEnd": 2})
    expect(options).to_have_count(0)
    keyboard.send("Input.insertText", {"text": "：："})
    expect(options).to_have_count(2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(field).to_have_value("お待たせしました。【要確認：機種】 を手配します。")
    page.keyboard.insert_text("SRX300")
    expect(field).to_have_value("お待たせしました。SRX300 を手配します。")
    _files_break_off_and_go_again(page)

    page.get_by_role("button", name="返信して「お客様確認待ち」にする").click()

    expect(page.get_by_role("link", name="core.gz")).to_be_visible()
    expect(page.get_by_role("link", name="画面写真_")).to_be_visible()
    with transaction(engine, readonly=True) as session:
        assert len(session.scalars(select(Attachment.id).where(Attachment.message_id.is_not(None))).all()) == 2


def test_an_address_with_two_colons_is_no_call_for_a_canned_text(signed_in: BrowserContext, desk_address: str) -> None:
    page = signed_in.new_page()
    page.goto(f"{desk_address}/console/tickets/10001")
    field, options = page.get_by_label("返信の本文"), page.get_by_role("listbox", name="定型文").get_by_role("option")
    field.press_sequentially("::")
    expect(options).to_have_count(2)
    page.keyboard.press("Escape")

    field.fill("")
    field.press_sequentially("経路は 2001:db8::")
    page.keyboard.press("Enter")
    expect(field).to_have_value("経路は 2001:db8::\n")
    expect(options).to_have_count(0)

    field.press_sequentially("SRX300")
    page.locator("#reply [data-canned-open]").click()
    expect(options).to_have_count(2)


def test_a_file_that_arrives_leaves_the_focus_where_it_is(signed_in: BrowserContext, desk_address: str) -> None:
    page = signed_in.new_page()
    page.goto(f"{desk_address}/console/tickets/10001")
    held: list[Route] = []
    page.route("**/console/uploads", lambda route: held.append(route))
    page.get_by_label("返信の本文").focus()
    page.wait_for_load_state("networkidle")
    page.evaluate(_GIVE, ["drop", "first.log", "text/plain"])
    page.evaluate(_GIVE, ["drop", "second.log", "text/plain"])
    lines = page.locator("#reply .ups > li")
    expect(page.locator("#reply [data-stop]:visible")).to_have_count(2)
    lines.nth(1).locator("[data-stop]").focus()

    held[0].continue_()
    expect(lines.nth(0).locator("[data-done]")).to_be_visible()
    expect(lines.nth(1).locator("[data-stop]")).to_be_focused()

    held[1].continue_()
    expect(lines.nth(1).locator("[data-done]")).to_be_visible()
    expect(lines.nth(1).locator("[data-drop]")).to_be_focused()


def _files_break_off_and_go_again(page: Page) -> None:
    tries: list[Route] = []

    def answer(route: Route) -> None:
        tries.append(route)
        route.abort() if len(tries) == 1 else route.continue_()

    page.route("**/console/uploads", answer)
    page.evaluate(_GIVE, ["drop", "core.gz", "application/gzip"])
    expect(page.get_by_text("「core.gz」の送信が途中で切れました。")).to_be_visible()
    page.evaluate(_GIVE, ["paste", "image.png", "image/png"])
    page.get_by_role("button", name="もう一度送る").click()
    expect(page.locator("#reply [data-done]:visible")).to_have_count(2)
    expect(page.get_by_text("合計 4 kB（2ファイル）")).to_be_visible()
