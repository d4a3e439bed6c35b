"""A browser dies while people write: the text is there again, until it has arrived."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import Engine, select

from models.database import transaction
from models.tickets import Draft
from rules.limits import Limits
from tests import people
from tests.people import NOW
from tests.services.browser import axe_faults, kill, own_browser
from web.sessions import open_customer_session, open_staff_session

pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]
_WRITTEN = "昨日からログの転送が止まりました。"


def test_what_was_written_outlives_the_browser_but_for_two_seconds(browser: Browser, desk_address: str, engine: Engine, tmp_path: Path) -> None:
    with transaction(engine) as session:
        account = people.add_account(session)
        people.add_ticket(session, account)
        token = open_customer_session(session, account.id, client="127.0.0.1", limits=Limits(), now=NOW)
        staff_token = open_staff_session(session, people.add_staff(session).id, totp_passed=True, client="127.0.0.1", limits=Limits(), now=NOW)
    context = own_browser(browser, tmp_path)
    context.add_cookies(
        [{"name": "jtickets_portal", "value": token, "url": desk_address}, {"name": "jtickets_console", "value": staff_token, "url": desk_address}]
    )
    page, desk, phone = context.new_page(), context.new_page(), context.new_page()
    phone.goto(f"{desk_address}/console/tickets/new?account=none")
    phone.get_by_label("お話しの内容").press_sequentially(_WRITTEN)
    desk.goto(f"{desk_address}/console/tickets/10001")
    page.goto(f"{desk_address}/tickets/new/juniper-srx")
    page.get_by_label("件名").fill("ログが止まる")
    page.get_by_label("カテゴリ").select_option(label="障害")
    for box in page.get_by_label("分からない").all():
        box.check()
    page.get_by_label("本文").press_sequentially(_WRITTEN)
    desk.get_by_label("返信の本文").press_sequentially(_WRITTEN)
    desk.wait_for_timeout(2000)
    page.get_by_label("本文").press_sequentially("この 2 秒は別")
    desk.get_by_label("返信の本文").press_sequentially("この 2 秒は別")
    kill(context)

    with transaction(engine, readonly=True) as session:
        assert [text[: len(_WRITTEN)] for text in session.scalars(select(Draft.body))] == [_WRITTEN]
    context = own_browser(browser, tmp_path)
    context.add_cookies([{"name": "jtickets_portal", "value": token, "url": desk_address}])
    page = context.new_page()
    page.goto(f"{desk_address}/tickets/new/ruckus")
    expect(page.get_by_label("本文")).to_have_value(re.compile(_WRITTEN))
    expect(page.get_by_text("前に書きかけた内容を戻しました。")).to_be_visible()
    assert axe_faults(page) == []
    page.get_by_role("button", name="内容を確認する").click()
    page.get_by_role("button", name="新規チケットの作成").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("ログが止まる")
    page.goto(f"{desk_address}/tickets/new/juniper-srx")
    expect(page.get_by_label("本文")).to_have_value("")

    page.goto(f"{desk_address}/tickets/10002?reply=1")
    page.get_by_label("返信の内容").fill("届かない返信")
    context.clear_cookies()
    page.locator("main").get_by_role("button", name="返信").click()
    page.wait_for_load_state()
    context.add_cookies([{"name": "jtickets_portal", "value": token, "url": desk_address}])
    page.goto(f"{desk_address}/tickets/10002?reply=1")
    expect(page.get_by_label("返信の内容")).to_have_value("届かない返信")
    page.get_by_role("button", name="消して、はじめから書く").click()
    expect(page.get_by_label("返信の内容")).to_have_value("")
    page.reload()
    expect(page.get_by_label("返信の内容")).to_have_value("")

    page.get_by_label("返信の内容").fill("席を離れます")
    page.wait_for_timeout(1200)
    page.get_by_role("button", name="ログアウト").click()
    page.wait_for_url(f"{desk_address}/")
    assert page.evaluate("async () => (await indexedDB.databases()).length") == 0
    context.close()
