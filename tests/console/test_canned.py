"""定型文 and 定型アクション: kept as a master, inserted into what is typed, run on a ticket as one act."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from actions.drafts import keep_draft
from actions.macros import run_macro
from mail.desk import Desk
from models.actors import StaffMember
from models.canned import MOST, Canned, CannedKind, PostKind
from models.database import transaction
from models.journal import JournalEntry
from models.outbox import Letter
from models.people import QueueMember, Staff
from models.tickets import Draft, Message, MessageKind, Ticket
from rules.calendar import BusinessCalendar
from rules.limits import Limits
from rules.refusal import Refused
from rules.rights import Role
from rules.tickets import Priority, State
from tests.client import Client, Page, filled_in
from tests.people import NOW, add_account, add_post, add_staff, add_ticket, family_id, sign_in_staff

CANNED = "/console/canned"
DESK = Desk("http://127.0.0.1:8720", "desk@jscom.co.jp", "tickets-admin@jscom.co.jp", "service_admin@jscom.co.jp")


@pytest.fixture
def nakamura(engine: Engine, client: Client) -> Staff:
    """中村 of the support, signed in."""
    with transaction(engine) as session:
        member = add_staff(session)
        sign_in_staff(client, session, member)
    return member


@pytest.fixture
def ticket(engine: Engine, nakamura: Staff) -> Ticket:
    with transaction(engine) as session:
        return add_ticket(session, add_account(session), serial="不明")


def add(engine: Engine, name: str = "ログのお願い", body: str = "{お客様名} 様\nログをお送りください。", **more: Any) -> Canned:
    with transaction(engine) as session:
        canned = Canned(kind=more.pop("kind", CannedKind.TEXT), name=name, body=body, updated_at=NOW, updated_by="佐藤", **more)
        session.add(canned)
        session.flush()
        return canned


def enter(engine: Engine, client: Client, user_id: str, *roles: Role) -> Staff:
    with transaction(engine) as session:
        member = add_staff(session, user_id, name=user_id, roles=roles)
        sign_in_staff(client, session, member)
        return member


def compose(client: Client, page: Page, action: str, body: str, **more: str) -> Page:
    """Press a button of the composer that leads elsewhere."""
    typed = [(name, body if name == "body" else value) for name, value in filled_in(page.form("/replies"))]
    return client.post(action, [*typed, *more.items()], multipart=True)


def test_the_lead_keeps_shared_texts_and_sees_them_on_an_example(engine: Engine, client: Client) -> None:
    enter(engine, client, "tanabe", Role.LEAD)
    assert client.get(CANNED).says("定型文はまだありません。")

    refused = client.submit(CANNED, name="", body="{顧客名} 様", expect=422)
    assert refused.says("名前を入力してください。")
    page = client.submit(CANNED, name="ログのお願い", body="{お客様名} 様\n{シリアル番号} のログをお送りください。", product="")
    assert page.says("「ログのお願い」を追加しました。", "すべての製品", "全員")
    assert client.click("ログのお願い").says("木村 はるか 様", "CV4126AF0093 のログ")

    assert client.submit("変更を保存する", body="{客}", expect=422).says("「客」という差し込みはありません。")
    with transaction(engine) as session:
        session.scalars(select(Canned)).one().updated_at = NOW + timedelta(seconds=1)
    outdated = client.submit("変更を保存する", body="ログをお送りください。", active=False, expect=422)
    assert outdated.says("表示したあとで、tanabeさんが内容を変更しました。")
    client.submit("変更を保存する")
    assert client.get(CANNED).says("停止中")
    client.click("ログのお願い")
    assert client.submit("/removal").says("「ログのお願い」を削除しました。")
    with transaction(engine, readonly=True) as session:
        acts = session.scalars(select(JournalEntry.act).where(JournalEntry.subject_kind == "canned").order_by(JournalEntry.id)).all()
    assert acts == ["add_canned", "change_canned", "remove_canned"]


def test_support_keeps_its_own_and_those_of_its_queue(engine: Engine, client: Client, nakamura: Staff) -> None:
    shared = add(engine)
    with transaction(engine) as session:
        sato = add_staff(session, "sato", name="佐藤")
    other = add(engine, "人のもの", owner_id=sato.id)
    page = client.get(CANNED)
    assert not page.says("人のもの")
    client.submit(CANNED, name="私の締め", body="よろしくお願いします。")
    assert client.page
    assert client.page.says("自分だけ")
    assert client.get(f"{CANNED}/{shared.id}").says("閲覧だけできます。")
    client.post(f"{CANNED}/{shared.id}", {"name": "x", "body": "x", "csrf_token": client.csrf_token()}, expect=403)
    client.get(f"{CANNED}/{other.id}", expect=404)

    with transaction(engine) as session:
        session.add(QueueMember(family_id=family_id(session, "juniper-srx"), staff_id=nakamura.id))
    client.get(CANNED)
    refused = client.submit(CANNED, name="全体へ", body="x", whose="shared", product="", expect=422)
    assert refused.says("共有できるのは、担当する製品のものだけです。")
    with transaction(engine, readonly=True) as session:
        number = family_id(session, "juniper-srx")
    assert client.submit(CANNED, whose="shared", product=str(number)).says("「全体へ」を追加しました。", "Juniper-SRX")


def test_the_auditor_reads_and_keeps_nothing(engine: Engine, client: Client) -> None:
    canned = add(engine)
    enter(engine, client, "kansa", Role.AUDITOR)
    page = client.get(CANNED)

    assert page.says("ログのお願い")
    assert "定型文を追加する" not in page.text
    token = client.get(f"{CANNED}/{canned.id}").root.first("input", name="csrf_token")
    assert token
    for path in (CANNED, f"{CANNED}/{canned.id}", f"{CANNED}/{canned.id}/removal"):
        client.post(path, {"name": "x", "body": "x", "csrf_token": token.attributes["value"]}, expect=403)


def test_a_text_goes_into_what_is_typed_without_a_script(engine: Engine, client: Client, ticket: Ticket) -> None:
    add(engine, body="{お客様名} 様\n{シリアル番号} のログをお送りください。")
    add(engine, "ほかの製品", family_id=2)
    page = client.get(f"/console/tickets/{ticket.id}")
    choice = compose(client, page, f"/console/tickets/{ticket.id}/canned", "お問合せありがとうございます。", to="answer")
    assert choice.says("木村 はるか 様", "【要確認：シリアル番号】", "このチケットに「シリアル番号」がありません。")
    assert "ほかの製品" not in choice.text

    back = client.submit("返信の本文に入れる：ログのお願い")

    text = "お問合せありがとうございます。\n\n木村 はるか 様\n【要確認：シリアル番号】 のログをお送りください。"
    assert back.value_of("body") == text
    refused = client.submit("/replies", button="waiting_customer", expect=422)
    assert refused.says("「【要確認：シリアル番号】」が残っています。")
    client.submit("/replies", button="waiting_customer", body=text.replace("【要確認：シリアル番号】", "CV1"))
    with transaction(engine, readonly=True) as session:
        assert session.scalars(select(Message.body).where(Message.kind == MessageKind.ANSWER)).one().endswith("CV1 のログをお送りください。")


def test_the_files_of_a_note_never_stand_in_the_reply(engine: Engine, client: Client, ticket: Ticket) -> None:
    add(engine, "引き継ぎ", "次は構成の確認")
    page = client.get(f"/console/tickets/{ticket.id}")
    typed = [(name, "内々" if name == "body" else value) for name, value in filled_in(page.form("/notes"))]
    client.post(f"/console/tickets/{ticket.id}/canned", [*typed, ("to", "note")], files={"files": [("社内.txt", b"x")]})

    back = client.submit("社内メモに入れる：引き継ぎ")

    assert [value for name, value in filled_in(back.form("/replies")) if name in ("held", "body")] == [""]
    assert [value for name, value in filled_in(back.form("/notes")) if name == "body"] == ["内々\n\n次は構成の確認"]
    assert client.submit("/notes").says("社内.txt")


def test_a_script_gets_the_list_alone_with_the_ticket_s_words(engine: Engine, client: Client, ticket: Ticket) -> None:
    add(engine, "<b>名前", body='{件名}"<script>')
    add(engine, "まとめて", kind=CannedKind.MACRO, body="")

    page = client.get(f"/console/tickets/{ticket.id}/canned", headers={"hx-request": "true"})

    options = page.root.all("li", role="option")
    assert [option.attributes["data-text"] for option in options] == [f'{ticket.subject}"<script>']
    assert page.root.first("main") is None
    assert page.root.first("script") is None


def test_a_macro_shows_what_it_does_and_does_all_of_it(engine: Engine, client: Client, nakamura: Staff, ticket: Ticket) -> None:
    changes = {"to_state": State.WAITING_VENDOR, "to_priority": Priority.HIGH, "to_assignee": "me", "to_category_id": 3}
    macro = add(engine, "メーカーへ", "{お客様名} 様\n確認します。", kind=CannedKind.MACRO, post=PostKind.ANSWER, **changes)
    page = client.get(f"/console/tickets/{ticket.id}")
    compose(client, page, f"/console/tickets/{ticket.id}/canned?choose=macro", "書きかけ", to="answer")
    assert client.get(f"{CANNED}/{macro.id}").says("行うこと", "メーカー確認中", "実行した人", "仕様")
    preview = client.get(f"/console/tickets/{ticket.id}/macros/{macro.id}")
    assert preview.value_of("body") == "書きかけ\n\n木村 はるか 様\n確認します。"
    assert preview.says("メーカー確認中", "高", "中村", "kimura@osaka.tozai.example")

    done = client.submit("/macros/" + str(macro.id), body="木村 様\nメーカーに確認します。")

    assert done.says("定型アクション「メーカーへ」を実行しました。", "返信を取り消す", "中村さんが定型アクション「メーカーへ」を実行しました")
    with transaction(engine, readonly=True) as session:
        after = session.get_one(Ticket, ticket.id)
        assert (after.state, after.priority, after.assignee_id, after.category_id) == ("waiting_vendor", "high", nakamura.id, 3)
        assert session.scalars(select(Message.body).where(Message.kind == MessageKind.ANSWER)).all() == ["木村 様\nメーカーに確認します。"]
        assert session.scalars(select(Letter.kind).where(Letter.ticket_id == ticket.id)).all() == ["answered"]
        acts = session.scalars(select(JournalEntry.act).where(JournalEntry.subject_id == ticket.id, JournalEntry.subject_kind == "ticket")).all()
    assert set(acts) == {"assign", "change_priority", "change_ticket_category", "answer", "run_macro"}
    client.submit("返信を取り消す")
    with transaction(engine, readonly=True) as session:
        assert session.get_one(Ticket, ticket.id).state == State.OPEN
        assert session.scalars(select(Draft.body)).one() == "木村 様\nメーカーに確認します。"


def test_a_macro_that_cannot_be_done_whole_does_nothing(engine: Engine, client: Client, ticket: Ticket) -> None:
    macro = add(engine, "確認", "{シリアル番号}", kind=CannedKind.MACRO, to_priority=Priority.HIGH, to_assignee="me")
    path = f"/console/tickets/{ticket.id}/macros/{macro.id}"
    client.get(path)
    assert client.submit(path, expect=422).says("「【要確認：シリアル番号】」が残っています。")
    client.get(path)
    with transaction(engine) as session:
        add_post(session, session.get_one(Ticket, ticket.id), "直りました")
    stopped = client.submit(path, body="確認します。", expect=409)
    assert stopped.says("電話さんが先に返信しました。", "直りました", "確認します。")

    with transaction(engine, readonly=True) as session:
        after = session.get_one(Ticket, ticket.id)
        assert (after.priority, after.assignee_id) == (Priority.NORMAL, None)
        assert session.scalars(select(JournalEntry.act).where(JournalEntry.subject_kind == "ticket")).all() == []


def test_many_tickets_take_a_macro_each_in_its_own_words(engine: Engine, nakamura: Staff, ticket: Ticket) -> None:
    macro = add(engine, "通知", "{チケット番号} {シリアル番号}", kind=CannedKind.MACRO, post=PostKind.NOTE, to_state=State.OPEN)
    by = StaffMember(id=nakamura.id, name=nakamura.name, roles=frozenset({Role.SUPPORT}))
    given: dict[str, Any] = {"by": by, "desk": DESK, "limits": Limits(), "calendar": BusinessCalendar(frozenset()), "now": NOW}
    with transaction(engine) as session:
        keep_draft(session, ticket.id, MessageKind.NOTE, "書きかけ", by=by, limits=Limits(), now=NOW)
        held, kept = session.get_one(Ticket, ticket.id), session.get_one(Canned, macro.id)
        posted = run_macro(session, held, kept, submission="a", **given)
        assert posted
        assert posted.body == f"#{ticket.id} 【要確認：シリアル番号】"
        assert session.scalars(select(Draft.body)).all() == ["書きかけ"]
        kept.post = PostKind.ANSWER
        with pytest.raises(Refused, match="placeholder_left"):
            run_macro(session, held, kept, submission="b", **given)
        kept.active = False
        with pytest.raises(Refused, match="canned_gone"):
            run_macro(session, held, kept, submission="c", **given)


def test_a_macro_answers_nobody_whom_its_page_did_not_show(engine: Engine, client: Client, ticket: Ticket) -> None:
    macro = add(engine, "ご案内", "ご確認ください。", kind=CannedKind.MACRO, post=PostKind.ANSWER)
    client.get(f"/console/tickets/{ticket.id}/macros/{macro.id}")
    with transaction(engine) as session:
        session.get_one(Ticket, ticket.id).cc = ["partner@aozora.example"]

    page = client.submit("/macros/" + str(macro.id), body="書き足した返信", expect=422)

    assert page.says("メールCC が変わりました", "partner@aozora.example", "書き足した返信")
    assert client.submit("/macros/" + str(macro.id)).says("書き足した返信", "定型アクション「ご案内」を実行しました。")


def test_many_macros_hide_no_text(engine: Engine, client: Client, ticket: Ticket) -> None:
    with transaction(engine) as session:
        told = {"body": "本文", "updated_at": NOW, "updated_by": "佐藤"}
        session.add_all(Canned(kind=CannedKind.MACRO, name=f"行い {n}", **told) for n in range(MOST))
        session.add(Canned(kind=CannedKind.TEXT, name="ご案内", **told))

    page = client.get(f"/console/tickets/{ticket.id}/canned", headers={"hx-request": "true"})

    assert [option.text for option in page.root.all("li", role="option")] == ["ご案内本文本文"]
