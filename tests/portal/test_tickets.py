"""The customer's tickets: opening with a check page, files, reading, replying, and what belongs to others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, Select, select
from sqlalchemy.orm import Session

from actions import tickets
from asgi import application
from mail.desk import Desk
from models.actors import StaffMember
from models.database import transaction
from models.journal import JournalEntry
from models.outbox import Letter, Recipient
from models.people import Account
from models.tickets import Attachment, Message, MessageKind, Ticket
from rules.calendar import BusinessCalendar
from rules.limits import Limits
from rules.tickets import State
from tests import people
from tests.client import Client
from tests.clock import Clock
from web.wiring import Wiring

DESK = Desk("http://127.0.0.1:8720", "J's <tickets@jscom.co.jp>", "desk@jscom.co.jp", "center@jscom.co.jp")
FILLED: dict[str, Any] = {
    "subject": "VPN が切れる",
    "contract_key": "jsc26040123a",
    "serial": "不明",
    "category": "障害",
    "body": "本日から切れます。\n再起動しても直りません。",
    "cc": "nw-all@osaka.tozai.example、noc@partner.example",
}

WITHOUT_SUBJECT: dict[str, Any] = {**FILLED, "subject": ""}


@dataclass
class Portal:
    """A signed-in visitor beside the database they look at."""

    client: Client
    engine: Engine
    clock: Clock
    wiring: Wiring

    def rows(self, statement: Select[Any]) -> list[Any]:
        """The single column of `statement`."""
        with transaction(self.engine, readonly=True) as session:
            return list(session.scalars(statement))

    def visitor(self, user_id: str) -> Client:
        """Another browser, signed in as another account."""
        other = Client(application(self.wiring))
        with transaction(self.engine) as session:
            account = session.scalars(select(Account).where(Account.user_id_key == user_id)).one()
            people.sign_in_customer(other, session, account, now=self.clock())
        return other


@pytest.fixture
def portal(client: Client, engine: Engine, clock: Clock, wiring: Wiring) -> Portal:
    with transaction(engine) as session:
        people.add_certificate(session)
        account = people.add_account(session)
        people.add_account(session, "ishii", email="ishii@tsubame.example", maintenance_email="system@tsubame.example", person_name="石井 誠")
        people.add_staff(session)
        people.sign_in_customer(client, session, account, now=clock())
    return Portal(client, engine, clock, wiring)


def open_one(portal: Portal, **fields: Any) -> int:
    """A ticket through the form, the check page and its button; the number."""
    portal.client.get("/tickets/new/juniper-srx")
    portal.client.submit("/tickets/new/juniper-srx", **{**FILLED, **fields})
    page = portal.client.submit("新規チケットの作成")
    return int(page.path.rpartition("/")[2])


def answer(portal: Portal, number: int, text: str, *, next_state: State | None = None, undo_seconds: int = 10) -> None:
    """中村's answer, as the console writes it."""
    with transaction(portal.engine) as session:
        member = StaffMember(id=1, name="中村")
        tickets.answer(
            session,
            tickets.ticket_for_staff(session, number, change=True),
            text,
            next_state=next_state,
            last_seen=2**31,
            submission=text,
            by=member,
            desk=portal.wiring.desk,
            limits=Limits(undo_send_seconds=undo_seconds),
            now=portal.clock(),
        )


def test_the_product_is_chosen_before_the_form(portal: Portal) -> None:
    page = portal.client.get("/tickets/new")

    assert page.says("ご契約中の製品です。", "Juniper-SRX", "その他")
    assert page.link("Ruckus") == "/tickets/new/ruckus"
    portal.client.get("/tickets/new/no-such-product", expect=404)


def test_the_check_page_shows_everything_and_creates_nothing(portal: Portal) -> None:
    portal.client.get("/tickets/new/juniper-srx")

    page = portal.client.submit("/tickets/new/juniper-srx", **FILLED)

    assert page.says("VPN が切れる", "noc@partner.example 社外", "「noc@partner.example」は貴社のドメインではありません。")
    assert portal.rows(select(Ticket.id)) == []


