"""Signing in and out (SECURITY, attack list B, rows 33 to 41)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from models.admission import Consent, SignIn
from models.database import transaction
from models.masters import PrivacyText
from models.people import Account, AccountSession, AccountState
from tests import people
from tests.client import Client
from tests.clock import Clock
from tests.portal.visit import Visit, visit

WRONG = "ユーザーIDまたはパスワードが違います。"


@pytest.fixture
def portal(engine: Engine, clock: Clock, tmp_path: Path) -> Visit:
    opened = visit(engine, clock, tmp_path)
    with transaction(engine) as session:
        people.add_account(session)
    return opened


def suspend(portal: Visit) -> None:
    with transaction(portal.engine) as session:
        session.scalars(select(Account)).one().state = AccountState.SUSPENDED


def test_the_fields_at_the_top_of_the_first_page_sign_in(portal: Visit) -> None:
    portal.client.get("/")

    assert portal.client.submit("/login", user_id="Kimura", password=people.PASSWORD).path == "/tickets"


@pytest.mark.parametrize("typed", ["KIMURA", "ｋｉｍｕｒａ", " kimura　"])
def test_a_user_id_is_found_whatever_its_case_and_width(portal: Visit, typed: str) -> None:
    assert portal.sign_in(user_id=typed).path == "/tickets"


def test_a_password_is_taken_as_it_is(portal: Visit) -> None:
    assert portal.sign_in(password=people.PASSWORD + " ", expect=422).says(WRONG)
    assert portal.sign_in(password=people.PASSWORD.lower(), expect=422).says(WRONG)


def test_b33_unknown_wrong_unconfirmed_and_suspended_get_one_answer_for_the_same_work(portal: Visit) -> None:
    portal.register(portal.another(), user_id="pending", email="sato@osaka.tozai.example")
    answers: list[tuple[int, list[str], list[str], str]] = []
    for user_id in ("kimura", "nobody", "pending"):
        portal.client.get("/login")
        with portal.work() as work:
            page = portal.client.submit("/login", user_id=user_id, password="Wrong-Password-1", expect=422)
        answers.append((work.argon2, work.statements, page.alerts, page.html.replace(user_id, "ID").replace(portal.client.csrf_token(), "")))
    suspend(portal)
    portal.client.get("/login")
    with portal.work() as work:
        page = portal.client.submit("/login", user_id="kimura", password="Wrong-Password-1", expect=422)
    answers.append((work.argon2, work.statements, page.alerts, page.html.replace("kimura", "ID").replace(portal.client.csrf_token(), "")))

    assert answers[0][0] == 1
    assert answers[0][2] == [WRONG]
    assert all(answer == answers[0] for answer in answers)


def test_a_suspended_account_is_told_so_only_with_the_right_password(portal: Visit) -> None:
    suspend(portal)

    assert portal.sign_in(password="Wrong-Password-1", expect=422).alerts == [WRONG]
    assert "利用を停止しています" in portal.sign_in(expect=422).alerts[0]
    assert portal.count(AccountSession) == 0


def test_b35_the_tenth_failure_is_an_answer_and_the_eleventh_try_waits(portal: Visit) -> None:
    for number in range(10):
        portal.sign_in(portal.another(f"198.51.100.{number}"), password="Wrong-Password-1", expect=422)

    page = portal.sign_in(portal.another("198.51.100.99"), expect=429)

    assert page.says("しばらく受け付けを止めています", "10:05 以降")
    portal.clock.advance(minutes=5)
    assert portal.sign_in().path == "/tickets"


def test_b35_one_client_may_fail_ten_times_whatever_user_ids_it_tries(portal: Visit) -> None:
    for number in range(10):
        portal.sign_in(user_id=f"somebody-{number}", expect=422)

    portal.sign_in(expect=429)

    assert portal.sign_in(portal.another()).path == "/tickets"


def test_b35_there_is_a_limit_over_all(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    portal = visit(engine, clock, tmp_path, sign_in_failures_all=3)
    for number in range(3):
        portal.sign_in(portal.another(f"198.51.100.{number}"), user_id=f"somebody-{number}", expect=422)

    assert portal.sign_in(portal.another("198.51.100.77"), user_id="other", expect=429).says("受け付けを止めています")


def test_b35_addresses_of_one_ipv6_network_count_as_one_client(portal: Visit) -> None:
    for number in range(10):
        portal.sign_in(portal.another(f"2001:db8:1:2::{number + 1}"), user_id=f"somebody-{number}", expect=422)

    portal.sign_in(portal.another("2001:db8:1:2:ffff::1"), user_id="other", expect=429)


def test_right_passwords_are_not_counted(portal: Visit) -> None:
    for _ in range(12):
        assert portal.sign_in().path == "/tickets"


def test_every_sign_in_and_failure_of_an_account_is_kept(portal: Visit) -> None:
    portal.sign_in(password="Wrong-Password-1", expect=422)
    portal.sign_in(user_id="nobody", expect=422)
    portal.sign_in()

    with transaction(portal.engine, readonly=True) as session:
        kept = session.execute(select(SignIn.succeeded, SignIn.client).order_by(SignIn.id)).all()
    assert [tuple(row) for row in kept] == [(False, "203.0.113.7"), (True, "203.0.113.7")]


def test_b37_signing_in_gives_a_new_session_and_ends_the_browsers_old_one(portal: Visit) -> None:
    portal.sign_in()
    old = portal.client.cookies["jtickets_portal"]
    portal.sign_in()

    assert portal.client.cookies["jtickets_portal"] != old
    thief = portal.another()
    thief.cookies.set("jtickets_portal", old)
    assert thief.get("/profile").path.startswith("/login")


def test_b37_a_session_planted_before_signing_in_is_worth_nothing(portal: Visit) -> None:
    portal.client.cookies.set("jtickets_portal", "planted-by-somebody")
    portal.sign_in()

    thief = portal.another()
    thief.cookies.set("jtickets_portal", "planted-by-somebody")
    assert thief.get("/profile").path.startswith("/login")


def test_b38_a_cookie_is_dead_after_logout_in_every_process(portal: Visit) -> None:
    portal.sign_in()
    kept = portal.client.cookies["jtickets_portal"]
    assert portal.client.submit("/logout").says("ログアウトしました。")

    other_process = portal.another()
    other_process.cookies.set("jtickets_portal", kept)
    assert other_process.get("/profile").path.startswith("/login")


def test_b38_a_cookie_is_dead_once_the_account_is_suspended(portal: Visit) -> None:
    portal.sign_in()
    suspend(portal)

    assert portal.client.get("/profile").path.startswith("/login")


@pytest.mark.parametrize(("span", "alive"), [(timedelta(hours=12, seconds=-1), True), (timedelta(hours=12), False)])
def test_b38_a_session_ends_when_nobody_uses_it(portal: Visit, span: timedelta, alive: bool) -> None:
    portal.sign_in()
    portal.clock.advance(seconds=span.total_seconds())

    page = portal.client.get("/profile")

    assert (page.path == "/profile") is alive
    assert alive or page.says("しばらく操作がなかったため、もう一度ログインしてください。")


def test_b38_a_session_ends_after_seven_days_however_much_it_is_used(portal: Visit) -> None:
    portal.sign_in()
    for _ in range(16):
        portal.clock.advance(hours=10)
        assert portal.client.get("/profile").path == "/profile"
    portal.clock.advance(hours=8)

    assert portal.client.get("/profile").path.startswith("/login")


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https:evil",
        "https://evil.example/tickets",
        "/\\evil",
        "javascript:alert(1)",
        "/tickets%0d%0aSet-Cookie:x",
        "/tickets\r\nx",
        "/console",
        "/logout",
        "/tickets/../x",
        "",
    ],
)
def test_b39_signing_in_leads_nowhere_else(portal: Visit, target: str) -> None:
    portal.client.get("/login")
    page = portal.client.submit("/login", user_id="kimura", password=people.PASSWORD, next=target, follow=False, expect=303)

    assert page.headers["location"] == "/tickets"


def test_b39_signing_in_leads_back_to_the_page_that_asked_for_it(portal: Visit) -> None:
    page = portal.client.get("/profile?q=SRX")
    assert page.path.startswith("/login")

    assert portal.client.submit("/login", user_id="kimura", password=people.PASSWORD).path == "/profile?q=SRX"


@pytest.mark.parametrize(
    "headers", [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "", "origin": "https://evil.example"}, {"sec-fetch-site": "", "origin": "null"}]
)
def test_b40_a_form_on_another_site_cannot_sign_in_or_out(portal: Visit, headers: dict[str, str]) -> None:
    portal.client.get("/login")
    fields = {"user_id": "kimura", "password": people.PASSWORD, "csrf_token": portal.client.csrf_token()}
    portal.client.post("/login", fields, headers=headers, expect=403)
    portal.sign_in()
    portal.client.post("/logout", {"csrf_token": portal.client.csrf_token()}, headers=headers, expect=403)

    assert portal.client.get("/profile").path == "/profile"


def test_b40_a_post_without_its_own_token_does_nothing(portal: Visit) -> None:
    other = portal.another()
    other.get("/login")
    portal.client.get("/login")
    fields = {"user_id": "kimura", "password": people.PASSWORD}
    portal.client.post("/login", fields, headers={"hx-request": "true"}, expect=403)
    portal.client.post("/login", {**fields, "csrf_token": other.csrf_token()}, expect=403)

    assert portal.count(AccountSession) == 0


def test_b41_signed_in_pages_are_never_stored_or_framed(portal: Visit) -> None:
    portal.sign_in()
    page = portal.client.get("/profile")

    assert page.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


def test_a_new_privacy_text_asks_again_before_the_session_begins(portal: Visit) -> None:
    with transaction(portal.engine) as session:
        session.add(PrivacyText(body="第 2 版の文", published_at=people.NOW))

    page = portal.sign_in()
    assert page.says("個人情報の取り扱いが変わりました。お読みのうえ、同意にチェックを入れてください。", "第 2 版の文")
    assert portal.count(AccountSession) == 0
    assert portal.client.submit("/login/consent", expect=422).fault_of("consent")

    assert portal.client.submit("/login/consent", consent=True).path == "/tickets"
    assert portal.account().privacy_version == 2
    assert portal.count(Consent) == 1
    assert portal.sign_in().path == "/tickets"


def test_a_consent_left_open_too_long_asks_for_the_password_again(portal: Visit) -> None:
    with transaction(portal.engine) as session:
        session.add(PrivacyText(body="第 2 版の文", published_at=people.NOW))
    portal.sign_in()
    portal.clock.advance(minutes=16)

    assert portal.client.submit("/login/consent", consent=True).path.startswith("/login?")
    assert portal.count(AccountSession) == 0


def test_b35_parallel_tries_cannot_slip_through(portal: Visit) -> None:
    browsers = [portal.another() for _ in range(14)]
    for browser in browsers:
        browser.get("/login")

    def guess(browser: Client) -> int:
        fields = {"user_id": "kimura", "password": "Wrong-Password-1", "csrf_token": browser.csrf_token()}
        return browser.post("/login", fields, follow=False).status

    with ThreadPoolExecutor(7) as threads:
        statuses = list(threads.map(guess, browsers))

    assert (statuses.count(422), statuses.count(429)) == (10, 4)
