"""ログイン情報を忘れた場合: one answer for everybody, links that work once (SECURITY, attack list B, rows 27 and 34)."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from models.admission import AccountLink, RecoveryRequest
from models.database import transaction
from models.outbox import Letter
from models.people import Account, AccountSession, AccountState
from tests import people
from tests.client import Page
from tests.clock import Clock
from tests.portal.visit import Visit, visit

NEW = "Sakura-no-Ki-2027"


@pytest.fixture
def portal(engine: Engine, clock: Clock, tmp_path: Path) -> Visit:
    opened = visit(engine, clock, tmp_path, registrations_per_hour=100)
    with transaction(engine) as session:
        people.add_account(session)
    return opened


def ask(portal: Visit, email: str = people.EMAIL, button: str = "ユーザーIDの再取得") -> Page:
    portal.client.get("/recover")
    return portal.client.submit("/recover", button=button, email=email)


def reset(portal: Visit, path: str, password: str = NEW, confirmation: str | None = None, *, expect: int = 200) -> Page:
    visitor = portal.another()
    visitor.get(path)
    return visitor.submit(path, password=password, password_confirmation=confirmation or password, expect=expect)


def test_b34_the_page_is_the_same_for_no_one_and_three_accounts(portal: Visit) -> None:
    with transaction(portal.engine) as session:
        for user_id in ("sato", "ito", "kato"):
            people.add_account(session, user_id, email="NW-All@osaka.tozai.example")

    pages = [ask(portal, email) for email in ("nobody@osaka.tozai.example", people.EMAIL, "nw-all@osaka.tozai.example")]

    assert len({page.text for page in pages}) == 1
    assert pages[0].says("入力されたメールアドレスにアカウントがある場合は、案内のメールをお送りしました。")
    letters = portal.letters("login_ids")
    assert [to for to, _ in letters] == [people.EMAIL, "nw-all@osaka.tozai.example"]
    assert all(user_id in letters[1][1] for user_id in ("sato", "ito", "kato"))
    assert len(portal.links("login_ids")) == 3


def test_b34_asking_costs_the_same_and_answers_the_same_bytes_for_no_one_and_for_three_accounts(portal: Visit) -> None:
    with transaction(portal.engine) as session:
        for user_id in ("sato", "ito", "kato"):
            people.add_account(session, user_id, email="nw-all@osaka.tozai.example")
    costs: list[tuple[list[str], int, str]] = []
    for email in ("nobody@osaka.tozai.example", "nw-all@osaka.tozai.example"):
        portal.client.get("/recover")
        with portal.work() as work:
            page = portal.client.submit("/recover", email=email)
        costs.append((work.statements, work.argon2, page.html.replace(portal.client.csrf_token(), "")))

    assert costs[0] == costs[1]


def test_what_was_asked_for_outlives_the_process_that_took_it(portal: Visit) -> None:
    portal.client.get("/recover")
    portal.client.submit("/recover", email=people.EMAIL)

    with transaction(portal.engine, readonly=True) as session:
        assert session.scalars(select(Letter.id)).all() == []
        assert session.scalars(select(RecoveryRequest.email)).all() == [people.EMAIL]
    assert len(portal.letters("login_ids")) == 1
    assert portal.count(RecoveryRequest) == 0


@pytest.mark.parametrize("button", ["ユーザーIDの再取得", "パスワードのリセット"])
def test_both_services_send_the_letter_that_names_the_id_and_resets_the_password(portal: Visit, button: str) -> None:
    ask(portal, button=button)

    assert "kimura" in portal.letters("login_ids")[0][1]
    assert reset(portal, portal.link("login_ids")).says("パスワードを変更しました。")
    assert portal.sign_in(password=NEW).path == "/tickets"
    assert portal.sign_in(portal.another(), expect=422).says("違います")


def test_a_reset_ends_all_sessions_and_tells_the_holder(portal: Visit) -> None:
    portal.sign_in()
    ask(portal)
    reset(portal, portal.link("login_ids"))

    assert portal.count(AccountSession) == 0
    assert portal.client.get("/profile").path.startswith("/login")
    assert [to for to, _ in portal.letters("password_changed")] == [people.EMAIL]


def test_b27_a_reset_link_works_once(portal: Visit) -> None:
    ask(portal)
    path = portal.link("login_ids")
    reset(portal, path)

    assert portal.another().get(path, expect=410).says("すでに使われています")
    assert portal.count(AccountLink) == 1


def test_b27_two_who_opened_one_reset_link_set_one_password(portal: Visit) -> None:
    ask(portal)
    path = portal.link("login_ids")
    first, second = portal.another(), portal.another()
    first.get(path)
    second.get(path)
    first.submit(path, password=NEW, password_confirmation=NEW)

    second.submit(path, password="Ume-no-Ki-2028", password_confirmation="Ume-no-Ki-2028", expect=410)

    assert portal.sign_in(password=NEW).path == "/tickets"


def test_b27_a_reset_link_ends_after_an_hour_and_with_a_newer_one(portal: Visit) -> None:
    ask(portal)
    first = portal.link("login_ids")
    ask(portal)
    second = portal.link("login_ids")

    assert portal.another().get(first, expect=410).says("新しいメールを受け取っている場合は")
    portal.another().get(second)
    portal.clock.advance(hours=1)
    portal.another().get(second, expect=410)


def test_a_new_password_follows_the_rules_and_the_link_stays_good(portal: Visit) -> None:
    ask(portal)
    path = portal.link("login_ids")

    assert "英大文字" in reset(portal, path, "abc123", expect=422).fault_of("password")
    assert "一致しません" in reset(portal, path, NEW, "Other-1a", expect=422).fault_of("password_confirmation")
    assert reset(portal, path).says("パスワードを変更しました。")


def test_a_suspended_account_gets_no_link(portal: Visit) -> None:
    with transaction(portal.engine) as session:
        session.scalars(select(Account)).one().state = AccountState.SUSPENDED

    ask(portal)

    assert portal.count(Letter) == 0


def test_the_maintenance_email_recovers_nothing(portal: Visit) -> None:
    ask(portal, people.MAINTENANCE)

    assert portal.count(Letter) == 0


def test_an_address_gets_three_letters_in_six_hours(portal: Visit) -> None:
    for _ in range(5):
        ask(portal)

    assert len(portal.letters("login_ids")) == 3


def test_a_client_may_ask_only_so_often(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    portal = visit(engine, clock, tmp_path, registrations_per_hour=2)
    ask(portal, "a@osaka.tozai.example")
    ask(portal, "b@osaka.tozai.example")
    portal.client.get("/recover")

    assert portal.client.submit("/recover", email="c@osaka.tozai.example", expect=429).says("受け付けを止めています")


def test_what_is_no_address_is_told_so(portal: Visit) -> None:
    portal.client.get("/recover")

    assert portal.client.submit("/recover", email="kimura", expect=422).fault_of("email")


def test_opening_the_reset_link_changes_nothing(portal: Visit) -> None:
    ask(portal)
    path = portal.link("login_ids")
    page = portal.client.get(path)

    assert page.headers["referrer-policy"] == "no-referrer"
    assert portal.sign_in().path == "/tickets"