def test_the_final_button_creates_the_ticket_and_its_letters_at_once(portal: Portal) -> None:
    number = open_one(portal)

    page = portal.client.page
    assert page and page.says(f"チケット #{number} を作成しました。", "VPN が切れる", "受付済み", "再起動しても直りません。")
    with transaction(portal.engine, readonly=True) as session:
        ticket = session.get_one(Ticket, number)
        assert (ticket.contract_text, ticket.contract_key, ticket.serial_key) == ("jsc26040123a", "JSC26040123A", "")
        assert ticket.opening_verdict["verdict"] == "active"
        receivers = session.execute(select(Recipient.address, Recipient.place).join(Letter).where(Letter.kind == "ticket_opened")).all()
        assert set(map(tuple, receivers)) == {(people.EMAIL, "to"), ("nw-all@osaka.tozai.example", "cc"), ("noc@partner.example", "cc")}
        assert session.scalars(select(JournalEntry.act).where(JournalEntry.subject_id == number)).all() == ["open"]


def test_the_maintenance_address_never_gets_a_letter(portal: Portal) -> None:
    number = open_one(portal)
    portal.client.click("返信")
    portal.client.submit(f"/tickets/{number}/replies", body="追記です。")

    assert people.MAINTENANCE not in portal.rows(select(Recipient.address))


def test_all_errors_are_told_at_once_and_what_was_typed_stays(portal: Portal) -> None:
    portal.client.get("/tickets/new/juniper-srx")

    page = portal.client.submit("/tickets/new/juniper-srx", subject="", contract_key="", serial="", category="", body="", cc="a@b@c", expect=422)

    assert page.says("6件の入力をお確かめください")
    assert (
        page.fault_of("serial") == "シリアル番号を入力してください。分からない場合は「不明」と入力してください。 分からない場合は「不明」と入力してください。"
    )
    assert page.value_of("cc") == "a@b@c"


def test_an_unknown_contract_never_blocks_a_ticket(portal: Portal) -> None:
    number = open_one(portal, contract_key="どこにもない番号", serial="不明")

    with transaction(portal.engine, readonly=True) as session:
        assert session.get_one(Ticket, number).opening_verdict["verdict"] == "not_found"


def test_what_nobody_knows_is_a_tick(portal: Portal) -> None:
    number = open_one(portal, contract_key="", serial="", unknown=["contract_key", "serial"])

    with transaction(portal.engine, readonly=True) as session:
        ticket = session.get_one(Ticket, number)
        assert (ticket.contract_text, ticket.serial_text) == ("不明", "不明")


def test_files_are_kept_over_the_check_page_and_come_back_byte_for_byte(portal: Portal) -> None:
    portal.client.get("/tickets/new/juniper-srx")
    content = bytes(range(256)) * 5000

    page = portal.client.submit("/tickets/new/juniper-srx", files={"files": [("ログ 1.bin", content), ("b.txt", b"x")]}, **FILLED)
    assert page.says("ログ 1.bin", "b.txt")
    page = portal.client.submit("新規チケットの作成")
    got = portal.client.get(page.link("ログ 1.bin 1.2 MB"))

    assert got.content == content
    assert got.headers["content-disposition"].startswith("attachment; filename=")
    assert got.headers["content-type"] == "application/octet-stream"
    assert "sandbox" in got.headers["content-security-policy"]


def test_a_held_file_can_be_taken_out_again(portal: Portal) -> None:
    portal.client.get("/tickets/new/juniper-srx")
    page = portal.client.submit("/tickets/new/juniper-srx", files={"files": [("a.txt", b"a"), ("b.txt", b"b")]}, **WITHOUT_SUBJECT, expect=422)
    token = next(element.attributes["value"] for element in page.root.all("input", name="drop"))

    page = portal.client.submit("/tickets/new/juniper-srx", subject="x", drop=[token])
    portal.client.submit("新規チケットの作成")

    assert portal.rows(select(Attachment.name).where(Attachment.message_id.is_not(None))) == ["b.txt"]


