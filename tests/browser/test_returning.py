"""Coming back in a real browser: by the back button, after the desk was away, after a sign-in in another tab."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from sqlalchemy import Engine, delete, select

from models.database import transaction
from models.people import Staff, StaffSession
from models.tickets import Draft, Message, MessageKind
from rules.limits import Limits
from tests import people
from tests.browser.test_writing import signed_in
from tests.people import NOW
from web.sessions import open_customer_session, open_staff_session

__all__ = ["signed_in"]
pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]
_SEND = "返信して「お客様確認待ち」にする"


def test_going_back_offers_no_answer_again_that_was_taken(signed_in: BrowserContext, desk_address: str) -> None:
    page = signed_in.new_page()
    page.goto(f"{desk_address}/console/tickets")
    page.goto(f"{desk_address}/console/tickets/10001")
    field = page.get_by_label("返信の本文")
    field.fill("ログをお送りください。")
    page.get_by_role("button", name=_SEND).click()
    expect(page.get_by_text("返信しました。", exact=True)).to_be_visible()

    page.go_back()

    expect(page.locator("#thread article").filter(has_text="ログをお送りください。")).to_have_count(1)
    page.mouse.move(600, 400)
    expect(field).to_have_value("")


def test_going_back_from_a_created_ticket_opens_the_form(browser_page: Page, desk_address: str, engine: Engine) -> None:
    with transaction(engine) as session:
        token = open_customer_session(session, people.add_account(session).id, client="127.0.0.1", limits=Limits(), now=NOW)
    page = browser_page
    page.context.add_cookies([{"name": "jtickets_portal", "value": token, "url": desk_address}])
    page.goto(f"{desk_address}/tickets/new/juniper-srx")
    for label, text in (("件名", "VPN が切断される"), ("保守契約番号", "不明"), ("シリアル番号", "不明"), ("本文", "切断されます。")):
        page.get_by_label(label).first.fill(text)
    page.get_by_label("カテゴリ").select_option(label="障害")
    page.get_by_role("button", name="内容を確認する").click()
    page.get_by_role("button", name="新規チケットの作成").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("VPN が切断される")

    page.go_back()

    expect(page.get_by_role("heading", level=1)).to_have_text("新規サポートチケット発行")
    expect(page.get_by_label("本文")).to_have_value("")


def test_a_text_that_did_not_reach_the_desk_is_kept_until_it_does(signed_in: BrowserContext, desk_address: str, engine: Engine) -> None:
    page = signed_in.new_page()
    page.goto(f"{desk_address}/console/tickets/10001")
    field = page.get_by_label("返信の本文")
    page.route("**/drafts/answer", lambda route: route.abort())
    field.fill("止まっている間の文。")
    expect(page.get_by_text("下書きを保存できません。")).to_be_visible()
    page.unroute("**/drafts/answer")
    expect(page.get_by_text("下書きを保存しました")).to_be_visible(timeout=10_000)
    assert _texts(engine, Draft) == ["止まっている間の文。"]

    page.route("**/drafts/answer", lambda route: route.abort())
    page.route("**/replies", lambda route: route.abort())
    field.fill("止まっている間の文。続き。")
    page.get_by_role("button", name=_SEND).click()
    expect(field).to_have_count(0)
    page.unroute("**/drafts/answer")
    with page.expect_response("**/drafts/answer"):
        page.go_back()

    expect(field).to_have_value("止まっている間の文。続き。")
    expect(page.get_by_text("下書きを保存しました")).to_be_visible()
    assert _texts(engine, Draft) == ["止まっている間の文。続き。"]


def test_who_signs_in_again_in_another_tab_goes_on_where_they_were(signed_in: BrowserContext, desk_address: str, engine: Engine) -> None:
    page = signed_in.new_page()
    page.goto(f"{desk_address}/console/tickets/10001")
    expect(page.get_by_role("link", name="別の契約を指定する")).to_be_visible()
    with transaction(engine) as session:
        session.execute(delete(StaffSession))
        member = session.scalars(select(Staff)).one()
        token = open_staff_session(session, member.id, totp_passed=True, client="127.0.0.1", limits=Limits(), now=NOW)
    signed_in.add_cookies([{"name": "jtickets_console", "value": token, "url": desk_address}])
    page.get_by_label("返信の本文").focus()
    page.wait_for_load_state("networkidle")
    page.locator("#reply input[type=file]").set_input_files({"name": "core.gz", "mimeType": "application/gzip", "buffer": b"x" * 2000})
    expect(page.locator("#reply [data-problem]")).to_contain_text("別のタブで")
    page.get_by_label("返信の本文").fill("続きを書きます。")
    expect(page.get_by_text("サインインが切れたため、下書きを保存できません。")).to_be_visible()

    with page.expect_response("**/drafts/answer"):
        page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.get_by_text("下書きを保存しました")).to_be_visible()
    page.get_by_role("button", name="もう一度送る").click()
    expect(page.locator("#reply [data-done]")).to_be_visible()
    page.get_by_role("button", name=_SEND).click()

    expect(page.get_by_role("link", name="core.gz")).to_be_visible()
    assert "続きを書きます。" in _texts(engine, Message)


def test_who_stops_a_slow_sending_can_send_again(signed_in: BrowserContext, desk_address: str, engine: Engine) -> None:
    page = signed_in.new_page()
    page.goto(f"{desk_address}/console/tickets/10001")
    page.get_by_label("返信の本文").fill("一度だけ届きます。")
    page.wait_for_load_state("networkidle")
    held: list[Route] = []
    page.route("**/replies", lambda route: held.append(route) if not held else route.continue_())
    page.evaluate("() => { setTimeout(() => stop(), 1000) }")
    button = page.get_by_role("button", name=_SEND)
    button.click(no_wait_after=True)
    expect(page.locator("form[data-sent]")).to_have_count(0)

    button.click()

    expect(page.get_by_text("返信しました。", exact=True)).to_be_visible()
    assert len(held) == 1
    assert _texts(engine, Message) == ["一度だけ届きます。"]


def test_a_list_is_taken_as_one_file_after_the_other(signed_in: BrowserContext, desk_address: str) -> None:
    page = signed_in.new_page()
    page.goto(f"{desk_address}/console/tickets?open=tools")
    for label, ending in (("Excel（xlsx）", "xlsx"), ("csv（UTF-8）", "csv")):
        expect(page.locator("form[data-sent]")).to_have_count(0)
        with page.expect_download() as taken:
            page.get_by_role("button", name=label).click()
        assert taken.value.suggested_filename.endswith(ending)


def test_a_draft_that_is_being_read_stays_open(signed_in: BrowserContext, desk_address: str, engine: Engine) -> None:
    with transaction(engine) as session:
        sato = people.add_staff(session, "sato")
        session.add(Draft(ticket_id=10001, staff_id=sato.id, kind=MessageKind.ANSWER, body="交換を手配します。", updated_at=NOW))
    page = signed_in.new_page()
    page.clock.install()
    page.goto(f"{desk_address}/console/tickets/10001")
    page.locator("#presence summary").click()
    expect(page.get_by_text("交換を手配します。")).to_be_visible()

    with page.expect_response("**/presence"):
        page.clock.run_for(16_000)
    page.clock.run_for(1_000)

    expect(page.get_by_text("交換を手配します。")).to_be_visible()


def _texts(engine: Engine, table: type[Draft] | type[Message]) -> list[str]:
    with transaction(engine, readonly=True) as session:
        return list(session.scalars(select(table.body).where(table.kind == MessageKind.ANSWER)).all())
