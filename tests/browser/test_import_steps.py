"""The steps of an import in a real browser: a dropped file, its columns, its cells put right by keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from starlette.types import ASGIApp

from models.database import transaction
from rules.rights import Role
from tests import people
from tests.clock import Clock
from tests.console.test_imports import Center
from tests.services.browser import NARROW, axe_faults, new_context, watched_page
from tests.workbooks import csv_of
from web.sessions import open_staff_session
from web.wiring import Wiring

pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]
WIDE = (1440, 900)
DROP = """([text, name]) => {
  const carried = new DataTransfer();
  carried.items.add(new File([text], name, {type: 'text/csv'}));
  const zone = document.querySelector('.drop');
  for (const kind of ['dragover', 'drop']) zone.dispatchEvent(new DragEvent(kind, {dataTransfer: carried, bubbles: true, cancelable: true}));
}"""


@pytest.fixture
def center(app: ASGIApp, wiring: Wiring, clock: Clock) -> Center:
    return Center(app, wiring, clock)


def enter(page: Page, center: Center, address: str) -> None:
    with transaction(center.engine) as session:
        member = people.add_staff(session, "watanabe", name="渡辺", roles=[Role.SERVICE_CENTER])
        token = open_staff_session(session, member.id, totp_passed=True, client="127.0.0.1", limits=center.wiring.limits, now=center.clock())
    page.context.add_cookies([{"name": "jtickets_console", "value": token, "url": address}])


def looked_at(page: Page, *sizes: tuple[int, int]) -> list[str]:
    """What makes the page scroll sideways, wide and narrow, and what stands in the way of assistive technology on the narrower."""
    faults: list[str] = []
    for width, height in sizes or (WIDE, NARROW):
        page.set_viewport_size({"width": width, "height": height})
        faults += ["wider than the screen"] if page.evaluate("document.documentElement.scrollWidth > innerWidth") else []
    return faults + axe_faults(page)


def test_a_file_is_dropped_mapped_and_put_right(browser: Browser, center: Center, desk_address: str) -> None:
    odd = csv_of({"serial": "A1"}, {"serial": "A2", "ends_on": "いつか"}, {"serial": "A3", "family": "Junipr-SRX"}).decode().replace("終了日", "おわり", 1)
    context = new_context(browser, WIDE)
    with watched_page(context) as page:
        enter(page, center, desk_address)
        page.goto(f"{desk_address}/console/imports")
        page.evaluate(DROP, [odd, "11月分.csv"])
        expect(page.locator("[data-list]")).to_contain_text("11月分.csv")
        page.get_by_role("button", name="読み込んで確認する").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("ファイルの読み込み")
        page.reload()
        expect(page.locator("progress")).to_be_visible()

        center.plan()
        expect(page.get_by_role("heading", level=1)).to_have_text("列の対応")
        assert looked_at(page) == []
        page.get_by_label("列 G「おわり」を取り込む項目").select_option(label="終了日")
        page.get_by_role("button", name="この対応で読み込む").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("ファイルの読み込み")
        center.plan()

        expect(page.get_by_role("heading", level=1)).to_have_text("取込内容の確認")
        assert looked_at(page) == []
        fetch_the_file(page, center)
        cell = page.get_by_role("textbox", name="終了日")
        press_e_where_the_cursor_stands(page, cell)
        cell.fill("あした")
        cell.press("Enter")
        expect(page.get_by_text("おわり「あした」を日付として読めません。")).to_be_visible()
        expect(cell).to_have_value("あした")
        cell.press("Escape")
        expect(cell).to_have_value("いつか")
        cell.fill("2027/3/31")
        cell.press("Enter")
        expect(page.get_by_text("1セルを直し、その証書を確かめ直しました。")).to_be_visible()
        expect(page.get_by_role("combobox", name="種別")).to_be_focused()
        page.get_by_role("button", name="Juniper-SRX にする").click()
        expect(page.get_by_role("button", name="証書 1件（3行）を反映する")).to_be_visible()

        for name in ("画面で直したセル 2件", "ファイル"):
            page.get_by_role("main").get_by_role("link", name=name, exact=True).click()
            assert looked_at(page, NARROW) == []
            page.goto(page.url.rpartition("/")[0] + "/review")
        page.get_by_role("link", name="4 行目を直す").click()
        assert looked_at(page, NARROW) == []

        page.get_by_role("link", name="11月分.csv").click()
        page.get_by_role("button", name="証書 1件（3行）を反映する").click()
        expect(page.locator("#toast")).to_contain_text("証書 1件（3行）を反映しました。")
        assert looked_at(page) == []
        page.get_by_role("link", name="この取込を元に戻す").click()
        assert looked_at(page) == []
    context.close()


def fetch_the_file(page: Page, center: Center) -> None:
    """From the plan to the workbook handed back and to the plan again."""
    page.get_by_role("link", name="結果を書き込んだファイル").click()
    page.get_by_role("button", name="ファイルを作る").click()
    expect(page.locator("progress")).to_be_visible()
    assert looked_at(page, NARROW) == []
    center.hand_back()
    expect(page.get_by_role("link", name="ファイルを受け取る")).to_be_visible()
    assert looked_at(page, NARROW) == []
    page.get_by_role("link", name="11月分.csv").click()


def press_e_where_the_cursor_stands(page: Page, cell: Locator) -> None:
    """E goes to the cell of the chosen row; not while an IME composes, not when the keys are switched off."""
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.evaluate("document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: 'e', isComposing: true, bubbles: true}))")
    expect(cell).not_to_be_focused()
    page.evaluate("document.documentElement.dataset.keys = 'off'")
    page.keyboard.press("e")
    expect(cell).not_to_be_focused()
    page.evaluate("delete document.documentElement.dataset.keys")
    page.keyboard.press("e")
    expect(cell).to_be_focused()