def test_a_file_over_the_limit_is_cut_while_it_streams(portal: Portal) -> None:
    client = replace(portal, wiring=replace(portal.wiring, limits=Limits(attachment_bytes=1000))).visitor("kimura")
    client.get("/tickets/new/juniper-srx")

    page = client.submit("/tickets/new/juniper-srx", files={"files": [("big.bin", b"x" * 1001)]}, **FILLED, expect=413)

    assert page.says("「big.bin」は 1,000 B を超えています")
    assert portal.rows(select(Attachment.id)) == []


def test_the_same_form_posted_twice_makes_one_ticket(portal: Portal) -> None:
    portal.client.get("/tickets/new/juniper-srx")
    check = portal.client.submit("/tickets/new/juniper-srx", **FILLED)

    first = portal.client.submit("新規チケットの作成")
    portal.client.page = check
    second = portal.client.submit("新規チケットの作成")

    assert first.path == second.path
    assert len(portal.rows(select(Ticket.id))) == 1


def test_another_account_finds_nothing_where_a_ticket_is(portal: Portal) -> None:
    number = open_one(portal)
    token = "".join(map(str, portal.rows(select(Attachment.token))))
    stranger = portal.visitor("ishii")

    missing = stranger.get("/tickets/99999", expect=404)
    there = stranger.get(f"/tickets/{number}", expect=404)

    assert there.text == missing.text
    assert not stranger.get("/tickets").says("VPN が切れる")
    stranger.get(f"/attachments/{token or 'none'}", expect=404)


def test_a_reply_asks_for_the_form_first_and_sends_second(portal: Portal) -> None:
    number = open_one(portal)

    portal.client.click("返信")
    page = portal.client.submit(f"/tickets/{number}/replies", body="追記です。")

    assert page.says("返信しました。", "追記です。")
    assert "ticket_updated" in portal.rows(select(Letter.kind))


def test_an_empty_reply_is_refused_at_its_field(portal: Portal) -> None:
    number = open_one(portal)
    portal.client.click("返信")

    page = portal.client.submit(f"/tickets/{number}/replies", body=" 　", expect=422)

    assert page.fault_of("body")
    assert len(portal.rows(select(Message.id))) == 1


def test_a_refused_reply_is_not_shown_as_posted(portal: Portal) -> None:
    number = open_one(portal)
    client = Client(application(replace(portal.wiring, limits=replace(portal.wiring.limits, post_bytes=1000))))
    with transaction(portal.engine) as session:
        account = session.scalars(select(Account).where(Account.user_id_key == "kimura")).one()
        people.sign_in_customer(client, session, account, now=portal.clock())
        facts: dict[str, Any] = {"holder": f"customer:{account.id}", "size": 600, "sha256": "0" * 64, "created_at": portal.clock()}
        session.add_all([Attachment(token=f"t{n}", name=f"{n}.txt", storage_key=f"k{n}", **facts) for n in range(2)])
    client.get(f"/tickets/{number}?reply=1")
    fields = [("csrf_token", client.csrf_token()), ("body", "送れない返信"), ("submission", "abc"), ("held", "t0"), ("held", "t1")]
    page = client.post(f"/tickets/{number}/replies", fields, expect=422)
    assert page.text.count("送れない返信") == 1, "in the form alone"
    assert "送れない返信" not in portal.rows(select(Message.body))


def test_an_answer_shows_only_when_it_can_no_longer_be_undone(portal: Portal) -> None:
    number = open_one(portal)

    answer(portal, number, "ご確認ください。", next_state=State.WAITING_CUSTOMER)
    before = portal.client.get(f"/tickets/{number}")
    portal.clock.advance(seconds=10)
    after = portal.client.get(f"/tickets/{number}")

    assert before.says("受付済み") and not before.says("ご確認ください。")
    assert after.says("お客様のご返信待ち", "ご確認ください。", "サポートからの回答")


