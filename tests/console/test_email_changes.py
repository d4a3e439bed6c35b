"""保守登録メール変更: recorded, checked, reviewed, approved by a second person, applied in one go, taken back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
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
from models.outbox import Letter, Recipient
from models.people import Account, AccountSession, AccountState
from rules.email_changes import ChangeState, Decision
from rules.refusal import Refused
from rules.rights import Role
from settings import Settings
from tests.client import Client, Page
from tests.clock import Clock
from tests.console.counting import counted
from tests.people import EMAIL, MAINTENANCE, NOW, add_account, add_certificate, add_email_change, add_staff, add_ticket, sign_in_customer, sign_in_staff
from web.wiring import desk_of

PATH = "/console/email-changes"
NEW = "joho@osaka.tozai.example"
OUTSIDE = "joho@tsubame.example"


@dataclass
class Center:
    """森 of the center at the console, a colleague beside her, and the database behind."""

    app: ASGIApp
    engine: Engine
    mori: Client
    others: list[Client] = field(default_factory=list[Client])

    def colleague(self, user_id: str = "ishii", name: str = "石井") -> Client:
        client = Client(self.app, address="198.51.100.9")
        with transaction(self.engine) as session:
            sign_in_staff(client, session, add_staff(session, user_id, name=name, roles=(Role.SERVICE_CENTER,)))
        return client

    def record(self, new: str = NEW, **more: Any) -> str:
        """Record a request that came by mail; the path of its page."""
        self.mori.get(f"{PATH}/new")
        fields: dict[str, Any] = {"old_email": MAINTENANCE, "new_email": new, "company_name": "東西ネットワーク株式会社", "person_name": "木村"}
        fields |= {"requester_email": EMAIL, "body": "担当変更のため", **more}
        return self.mori.submit("/console/email-changes", files={"files": [("依頼.eml", b"From: kimura")]}, **fields).path

    def decide(self, path: str, decision: str, client: Client | None = None, *, expect: int = 200, **fields: Any) -> Page:
        visitor = client or self.mori
        visitor.get(path)
        return visitor.submit(f"{path}/decision", decision=decision, reason="電話で確認済み", expect=expect, **fields)

    def letters(self) -> list[tuple[str, str]]:
        with transaction(self.engine, readonly=True) as session:
            statement = select(Letter.kind, Recipient.address).join(Recipient, Recipient.letter_id == Letter.id).order_by(Letter.id)
            return [(row.kind, row.address) for row in session.execute(statement)]

    def addresses(self) -> list[str]:
        with transaction(self.engine, readonly=True) as session:
            return list(session.scalars(select(Party.email).order_by(Party.id)))

    def account(self, user_id: str = "kimura") -> Account:
        with transaction(self.engine, readonly=True) as session:
            return session.scalars(select(Account).where(Account.user_id == user_id)).one()


@pytest.fixture
def center(app: ASGIApp, engine: Engine, client: Client) -> Center:
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session, "mori", name="森", roles=(Role.SERVICE_CENTER,)))
        certificate = add_certificate(session)
        assert certificate.id
        add_ticket(session, add_account(session))
    return Center(app, engine, client)


def test_a_request_by_mail_is_checked_applied_told_and_taken_back(center: Center, clock: Clock) -> None:
    path = center.record()
    page = center.mori.get(path)
    assert page.says(
        "2026/12/03", "受付日（数えません）", "依頼.eml", "お 1 人で承認と適用ができます", "JSC26040123A", "木村 はるか 様", "証書 1件とアカウント 1件"
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


def test_the_queue_begins_with_what_is_due_first_and_marks_what_is_late(center: Center, clock: Clock) -> None:
    late, later = center.record(received_on="2026/11/20"), center.record("b@osaka.tozai.example")
    page = center.mori.get(PATH)

    assert [row.all("a")[0].attributes["href"] for row in page.root.all("tr")[1:]] == [late, later]
    assert page.says("超過", "2026/11/25")
    menu = next(item for item in page.root.all("a") if item.attributes.get("href") == PATH and "item" in item.attributes.get("class", ""))
    assert menu.text.startswith("保守登録メール変更2")
    center.decide(later, "withdraw")
    assert center.mori.get(f"{PATH}?view=done").says("b@osaka.tozai.example")
    assert center.mori.get(f"{PATH}?q=nothing").says("条件に合う依頼がありません")


def test_the_queue_is_paged_both_ways_and_costs_the_same(center: Center) -> None:
    center.mori.get(PATH)
    with counted(center.engine) as few:
        center.mori.get(PATH)
    with transaction(center.engine) as session:
        for number in range(120):
            add_email_change(session, new=f"n{number}@osaka.tozai.example")
    with counted(center.engine) as many:
        first = center.mori.get(PATH)
    second = center.mori.click("次のページ")
    third = center.mori.click("次のページ")

    assert len(few) == len(many)
    assert [len(page.root.all("tr")) - 1 for page in (first, second, third)] == [50, 50, 20]
    assert center.mori.click("前のページ").text == second.text


def test_an_auditor_reads_and_decides_nothing(center: Center) -> None:
    path = center.record()
    auditor = Client(center.app)
    with transaction(center.engine) as session:
        sign_in_staff(auditor, session, add_staff(session, "kansa", roles=(Role.AUDITOR,)))

    page = auditor.get(path)

    assert page.says("JSC26040123A")
    assert not page.says("判断を確定する")


def test_a_customer_asks_follows_and_takes_back(center: Center, app: ASGIApp) -> None:
    kimura = Client(app)
    with transaction(center.engine) as session:
        sign_in_customer(kimura, session, session.scalars(select(Account)).one())
    kimura.get("/profile")
    kimura.click("保守登録メールの変更を依頼する")
    page = kimura.submit("/profile/maintenance-email", new_email=NEW, body="担当が代わりました。", files={"files": [("知らせ.pdf", b"%PDF")]})
    assert page.says("変更の依頼を受け付けました", "2026/12/03", "確認中")
    page = kimura.submit("/profile/maintenance-email", new_email=NEW, body="もう一度", expect=422)
    assert "すでに承っています" in " ".join(page.alerts)
    stranger = Client(app)
    with transaction(center.engine) as session:
        sign_in_customer(stranger, session, add_account(session, "spy"))
        number = session.scalars(select(EmailChange.id)).one()
    stranger.get("/profile/maintenance-email")
    stranger.post(f"/profile/maintenance-email/{number}/withdrawal", {"csrf_token": stranger.csrf_token()}, expect=404)

    assert center.mori.get(f"{PATH}/{number}").says("知らせ.pdf", "お客様（ポータル）")
    kimura.get("/profile/maintenance-email")
    assert kimura.submit("/withdrawal").says("取り下げました", "取下げ")


def test_the_due_date_explains_itself_over_a_row_of_holidays(center: Center, clock: Clock) -> None:
    clock.set(datetime(2026, 9, 24, 1, 0, tzinfo=UTC))
    with transaction(center.engine) as session:
        change = add_email_change(session)
        change.received_on, change.due_on = date(2026, 9, 18), date(2026, 9, 25)
        number = change.id

    page = center.colleague("fujita").get(f"{PATH}/{number}")
    assert page.says("敬老の日", "国民の休日", "秋分の日", "土日")
