"""Many tickets chosen and changed in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.test_pages import Demo, cookies, demo, press, reach, visiting
from tests.services.browser import axe_faults

__all__ = ["cookies", "demo"]
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


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
