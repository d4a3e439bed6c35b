"""メールの文面: rewritten, seen on real data, published, used, and set back."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine, select

from actions import notices
from actions.mail_examples import Looking, newest
from mail.compose import NOTICES, compose
from mail.facts import project
from mail.rewritten import render, shipped
from models.actors import StaffMember
from models.base import NEVER
from models.database import transaction
from models.journal import JournalEntry
from models.outbox import Letter
from models.people import Account
from models.tickets import Message, Ticket
from rules.calendar import BusinessCalendar
from rules.limits import Limits
from rules.rights import Role
from tests.client import Client
from tests.people import (
    NOW,
    add_account,
    add_certificate,
    add_email_change,
    add_post,
    add_request,
    add_staff,
    add_ticket,
    sign_in_staff,
)  # fmt: skip
from web.wiring import Wiring

PATH = "/console/masters/mails"
BODY = "{{ person|one_line }} 様\n\nお問合せ #{{ ticket.id }} を承りました。\n{{ link }}\n"


def opened(engine: Engine, wiring: Wiring, number: int) -> str:
    """The body of the mail about the ticket's opening."""
    with transaction(engine) as session:
        ticket = session.get_one(Ticket, number)
        message = session.scalars(select(Message).where(Message.ticket_id == number)).one()
        notices.ticket_opened(session, ticket, message, desk=wiring.desk, limits=Limits(), now=NOW)
        return session.scalars(select(Letter.body).where(Letter.kind == "ticket_opened", Letter.ticket_id == number)).one()


def test_an_administrator_rewrites_a_mail_and_finds_the_way_back(client: Client, engine: Engine, wiring: Wiring) -> None:
    with transaction(engine) as session:
        account = add_account(session)
        first, second, third = (add_ticket(session, account, subject=f"件名 {number}").id for number in range(3))
        sign_in_staff(client, session, add_staff(session, "honda", name="本田", roles=[Role.ADMIN]))

    assert client.get(PATH).says("チケットの受付", "初めの文面")
    client.click("チケットの受付")
    assert client.submit("実際のデータで確かめる", body="{{ note }} {{ link }}", expect=422).says("「note」という名前は使えません")
    client.get(f"{PATH}/ticket_opened")
    shown = client.submit("実際のデータで確かめる", subject="[J's #{{ ticket.id }}] 承りました", body=BODY)
    assert shown.says(f"[J's #{third}] 承りました", f"お問合せ #{third} を承りました。", f"実際のデータ（#{third}）", "変更前：お問合せを受け付けました")
    assert "お問合せ #" not in opened(engine, wiring, first), "seeing it publishes nothing"
    client.submit("この文面を公開する")
    assert f"お問合せ #{second} を承りました。" in opened(engine, wiring, second)

    client.post(f"{PATH}/ticket_opened", {"csrf_token": client.csrf_token(), "present": "0", "confirmed": "1", "subject": "x", "body": BODY}, expect=422)
    assert client.page is not None and client.page.says("別の版が公開されました")
    client.get(f"{PATH}/ticket_opened")
    client.submit("初めの文面に戻す")
    assert "お問合せ #" not in opened(engine, wiring, third)
    with transaction(engine, readonly=True) as session:
        acts = session.scalars(select(JournalEntry.act).where(JournalEntry.subject_kind == "mail_template").order_by(JournalEntry.id)).all()
        made_with = session.execute(select(Letter.id, Letter.text_version).where(Letter.kind == "ticket_opened").order_by(Letter.ticket_id)).all()
    assert acts == ["publish_mail_template", "restore_mail_template"]
    (before, none), (rewritten, version), (_, again) = made_with
    assert version and none == again == 0, "each letter knows the text it was made with"
    assert client.get(f"/console/mails/{before}").says("初めの文面")
    assert client.get(f"/console/mails/{rewritten}").says("第 1 版")
    assert client.click("第 1 版").value_of("body").strip() == BODY.strip()
    client.get(f"{PATH}/nothing", expect=404)


def test_every_letter_can_be_rewritten_and_is_seen_on_the_newest_real_case(engine: Engine, wiring: Wiring, client: Client) -> None:
    with transaction(engine) as session:
        member = add_staff(session, "honda", name="本田", roles=[Role.ADMIN, Role.DESK])
        sign_in_staff(client, session, member)
        looking = Looking(StaffMember(id=member.id, name=member.name, roles=frozenset(Role)), BusinessCalendar(), Limits(), NOW)
        for notice in NOTICES:
            facts = newest(session, notice, looking).facts
            assert render(*shipped(notice), project(notice, facts, wiring.desk)) == compose(notice, desk=wiring.desk, **facts), notice
        account = add_account(session)
        ticket = add_ticket(session, account, due_at=NOW + timedelta(hours=4))
        add_post(session, ticket, "返信です。")
        add_post(session, ticket, "回答です。", staff=member)
        add_email_change(session)
        add_request(session)
        add_certificate(session, "JSC26040123A")
        of = {notice: newest(session, notice, looking) for notice in NOTICES}
        ticket.due_at = NEVER
        assert newest(session, "staff_first_answer_near", looking).of == "", "no deadline, no letter of one"

    assert {notice for notice in NOTICES if not of[notice].of} == {
        "registration_link", "registration_ending", "explanation", "staff_quota", "staff_jobs_late", "staff_registration_limit",
        "staff_mails_failed", "accounts_found", "staff_digest", "copies_offer",
    }  # fmt: skip
    assert (of["answered"].facts["post"], of["ticket_updated"].facts["post"]) == ("回答です。", "返信です。")
    assert client.get(PATH).says("確認コードの変更の通知", "終了の予告", "職員へのメール", "サービス管理センターへのメール")
    shown = client.get(f"{PATH}/password_changed")
    assert shown.says("{{ at|moment }}", "変更した日時", "お問合せ先のメールアドレス")
    refused = client.submit("実際のデータで確かめる", body="{{ user_id }} {{ desk.center_address }}", expect=422)
    assert refused.says("本文に「{{ desk.desk_address }}」を入れてください")
    client.get(f"{PATH}/password_changed")
    body = "{{ user_id }} さん、{{ at|moment }} に変わりました。\n{{ desk.desk_address }}"
    client.submit("実際のデータで確かめる", subject="変わりました", body=body)
    client.submit("この文面を公開する")
    with transaction(engine) as session:
        notices.password_changed(session, session.get_one(Account, account.id), desk=wiring.desk, now=NOW)
        letter = session.execute(select(Letter.subject, Letter.body).where(Letter.kind == "password_changed")).one()
        assert letter.subject == "変わりました"
        assert letter.body.startswith("kimura さん、2026/")
    assert client.get(f"{PATH}/password_changed?version=0").says("変更後：", "パスワードを変更しました", "第 1 版", "使用中")
