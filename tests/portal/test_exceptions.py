"""例外申請 from the refused form to the decision: one press, the proved address, the desk's word, and no retyping."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from models.admission import Consent
from models.database import transaction
from models.outbox import Letter, Recipient
from models.people import Account
from models.requests import ExceptionGrant, ExceptionRequest
from rules.requests import RequestState
from rules.rights import Role
from tests.client import Client, Page
from tests.clock import Clock
from tests.people import CONTRACT, MAINTENANCE, PASSWORD, add_account, add_certificate, add_staff, sign_in_customer, sign_in_staff

APPLICANT = "kimura@tokyo.tozai.example"
FIELDS = {
    "company_name": "東西ネットワーク株式会社",
    "person_name": "木村 はるか",
    "user_id": "kimura",
    "password": PASSWORD,
    "password_confirmation": PASSWORD,
    "email": APPLICANT,
    "maintenance_email": MAINTENANCE,
    "contract_key": CONTRACT,
}


@pytest.fixture(autouse=True)
def desk(engine: Engine, client: Client) -> None:
    """A certificate, and 佐藤 of the desk, who is signed in."""
    with transaction(engine) as session:
        add_certificate(session)
        sign_in_staff(client, session, add_staff(session, "sato", name="佐藤", roles=(Role.DESK,)))


def register(client: Client, *, expect: int = 422, **changed: Any) -> Page:
    client.get("/register")
    filled: dict[str, Any] = {**FIELDS, **changed}
    return client.submit("/register", expect=expect, consent=True, **filled)


def letters(engine: Engine, kind: str) -> list[tuple[str, str]]:
    with transaction(engine, readonly=True) as session:
        rows = session.execute(
            select(Recipient.address, Letter.body).join(Letter, Letter.id == Recipient.letter_id).where(Letter.kind == kind).order_by(Letter.id)
        )
        return [(row.address, row.body) for row in rows]


def link(engine: Engine, kind: str) -> str:
    found = re.search(r"/exceptions/\S+", letters(engine, kind)[-1][1])
    assert found
    return found.group()


def request_now(engine: Engine) -> ExceptionRequest:
    with transaction(engine, readonly=True) as session:
        return session.scalars(select(ExceptionRequest).order_by(ExceptionRequest.id.desc()).limit(1)).one()


def ask(client: Client) -> Page:
    """A refused registration, and the press below it."""
    register(client)
    return client.submit("/exceptions")


def prove(engine: Engine, client: Client) -> Page:
    path = link(engine, "exception_link")
    client.get(path)
    return client.submit("/proof")


def decide(client: Client, number: int, decision: str, *, expect: int = 200, **fields: Any) -> Page:
    client.get(f"/console/exceptions/{number}")
    filled: dict[str, Any] = {"decision": decision, "reason": "支店のドメインのため", **fields}
    return client.submit("/decision", expect=expect, **filled)


def test_an_approved_registration_completes_without_retyping(engine: Engine, client: Client) -> None:
    page = register(client)
    assert page.says("サブドメインが異なるため、担当者が確認します。", "担当者に確認を依頼する")
    assert client.submit("/exceptions").says("確認メールをお送りしますので", APPLICANT)
    assert [to for to, _ in letters(engine, "exception_link")] == [APPLICANT]
    assert "木村" not in letters(engine, "exception_link")[0][1]
    assert client.get("/console/exceptions").says("未対応の例外申請はありません。")

    path = link(engine, "exception_link")
    client.get(path)
    assert client.get("/console/exceptions").says("未対応の例外申請はありません。")
    client.get(path)
    assert client.submit("/proof").says("担当者が確認しています")
    number = request_now(engine).id
    seen = client.get("/console/exceptions")
    assert seen.says(
        "東西ネットワーク株式会社", "両方にサブドメインがあり、互いに異なるため", "tokyo", "osaka", "tozai.example", CONTRACT, "入力された保守登録メール"
    )

    shown = client.get(f"/console/exceptions/{number}")
    assert shown.says("許可するときにお送りするメール", "確認のお願いがあります。", "今回は承ることができませんでした。")
    done = decide(client, number, "grant_account", message="東京支店の方のご利用を承りました。", ends_on="2027/03/31")

    assert done.says("許可しました。手続きが完了し")
    with transaction(engine, readonly=True) as session:
        account = session.scalars(select(Account)).one()
        grant = session.scalars(select(ExceptionGrant)).one()
        assert session.scalars(select(Consent.account_id)).all() == [account.id]
    assert (grant.host, grant.account_id, grant.ends_on) == ("tokyo.tozai.example", account.id, date(2027, 3, 31))
    assert "東京支店の方のご利用を承りました。" in letters(engine, "exception_approved")[0][1]
    client.get("/login")
    assert client.submit("/login", user_id="kimura", password=PASSWORD).path == "/tickets"
    with transaction(engine, readonly=True) as session:
        assert MAINTENANCE not in set(session.scalars(select(Recipient.address)))


def test_a_grant_to_everyone_lets_the_next_colleague_pass_silently(engine: Engine, client: Client) -> None:
    ask(client)
    prove(engine, client)
    decide(client, request_now(engine).id, "grant_maintenance_email")

    page = register(client, user_id="yamada", email="yamada@tokyo.tozai.example", expect=200)

    assert page.path == "/register/sent"
    assert register(client, user_id="tanaka", email="tanaka@nagoya.tozai.example").says("担当者に確認を依頼する")


def test_a_grant_for_one_account_is_nobody_elses(engine: Engine, client: Client) -> None:
    ask(client)
    prove(engine, client)
    decide(client, request_now(engine).id, "grant_account")

    assert register(client, user_id="yamada", email="yamada@tokyo.tozai.example").says("担当者に確認を依頼する")


def test_the_desk_asks_the_applicant_answers_and_is_declined(engine: Engine, client: Client) -> None:
    ask(client)
    prove(engine, client)
    number = request_now(engine).id
    assert decide(client, number, "ask", expect=422).says("お客様への文を入力してください。")
    form = client.get(f"/console/exceptions/{number}")
    stale = {"version": form.value_of("version"), "csrf_token": client.csrf_token(), "decision": "decline", "reason": "x", "message": "x"}
    decide(client, number, "ask", message="東京支店の住所を教えてください。")
    assert client.post(f"/console/exceptions/{number}/decision", stale, expect=409).says("佐藤さんが 10:00 に「確認をお願いする」と判断しました。")
    assert request_now(engine).state == RequestState.ASKED

    client.get(link(engine, "exception_question"))
    assert client.submit("/answer", answer=" ", expect=422).says("お返事を入力してください。", "東京支店の住所を教えてください。")
    assert client.submit("/answer", answer="千代田区です。").says("お返事をお送りしました。")
    assert client.get("/console/exceptions").says("千代田区です。")

    decide(client, number, "decline", message="証書の会社と確認できませんでした。")

    assert "証書の会社と確認できませんでした。" in letters(engine, "exception_declined")[0][1]
    assert "支店のドメインのため" not in letters(engine, "exception_declined")[0][1]
    assert client.get(link(engine, "exception_question")).says("承ることができませんでした", "証書の会社と確認できませんでした。")
    with transaction(engine, readonly=True) as session:
        assert session.scalars(select(Account)).all() == []


def test_the_applicant_can_withdraw_and_ask_again(engine: Engine, client: Client) -> None:
    ask(client)
    prove(engine, client)
    client.get(link(engine, "exception_received"))

    number = request_now(engine).id
    form = client.get(f"/console/exceptions/{number}")
    stale = {"version": form.value_of("version"), "csrf_token": client.csrf_token(), "decision": "grant_account", "reason": "支店", "message": "残る文"}
    client.get(link(engine, "exception_received"))
    assert client.submit("/withdrawal").says("依頼を取り下げました。", "取り下げました")
    client.get("/console/exceptions")
    assert client.post(f"/console/exceptions/{number}/decision", stale, expect=409).says("お客様が取り下げたか、期限が切れています。")

    assert client.get("/console/exceptions").says("未対応の例外申請はありません。")
    ask(client)
    assert request_now(engine).state == RequestState.UNPROVED


def test_the_same_pair_is_asked_for_once(engine: Engine, client: Client) -> None:
    ask(client)
    prove(engine, client)

    register(client, user_id="kimura-2")
    page = client.submit("/exceptions", expect=409)

    assert page.says("この内容の確認は、すでに承っています（受付番号 26-104001）。")
    assert len(letters(engine, "exception_link")) == 1


def test_a_link_lapses_and_an_old_press_leads_back_to_the_form(engine: Engine, client: Client, clock: Clock) -> None:
    ask(client)
    clock.advance(hours=25)
    assert client.get(link(engine, "exception_link"), expect=410).says("有効期限が切れています")

    register(client)
    clock.advance(hours=3)
    assert client.submit("/exceptions", expect=410).says("もう一度入力してください。")


def test_an_unknown_link_is_not_there(client: Client) -> None:
    client.get("/exceptions/0123456789", expect=404)


def test_the_user_id_is_kept_while_the_request_waits(engine: Engine, client: Client) -> None:
    ask(client)
    prove(engine, client)

    assert register(client, email="sato@osaka.tozai.example").says("このユーザーIDはすでに")


def test_a_certificate_that_lapsed_meanwhile_stops_the_approval(engine: Engine, client: Client, clock: Clock) -> None:
    ask(client)
    prove(engine, client)
    clock.advance(days=200)
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session, "mori", name="森", roles=(Role.DESK,)), now=clock())

    page = decide(client, request_now(engine).id, "grant_account", expect=422)

    assert page.says("ほかの条件を満たさなくなったため、承認できません")
    assert request_now(engine).state == RequestState.PENDING


def test_one_of_two_deciders_wins_and_the_other_learns_who_and_when(engine: Engine, client: Client) -> None:
    ask(client)
    prove(engine, client)
    number = request_now(engine).id
    form = client.get(f"/console/exceptions/{number}")
    fields = {
        "version": form.value_of("version"),
        "csrf_token": client.csrf_token(),
        "decision": "decline",
        "reason": "重複",
        "message": "別の方法で承ります。",
    }
    decide(client, number, "grant_account")

    late = client.post(f"/console/exceptions/{number}/decision", fields, expect=409)

    assert late.says("佐藤さんが 10:00 に「許可する」と判断しました。内容を確認してください。入力した理由と文は残っています。", "重複", "別の方法で承ります。")
    assert request_now(engine).state == RequestState.COMPLETED


def test_a23_a_decision_binds_the_values_that_were_shown(engine: Engine, client: Client) -> None:
    ask(client)
    prove(engine, client)
    number = request_now(engine).id
    form = client.get(f"/console/exceptions/{number}")
    fields = {"version": form.value_of("version"), "csrf_token": client.csrf_token(), "decision": "grant_account", "reason": "支店"}
    with transaction(engine) as session:
        held = session.get_one(ExceptionRequest, number)
        held.version += 1

    page = client.post(f"/console/exceptions/{number}/decision", fields, expect=409)

    assert page.says("表示したあとで、お申し込みの内容が変わりました。")
    assert request_now(engine).state == RequestState.PENDING


def test_nobody_decides_their_own_request(engine: Engine, client: Client) -> None:
    ask(client)
    prove(engine, client)
    with transaction(engine) as session:
        member = add_staff(session, "own", name="本人", roles=(Role.DESK,))
        member.email = APPLICANT
        sign_in_staff(client, session, member)

    page = decide(client, request_now(engine).id, "grant_account", expect=422)

    assert page.says("ご自身のお申し込みは判断できません。")


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("reason", "", "判断の理由を入力してください。"),
        ("ends_on", "来年", "許可の終了日は、2027/03/31 のように"),
        ("ends_on", "2026/12/01", "今日より後の日付にしてください。"),
        ("decision", "", "判断を選んでください。"),
    ],
)
def test_a_decision_that_lacks_something_says_so_and_keeps_what_was_typed(engine: Engine, client: Client, field: str, value: str, says: str) -> None:
    ask(client)
    prove(engine, client)
    number = request_now(engine).id
    client.get(f"/console/exceptions/{number}")
    fields = {"version": "2", "csrf_token": client.csrf_token(), "decision": "grant_account", "reason": "支店", "message": "残る文", field: value}

    page = client.post(f"/console/exceptions/{number}/decision", fields, expect=422)

    assert page.says(says, "残る文")
    assert request_now(engine).state == RequestState.PENDING


def test_a_revoked_grant_names_who_leans_on_it_and_covers_nobody_any_more(engine: Engine, client: Client) -> None:
    ask(client)
    prove(engine, client)
    decide(client, request_now(engine).id, "grant_maintenance_email")
    page = client.get("/console/grants?q=tokyo")
    assert page.says("tokyo.tozai.example", "この保守登録メールの方全員", "有効")
    client.click("tokyo.tozai.example")
    with transaction(engine) as session:
        add_account(session, "mori", email="mori@tokyo.tozai.example", contract_key="GONE")
    shown = client.get(client.page.path if client.page else "")
    assert shown.says("アカウント 2件はそのまま使えます。ただし、1件は、次のプロフィールの変更で断られるようになります。")
    rows = [row.text for row in shown.root.all("tr")[1:]]
    assert [("通ります" in row, "サブドメイン" in row) for row in rows] == [(True, True), (False, False)]
    assert client.submit("/revocation", reason="", expect=422).says("アカウント 2件はそのまま使えます。")

    done = client.submit("/revocation", reason="支店の閉鎖")

    assert done.says("許可を取り消しました。", "有効な許可はありません。")
    assert request_now(engine).state == RequestState.VOID
    assert register(client, user_id="yamada", email="yamada@tokyo.tozai.example").says("担当者に確認を依頼する")


def test_a_grant_ends_with_its_day(engine: Engine, client: Client, clock: Clock) -> None:
    ask(client)
    prove(engine, client)
    decide(client, request_now(engine).id, "grant_maintenance_email", ends_on="2026/12/02")

    clock.advance(days=1)
    assert register(client, user_id="yamada", email="yamada@tokyo.tozai.example", expect=200).path == "/register/sent"
    clock.advance(days=1)
    assert register(client, user_id="tanaka", email="tanaka@tokyo.tozai.example").says("担当者に確認を依頼する")


def test_a_press_twice_makes_one_request(engine: Engine, client: Client) -> None:
    register(client)
    held = client.page.value_of("held") if client.page else ""
    token = client.csrf_token()

    for _ in range(2):
        assert client.post("/exceptions", {"held": held, "csrf_token": token}).says("確認メールをお送りしますので", APPLICANT)

    client.get(f"/exceptions/{held}", expect=404)
    assert len(letters(engine, "exception_link")) == 1
    assert timedelta(hours=23) < request_now(engine).expires_at - request_now(engine).created_at <= timedelta(hours=24)


def test_a_held_change_of_a_profile_asks_for_the_password_and_is_made_on_approval(engine: Engine, client: Client) -> None:
    with transaction(engine) as session:
        account = add_account(session)
        sign_in_customer(client, session, account)
    client.get("/profile/edit")
    page = client.submit("/profile/edit", email="kimura@tokyo.tozai.example", expect=422)
    assert page.says("担当者に確認を依頼できます", "現在のパスワード")
    assert client.submit("/profile/exceptions", current_password="wrong", expect=422).says("現在のパスワードが")
    client.submit("/profile/exceptions", current_password=PASSWORD)
    prove(engine, client)
    assert request_now(engine).kind == "profile"

    decide(client, request_now(engine).id, "grant_account")

    with transaction(engine, readonly=True) as session:
        changed = session.scalars(select(Account)).one()
    assert changed.email == "kimura@tokyo.tozai.example"
    assert "kimura@tokyo.tozai.example" in changed.search_text
    assert "kimura@osaka.tozai.example" not in changed.search_text
    assert changed.id == account.id
    assert [to for to, _ in letters(engine, "email_changed")] == ["kimura@osaka.tozai.example"]


def test_a_held_change_is_nobody_elses_to_press(engine: Engine, client: Client) -> None:
    with transaction(engine) as session:
        sign_in_customer(client, session, add_account(session))
        other = add_account(session, "aozora", email="it@aozora.example")
    client.get("/profile/edit")
    held = client.submit("/profile/edit", email="kimura@tokyo.tozai.example", expect=422).value_of("held")
    with transaction(engine) as session:
        sign_in_customer(client, session, other)
    client.get("/profile/edit")

    client.post("/profile/exceptions", {"held": held, "csrf_token": client.csrf_token()}, expect=410)

    assert request_now(engine).state == RequestState.HELD
