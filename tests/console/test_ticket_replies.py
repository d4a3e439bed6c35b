"""Answering and changing a ticket from its page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, select, text
from sqlalchemy.orm import Session

from models.database import is_sqlite, transaction
from models.outbox import Letter, LetterState
from models.people import Staff
from models.reading import unseen_posts
from models.tickets import Message, MessageKind, Ticket
from rules.rights import Role
from rules.tickets import Priority, State
from tests.client import Client, Page
from tests.clock import Clock
from tests.console.counting import counted
from tests.people import NOW, add_account, add_certificate, add_post, add_staff, add_ticket, sign_in_staff

HOUR = timedelta(hours=1)


@pytest.fixture
def nakamura(engine: Engine, client: Client) -> Staff:
    """中村 of the support, signed in."""
    with transaction(engine) as session:
        member = add_staff(session)
        sign_in_staff(client, session, member)
    return member


@pytest.fixture
def ticket(engine: Engine, nakamura: Staff) -> Ticket:
    """A new ticket with a CC."""
    with transaction(engine) as session:
        add_certificate(session)
        return add_ticket(session, add_account(session), cc=["infra@osaka.tozai.example"], due_at=NOW + 4 * HOUR)


def now_is(engine: Engine, ticket: Ticket) -> Ticket:
    """The ticket as the database has it."""
    with transaction(engine, readonly=True) as session:
        return session.get_one(Ticket, ticket.id)


def messages(engine: Engine, ticket: Ticket) -> list[Message]:
    with transaction(engine, readonly=True) as session:
        return list(session.scalars(select(Message).where(Message.ticket_id == ticket.id).order_by(Message.id)))


def open_page(client: Client, ticket: Ticket) -> Page:
    return client.get(f"/console/tickets/{ticket.id}")


def test_an_answer_is_published_and_mailed_and_the_ticket_waits(engine: Engine, client: Client, nakamura: Staff, ticket: Ticket) -> None:
    open_page(client, ticket)

    page = client.submit("/replies", button="waiting_customer", body="次の点をお試しください。")

    assert page.says("次の点をお試しください。", "返信しました。", "取り消す", "お客様確認待ち")
    after = now_is(engine, ticket)
    assert (after.state, after.assignee_id) == (State.WAITING_CUSTOMER, nakamura.id)
    with transaction(engine, readonly=True) as session:
        letter = session.scalars(select(Letter).where(Letter.ticket_id == ticket.id)).one()
    assert letter.try_at >= NOW + timedelta(seconds=10)


def test_an_answer_may_leave_the_ticket_in_another_state(engine: Engine, client: Client, ticket: Ticket) -> None:
    open_page(client, ticket)

    client.submit("/replies", button="resolved", body="直りました。")

    assert now_is(engine, ticket).state == State.RESOLVED


def test_an_answer_can_be_taken_back_for_ten_seconds(engine: Engine, client: Client, clock: Clock, ticket: Ticket) -> None:
    open_page(client, ticket)
    client.submit("/replies", button="waiting_customer", body="早すぎた返信", files={"files": [("log.txt", b"abc")]})
    clock.advance(seconds=9)
    page = open_page(client, ticket)
    withdrawal = next(form for form in page.root.all("form") if form.attributes.get("action", "").endswith("/withdrawal"))

    page = client.submit(withdrawal.attributes["action"])

    assert page.value_of("last_seen")
    assert "早すぎた返信" in [area.text.strip() for area in page.root.all("textarea")]
    assert page.says("返信を取り消しました。下書きに戻しています。", "log.txt")
    assert [message.kind for message in messages(engine, ticket)] == [MessageKind.CUSTOMER]
    assert now_is(engine, ticket).state == State.NEW
    with transaction(engine, readonly=True) as session:
        assert session.scalars(select(Letter.state).where(Letter.ticket_id == ticket.id)).all() == [LetterState.WITHDRAWN]


def test_after_that_it_is_too_late(engine: Engine, client: Client, clock: Clock, ticket: Ticket) -> None:
    open_page(client, ticket)
    client.submit("/replies", button="waiting_customer", body="もう出ました")
    made = messages(engine, ticket)[-1]
    clock.advance(seconds=10)

    page = client.post(f"/console/tickets/{ticket.id}/replies/{made.id}/withdrawal", {"csrf_token": client.csrf_token()}, expect=422)

    assert page.says("取り消せる時間を過ぎたため、返信は公開されています。")
    assert messages(engine, ticket)[-1].body == "もう出ました"


def test_an_answer_unaware_of_another_is_stopped_and_both_are_shown(engine: Engine, client: Client, ticket: Ticket) -> None:
    open_page(client, ticket)
    with transaction(engine) as session:
        sato = add_staff(session, "sato", name="佐藤")
        add_post(session, session.get_one(Ticket, ticket.id), "佐藤の返信です", staff=sato)

    page = client.submit("/replies", button="waiting_customer", body="私の返信です", files={"files": [("trace.log", b"xyz")]}, expect=409)

    assert page.alerts
    assert "佐藤さんが先に返信しました。" in page.alerts[0]
    assert page.says("佐藤の返信です", "私の返信です", "trace.log")
    assert len(messages(engine, ticket)) == 2
    client.submit("/replies", button="waiting_customer")
    assert [message.body for message in messages(engine, ticket)][1:] == ["佐藤の返信です", "私の返信です"]
    assert open_page(client, ticket).says("trace.log")


def test_a_customer_s_post_that_came_meanwhile_stops_an_answer_too(engine: Engine, client: Client, ticket: Ticket) -> None:
    open_page(client, ticket)
    with transaction(engine) as session:
        here = session.get_one(Ticket, ticket.id)
        add_post(session, here, "直ってしまいました")

    assert client.submit("/replies", button="waiting_customer", body="お調べします", expect=409).says("直ってしまいました", "お調べします")


def test_the_same_form_sent_twice_makes_one_answer(engine: Engine, client: Client, ticket: Ticket) -> None:
    page = open_page(client, ticket)
    form = page.form("/replies")

    for _ in range(2):
        client.page = page
        client.submit(form.attributes["action"], button="waiting_customer", body="一度だけ")

    assert [message.body for message in messages(engine, ticket)].count("一度だけ") == 1


def test_an_empty_answer_is_refused_at_its_field(engine: Engine, client: Client, ticket: Ticket) -> None:
    open_page(client, ticket)

    page = client.submit("/replies", button="waiting_customer", body=" 　", expect=422)

    assert page.fault_of("body")
    assert len(messages(engine, ticket)) == 1


def test_a_note_is_written_and_nothing_is_mailed(engine: Engine, client: Client, ticket: Ticket) -> None:
    open_page(client, ticket)

    page = client.submit("/notes", body="回線側の MTU を疑う", files={"files": [("memo.txt", b"memo")]})

    assert page.says("回線側の MTU を疑う", "社内メモを書きました。", "memo.txt")
    assert messages(engine, ticket)[-1].kind == MessageKind.NOTE
    with transaction(engine, readonly=True) as session:
        assert not session.scalars(select(Letter.id)).all()


def test_an_empty_note_keeps_the_answer_form_free_of_faults(client: Client, ticket: Ticket) -> None:
    open_page(client, ticket)

    page = client.submit("/notes", body="", expect=422)

    assert [area.attributes["id"] for area in page.root.all("textarea") if area.attributes.get("aria-invalid")] == ["note-body"]


def test_files_come_back_as_downloads(client: Client, ticket: Ticket) -> None:
    open_page(client, ticket)
    page = client.submit("/replies", button="waiting_customer", body="添付します", files={"files": [("画面 写真.html", b"<script>x</script>")]})

    link = next(link for link in page.root.all("a") if "画面 写真.html" in link.text)
    file = client.get(link.attributes["href"])

    assert file.content == b"<script>x</script>"
    assert file.headers["content-type"] == "application/octet-stream"
    assert file.headers["content-disposition"].startswith("attachment;")
    client.get("/console/attachments/nothing", expect=404)


def test_a_ticket_is_taken_with_one_button_and_given_with_two(engine: Engine, client: Client, nakamura: Staff, ticket: Ticket) -> None:
    with transaction(engine) as session:
        sato = add_staff(session, "sato", name="佐藤")
    open_page(client, ticket)

    page = client.submit("自分が担当する I")
    assert page.says("自分の担当にしました。", "担当：中村")
    assert (now_is(engine, ticket).assignee_id, now_is(engine, ticket).state) == (nakamura.id, State.OPEN)

    page = client.submit("担当を変更する", staff_id=str(sato.id))
    assert page.says("担当：佐藤", "中村さんが担当を「中村」から「佐藤」に変更しました")

    client.submit("担当を変更する", staff_id="")
    assert now_is(engine, ticket).assignee_id is None


def test_nobody_can_be_given_a_ticket_who_is_not_there(engine: Engine, client: Client, ticket: Ticket) -> None:
    open_page(client, ticket)

    for staff_id in ("99999", "x"):
        page = client.post(f"/console/tickets/{ticket.id}/assignee", {"staff_id": staff_id, "csrf_token": client.csrf_token()}, expect=422)
        assert page.says("担当者を一覧から選んでください。")


def test_a_ticket_is_given_only_to_those_who_may_answer_it(engine: Engine, client: Client, ticket: Ticket) -> None:
    with transaction(engine) as session:
        lead, auditor = (add_staff(session, role.value, name=role.value, roles=[role]) for role in (Role.LEAD, Role.AUDITOR))
    page = open_page(client, ticket)
    offered = [option.attributes["value"] for option in page.root.all("select", name="staff_id")[0].all("option")]
    assert str(lead.id) in offered and str(auditor.id) not in offered

    page = client.post(f"/console/tickets/{ticket.id}/assignee", {"staff_id": str(auditor.id), "csrf_token": client.csrf_token()}, expect=422)

    assert page.says("担当者を一覧から選んでください。")
    assert now_is(engine, ticket).assignee_id is None


def test_the_state_moves_by_hand_and_the_thread_says_so(engine: Engine, client: Client, ticket: Ticket) -> None:
    open_page(client, ticket)

    page = client.submit("/status", button="「対応中」にする")

    assert page.says("状態を「対応中」にしました。", "中村さんが状態を「新規」から「対応中」に変更しました")
    assert now_is(engine, ticket).state == State.OPEN


def test_a_change_by_one_press_is_undone_by_another_until_somebody_goes_on(
    engine: Engine, client: Client, clock: Clock, nakamura: Staff, ticket: Ticket
) -> None:
    was = now_is(engine, ticket)
    presses = (
        lambda: client.submit("/priority", button="「緊急」にする"),
        lambda: client.submit("/status", button="「終了」にする"),
        lambda: client.submit("担当を変更する", staff_id=str(nakamura.id)),
    )
    for press in presses:
        open_page(client, ticket)
        press()
        page = client.submit(f"/{ticket.id}/undo", button="取り消す")
        assert page.says("変更を取り消しました。", "中村さんが直前の変更を取り消しました")
        is_now = now_is(engine, ticket)
        kept = ("state", "state_from", "unresolved", "resolved_at", "assignee_id", "priority", "due_at", "clock_left")
        assert [getattr(is_now, name) for name in kept] == [getattr(was, name) for name in kept]

    client.submit("/status", button="「終了」にする")
    client.submit("/notes", body="そのあとのメモ")
    late = {"csrf_token": client.csrf_token()}
    assert client.post(f"/console/tickets/{ticket.id}/undo", late, expect=422).says("そのあとに変わったため、取り消せません。")
    clock.advance(minutes=11)
    assert client.post(f"/console/tickets/{ticket.id}/undo", late, expect=422).says("取り消せる時間を過ぎました。")
    assert now_is(engine, ticket).state == State.CLOSED


def test_a_move_that_is_none_is_refused(engine: Engine, client: Client, ticket: Ticket) -> None:
    open_page(client, ticket)
    token = client.csrf_token()

    client.post(f"/console/tickets/{ticket.id}/status", {"state": "waiting_vendor", "csrf_token": token}, expect=422)
    client.post(f"/console/tickets/{ticket.id}/status", {"state": "elsewhere", "csrf_token": token}, expect=400)

    assert now_is(engine, ticket).state == State.NEW


def test_a_higher_priority_brings_the_deadline_nearer(engine: Engine, client: Client, ticket: Ticket) -> None:
    open_page(client, ticket)

    page = client.submit("/priority", button="「緊急」にする")

    assert page.says("優先度を「緊急」にしました。", "優先度：緊急")
    after = now_is(engine, ticket)
    assert (after.priority, after.due_at) == (Priority.URGENT, NOW + HOUR)


def test_a_closed_ticket_takes_notes_and_no_answer(engine: Engine, client: Client, ticket: Ticket) -> None:
    open_page(client, ticket)
    client.submit("/status", button="「終了」にする")

    page = open_page(client, ticket)
    assert not [form for form in page.root.all("form") if form.attributes.get("action", "").endswith("/replies")]
    client.post(f"/console/tickets/{ticket.id}/replies", {"body": "まだ", "last_seen": "999999999", "csrf_token": client.csrf_token()}, expect=422)
    open_page(client, ticket)
    assert client.submit("/notes", body="あとからのメモ").says("あとからのメモ")


def test_a_post_without_the_form_s_token_is_refused(engine: Engine, client: Client, ticket: Ticket) -> None:
    client.post(f"/console/tickets/{ticket.id}/replies", {"body": "よそから"}, expect=403)

    assert len(messages(engine, ticket)) == 1


def test_an_answer_asks_the_database_ten_times_at_most(engine: Engine, client: Client, ticket: Ticket) -> None:
    open_page(client, ticket)

    with counted(engine) as statements:
        client.submit("/replies", button="waiting_customer", body="短い返信", follow=False)

    assert len(statements) <= 10, "\n".join(f"{n} {statement}" for n, statement in enumerate(statements, 1))


def test_looking_for_newer_posts_reads_no_other_ticket(session: Session) -> None:
    connection, asked = session.connection(), list[tuple[str, Any]]()
    sqlite = is_sqlite(session)
    if not sqlite:
        # A table of no rows is read faster as a whole; the planner shall choose as it would among a million.
        for way in ("seqscan", "bitmapscan", "sort"):
            session.execute(text(f"SET LOCAL enable_{way} = off"))

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        asked.append((statement, values))

    event.listen(connection.engine, "before_cursor_execute", note)
    unseen_posts(session, 10001, last_seen=7, submission="a form", staff_id=1)
    event.remove(connection.engine, "before_cursor_execute", note)
    statement, values = asked[-1]
    steps = " ".join(str(row[-1]) for row in connection.exec_driver_sql(f"EXPLAIN {'QUERY PLAN ' if sqlite else ''}{statement}", values))

    assert "ix_message_ticket " in f"{steps} "
    assert "SCAN message" not in steps
    assert "Seq Scan" not in steps


def test_no_answer_leaves_a_ticket_to_the_center_which_was_asked_nothing(engine: Engine, client: Client, ticket: Ticket) -> None:
    with transaction(engine) as session:
        session.get_one(Ticket, ticket.id).state = State.OPEN

    page = open_page(client, ticket)

    offered = [button.attributes["value"] for button in page.root.all("button", name="next_state")]
    assert offered == ["waiting_customer", "open", "waiting_vendor", "resolved"]