def test_notes_and_staff_words_never_reach_the_portal(portal: Portal) -> None:
    number = open_one(portal)
    with transaction(portal.engine) as session:
        ticket = tickets.ticket_for_staff(session, number, change=True)
        tickets.write_note(session, ticket, "秘密の社内メモ", submission="n", by=StaffMember(id=1, name="中村"), limits=Limits(), now=portal.clock())
        tickets.change_state(session, ticket, State.OPEN, by=StaffMember(id=1, name="中村"), calendar=BusinessCalendar(), now=portal.clock())
        tickets.change_state(session, ticket, State.WAITING_VENDOR, by=StaffMember(id=1, name="中村"), calendar=BusinessCalendar(), now=portal.clock())

    page = portal.client.get(f"/tickets/{number}")

    assert page.says("対応中")
    assert not page.says("秘密") and not page.says("メーカー") and not page.says("優先度")


def test_a_reply_on_a_closed_ticket_opens_a_follow_up(portal: Portal) -> None:
    number = open_one(portal)
    with transaction(portal.engine) as session:
        tickets.change_state(
            session,
            tickets.ticket_for_staff(session, number, change=True),
            State.CLOSED,
            by=StaffMember(id=1, name="中村"),
            calendar=BusinessCalendar(),
            now=portal.clock(),
        )
    portal.clock.advance(hours=1)

    page = portal.client.get(f"/tickets/{number}?reply=1")
    assert page.says("このチケットは終了しています。")
    page = portal.client.submit(f"/tickets/{number}/replies", body="まだ直りません。")

    assert page.path != f"/tickets/{number}"
    assert page.says("続きのチケット", "まだ直りません。", f"前のお問合せ：#{number}")


def test_a_double_answer_within_the_undo_time_is_one(portal: Portal) -> None:
    number = open_one(portal)

    answer(portal, number, "同じ回答")
    answer(portal, number, "同じ回答")

    assert len(portal.rows(select(Message.id).where(Message.kind == MessageKind.ANSWER))) == 1


def test_withdrawing_an_answer_restores_the_ticket_and_stops_its_letter(session: Session) -> None:
    member = people.add_staff(session)
    ticket = people.add_ticket(session, people.add_account(session), due_at=people.NOW + timedelta(hours=4))
    by = StaffMember(id=member.id, name=member.name)
    message = tickets.answer(
        session,
        ticket,
        "途中の回答",
        next_state=State.WAITING_CUSTOMER,
        last_seen=2**31,
        submission="s",
        by=by,
        desk=DESK,
        limits=Limits(),
        now=people.NOW,
    )

    text = tickets.withdraw_answer(session, ticket, message.id, by=by, limits=Limits(), now=people.NOW + timedelta(seconds=9))

    assert text == "途中の回答"
    assert (ticket.state, ticket.due_at, ticket.first_answer_at) == (State.NEW, people.NOW + timedelta(hours=4), None)
    assert set(session.scalars(select(Letter.state).where(Letter.kind == "ticket_answered"))) <= {"withdrawn"}


def test_the_list_shows_the_state_a_customer_is_told(portal: Portal) -> None:
    number = open_one(portal)
    answer(portal, number, "確認します。", next_state=State.OPEN)

    now = portal.client.get("/tickets")
    portal.clock.advance(seconds=11)
    later = portal.client.get("/tickets")

    assert now.says("受付済み") and later.says("対応中")
    answer(portal, number, "ログをお送りください。", next_state=State.WAITING_CUSTOMER)
    assert "ご返信をお待ちしているお問合せがあります。" not in portal.client.get("/tickets").text
    portal.clock.advance(seconds=11)
    assert portal.client.get("/tickets").says("ご返信をお待ちしているお問合せがあります。")
    assert "ご返信をお待ちしている" not in portal.client.get("/tickets?state=open").text
    page = portal.client.get("/tickets?q=vpn 再起動")
    assert page.says(f"#{number}", "再起動しても直りません。")
    assert [mark.text for mark in page.root.all("mark")] == ["VPN", "再起動"]
    assert portal.client.get("/tickets?q=%25").says("条件に合うチケットがありません。")
