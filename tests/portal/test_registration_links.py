"""The confirmation link: a button completes, once, within a day (SECURITY, attack list, rows 25 to 32)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from models.admission import PendingRegistration
from models.database import transaction
from models.people import Account, AccountSession
from tests import people
from tests.client import Client
from tests.clock import Clock
from tests.portal.visit import Visit, visit


@pytest.fixture
def portal(engine: Engine, clock: Clock, tmp_path: Path) -> Visit:
    opened = visit(engine, clock, tmp_path, confirmation_mails=100)
    opened.register()
    return opened


def test_b25_opening_the_link_changes_nothing(portal: Visit) -> None:
    path = portal.link("registration_link")
    page = portal.another().get(path)
    portal.another().get(path)

    assert [button.text for button in page.form(path).all("button")] == ["登録を完了する"]
    assert page.says("kimura", people.EMAIL)
    assert portal.count(Account) == 0
    assert portal.complete().says("登録が完了しました")


def test_b26_the_second_confirmation_says_already_done(portal: Visit) -> None:
    path = portal.link("registration_link")
    first, second = portal.client, portal.another()
    first.get(path)
    second.get(path)

    assert first.submit(path).says("登録が完了しました")
    assert second.submit(path).says("このアカウントは登録が完了しています。ログインしてください。")
    assert portal.count(Account) == 1
    assert len(portal.letters("registered")) == 1


def test_b26_many_browsers_at_once_make_one_account(portal: Visit) -> None:
    path = portal.link("registration_link")
    browsers = [portal.another() for _ in range(6)]
    for browser in browsers:
        browser.get(path)

    def press(browser: Client) -> str:
        return browser.submit(path).heading

    with ThreadPoolExecutor(6) as threads:
        headings = sorted(threads.map(press, browsers))

    assert headings.count("登録が完了しました") == 1
    assert headings.count("登録は完了しています") == 5
    assert portal.count(Account) == 1


def test_b27_the_link_ends_after_a_day_and_is_sent_again_with_one_press(portal: Visit) -> None:
    path = portal.link("registration_link")
    portal.clock.advance(hours=24)
    page = portal.another().get(path, expect=410)
    assert page.says("この URL は有効期限が切れています。もう一度登録の手続きをお願いいたします。")

    visitor = portal.another()
    visitor.get(path, expect=410)
    assert visitor.submit("確認メールを送り直す").path == "/register/sent"

    assert portal.link("registration_link") != path
    assert portal.complete().says("登録が完了しました")
    assert visitor.get(path).says("このアカウントは登録が完了しています。")


def test_b27_just_before_its_end_the_link_still_completes(portal: Visit) -> None:
    portal.clock.advance(hours=24, seconds=-1)

    assert portal.complete().says("登録が完了しました")


def test_b27_a_newer_letter_ends_the_older_link(portal: Visit) -> None:
    old = portal.link("registration_link")
    portal.client.get("/register/sent")
    portal.client.submit("確認メールを送り直す")

    assert portal.client.get(old, expect=410).says("新しい確認メールを受け取っている場合は")
    assert portal.complete().says("登録が完了しました")


def test_an_ended_link_cannot_be_sent_again_once_the_user_id_is_given_away(portal: Visit) -> None:
    path = portal.link("registration_link")
    portal.clock.advance(hours=25)
    with transaction(portal.engine) as session:
        people.add_account(session)
    portal.client.get(path, expect=410)

    assert portal.client.submit("確認メールを送り直す", expect=422).says("このユーザーIDはすでに使われています。")


def test_b28_a_link_opened_by_somebody_signed_in_leaves_their_session_alone(portal: Visit) -> None:
    with transaction(portal.engine) as session:
        people.sign_in_customer(portal.client, session, people.add_account(session, "sato", person_name="佐藤 航"))

    portal.complete()

    assert portal.client.get("/profile").says("sato")
    assert portal.account("kimura").person_name == "木村 はるか"


def test_b29_an_altered_token_gets_one_page_and_only_its_hash_is_kept(portal: Visit) -> None:
    path = portal.link("registration_link")
    token = path.rpartition("/")[2]
    flipped = "A" if token[-1] != "A" else "B"
    altered = [token[:-1] + flipped, token[:-1], token.swapcase(), token + "%00", "x" * 20_000, "%E3%81%82", token + "%20"]

    pages = {portal.client.get(f"/register/confirm/{wrong}", expect=404).heading for wrong in altered}

    assert pages == {"この URL は使えません"}
    with transaction(portal.engine, readonly=True) as session:
        kept = session.scalars(select(PendingRegistration)).one()
        assert token not in {str(value) for value in vars(kept).values()}


def test_b31_a_page_with_a_secret_address_sends_no_referrer_and_leads_away_from_it(portal: Visit) -> None:
    path = portal.link("registration_link")
    page = portal.client.get(path)
    done = portal.client.submit(path)

    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert done.path == "/register/completed"


def test_b32_two_links_of_one_moment_differ(portal: Visit) -> None:
    first = portal.link("registration_link")
    portal.register(portal.another(), user_id="sato")

    assert portal.link("registration_link") != first
    assert len(first.rpartition("/")[2]) >= 43


def test_completing_signs_nobody_in(portal: Visit) -> None:
    portal.complete()

    assert portal.count(AccountSession) == 0


def test_b30_links_begin_with_the_configured_address_and_unknown_hosts_are_turned_away(portal: Visit) -> None:
    for path in ("/register", "/recover", "/login", "/x/"):
        portal.client.get(path, headers={"host": "evil.example"}, expect=400)
    portal.clock.advance(hours=1)
    portal.client.get("/register", headers={"x-forwarded-host": "evil.example"})
    portal.register(user_id="sato")

    assert all("evil.example" not in body for _, body in portal.letters("registration_link"))
    assert portal.clock() - people.NOW == timedelta(hours=1)
