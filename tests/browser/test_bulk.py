"""Many tickets chosen and changed in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine

from models.database import transaction
from tests import people
from tests.browser.test_pages import Demo, cookies, demo, press, reach, visiting
from tests.clock import Clock
from tests.services.browser import NARROW, axe_faults

__all__ = ["cookies", "demo"]
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
_CHOSEN = ["10007", "10005"]
_HIDDEN = """() => {
  const row = document.activeElement.closest('tr').getBoundingClientRect(), bar = document.querySelector('.bulk').getBoundingClientRect();
  return [Math.max(0, row.bottom - bar.top), Math.max(0, document.querySelector('.topbar').getBoundingClientRect().bottom - row.top)].map(Math.floor);
}"""
"""How much of the row that has the focus the bar of the chosen tickets hides, and the bar at the top."""


@pytest.mark.browser
@pytest.mark.node
def test_tickets_are_chosen_assigned_and_brought_back_by_keyboard_alone(browser: Browser, demo: Demo) -> None:
    with visiting(browser, demo, "sato") as page:
        page.goto(f"{demo.address}/console/tickets?view=unassigned")
        page.keyboard.press("j")
        page.keyboard.press("x")
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("Shift+X")
        expect(page.get_by_text("3件を選択中")).to_be_visible()
        assert axe_faults(page) == []
        page.keyboard.press("a")
        expect(page.get_by_role("heading", level=1)).to_have_text("担当をまとめて変更")
        reach(page, page.get_by_role("checkbox").first)
        page.keyboard.press("Space")
        press(page, page.get_by_role("button", name="2件の担当を「佐藤」にする"))

        expect(page.get_by_text("2件を変更しました。")).to_be_visible()
        assert axe_faults(page) == []
        page.keyboard.press("z")
        expect(page.get_by_text("変更した 2件のうち、2件を元に戻しました。")).to_be_visible()


@pytest.mark.browser
def test_chosen_tickets_stay_chosen_while_the_list_is_drawn_anew(browser: Browser, demo: Demo, engine: Engine, clock: Clock) -> None:
    with visiting(browser, demo, "sato") as page:
        page.clock.install()
        page.goto(f"{demo.address}/console/tickets")
        _choose(page)
        page.locator("summary").filter(has_text="期限が近い順").click()
        page.get_by_role("link", name="新しい順").first.click()
        expect(page.locator("summary").filter(has_text="新しい順")).to_be_focused()
        _expect_chosen(page)

        clock.advance(minutes=1)
        with transaction(engine) as session:
            people.add_ticket(session, None, subject="あとから届いた", now=clock())
        clock.advance(minutes=1)
        page.clock.run_for(31_000)
        page.get_by_role("link", name="新着 1件を表示").click()
        expect(page.get_by_role("link", name="あとから届いた")).to_be_visible()
        _expect_chosen(page)


@pytest.mark.browser
def test_chosen_tickets_are_chosen_still_for_who_comes_back(browser: Browser, demo: Demo) -> None:
    with visiting(browser, demo, "sato") as page:
        page.goto(f"{demo.address}/console/tickets")
        _choose(page)
        page.reload()
        _expect_chosen(page)
        page.get_by_role("button", name="担当者を変更").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("担当をまとめて変更")
        page.go_back()
        _expect_chosen(page)
        page.goto(f"{demo.address}/console/tickets?sort=created")
        expect(page.locator("tbody .pick:checked")).to_have_count(0)


@pytest.mark.browser
def test_no_row_that_a_key_leads_to_is_hidden_by_the_bar_of_the_chosen(browser: Browser, demo: Demo) -> None:
    with visiting(browser, demo, "sato", viewport={"width": NARROW[0], "height": NARROW[1]}) as page:
        page.goto(f"{demo.address}/console/tickets")
        for _ in range(4):
            page.keyboard.press("j")
        page.keyboard.press("x")
        assert page.evaluate(_HIDDEN) == [0, 0]
        for key in "jjjjjkkkkkkk":
            page.keyboard.press(key)
            assert page.evaluate(_HIDDEN) == [0, 0]
        for key in ("Tab",) * 12:
            page.keyboard.press(key)
            assert page.evaluate(_HIDDEN) == [0, 0]


@pytest.mark.browser
def test_the_link_to_what_came_keeps_the_focus_while_more_comes(browser: Browser, demo: Demo, engine: Engine, clock: Clock) -> None:
    with visiting(browser, demo, "sato") as page:
        page.clock.install()
        page.goto(f"{demo.address}/console/tickets")
        for n in (1, 2, 3):
            clock.advance(minutes=1)
            with transaction(engine) as session:
                people.add_ticket(session, None, now=clock())
            clock.advance(minutes=1)
            page.clock.run_for(31_000)
            link = page.get_by_role("link", name=f"新着 {n}件を表示")
            expect(link).to_have_count(1)
            if n == 1:
                link.focus()
        expect(link).to_be_focused()


def _choose(page: Page) -> None:
    for number in _CHOSEN:
        page.get_by_role("checkbox", name=f"#{number} を選択").check()


def _expect_chosen(page: Page) -> None:
    expect(page.get_by_text("2件を選択中")).to_be_visible()
    for number in _CHOSEN:
        expect(page.get_by_role("checkbox", name=f"#{number} を選択")).to_be_checked()
