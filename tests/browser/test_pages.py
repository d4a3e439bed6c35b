"""Every page in a real browser: nothing in the way of assistive technology, valid HTML, and no page that needs a mouse or a script."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine, select
from starlette.types import ASGIApp

from demo.load import load
from mail.desk import Desk
from models.database import transaction
from models.people import Account, Staff
from rules.limits import Limits
from storage.store import open_store
from tests import people
from tests.browser.visits import NOBODY, SIZE, Demo, link_of_the_letter, press, reach, registration, visiting, write
from tests.client import Client
from tests.clock import Clock
from tests.services.browser import axe_faults, new_context
from tests.services.node import html_faults, vnu_faults
from web.passwords import Passwords
from web.sessions import open_customer_session, open_staff_session

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
PAGES: dict[str, tuple[str, ...]] = {
    NOBODY: (
        "/", "/login", "/register", "/register/sent", "/register/completed", "/register/confirm/none", "/recover", "/recover/sent", "/recover/none",
        "/help", "/privacy", "/accessibility", "/nothing-here", "/console/sign-in", "/console/nothing-here",
    ),
    "kimura": (
        "/", "/tickets", "/tickets?q=nothing", "/tickets/10007", "/tickets/10007?reply=1", "/tickets/new", "/tickets/new/juniper-srx", "/tickets/99999",
        "/profile", "/profile/edit", "/profile/maintenance-email", "/profile/totp", "/copies/none", "/exceptions/none",
    ),
    "sato": (
        "/console/tickets", "/console/tickets?view=unassigned", "/console/tickets?q=nothing", "/console/tickets?q=VPN", "/console/tickets/10006",
        "/console/tickets/10006/deadline", "/console/reports?by=product",
        "/console/tickets?open=tools", "/console/tickets?open=picks", "/console/tickets/bulk?act=reply&ticket=10004&ticket=10005", "/console/views/new",
        "/console/contracts", "/console/contracts/1", "/console/accounts", "/console/accounts/1", "/console/mails", "/console/mails/1", "/console/jobs",
        "/console/journal", "/console/profile", "/console/accounts/1/disclosure", "/console/refusals", "/console/rehearsal",
        "/console/canned", "/console/canned?kind=macro", "/console/canned/1", "/console/tickets/10006/canned", "/console/tickets/10006/macros/8",
        "/console/tickets/10011/related", "/console/tickets/10011/match", "/console/tickets/new?account=1", "/console/tickets/10011/merge?into=10007",
    ),
    "desk": (
        "/console/exceptions/1", "/console/exceptions/4", "/console/grants", "/console/grants/1",
    ),
    "center": (
        "/console/tickets", "/console/imports", "/console/contracts?q=nothing", "/console/email-changes", "/console/email-changes/1",
        "/console/email-changes/2", "/console/email-changes/new", "/console/radar", "/console/contracts/2/correction",
        "/console/contracts/2/lines/4/correction", "/console/imports/1", "/console/imports/1/mapping", "/console/imports/1/corrections",
    ),
    "kanri": (
        "/console/masters", "/console/masters/products", "/console/masters/products/1", "/console/masters/mailboxes", "/console/masters/categories",
        "/console/masters/domains", "/console/masters/company-days", "/console/masters/privacy-text", "/console/masters/privacy-text/1", "/console/staff",
        "/console/staff/1", "/console/accounts/1/erasure", "/console/masters/reminders", "/console/masters/mails", "/console/masters/mails/ticket_opened",
        "/console/masters/calendars", "/console/masters/calendars/1", "/console/reports?since=nothing",
    ),
}  # fmt: skip
"""The pages of the demo by who looks at them."""
REFUSED: dict[str, tuple[tuple[str, str], ...]] = {
    NOBODY: (("/register", "新規ユーザー登録"), ("/login", "ログイン"), ("/recover", "パスワードのリセット"), ("/console/sign-in", "サインイン")),
    "kimura": (
        ("/tickets/new/juniper-srx", "内容を確認する"),
        ("/tickets/10007?reply=1", "返信"),
        ("/profile/maintenance-email", "変更を依頼する"),
        ("/profile/totp", "設定を始める"),
    ),
    "sato": (("/console/tickets/10007", "返信して「お客様確認待ち」にする"),),
    "desk": (("/console/exceptions/4", "判断を確定して次の申請へ"),),
    "center": (("/console/imports", "読み込んで確認する"), ("/console/email-changes/new", "依頼を記録する")),
    "kanri": (("/console/staff", "職員を登録する"), ("/console/accounts/1/erasure", "個人情報を削除する"), ("/console/masters/products", "製品を追加する")),
}
"""Forms that are sent empty: the page of their refusals is a page too."""
ALIKE = {
    "/register/completed", "/recover/sent", "/recover/none", "/tickets/99999", "/copies/none", "/exceptions/none", "/console/tickets?view=unassigned",
    "/console/tickets?q=VPN", "/console/tickets?open=picks", "/console/canned?kind=macro", "/console/contracts?q=nothing", "/console/email-changes/2",
    "/console/contracts/2/lines/4/correction", "/console/masters/mailboxes", "/console/masters/categories", "/console/masters/domains",
    "/console/masters/company-days", "/console/masters/privacy-text/1",
}  # fmt: skip
"""Pages built as another one of the same reader is: `make proof` looks at them (test_sweep.py)."""

DESK = Desk("http://127.0.0.1:8720", "J's チケットシステム <tickets@jscom.co.jp>", "tickets-admin@jscom.co.jp", "service_admin@jscom.co.jp")


@pytest.fixture
def cookies(engine: Engine, clock: Clock, tmp_path: Path) -> dict[str, tuple[str, str]]:
    """The demo, loaded; the session cookie of each of its people."""
    load(engine, open_store((tmp_path / "attachments").resolve().as_uri()), lambda: Passwords(memory_kib=8, time_cost=1, at_once=1), desk=DESK, now=clock())
    found: dict[str, tuple[str, str]] = {}
    with transaction(engine) as session:
        for number, user_id in session.execute(select(Account.id, Account.user_id)).all():
            found[user_id] = ("jtickets_portal", open_customer_session(session, number, client="127.0.0.1", limits=Limits(), now=clock()))
        for number, user_id in session.execute(select(Staff.id, Staff.user_id)).all():
            token = open_staff_session(session, number, totp_passed=True, client="127.0.0.1", limits=Limits(), now=clock())
            found[user_id] = ("jtickets_console", token)
    return found


@pytest.fixture
def demo(desk_address: str, cookies: dict[str, tuple[str, str]]) -> Demo:
    return Demo(desk_address, cookies)


@pytest.mark.browser
@pytest.mark.node
@pytest.mark.parametrize("user_id", PAGES)
def test_assistive_technology_finds_nothing_in_its_way(browser: Browser, demo: Demo, user_id: str) -> None:
    faults: dict[str, list[str]] = {}
    with visiting(browser, demo, user_id) as page:
        for path in _telling(user_id):
            page.goto(demo.address + path)
            faults[path] = axe_faults(page)
        for path, button in REFUSED[user_id]:
            page.goto(demo.address + path)
            send_empty(page, button)
            faults[f"{path} refused"] = axe_faults(page)

    assert {path: found for path, found in faults.items() if found} == {}


@pytest.mark.node
def test_every_page_is_valid_html(app: ASGIApp, cookies: dict[str, tuple[str, str]], tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    for user_id, paths in PAGES.items():
        with Client(app) as client:
            if user_id in cookies:
                client.cookies.set(*cookies[user_id])
            for path in paths:
                page = client.get(path, follow=False)
                assert page.document, f"{path} answers {page.status}"
                (folder / f"{user_id}{re.sub(r'[^a-z0-9]+', '-', path)}.html").write_bytes(page.content)

    assert html_faults(folder) == ""
    assert vnu_faults(folder) == ""


@pytest.mark.browser
def test_a_customer_registers_and_opens_a_ticket_by_keyboard_alone(browser: Browser, desk_address: str, engine: Engine) -> None:
    with transaction(engine) as session:
        people.add_certificate(session)
    with visiting(browser) as page:
        page.goto(desk_address)
        press(page, page.get_by_role("navigation").get_by_role("link", name="新規アカウント登録"))
        for label, text in registration():
            write(page, page.get_by_label(label, exact=False).first, text)
        press(page, page.get_by_label("個人情報の取り扱いに同意する"), "Space")
        press(page, page.get_by_role("button", name="新規ユーザー登録"))
        expect(page.get_by_role("heading", level=1)).to_have_text("確認メールをお送りしました")

        page.goto(desk_address + link_of_the_letter(engine))
        press(page, page.get_by_role("button", name="登録を完了する"))
        press(page, page.get_by_role("main").get_by_role("link", name="ログイン"))
        write(page, page.get_by_label("ユーザーID"), "kimura")
        write(page, page.get_by_label("パスワード").first, people.PASSWORD)
        page.keyboard.press("Enter")
        press(page, page.get_by_role("main").get_by_role("link", name="新規サポートチケット発行").first)
        press(page, page.get_by_role("link", name="Juniper-SRX"))
        fill_in_ticket_by_keyboard(page)
        press(page, page.get_by_role("button", name=re.compile("変更.*件名")))
        expect(page.get_by_label("件名")).to_be_focused()
        press(page, page.get_by_role("button", name="内容を確認する"))
        press(page, page.get_by_role("button", name="新規チケットの作成"))

        expect(page.get_by_role("heading", level=1)).to_have_text("VPN が切断される")
        expect(page.get_by_text("受付済み")).to_be_visible()


@pytest.mark.browser
def test_an_engineer_answers_a_ticket_by_keyboard_alone(browser: Browser, demo: Demo) -> None:
    with visiting(browser, demo, "sato") as page:
        page.goto(f"{demo.address}/console/tickets?view=unassigned")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="お客様へ返信")).to_be_visible()
        subject = page.get_by_role("heading", level=1).text_content()

        press(page, page.locator("#note summary"))
        write(page, page.get_by_label("社内メモの本文"), "折り返しの前に構成を確認する。")
        page.keyboard.press("Control+Enter")
        expect(page.locator(".msg.note")).to_contain_text("折り返しの前に構成を確認する。")
        page.keyboard.press("r")
        page.keyboard.insert_text("ログをお送りください。")
        page.keyboard.press("Control+Enter")
        expect(page.get_by_text("まだ公開していません。")).to_be_visible()
        press(page, page.get_by_role("button", name="取り消す").first)
        expect(page.get_by_label("返信の本文")).to_have_value("ログをお送りください。")
        press(page, page.get_by_role("button", name="返信して「お客様確認待ち」にする"))

        expect(page.get_by_role("heading", level=1)).to_have_text(subject or "")
        expect(page.get_by_text("まだ公開していません。")).to_be_visible()


@pytest.mark.browser
def test_the_center_decides_a_change_by_keyboard_alone(browser: Browser, demo: Demo) -> None:
    with visiting(browser, demo, "center") as page:
        page.goto(f"{demo.address}/console/email-changes")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("保守登録メール変更 #1")
        reach(page, page.get_by_label("木村 はるか 様のアカウントの扱い"))
        page.keyboard.press("ArrowDown")
        expect(page.get_by_role("radio", name="変更を適用する")).to_be_checked()
        write(page, page.get_by_label("判断の理由"), "折り返しの電話で確認済み。")
        page.keyboard.press("Control+Enter")

        expect(page.get_by_text("変更を適用し、お知らせのメールを用意しました。").first).to_be_visible()
        expect(page.get_by_text("ご本人に変更をお願いする").first).to_be_visible()
        press(page, page.get_by_role("link", name="元に戻す"))
        write(page, page.get_by_label("理由"), "依頼の取り違え。")
        press(page, page.get_by_role("button", name="変更を元に戻す"))
        expect(page.get_by_text("元に戻した", exact=True).first).to_be_visible()


@pytest.mark.browser
def test_an_exception_is_decided_by_keyboard_alone(browser: Browser, demo: Demo) -> None:
    with visiting(browser, demo, "desk") as page:
        page.goto(f"{demo.address}/console/exceptions/4")
        reach(page, page.get_by_role("radio", name="この方のアカウントだけに"))
        page.keyboard.press("ArrowDown")
        expect(page.get_by_role("radio", name="の方全員に")).to_be_checked()
        write(page, page.get_by_label("判断の理由"), "名古屋支社のドメイン。")
        page.keyboard.press("Control+Enter")

        expect(page.get_by_role("heading", level=2).filter(has_text="坂本 健一 様")).to_be_visible()
        page.goto(f"{demo.address}/console/grants")
        expect(page.get_by_role("link", name="nagoya.tozai-net.example")).to_be_visible()


@pytest.mark.browser
def test_a_begun_reply_outlives_its_page_and_colleagues_see_it(browser: Browser, demo: Demo) -> None:
    path = f"{demo.address}/console/tickets/10006"
    with visiting(browser, demo, "nakamura") as writing, visiting(browser, demo, "sato") as reading:
        reading.goto(path)
        writing.goto(path)
        expect(writing.get_by_text("佐藤さんが閲覧中です。")).to_be_visible()
        field = writing.get_by_label("返信の本文")
        field.press_sequentially("お届け先は本社でよろしいでしょうか。", delay=10)
        text = field.input_value()
        writing.close(run_before_unload=True)
        page = reading.context.browser and new_context(browser, SIZE)
        assert page
        demo.enter(page, "nakamura")
        again = page.new_page()
        again.goto(path)
        expect(again.get_by_label("返信の本文")).to_have_value(text)
        reading.reload()
        expect(reading.get_by_text("中村さんが返信を書いています")).to_be_visible()
        page.close()


@pytest.mark.browser
def test_a_customer_without_script_registers_asks_and_replies(browser: Browser, desk_address: str, engine: Engine) -> None:
    with transaction(engine) as session:
        people.add_certificate(session)
    with visiting(browser, java_script_enabled=False) as page:
        page.goto(f"{desk_address}/register")
        for label, text in registration():
            page.get_by_label(label, exact=False).first.fill(text)
        page.get_by_label("個人情報の取り扱いに同意する").check()
        page.get_by_role("button", name="新規ユーザー登録").click()
        page.goto(desk_address + link_of_the_letter(engine))
        page.get_by_role("button", name="登録を完了する").click()
        page.goto(desk_address)
        page.get_by_label("ユーザーID").fill("kimura")
        page.get_by_label("パスワード").fill(people.PASSWORD)
        page.get_by_role("button", name="ログイン").click()

        page.goto(f"{desk_address}/tickets/new/juniper-srx")
        page.get_by_label("件名").fill("VPN が切断される")
        page.get_by_label("保守契約番号").fill("不明")
        page.get_by_label("シリアル番号").fill("不明")
        page.get_by_label("カテゴリ").select_option("障害")
        page.get_by_label("本文").fill("本日 9 時ごろから切断されます。")
        page.get_by_label("ファイルのアップロード").set_input_files({"name": "messages.log", "mimeType": "text/plain", "buffer": b"kmd: failure"})
        page.get_by_role("button", name="内容を確認する").click()
        page.get_by_role("button", name="新規チケットの作成").click()
        expect(page.get_by_role("link", name="messages.log")).to_be_visible()
        page.get_by_role("link", name="返信").click()
        page.get_by_label("返信の内容").fill("再起動しても変わりません。")
        page.get_by_role("button", name="返信").click()

        expect(page.get_by_text("再起動しても変わりません。")).to_be_visible()


def _telling(user_id: str) -> list[str]:
    """A page of every kind; those with a form of `REFUSED` are looked at when it was refused."""
    return [path for path in PAGES[user_id] if path not in ALIKE and path not in dict(REFUSED[user_id])]


def fill_in_ticket_by_keyboard(page: Page) -> None:
    write(page, page.get_by_label("保守契約番号"), people.CONTRACT)
    write(page, page.get_by_label("シリアル番号"), "CV4126AF0093")
    write(page, page.get_by_label("件名"), "VPN が切断される")
    reach(page, page.get_by_label("カテゴリ"))
    page.keyboard.press("ArrowDown")
    write(page, page.get_by_label("本文"), "本日 9 時ごろから切断されます。")
    press(page, page.get_by_role("button", name="内容を確認する"))
    expect(page.get_by_role("heading", level=1)).to_have_text("内容を確認してください")


def send_empty(page: Page, button: str) -> None:
    """Press the button of an empty form, past the browser's own check; the page of its refusals follows."""
    page.evaluate("for (const form of document.forms) form.noValidate = true")
    with page.expect_response(lambda answer: answer.request.method == "POST" and not answer.url.endswith("/presence")) as answer:
        page.get_by_role("main").or_(page.locator(".stickybar")).get_by_role("button", name=button, exact=True).first.click()
    assert answer.value.status == 422, f"{page.url}: {answer.value.status}"
    page.wait_for_load_state()
    expect(page.locator("[role=alert]").first).to_be_visible()
