"""The staff's pages by keyboard alone: what has the focus shows it, nothing holds it, and keys keep away from what is typed."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.sweeping import read_the_workbook
from tests.browser.test_pages import PAGES, cookies, demo
from tests.browser.visits import Demo, press, reach, visiting, write
from web.wiring import Wiring

__all__ = ["cookies", "demo"]
pytestmark = [pytest.mark.proof, pytest.mark.browser, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]
MANY = 400
"""More steps than any page has."""
_HERE = """() => {
  const x = document.activeElement;
  if (!x || x === document.body) return null;
  const shown = x.closest('.choice, .prod, .drop') ?? x, style = getComputedStyle(shown), button = getComputedStyle(shown.querySelector('.btn') ?? shown);
  const box = x.getBoundingClientRect(), middle = [box.x + box.width / 2, box.y + box.height / 2], top = document.elementFromPoint(...middle);
  const covered = top && !x.contains(top) && !top.contains(x) && !top.closest('label') && ['sticky', 'fixed'].includes(
    getComputedStyle(top.closest('.stickybar, .topbar, .bulk, .toasts, .arrivals') ?? document.body).position);
  const number = [...document.querySelectorAll('*')].indexOf(x);
  const seen = [style, button].some((one) => one.outlineStyle !== 'none' || one.boxShadow !== 'none');
  return { number, text: x.outerHTML.slice(0, 140), seen, covered: Boolean(covered) };
}"""


@dataclass(frozen=True)
class Step:
    """Where one press of the Tab key led."""

    number: int
    text: str
    seen: bool
    covered: bool


@pytest.mark.parametrize("user_id", PAGES)
def test_the_tab_key_walks_through_every_page(browser: Browser, demo: Demo, wiring: Wiring, user_id: str) -> None:
    read_the_workbook(wiring)
    faults: list[str] = []
    with visiting(browser, demo, user_id) as page:
        for path in PAGES[user_id]:
            page.goto(demo.address + path)
            page.evaluate("document.activeElement.blur()")
            steps = walk(page)
            faults += [f"{path}: hidden: {step.text}" for step in steps if not step.seen]
            faults += [f"{path}: covered: {step.text}" for step in steps if step.covered]
            faults += [f"{path}: never ends"] if len(steps) >= MANY else []
            faults += [f"{path}: no way past the menu"] if "skip" not in steps[0].text else []

    assert "\n".join(faults) == ""


def walk(page: Page) -> list[Step]:
    """The steps of the Tab key from the page's top to its end."""
    steps: list[Step] = []
    while len(steps) < MANY:
        page.keyboard.press("Tab")
        told = page.evaluate(_HERE)
        if told is None or (steps and told["number"] == steps[0].number):
            break
        steps.append(Step(**told))
    return steps


def test_the_skip_link_leads_past_the_menu(browser: Browser, demo: Demo) -> None:
    with visiting(browser, demo, "sato") as page:
        page.goto(f"{demo.address}/console/masters")
        press(page, page.get_by_role("link", name="本文へ移動"))
        page.keyboard.press("Tab")
        expect(page.locator("main :focus")).to_have_count(1)


def test_a_menu_and_the_list_of_keys_open_close_and_give_the_focus_back(browser: Browser, demo: Demo) -> None:
    with visiting(browser, demo, "sato") as page:
        page.goto(f"{demo.address}/console/tickets/10006")
        page.keyboard.press("s")
        expect(page.get_by_role("button", name="「お客様確認待ち」にする").first).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("details.menu[open]")).to_have_count(0)
        expect(page.locator("summary:focus")).to_contain_text("状態を変更")

        reach(page, page.get_by_role("button", name="キーボード操作の一覧"))
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="キーボード操作の一覧")).to_be_focused()


def test_keys_keep_away_from_typing_composing_and_those_who_switched_them_off(browser: Browser, demo: Demo) -> None:
    with visiting(browser, demo, "sato") as page:
        page.goto(f"{demo.address}/console/tickets/10006")
        write(page, page.get_by_label("返信の本文"), "")
        page.keyboard.type("usnag?")
        expect(page.get_by_label("返信の本文")).to_have_value("usnag?")
        page.evaluate("document.activeElement.blur()")
        for told in ("{key: 'u', isComposing: true}", "{key: 'ｕ'}", "{key: 'u', ctrlKey: true}", "{key: 'u', altKey: true}"):
            page.evaluate(f"document.body.dispatchEvent(new KeyboardEvent('keydown', {{bubbles: true, ...{told}}}))")
        page.keyboard.press("?")
        press(page, page.get_by_role("dialog").get_by_role("checkbox"), "Space")
        page.keyboard.press("Escape")
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("u")
        page.reload()
        page.keyboard.press("u")
        expect(page).to_have_url(f"{demo.address}/console/tickets/10006")
        page.goto(f"{demo.address}/console/profile")
        press(page, page.locator("[data-keys-switch]").first, "Space")
        page.goto(f"{demo.address}/console/tickets/10006")
        page.keyboard.press("U")
        expect(page).to_have_url(f"{demo.address}/console/tickets")


def test_a_list_in_another_order_keeps_the_focus(browser: Browser, demo: Demo) -> None:
    with visiting(browser, demo, "sato") as page:
        page.goto(f"{demo.address}/console/tickets")
        press(page, page.locator("#queue .menu summary"))
        press(page, page.locator("#queue .menu .item:not([aria-current])").first)
        expect(page).to_have_url(re.compile("sort="))
        expect(page.locator("#queue :focus")).to_have_count(1)


def test_a_master_is_changed(browser: Browser, demo: Demo) -> None:
    with visiting(browser, demo, "kanri") as page:
        page.goto(f"{demo.address}/console/masters")
        press(page, page.get_by_role("main").get_by_role("link", name="休業日"))
        write(page, page.get_by_label("日付"), "2026/12/28")
        write(page, page.get_by_label("名前"), "創立記念日")
        page.keyboard.press("Enter")
        expect(page.get_by_text("創立記念日").first).to_be_visible()
        press(page, page.get_by_role("button", name="外す").or_(page.get_by_role("button", name="削除")).first)
        expect(page.get_by_text("これからの休業日はありません。")).to_be_visible()


def test_a_plan_is_read_and_applied(browser: Browser, demo: Demo, wiring: Wiring) -> None:
    read_the_workbook(wiring)
    with visiting(browser, demo, "center") as page:
        page.goto(f"{demo.address}/console/imports")
        press(page, page.get_by_role("main").get_by_role("link", name=".csv").or_(page.get_by_role("main").get_by_role("link", name=".xlsx")).first)
        expect(page.get_by_role("heading", level=1)).to_have_text("取込内容の確認")
        page.keyboard.press("j")
        expect(page.locator("[data-row][aria-current=true]")).to_have_count(1)
        press(page, page.locator(".stickybar button").last)
        expect(page.locator("#toast")).to_contain_text("反映しました。")
