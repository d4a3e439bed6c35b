"""The gate in a real browser: the password's advice while typing, and the letter of the chosen decision."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from models.database import transaction
from rules.limits import Limits
from rules.rights import Role
from tests import people
from web.sessions import open_staff_session

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]


def test_the_password_is_advised_while_it_is_typed_shown_and_pasted(desk_address: str, browser_page: Page) -> None:
    page = browser_page
    page.goto(f"{desk_address}/register")
    password, met = page.locator("#password"), page.locator(".rules li.yes")

    password.press_sequentially("abc")
    expect(met).to_have_text(["英小文字"])
    password.fill("aB3xyz")
    expect(met).to_have_count(4)
    expect(page.locator("[data-advice]")).to_have_text("条件を満たしています。15 文字以上にすると、さらに安全です（いまは 6 文字）。")
    password.evaluate("field => { field.value = ''; field.focus(); document.execCommand('insertText', false, 'aB3xyz-nagai-kotoba'); }")
    expect(page.locator("[data-advice]")).to_have_text("条件を満たしています。十分な長さです。")
    page.locator("button[aria-controls=password]").click()
    expect(password).to_have_attribute("type", "text")
    page.locator("#email").fill("kimura@osaka.tozai.example")
    page.get_by_role("button", name="メールアドレスをユーザーIDにする").click()
    expect(page.locator("#user_id")).to_have_value("kimura@osaka.tozai.example")


def test_the_letter_of_the_chosen_decision_is_the_one_offered(desk_address: str, browser_page: Page, engine: Engine) -> None:
    with transaction(engine) as session:
        people.add_certificate(session)
        number = people.add_request(session).id
        member = people.add_staff(session, "sato", name="佐藤", roles=[Role.DESK])
        token = open_staff_session(session, member.id, totp_passed=True, client="127.0.0.1", limits=Limits(), now=people.NOW)
    page = browser_page
    page.context.add_cookies([{"name": "jtickets_console", "value": token, "url": desk_address}])
    page.goto(f"{desk_address}/console/exceptions/{number}")
    letters = page.locator("#decide summary:visible")

    for decision, title in (
        ("grant_account", "許可するとき"),
        ("ask", "確認をお願いするとき"),
        ("decline", "お断りするとき"),
        ("grant_maintenance_email", "許可するとき"),
    ):
        page.locator(f"[value={decision}]").check()
        expect(letters).to_have_text([f"{title}にお送りするメールを確認する"])
