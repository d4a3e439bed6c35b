"""The top page, the help, the accessibility statement and the choice of language."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from models.database import transaction
from tests import people
from tests.clock import Clock
from tests.portal.visit import Visit, visit


@pytest.fixture
def portal(engine: Engine, clock: Clock, tmp_path: Path) -> Visit:
    return visit(engine, clock, tmp_path)


def test_the_top_page_begins_with_the_login_fields(portal: Visit) -> None:
    page = portal.client.get("/")

    main = page.root.first("main")
    assert main
    assert main.all("form")[0].attributes["action"] == "/login"
    assert main.text.index("ユーザーID") < main.text.index(page.heading)
    assert page.link("新規アカウント登録") == "/register"
    assert page.link("ログイン情報を忘れた場合") == "/recover"
    assert page.says("個人情報の取り扱いについて", "お預かりする情報")


def test_a_signed_in_customer_is_led_to_the_tickets(portal: Visit) -> None:
    with transaction(portal.engine) as session:
        people.sign_in_customer(portal.client, session, people.add_account(session))

    page = portal.client.get("/")

    assert page.link("チケット管理") == "/tickets"
    assert not any(form.attributes.get("action") == "/login" for form in page.root.all("form"))


def test_the_help_names_both_desks_every_mailbox_and_answers_the_frequent_questions(portal: Visit) -> None:
    page = portal.client.get("/help")

    assert page.says("tickets-admin@jscom.co.jp", "service_admin@jscom.co.jp", "j2-support@jscom.co.jp", "2 営業日", "サポートサイト")
    assert page.text.count("ns_support@jscom.co.jp") == 2


def test_the_accessibility_statement_names_the_level_and_whom_to_tell(portal: Visit) -> None:
    assert portal.client.get("/accessibility").says("2.2", "AA", "tickets-admin@jscom.co.jp")


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil", ""])
def test_choosing_a_language_leads_back_and_nowhere_else(portal: Visit, target: str) -> None:
    portal.client.get("/help")
    assert portal.client.submit("/language").path == "/help"
    portal.client.get("/help")
    page = portal.client.submit("/language", next=target, follow=False, expect=303)

    assert page.headers["location"] == "/"


def test_a_chosen_language_stays(portal: Visit) -> None:
    portal.client.get("/help")
    portal.client.submit("/language")

    document = portal.client.get("/privacy").root.first("html")
    assert document
    assert document.attributes["lang"] == "en"
