"""Whole tasks of the staff in a browser that runs no script: every step is a link or a form."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect
from pyotp.totp import TOTP
from starlette.types import ASGIApp

from demo.load import CONSOLE_PASSWORD
from tests.browser.test_import_steps import enter
from tests.browser.test_pages import cookies, demo
from tests.browser.visits import Demo, visiting
from tests.clock import Clock
from tests.console.test_imports import Center
from tests.workbooks import csv_of
from web.wiring import Wiring

__all__ = ["cookies", "demo"]
pytestmark = [pytest.mark.proof, pytest.mark.browser, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]


def test_an_engineer_finds_takes_and_answers_a_ticket(browser: Browser, demo: Demo, clock: Clock) -> None:
    with visiting(browser, java_script_enabled=False) as page:
        page.goto(f"{demo.address}/console/sign-in")
        page.get_by_label("ユーザーID").fill("sato")
        page.get_by_label("パスワード").fill(CONSOLE_PASSWORD)
        page.get_by_role("button", name="サインイン").click()
        page.locator("summary", has_text="読み取れないときは").click()
        secret = page.locator("code").inner_text().replace(" ", "")
        page.get_by_label("確認コード").fill(TOTP(secret).at(clock()))
        page.get_by_role("button", name="登録してサインイン").click()
        page.get_by_role("link", name="すべてのチケット").click()
        page.get_by_role("link", name="条件・保存・書き出し").click()
        page.get_by_label("状態", exact=True).select_option(label="新規")
        page.get_by_label("製品", exact=True).select_option(label="Ruckus")
        page.get_by_role("button", name="絞り込む").click()
        page.get_by_role("link", name="R550 の最大接続台数").click()

        page.get_by_role("button", name="自分が担当する").click()
        expect(page.get_by_text("担当：佐藤")).to_be_visible()
        page.locator("summary", has_text="状態を変更").click()
        page.get_by_role("button", name="「メーカー確認中」にする").click()
        page.locator("summary", has_text="社内メモ").click()
        page.get_by_label("社内メモの本文").fill("仕様書で確かめる。")
        page.get_by_role("button", name="社内メモを書く").click()
        expect(page.locator(".msg.note")).to_contain_text("仕様書で確かめる。")
        page.get_by_label("返信の本文").fill("最大 512 台です。")
        page.locator("#reply input[type=file]").set_input_files({"name": "仕様.txt", "mimeType": "text/plain", "buffer": b"512"})
        page.get_by_role("button", name="返信して「お客様確認待ち」にする").click()
        expect(page.get_by_text("まだ公開していません。")).to_be_visible()
        expect(page.get_by_role("link", name="仕様.txt")).to_be_visible()


def test_the_center_changes_an_address(browser: Browser, demo: Demo) -> None:
    with visiting(browser, demo, "center", java_script_enabled=False) as page:
        page.goto(f"{demo.address}/console/email-changes")
        page.get_by_role("link", name="joho@osaka.tozai-net.example").click()
        page.get_by_role("radio", name="変更を適用する").check()
        page.get_by_label("判断の理由").fill("折り返しの電話で確認済み。")
        page.get_by_role("button", name="判断を確定する").click()
        expect(page.get_by_text("変更を適用し、お知らせのメールを用意しました。").first).to_be_visible()


def test_a_workbook_is_sent_mapped_put_right_applied_and_undone(browser: Browser, app: ASGIApp, wiring: Wiring, clock: Clock, desk_address: str) -> None:
    center = Center(app, wiring, clock)
    odd = csv_of({"serial": "A1"}, {"serial": "A2", "ends_on": "いつか"}).decode().replace("終了日", "おわり", 1)
    with visiting(browser, java_script_enabled=False) as page:
        enter(page, center, desk_address)
        page.goto(f"{desk_address}/console/imports")
        page.locator("input[type=file]").set_input_files({"name": "11月分.csv", "mimeType": "text/csv", "buffer": odd.encode()})
        page.get_by_role("button", name="読み込んで確認する").click()
        look_again(page, center, "列の対応")
        page.get_by_label("列 G「おわり」を取り込む項目").select_option(label="終了日")
        page.get_by_role("button", name="この対応で読み込む").click()
        look_again(page, center, "取込内容の確認")

        page.get_by_role("link", name="3 行目を直す").click()
        page.get_by_label("終了日").fill("2027/3/31")
        page.get_by_role("button", name="この行を直す").click()
        page.get_by_role("button", name="証書 1件（2行）を反映する").click()
        expect(page.get_by_text("証書 1件（2行）を反映しました。").first).to_be_visible()
        page.get_by_role("link", name="この取込を元に戻す").click()
        page.locator(".stickybar").get_by_role("button").click()
        expect(page.get_by_text("元に戻しました").first).to_be_visible()


def look_again(page: Page, center: Center, heading: str) -> None:
    """The job works, and the page's own link shows what came of it."""
    center.plan()
    page.get_by_role("link", name="最新の状態を表示").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
