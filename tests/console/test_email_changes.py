"""保守登録メール変更: recorded, checked, reviewed, approved by a second person, applied in one go, taken back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from starlette.types import ASGIApp

from actions.email_change_impact import impact_of
from actions.email_changes import Shown, decide_change
from models.actors import StaffMember
from models.contracts import Certificate, Party
from models.database import retrying, transaction
from models.email_changes import EmailChange
from models.outbox import Letter
from models.people import Account, AccountSession, AccountState
from rules.email_changes import ChangeState, Decision
from rules.refusal import Refused
from rules.rights import Role
from settings import Settings
from tests.client import Client
from tests.clock import Clock
from tests.console.center import NEW, OUTSIDE, PATH, Center, center_of
from tests.jobs.mailroom import mailer_for, parts_for
from tests.people import EMAIL, MAINTENANCE, NOW, add_account, add_certificate, add_email_change, add_staff, sign_in_customer
from tests.services.smtp import SmtpSink
from web.wiring import desk_of


@pytest.fixture
def center(app: ASGIApp, engine: Engine, client: Client) -> Center:
    return center_of(app, engine, client)


def test_a_request_by_mail_is_checked_applied_told_and_taken_back(center: Center, clock: Clock) -> None:
    path = center.record()
    page = center.mori.get(path)
    assert page.says(
        "2026/12/03", "受付日（数えません）", "依頼.eml", "1 人で承認と適用ができます", "JSC26040123A", "木村 はるか 様", "証書 1件とアカウント 1件"
    )
    assert center.mori.get(page.link("依頼.eml 12 B")).content == b"From: kimura"
    assert center.letters() == [("email_change_received", EMAIL)]
    center.decide(path, "check")
    clock.advance(hours=1)

    told = center.decide(path, "apply")

    assert told.says("変更を適用し", "通知済み")
    assert center.addresses() == ["hosyu@kansai-hanbai.example", NEW]
    account = center.account()
    assert (account.maintenance_email, account.contract_key, account.email) == (NEW, "JSC26040123A", EMAIL)
    assert center.letters()[1:] == [("email_change_holder", EMAIL), ("email_change_done", EMAIL)]
    with transaction(center.engine, readonly=True) as session:
        certificate, party = session.scalars(select(Certificate)).one(), session.scalars(select(Party).where(Party.email == NEW)).one()
        assert certificate.updated_at == clock()
        assert (party.set_at, party.set_by) == (clock(), "森")

    page = center.mori.click("元に戻す")
    assert page.says("証書の当事者 1件と、アカウント 1件")
    page = center.mori.submit(f"{path}/reversal", reason="依頼の取り違え")

    assert page.says("元に戻しました")
    assert center.addresses() == ["hosyu@kansai-hanbai.example", MAINTENANCE]
    assert center.account().maintenance_email == MAINTENANCE
    assert center.letters()[3:] == [("email_change_reversed", EMAIL)] * 2
    with transaction(center.engine, readonly=True) as session:
        assert session.scalars(select(Party.set_at)).all() == [None, None]


def test_another_registrable_domain_wants_a_second_person(center: Center) -> None:
    path = center.record(OUTSIDE)
    center.decide(path, "check")
    assert center.mori.get(path).says("断られます", "ドメインが異なります")

    page = center.decide(path, "review")
    assert page.says("ご自身の依頼は承認できません")
    assert "ご自身の依頼は承認できません" in " ".join(center.decide(path, "apply", expect=422).alerts)
    colleague = center.colleague()
    page = center.decide(path, "apply", colleague)

    assert page.says("通知済み")
    assert center.addresses() == ["hosyu@kansai-hanbai.example", OUTSIDE]
    assert center.account().maintenance_email == MAINTENANCE
    assert center.letters()[1:] == [("email_change_holder", EMAIL), ("email_change_done", EMAIL)]
    with transaction(center.engine, readonly=True) as session:
        assert "次のページで" in session.scalars(select(Letter.body).where(Letter.kind == "email_change_holder")).one()


def test_an_approver_takes_what_was_reviewed_or_leaves_it(center: Center) -> None:
    path = center.record(OUTSIDE)
    center.decide(path, "check")
    center.decide(path, "review")
    colleague = center.colleague()
    page = colleague.get(path)
    assert not page.root.all("select", name=f"choice-{center.account().id}")

    fields = {"decision": "apply", "reason": "x", f"choice-{center.account().id}": "suspend", "listed": "1 2", "party": ""}
    fields |= {name: page.value_of(name) for name in ("version", "fingerprint", "csrf_token")}
    colleague.post(f"{path}/decision", fields)

    assert center.account().state == AccountState.ACTIVE
    assert center.addresses() == ["hosyu@kansai-hanbai.example", OUTSIDE]


def test_every_letter_of_a_change_reaches_a_server_and_no_maintenance_email(center: Center, clock: Clock, tmp_path: Path, smtp_sink: SmtpSink) -> None:
    parts = parts_for(center.engine, clock, tmp_path, smtp_url=smtp_sink.url)
    path = center.record()
    center.decide(path, "return", message="変更のお知らせをお送りください。")
    center.decide(path, "resume")
    center.decide(path, "check")
    center.decide(path, "apply")
    center.mori.get(f"{path}/reversal")
    center.mori.submit(f"{path}/reversal", reason="戻す")

    mailer = mailer_for(parts)
    mailer.deliver()
    mailer.close()

    assert len(smtp_sink.letters) == len(center.letters()) == 6
    assert {address for letter in smtp_sink.letters for address in letter.recipients} == {EMAIL}


def test_on_a_shared_domain_the_whole_address_counts(center: Center) -> None:
    with transaction(center.engine) as session:
        add_certificate(session, "JSC2", end_user="a@gmail.com")

    assert center.mori.get(center.record("b@gmail.com", old_email="a@gmail.com")).says("2 人目の承認が必要", "多くの方が使うメール")


def test_each_account_gets_its_own_choice_and_a_certificate_may_be_left_out(center: Center) -> None:
    with transaction(center.engine) as session:
        add_certificate(session, "JSC2")
        sato = add_account(session, "sato", email="sato@osaka.tozai.example", person_name="佐藤 花")
        ito = add_account(session, "ito", email="ito@osaka.tozai.example", person_name="伊藤 葵")
        customer = Client(center.app)
        sign_in_customer(customer, session, ito)
    path = center.record()
    center.decide(path, "check")
    page = center.mori.get(path)
    listed = [box.attributes["value"] for box in page.root.all("input", name="party")]

    chosen: Any = {f"choice-{sato.id}": "ask", f"choice-{ito.id}": "suspend"}
    page = center.decide(path, "apply", party=[listed[1]], **chosen)

    assert page.says("通知済み")
    assert sorted(center.addresses()) == ["hosyu@kansai-hanbai.example", "hosyu@kansai-hanbai.example", NEW, MAINTENANCE]
    assert [center.account(name).maintenance_email for name in ("kimura", "sato", "ito")] == [NEW, MAINTENANCE, MAINTENANCE]
    assert center.account("ito").state == AccountState.SUSPENDED
    with transaction(center.engine, readonly=True) as session:
        assert session.scalars(select(AccountSession.id).where(AccountSession.account_id == ito.id)).all() == []
    assert {address for kind, address in center.letters() if kind == "email_change_holder"} == {EMAIL, sato.email, ito.email}
    center.mori.get(f"{path}/reversal")
    center.mori.submit(f"{path}/reversal", reason="戻す")
    assert center.account("ito").state == AccountState.ACTIVE


def test_what_was_edited_since_stays_when_a_change_is_taken_back(center: Center) -> None:
    path = center.record()
    center.decide(path, "check")
    center.decide(path, "apply")
    with transaction(center.engine) as session:
        party = session.scalars(select(Party).where(Party.email == NEW)).one()
        party.email = party.email_key = "third@osaka.tozai.example"
        session.scalars(select(Account)).one().maintenance_email_key = "third@osaka.tozai.example"

    page = center.mori.get(f"{path}/reversal")
    assert page.says("変更のあとで編集されているため残します", "JSC26040123A")
    center.mori.submit(f"{path}/reversal", reason="戻す")

    assert "third@osaka.tozai.example" in center.addresses()


def test_the_decision_binds_what_was_shown(center: Center) -> None:
    path = center.record()
    center.decide(path, "check")
    center.mori.get(path)
    with transaction(center.engine) as session:
        add_certificate(session, "JSC2")

    page = center.mori.submit(f"{path}/decision", decision="apply", reason="確認済み", expect=409)

    assert "証書またはアカウントが変わりました" in " ".join(page.alerts)
    assert page.value_of("reason") == "確認済み"
    assert page.says("JSC2")
    assert MAINTENANCE in center.addresses()
    center.mori.submit(f"{path}/decision", decision="apply", reason="確認済み")
    assert MAINTENANCE not in center.addresses()


def test_of_two_deciders_one_is_told_who_was_quicker(center: Center) -> None:
    path = center.record()
    colleague = center.colleague()
    colleague.get(path)
    center.decide(path, "check")

    page = colleague.submit(f"{path}/decision", decision="decline", reason="不明", message="お受けできません。", expect=409)

    assert "森さんが 10:00 に「確認済み」にしました。" in " ".join(page.alerts)
    assert page.value_of("message") == "お受けできません。"
    assert ("email_change_answered", EMAIL) not in center.letters()


@pytest.mark.parametrize("presses", [20, pytest.param(500, marks=pytest.mark.proof)])
def test_a_change_is_applied_once_however_many_press_at_once(center: Center, presses: int) -> None:
    with transaction(center.engine) as session:
        change, people = add_email_change(session), [add_staff(session, f"member{number}", roles=(Role.SERVICE_CENTER,)) for number in range(4)]
        change.state = ChangeState.CHECKED
        shown = Shown(change.version, impact_of(session, change, today=NOW.date()).fingerprint, {}, [])
        number = change.id

    def press(turn: int) -> str:
        person = people[turn % len(people)]
        by = StaffMember(id=person.id, name=person.name)
        try:
            with transaction(center.engine) as session:
                found = session.get_one(EmailChange, number)
                decide_change(session, found, Decision.APPLY, shown, reason="確認済み", by=by, desk=desk_of(Settings()), now=NOW)
        except Refused as refused:
            return refused.code
        return "applied"

    def press_again(turn: int) -> str:
        return retrying(lambda: press(turn), tries=5)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(press_again, range(presses)))

    assert answers.count("applied") == 1
    assert set(answers) <= {"applied", "decided_meanwhile"}
    assert [kind for kind, _ in center.letters()].count("email_change_done") == 1


def test_a_call_without_an_address_is_told_by_telephone(center: Center) -> None:
    path = center.record(received="phone", requester_email="")
    center.decide(path, "check")
    page = center.decide(path, "apply")
    assert page.says("適用済み（通知待ち）")

    assert center.decide(path, "notify").says("通知済み")
    assert [kind for kind, _ in center.letters()] == ["email_change_holder"]


def test_a_maintenance_email_gets_no_letter_unless_it_is_an_accounts_own(center: Center) -> None:
    center.record(requester_email=NEW)
    assert center.letters() == []
    with transaction(center.engine) as session:
        session.scalars(select(Account)).one().email_key = MAINTENANCE
    center.record(requester_email=MAINTENANCE)

    assert center.letters() == [("email_change_received", MAINTENANCE)]


def test_returned_resumed_and_declined_requests_tell_the_requester_what_was_written(center: Center) -> None:
    path = center.record()
    assert "お客様への文を入力してください。" in center.decide(path, "return", expect=422).fault_of("message")
    center.decide(path, "return", message="変更のお知らせをお送りください。")
    center.decide(path, "resume")

    page = center.decide(path, "decline", message="お受けできません。")

    assert page.says("却下", "お受けできません。")
    assert [kind for kind, _ in center.letters()] == ["email_change_received", "email_change_answered", "email_change_answered"]
    assert not page.says("判断を確定する")


@pytest.mark.parametrize(
    ("fields", "name", "told"),
    [
        ({"new_email": MAINTENANCE.upper()}, "new_email", "いまの保守登録メールと同じです"),
        ({"new_email": "a@jscom.co.jp"}, "new_email", "当社のドメイン"),
        ({"new_email": "a@"}, "new_email", "形をお確かめください"),
        ({"old_email": "nobody@osaka.tozai.example"}, "old_email", "証書にもアカウントの保守登録メールにもありません"),
        ({"received_on": "2026/12/02"}, "received_on", "今日までの日付"),
        ({"received_on": "2026/13/02"}, "received_on", "2026/12/28 の形"),
        ({"body": ""}, "body", "入力してください"),
    ],
)
def test_what_cannot_be_recorded_is_told_at_its_field_and_the_files_stay(center: Center, fields: dict[str, str], name: str, told: str) -> None:
    center.mori.get(f"{PATH}/new")
    filled: dict[str, Any] = {"old_email": MAINTENANCE, "new_email": NEW, "body": "担当変更のため", **fields}
    page = center.mori.submit("/console/email-changes", files={"files": [("依頼.eml", b"x")]}, expect=422, **filled)

    assert told in page.fault_of(name)
    assert page.says("依頼.eml")


def test_a_mail_without_evidence_is_not_recorded(center: Center) -> None:
    center.mori.get(f"{PATH}/new")
    page = center.mori.submit("/console/email-changes", expect=422, old_email=MAINTENANCE, new_email=NEW, body="担当変更のため")

    assert "証拠として添付してください" in " ".join(page.alerts)
