"""The gate in a real browser: the password's advice while typing, and the letter of the chosen decision."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine

from models.database import transaction
from rules.limits import Limits
from rules.rights import Role
from tests import people
from tests.browser.visits import link_of_the_letter, registration, visiting
from tests.clock import Clock
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


def test_an_exception_is_asked_for_and_decided_without_script(browser: Browser, desk_address: str, engine: Engine, clock: Clock) -> None:
    with transaction(engine) as session:
        people.add_certificate(session, end_user="kiban@kobe.tozai.example")
        member = people.add_staff(session, "desk", roles=[Role.DESK])
        token = open_staff_session(session, member.id, totp_passed=True, client="127.0.0.1", limits=Limits(), now=clock())
    with visiting(browser, java_script_enabled=False) as page:
        page.goto(f"{desk_address}/register")
        for label, text in {**dict(registration()), "保守登録メール": "kiban@kobe.tozai.example"}.items():
            page.get_by_label(label, exact=False).first.fill(text)
        page.get_by_label("個人情報の取り扱いに同意する").check()
        page.get_by_role("button", name="新規ユーザー登録").click()
        expect(page.get_by_label("お名前")).to_have_value("木村 はるか")
        page.get_by_role("button", name="担当者に確認を依頼する").click()
        page.goto(desk_address + link_of_the_letter(engine, "exception_link"))
        page.get_by_role("button", name="メールアドレスを確認する").click()
        expect(page.get_by_text("担当者が内容を確認しています。")).to_be_visible()

        page.context.add_cookies([{"name": "jtickets_console", "value": token, "url": desk_address}])
        page.goto(f"{desk_address}/console/exceptions")
        page.get_by_role("radio", name="この方のアカウントだけに").check()
        page.get_by_label("判断の理由").fill("神戸支社の方と、代表電話で確かめた。")
        page.get_by_role("button", name="判断を確定して次の申請へ").click()
        expect(page.get_by_text("未対応の例外申請はありません。").first).to_be_visible()

        page.goto(f"{desk_address}/login")
        page.get_by_label("ユーザーID").fill("kimura")
        page.get_by_label("パスワード").first.fill(people.PASSWORD)
        page.get_by_role("main").get_by_role("button", name="ログイン").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("サポートチケット参照")
