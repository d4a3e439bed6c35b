"""新規アカウント登録: the form, its refusals and the way to an account (SECURITY, attack list A)."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from models.admission import Consent, PendingRegistration
from models.contracts import Party
from models.database import transaction
from models.masters import PrivacyText
from models.people import Account
from tests import people
from tests.client import Client
from tests.clock import Clock
from tests.portal.visit import FILLED, PASSWORD, Visit, visit

PAIR_REFUSED = "ご契約番号（または契約名）と保守登録メールの組み合わせでは、登録できません。"
TAKEN = "このユーザーIDはすでに使われています。"


@pytest.fixture
def portal(engine: Engine, clock: Clock, tmp_path: Path) -> Visit:
    return visit(engine, clock, tmp_path, registrations_per_hour=1000)


def test_a_customer_registers_confirms_and_signs_in(portal: Visit) -> None:
    page = portal.register(user_id="Kimura@Osaka.tozai.example")

    assert page.path == "/register/sent"
    assert page.says(people.EMAIL)
    assert portal.count(Account) == 0
    assert [to for to, _ in portal.letters("registration_link")] == [people.EMAIL]
    assert portal.complete().says("登録が完了しました")
    assert [to for to, _ in portal.letters("registered")] == [people.EMAIL]
    assert portal.sign_in(user_id="kimura@osaka.TOZAI.example", password=PASSWORD).path == "/tickets"
    assert portal.account("kimura@osaka.tozai.example").user_id == "Kimura@Osaka.tozai.example"
    assert portal.account("kimura@osaka.tozai.example").party_role == "end_user"


def test_nobody_signs_in_before_the_link_is_used(portal: Visit) -> None:
    portal.register()

    assert portal.sign_in(password=PASSWORD, expect=422).says("ユーザーIDまたはパスワードが違います。")


def test_everything_wrong_is_told_at_once_and_what_was_typed_stays(portal: Visit) -> None:
    page = portal.register(password="abcdef", password_confirmation="abc", email="a@tozai-net.example.jp", contract_key="NOPE", consent=False, expect=422)

    assert page.says("5件の入力をお確かめください")
    assert "英大文字" in page.fault_of("password")
    assert "一致しません" in page.fault_of("password_confirmation")
    assert "@ より後ろが異なります" in page.fault_of("email")
    assert PAIR_REFUSED in page.fault_of("contract_key")
    assert "チェックを入れてください" in page.fault_of("consent")
    assert page.value_of("company_name") == FILLED["company_name"]
    assert page.value_of("email") == "a@tozai-net.example.jp"
    assert page.value_of("password") == ""
    assert "abcdef" not in page.html


def test_a_refusal_is_kept_with_its_trace_under_the_number_on_the_page(portal: Visit) -> None:
    page = portal.register(contract_key="NOPE", expect=422)

    (refusal,) = portal.refusals()
    assert f"26-{refusal.id}" in page.fault_of("contract_key")
    assert refusal.contract_key == "NOPE"
    assert {"rule": "certificate", "code": "contract_not_found"}.items() <= next(r for r in refusal.trace["rules"] if r["rule"] == "certificate").items()
    assert PASSWORD not in str(refusal.trace)


def test_a12_unknown_and_known_pairs_get_one_text(portal: Visit) -> None:
    with transaction(portal.engine) as session:
        people.add_certificate(session, "TODAY", issued_on=date(2026, 12, 1))
        people.add_certificate(session, "ENDED", starts_on=date(2020, 4, 1), ends_on=date(2026, 11, 30))
        people.add_certificate(session, "OTHER-DESK", contact="ns_support@jscom.co.jp")

    tries = [
        portal.register(maintenance_email="nobody@osaka.tozai.example", expect=422),
        *(portal.register(contract_key=key, expect=422) for key in ("NOPE", "TODAY", "ENDED", "OTHER-DESK")),
        portal.register(contract_key="NOPE", maintenance_email="nobody@osaka.tozai.example", expect=422),
    ]

    texts = {re.sub(r"26-\d+", "N", page.fault_of("contract_key")) for page in tries}
    assert len(texts) == 1
    assert PAIR_REFUSED in texts.pop()
    assert len({len(page.alerts) for page in tries}) == 1


@pytest.mark.parametrize("typed", ["ＪＳＣ２６０４０１２３Ａ", "jsc26040123a", "　JSC26040123A ", "JSC26040123Ａ"])
def test_a13_the_contract_key_is_found_in_its_normal_form(portal: Visit, typed: str) -> None:
    assert portal.register(contract_key=typed).path == "/register/sent"


@pytest.mark.parametrize("typed", ["%", "JSC2604_123A", "' OR 1=1 --", "JSC%", "\u200bJSC26040123A", "契約"])
def test_a13_no_pattern_and_no_quote_finds_a_contract(portal: Visit, typed: str) -> None:
    page = portal.register(contract_key=typed, expect=422)

    assert page.fault_of("contract_key")


def test_a14_a_certificate_works_from_the_day_after_its_issue_in_japan(portal: Visit) -> None:
    with transaction(portal.engine) as session:
        people.add_certificate(session, "FRESH", issued_on=date(2026, 12, 1))
    portal.clock.set(datetime(2026, 12, 1, 14, 59, 59, tzinfo=UTC))
    portal.register(contract_key="FRESH", expect=422)

    portal.clock.set(datetime(2026, 12, 1, 15, 0, 0, tzinfo=UTC))

    assert portal.register(contract_key="FRESH").path == "/register/sent"


def test_a15_a_taken_user_id_is_not_told_to_who_knows_no_contract(portal: Visit) -> None:
    with transaction(portal.engine) as session:
        people.add_account(session)

    wrong_pair = portal.register(contract_key="NOPE", expect=422)
    wrong_domain = portal.register(email="a@elsewhere.example", expect=422)

    assert not wrong_pair.says(TAKEN)
    assert not wrong_domain.says(TAKEN)
    assert not wrong_pair.fault_of("user_id")


def test_a16_a_taken_user_id_is_told_when_all_else_holds(portal: Visit) -> None:
    with transaction(portal.engine) as session:
        people.add_account(session)

    page = portal.register(user_id="KIMURA", expect=422)

    assert TAKEN in page.fault_of("user_id")
    assert page.link("ログイン情報を忘れた場合") == "/recover"


def test_a_user_id_is_held_only_while_its_link_lives(portal: Visit) -> None:
    portal.register()

    assert TAKEN in portal.register(portal.another(), email="sato@osaka.tozai.example", expect=422).fault_of("user_id")
    portal.clock.advance(hours=24)
    assert portal.register(portal.another(), email="sato@osaka.tozai.example").path == "/register/sent"


def test_who_starts_over_gets_the_user_id_back(portal: Visit) -> None:
    portal.register(email="kinura@osaka.tozai.example")
    wrong = portal.link("registration_link")
    portal.client.submit("はじめから入力し直す")

    assert portal.register().path == "/register/sent"
    assert portal.client.get(wrong, expect=410).heading == "有効期限が切れています"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("ab", ""),
        ("＿", ""),
        ("a" * 128, "a" * 128),
        ("a" * 129, ""),
        ("admin", ""),
        ("Root", ""),
        ("ｔａｎａｋａ", "tanaka"),
        ("KIMURA2", "KIMURA2"),
        ("a b c", ""),
    ],
)
def test_a17_user_ids(portal: Visit, typed: str, kept: str) -> None:
    page = portal.register(user_id=typed, expect=200 if kept else 422)

    if kept:
        portal.complete()
        assert portal.account(kept).user_id == kept
    else:
        assert page.fault_of("user_id")


def test_a17_another_accounts_address_may_be_a_user_id(portal: Visit) -> None:
    with transaction(portal.engine) as session:
        people.add_account(session)

    assert portal.register(user_id=people.EMAIL).path == "/register/sent"


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("aB3xyz", ""),
        ("abc123", "英大文字"),
        ("Passw0rd", "推測されやすい"),
        ("aB3" + "x" * 125, ""),
        ("aB3" + "x" * 126, "128 文字以内"),
        ("パスワード1aA", "半角"),
        ("Kimura7", "ユーザーID"),
        ("aB3 xyz with blanks", ""),
    ],
)
def test_a18_passwords(portal: Visit, password: str, fault: str) -> None:
    page = portal.register(user_id="kimura7", password=password, password_confirmation=password, expect=422 if fault else 200)

    assert fault in page.fault_of("password") if fault else page.path == "/register/sent"
    if not fault:
        portal.complete()
        assert portal.sign_in(user_id="kimura7", password=password).path == "/tickets"
        assert portal.sign_in(portal.another(), user_id="kimura7", password=password[:-1], expect=422).says("違います")


def test_a19_consent_is_needed_and_kept_with_the_version_shown(portal: Visit) -> None:
    assert portal.register(consent=False, expect=422).fault_of("consent")
    portal.client.get("/register")
    token = portal.client.csrf_token()
    fields = {name: value for name, value in FILLED.items() if isinstance(value, str)}
    portal.client.post("/register", {**fields, "consent": "false", "csrf_token": token}, expect=422)

    portal.register()
    portal.complete()

    with transaction(portal.engine, readonly=True) as session:
        assert session.scalars(select(Consent.privacy_version)).all() == [1]


def test_a19_a_form_that_showed_an_older_text_is_asked_again(portal: Visit) -> None:
    portal.client.get("/register")
    with transaction(portal.engine) as session:
        session.add(PrivacyText(body="新しい文", published_at=people.NOW))

    page = portal.client.submit("/register", expect=422, **FILLED)

    assert "個人情報の取り扱いが変わりました" in page.fault_of("consent")
    assert page.says("新しい文")


def test_a20_fields_that_the_form_does_not_have_change_nothing(portal: Visit) -> None:
    portal.client.get("/register?role=admin&grant=approved")
    fields = {name: value for name, value in FILLED.items() if isinstance(value, str)}
    more = {"role": "admin", "is_active": "1", "company_id": "1", "grant": "approved", "state": "suspended", "id": "7", "party_role": "agent"}
    portal.client.post("/register", {**fields, "consent": "1", "csrf_token": portal.client.csrf_token(), **more})
    portal.complete()

    account = portal.account()
    assert (account.state, account.party_role) == ("active", "end_user")


def test_the_same_rules_are_asked_again_when_the_link_is_used(portal: Visit) -> None:
    portal.register()
    path = portal.link("registration_link")
    with transaction(portal.engine) as session:
        session.scalars(select(Party).where(Party.email == people.MAINTENANCE)).one().email_key = "changed@osaka.tozai.example"
    portal.client.get(path)

    page = portal.client.submit(path, expect=422)

    assert page.says(PAIR_REFUSED)
    assert f"26-{portal.refusals()[-1].id}" in page.text
    assert portal.count(Account) == 0
    assert portal.count(PendingRegistration) == 1


def test_letters_to_unproved_addresses_carry_nothing_the_applicant_wrote(portal: Visit) -> None:
    portal.register(company_name="儲かる話はこちら http://evil.example", person_name="至急ご確認を", user_id="click-here-now")

    (_, body) = portal.letters("registration_link")[-1]
    assert not any(text in body for text in ("儲かる", "evil.example", "至急ご確認を", "click-here-now"))


def test_a_field_that_comes_twice_is_refused(portal: Visit) -> None:
    portal.client.get("/register")
    fields = [(name, value) for name, value in FILLED.items() if isinstance(value, str)]
    portal.client.post("/register", [*fields, ("email", "b@evil.example"), ("consent", "1"), ("csrf_token", portal.client.csrf_token())], expect=400)

    assert portal.letters("registration_link") == []


def test_two_who_want_one_user_id_at_once_get_it_once(portal: Visit) -> None:
    browsers = [portal.another(f"198.51.100.{number}") for number in range(4)]
    for browser in browsers:
        browser.get("/register")

    def press(numbered: tuple[int, Client]) -> str:
        number, browser = numbered
        fields = {name: value for name, value in FILLED.items() if isinstance(value, str)}
        own = {"email": f"applicant{number}@osaka.tozai.example", "consent": "1", "csrf_token": browser.csrf_token()}
        return browser.post("/register", {**fields, **own}, follow=False).headers.get("location", "refused")

    with ThreadPoolExecutor(4) as threads:
        answers = sorted(threads.map(press, enumerate(browsers)))

    assert answers == ["/register/sent", "refused", "refused", "refused"]
    assert portal.count(PendingRegistration) == 1
