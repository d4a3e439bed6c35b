"""プロフィール: editing by registration's rules without the fifth, and the link that proves a new e-mail (SECURITY, attack list A, row 21)."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from models.contracts import Certificate, ContractLine, Party
from models.database import transaction
from models.journal import JournalEntry
from models.people import AccountSession
from tests import people
from tests.client import Client, Page
from tests.clock import Clock
from tests.portal.visit import Visit, visit

NEW_EMAIL = "yamada@osaka.tozai.example"
NEW_PASSWORD = "Sakura-no-Ki-2027"
_STOOD = (Certificate.contract_key == people.CONTRACT) & (Party.email == people.MAINTENANCE)
CHANGE = "プロフィールを変更する"


@pytest.fixture
def portal(engine: Engine, clock: Clock, tmp_path: Path) -> Visit:
    opened = visit(engine, clock, tmp_path)
    with transaction(engine) as session:
        people.add_account(session)
    opened.sign_in()
    return opened


def edit(portal: Visit, *, expect: int = 200, **fields: Any) -> Page:
    """Change fields of the form and go on to the check page."""
    portal.client.get("/profile/edit")
    return portal.client.submit("内容を確認する", expect=expect, **fields)


def confirm(portal: Visit, *, expect: int = 200, **fields: Any) -> Page:
    return portal.client.submit(CHANGE, expect=expect, **fields)


def test_the_profile_shows_what_is_registered_and_no_password(portal: Visit) -> None:
    page = portal.client.get("/profile")

    assert page.says("東西ネットワーク株式会社", "木村 はるか", "kimura", people.EMAIL, people.MAINTENANCE, people.CONTRACT)
    assert people.PASSWORD not in page.html
    assert "$argon2" not in page.html


def test_a_name_is_changed_after_the_check_page_without_a_password(portal: Visit) -> None:
    page = edit(portal, person_name="木村 遥")
    assert page.heading == "内容を確認してください"
    assert portal.account().person_name == "木村 はるか"

    assert confirm(portal).says("プロフィールを変更しました。", "木村 遥")
    with transaction(portal.engine, readonly=True) as session:
        entry = session.scalars(select(JournalEntry).where(JournalEntry.act == "edit_profile")).one()
    assert entry.facts["person_name"] == ["木村 はるか", "木村 遥"]


def test_the_check_page_leads_back_with_what_was_typed(portal: Visit) -> None:
    edit(portal, person_name="木村 遥")

    typed = {**_standing(portal), "person_name": "木村 遥"}
    page = portal.client.post("/profile/edit", {**typed, "edit": "person_name", "csrf_token": portal.client.csrf_token()})

    assert page.heading == "プロフィールの編集"
    assert page.value_of("person_name") == "木村 遥"


def _standing(portal: Visit) -> dict[str, str]:
    account = portal.account()
    return {name: getattr(account, name) for name in ("company_name", "person_name", "user_id", "email", "maintenance_email", "contract_key")}


@pytest.mark.parametrize("change", [{"user_id": "yamada"}, {"email": NEW_EMAIL}, {"password": NEW_PASSWORD, "password_confirmation": NEW_PASSWORD}])
def test_user_id_email_and_password_ask_for_the_present_password(portal: Visit, change: dict[str, Any]) -> None:
    edit(portal, **change)
    again: dict[str, Any] = {"password": NEW_PASSWORD} if "password" in change else {}

    for wrong in ("", "Wrong-Password-1"):
        assert "現在のパスワードが違います" in confirm(portal, expect=422, current_password=wrong, **again).fault_of("current_password")
    assert portal.count(JournalEntry) == 0
    assert confirm(portal, current_password=people.PASSWORD, **again).path == "/profile"


def test_wrong_passwords_in_an_open_session_are_limited_like_sign_ins(portal: Visit) -> None:
    edit(portal, user_id="yamada")
    for _ in range(10):
        confirm(portal, expect=422, current_password="Wrong-Password-1")

    assert confirm(portal, expect=429, current_password=people.PASSWORD).says("しばらく受け付けを止めています")
    assert portal.account().user_id == "kimura"


def test_a_new_password_ends_all_other_sessions_and_tells_the_holder(portal: Visit) -> None:
    other = portal.another()
    portal.sign_in(other)
    edit(portal, password=NEW_PASSWORD, password_confirmation=NEW_PASSWORD)
    page = confirm(portal, password=NEW_PASSWORD, current_password=people.PASSWORD)

    assert page.path == "/profile"
    assert other.get("/profile").path.startswith("/login")
    assert portal.count(AccountSession) == 1
    assert [to for to, _ in portal.letters("password_changed")] == [people.EMAIL]
    assert portal.sign_in(portal.another(), password=NEW_PASSWORD).path == "/tickets"


def test_the_session_gets_a_new_token_when_the_password_was_asked_for(portal: Visit) -> None:
    old = portal.client.cookies["jtickets_portal"]
    edit(portal, user_id="yamada")
    confirm(portal, current_password=people.PASSWORD)

    thief = portal.another()
    thief.cookies.set("jtickets_portal", old)
    assert thief.get("/profile").path.startswith("/login")
    assert portal.client.get("/profile").says("yamada")


def change_email(portal: Visit, email: str = NEW_EMAIL) -> str:
    """Ask for a new e-mail; the path of the link that proves it."""
    edit(portal, email=email)
    confirm(portal, current_password=people.PASSWORD)
    return portal.link("email_link")


def test_a_new_email_is_used_only_after_its_link_and_the_old_one_is_told(portal: Visit) -> None:
    path = change_email(portal)
    assert portal.client.get("/profile").says("新しいメールアドレスの確認を待っています", NEW_EMAIL)
    assert portal.account().email == people.EMAIL
    assert [to for to, _ in portal.letters("email_link")] == [NEW_EMAIL]
    visitor = portal.another()
    visitor.get(path)
    assert portal.account().email == people.EMAIL

    assert visitor.submit(path).says("メールアドレスを変更しました。")

    assert portal.account().email == NEW_EMAIL
    assert [to for to, _ in portal.letters("email_changed")] == [people.EMAIL]


def test_b38_a_proved_email_ends_the_sessions_that_were_open(portal: Visit) -> None:
    path = change_email(portal)
    kept = portal.client.cookies["jtickets_portal"]
    visitor = portal.another()
    visitor.get(path)
    visitor.submit(path)

    thief = portal.another()
    thief.cookies.set("jtickets_portal", kept)
    assert thief.get("/profile").path.startswith("/login")


def test_who_proves_the_email_in_the_same_browser_stays_signed_in(portal: Visit) -> None:
    path = change_email(portal)
    portal.client.get(path)

    assert portal.client.submit(path).path == "/profile"


def test_an_email_link_works_once_ends_after_a_day_and_with_a_newer_one(portal: Visit) -> None:
    first = change_email(portal)
    second = change_email(portal, "suzuki@osaka.tozai.example")
    portal.client.get(first, expect=410)
    portal.client.get(second)
    portal.client.submit(second)
    assert portal.client.get(second, expect=410).says("すでに使われています")

    third = change_email(portal)
    portal.clock.advance(hours=24)
    portal.another().get(third, expect=410)


def test_old_links_die_with_a_new_email(portal: Visit) -> None:
    portal.another().get("/recover")
    asking = portal.another()
    asking.get("/recover")
    asking.submit("/recover", email=people.EMAIL)
    reset = portal.link("login_ids")
    path = change_email(portal)
    portal.client.get(path)
    portal.client.submit(path)

    portal.another().get(reset, expect=410)


def test_a21_a_foreign_email_is_refused(portal: Visit) -> None:
    assert "@ より後ろが異なります" in edit(portal, expect=422, email="kimura@elsewhere.example").fault_of("email")


def test_a21_a_competitors_maintenance_email_is_refused(portal: Visit) -> None:
    with transaction(portal.engine) as session:
        people.add_certificate(session, "RIVAL", end_user="joho@tsubame.example")

    page = edit(portal, expect=422, maintenance_email="joho@tsubame.example", contract_key="RIVAL")

    assert page.fault_of("email")
    assert portal.account().maintenance_email == people.MAINTENANCE


def test_a21_a_competitors_contracts_do_not_open_with_an_email_nobody_proved(portal: Visit) -> None:
    with transaction(portal.engine) as session:
        people.add_certificate(session, "RIVAL", end_user="joho@tsubame.example")
    edit(portal, email="spy@tsubame.example", maintenance_email="joho@tsubame.example", contract_key="RIVAL")

    page = confirm(portal, current_password=people.PASSWORD)

    assert page.says("すべての変更をまとめて反映します")
    assert portal.account().maintenance_email == people.MAINTENANCE
    assert not portal.client.get("/profile").says("RIVAL")


def test_a_new_email_and_a_new_pair_take_effect_together_once_the_email_is_proved(portal: Visit) -> None:
    with transaction(portal.engine) as session:
        people.add_certificate(session, "NEXT", end_user="joho@tsubame.example")
    edit(portal, person_name="木村 遥", email="kimura@tsubame.example", maintenance_email="joho@tsubame.example", contract_key="NEXT")
    assert confirm(portal, current_password=people.PASSWORD).says("そのときにまとめて反映します")
    assert portal.account().person_name == "木村 はるか"
    path = portal.link("email_link")
    visitor = portal.another()
    assert visitor.get(path).says("kimura@tsubame.example", "joho@tsubame.example", "NEXT", "木村 遥")

    assert visitor.submit(path).says("メールアドレスを変更しました。")

    account = portal.account()
    assert (account.email, account.maintenance_email, account.contract_key) == ("kimura@tsubame.example", "joho@tsubame.example", "NEXT")
    assert (account.person_name, account.party_role, account.email_domain) == ("木村 遥", "end_user", "tsubame.example")
    assert [to for to, _ in portal.letters("email_changed")] == [people.EMAIL]


def test_what_waits_is_judged_again_when_its_link_is_used(portal: Visit) -> None:
    with transaction(portal.engine) as session:
        people.add_certificate(session, "NEXT", end_user="joho@tsubame.example")
    edit(portal, email="kimura@tsubame.example", maintenance_email="joho@tsubame.example", contract_key="NEXT")
    confirm(portal, current_password=people.PASSWORD)
    path = portal.link("email_link")
    with transaction(portal.engine) as session:
        party = session.scalars(select(Party).where(Party.email == "joho@tsubame.example")).one()
        party.email = party.email_key = "other@tsubame.example"
    visitor = portal.another()
    visitor.get(path)

    visitor.submit(path, expect=422)

    assert (portal.account().email, portal.account().contract_key) == (people.EMAIL, people.CONTRACT)


def test_a_refused_domain_leads_to_the_change_of_the_maintenance_email(portal: Visit) -> None:
    page = edit(portal, expect=422, email="kimura@elsewhere.example")

    assert page.link("保守登録メールの変更を依頼する") == "/profile/maintenance-email"


def test_a21_a_pair_that_is_on_no_certificate_is_refused_with_a_number(portal: Visit) -> None:
    page = edit(portal, expect=422, contract_key="NOPE")

    assert f"26-{portal.refusals()[-1].id}" in page.fault_of("contract_key")
    assert portal.refusals()[-1].kind == "profile"


def test_a21_a_taken_user_id_is_refused(portal: Visit) -> None:
    with transaction(portal.engine) as session:
        people.add_account(session, "sato")

    assert "すでに使われています" in edit(portal, expect=422, user_id="SATO").fault_of("user_id")
    assert edit(portal, user_id="KIMURA").heading == "内容を確認してください"


def test_a_known_certificate_that_has_ended_stays_valid(portal: Visit) -> None:
    with transaction(portal.engine) as session:
        for line in session.scalars(select(ContractLine)):
            line.ends_on = date(2026, 5, 1)
    edit(portal, company_name="東西ネットワークス株式会社")

    assert confirm(portal).says("プロフィールを変更しました。")


def test_a_pair_that_is_gone_offers_what_the_address_stands_on_today(portal: Visit) -> None:
    with transaction(portal.engine) as session:
        people.add_certificate(session, "JSC27040001A", issued_on=date(2026, 11, 1))
        gone = session.scalars(select(Party).join(Certificate, Certificate.id == Party.certificate_id).where(_STOOD)).one()
        gone.email = gone.email_key = "other@osaka.tozai.example"

    assert portal.client.get("/profile/edit").says("現在の証書に見つかりません", "JSC27040001A")
    page = edit(portal, expect=422, person_name="木村 遥")
    assert "登録中の保守登録メール" in page.fault_of("maintenance_email")
    assert page.says("JSC27040001A")
    assert page.value_of("person_name") == "木村 遥"
    edit(portal, person_name="木村 遥", contract_key="JSC27040001A")
    assert confirm(portal).says("プロフィールを変更しました。")


def test_nothing_changed_says_so(portal: Visit) -> None:
    assert edit(portal).says("変更された項目はありません。")


def test_fields_that_the_form_does_not_have_change_nothing(portal: Visit) -> None:
    portal.client.get("/profile/edit")
    fields = {**_standing(portal), "person_name": "木村 遥", "confirmed": "1", "state": "suspended", "party_role": "agent", "account_id": "7", "grant": "1"}
    portal.client.post("/profile/edit", {**fields, "csrf_token": portal.client.csrf_token()})

    account = portal.account()
    assert (account.person_name, account.state, account.party_role) == ("木村 遥", "active", "end_user")


def test_the_profile_is_for_signed_in_customers(portal: Visit) -> None:
    stranger: Client = portal.another()

    assert stranger.get("/profile").path.startswith("/login")
    assert stranger.get("/profile/edit").path.startswith("/login")


def test_the_last_ten_tries_to_sign_in_are_listed(portal: Visit) -> None:
    for _ in range(6):
        portal.sign_in(password="Wrong-Password-1", expect=422)
        portal.sign_in()

    page = portal.client.get("/profile")

    assert page.text.count("203.0.113.7") == 10
    assert page.text.count("失敗") == 5
