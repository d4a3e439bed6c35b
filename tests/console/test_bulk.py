"""Changing many tickets at once: seen before, done one by one, what failed told with its reason, and taken back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event

import pytest
from sqlalchemy import Engine, func, select

from actions import bulk_changes
from actions import tickets as ticket_actions
from mail.desk import Desk
from models.actors import StaffMember
from models.bulk_changes import BulkChange, BulkChangeTicket
from models.canned import Canned, CannedKind, PostKind
from models.database import retrying, transaction
from models.journal import JournalEntry
from models.outbox import Letter
from models.people import Account, QueueMember, Staff
from models.tickets import Draft, Message, Ticket
from rules.bulk import BulkAct, Wish
from rules.calendar import BusinessCalendar
from rules.limits import Limits
from rules.refusal import Refused
from rules.rights import Role
from rules.tickets import Priority, State
from tests.client import Client, Page
from tests.clock import Clock
from tests.people import NOW, add_account, add_staff, add_ticket, family_id, sign_in_staff

HOUR = timedelta(hours=1)
DESK = Desk("https://tickets.example.jp", "desk@jscom.example", "tickets-admin@jscom.example", "center@jscom.example")
LIMITS = Limits()


@pytest.fixture
def nakamura(engine: Engine, client: Client) -> Staff:
    """中村 of the support, signed in."""
    with transaction(engine) as session:
        member = add_staff(session)
        sign_in_staff(client, session, member)
    return member


@pytest.fixture
def tickets(engine: Engine, nakamura: Staff) -> Sequence[Ticket]:
    """A new one, an open one, a closed one, and one of another queue."""
    with transaction(engine) as session:
        account, sato = add_account(session), add_staff(session, "sato", name="佐藤")
        session.add(QueueMember(family_id=family_id(session, "ruckus"), staff_id=sato.id))
        return [
            add_ticket(session, account, subject="新しい件", due_at=NOW + HOUR),
            add_ticket(session, account, subject="対応中の件", state=State.OPEN, due_at=NOW + 2 * HOUR),
            add_ticket(session, account, subject="終わった件", state=State.CLOSED),
            add_ticket(session, account, subject="別のキューの件", family="ruckus", due_at=NOW + 3 * HOUR),
        ]


def chosen(tickets: Sequence[Ticket], act: str) -> str:
    return f"/console/tickets/bulk?act={act}&" + "&".join(f"ticket={ticket.id}" for ticket in tickets)


def row_of(page: Page, subject: str) -> str:
    """What the row of a ticket says."""
    return next(row.text for row in page.root.all("tr") if subject in row.text)


def now_is(engine: Engine, ticket: Ticket) -> Ticket:
    with transaction(engine, readonly=True) as session:
        return session.get_one(Ticket, ticket.id)


def test_without_scripts_tickets_are_ticked_assigned_and_brought_back(engine: Engine, client: Client, tickets: Sequence[Ticket]) -> None:
    client.get("/console/tickets")
    page = client.click("まとめて操作")
    assert page.root.first("input", **{"aria-label": f"#{tickets[0].id} を選択"})
    page = client.submit("担当者を変更", ticket=[str(tickets[0].id), str(tickets[1].id)])
    assert "新規 → 対応中" in row_of(page, "新しい件") and "未割り当て → 中村" in row_of(page, "対応中の件")
    with transaction(engine, readonly=True) as session:
        sato = session.scalars(select(Staff).where(Staff.user_id == "sato")).one()
    page = client.submit("/console/tickets/bulk", button="内容を確認する", staff_id=str(sato.id))

    page = client.submit("2件の担当を「佐藤」にする")

    assert page.says("2件を変更しました。", "佐藤") and page.heading == "担当をまとめて変更"
    assert {(now_is(engine, ticket).assignee_id, now_is(engine, ticket).state) for ticket in tickets[:2]} == {(sato.id, State.OPEN)}
    with transaction(engine, readonly=True) as session:
        letters = session.scalars(select(Letter)).all()
        acts = session.scalars(select(JournalEntry.act).order_by(JournalEntry.id)).all()
    assert [letter.kind for letter in letters] == ["staff_assigned_many"]
    assert "2件のチケット" in letters[0].body and f"#{tickets[1].id}" in letters[0].body
    assert acts == ["assign", "assign", "change_many"]

    page = client.submit("/undo")

    assert page.says("変更した 2件のうち、2件を元に戻しました。")
    assert [(now_is(engine, ticket).assignee_id, now_is(engine, ticket).state) for ticket in tickets[:2]] == [(None, State.NEW), (None, State.OPEN)]
    assert now_is(engine, tickets[0]).due_at == NOW + HOUR
    assert client.get(f"/console/tickets/{tickets[0].id}").says("中村さんがまとめた変更を元に戻しました")
    assert client.get("/console/journal").says("まとめた変更から、このチケットを元に戻しました", "まとめて操作", "担当の変更")


def test_what_cannot_be_done_is_told_before_and_after(engine: Engine, client: Client, tickets: Sequence[Ticket]) -> None:
    page = client.get(chosen(tickets, "state") + "&to=waiting_vendor")

    assert "「新規」から「メーカー確認中」には変更できません。" in row_of(page, "新しい件")
    assert "対応中 → メーカー確認中" in row_of(page, "対応中の件")
    assert "担当していない製品のチケットです。" in row_of(page, "別のキューの件")
    # What the page would not offer, sent all the same; and one that somebody changed meanwhile.
    with transaction(engine) as session:
        busy = add_ticket(session, session.scalars(select(Account)).one(), subject="動いた件", state=State.OPEN)
        sato = session.scalars(select(Staff).where(Staff.user_id == "sato")).one()
        by = StaffMember(sato.id, sato.name)
        ticket_actions.change_state(session, busy, State.RESOLVED, by=by, calendar=BusinessCalendar(frozenset()), now=NOW)
    sent = [("ticket", f"{ticket.id}.1") for ticket in [*tickets, busy]]
    fields = [("csrf_token", client.csrf_token()), ("act", "state"), ("to", "waiting_vendor"), ("submission", "once"), *sent]

    page = client.post("/console/tickets/bulk", fields)

    assert page.says("1件を変更しました。", "4件は変更していません。")
    assert "佐藤さんが変更しました" in row_of(page, "動いた件")
    assert "「終了」から「メーカー確認中」には変更できません。" in row_of(page, "終わった件")
    assert "担当していない製品" in row_of(page, "別のキューの件")
    assert now_is(engine, tickets[1]).state == State.WAITING_VENDOR and now_is(engine, busy).state == State.RESOLVED
    again = client.post("/console/tickets/bulk", fields)
    assert again.path == page.path


def test_one_text_is_each_tickets_own_answer_and_comes_back_as_its_draft(engine: Engine, client: Client, clock: Clock, tickets: Sequence[Ticket]) -> None:
    client.get(chosen(tickets[:3], "reply"))
    page = client.submit("2件に返信する", body=" ", expect=422)
    assert page.fault_of("body") and "このチケットは終了しているため、返信できません。" in row_of(page, "終わった件")

    page = client.submit("2件に返信する", body="復旧しました。ご確認ください。")

    assert page.says("2件に返信しました。")
    with transaction(engine, readonly=True) as session:
        assert {*session.scalars(select(Letter.ticket_id).where(Letter.kind == "answered"))} == {tickets[0].id, tickets[1].id}
        assert session.scalars(select(Ticket.state).where(Ticket.id.in_([tickets[0].id, tickets[1].id]))).all() == [State.WAITING_CUSTOMER] * 2
    clock.advance(seconds=5)
    page = client.submit("/undo")

    assert page.says("変更した 2件のうち、2件を元に戻しました。")
    with transaction(engine, readonly=True) as session:
        assert session.scalar(select(func.count()).select_from(Message).where(Message.kind == "answer")) == 0
        assert session.scalars(select(Draft.body)).all() == ["復旧しました。ご確認ください。"] * 2
    assert now_is(engine, tickets[0]).state == State.NEW


def test_a_macro_runs_on_each_ticket_in_its_own_words_and_all_of_it_comes_back(
    engine: Engine, client: Client, clock: Clock, nakamura: Staff, tickets: Sequence[Ticket]
) -> None:
    with transaction(engine) as session:
        sato = session.scalars(select(Staff).where(Staff.user_id == "sato")).one()
        shared = {"kind": CannedKind.MACRO, "updated_at": NOW, "updated_by": "山田"}
        sets = {"to_state": State.WAITING_VENDOR, "to_priority": Priority.HIGH, "to_category_id": 3, "to_assignee": str(sato.id)}
        macro = Canned(name="メーカーへ", body="{件名}（{シリアル番号}）をメーカーに確認します。", **shared, **sets)
        other = Canned(name="別の製品だけ", body="", post=PostKind.NOTHING, to_state=State.OPEN, family_id=family_id(session, "ruckus"), **shared)
        session.add_all([macro, other])
        session.get_one(Ticket, tickets[0].id).state = State.OPEN
        moved = add_ticket(session, session.scalars(select(Account)).one(), subject="動いた件", state=State.OPEN)
        bare = add_ticket(session, session.scalars(select(Account)).one(), subject="番号のない件", state=State.OPEN, serial="不明")
    page = client.get(chosen([*tickets, moved, bare], "macro"))
    row = row_of(page, "新しい件")
    assert "対応中 → メーカー確認中" in row and "未割り当て → 佐藤" in row and "優先度：中 → 高" in row and "kimura@osaka.tozai.example" in row
    assert "返信できません" in row_of(page, "終わった件") and "担当していない製品" in row_of(page, "別のキューの件")
    assert "本文に「シリアル番号」が残るため、まとめては送れません。" in row_of(page, "番号のない件")
    assert page.says("新しい件（CV4126AF0093）をメーカーに確認します。", "送信後 10 秒間は取り消せます。", "別の製品だけ")
    with transaction(engine) as session:
        session.get_one(Canned, macro.id).updated_at = NOW + HOUR
    assert client.submit("3件で「メーカーへ」を実行し、お客様へ返信する", expect=422).says("山田さんがこの定型アクションを変更しました。")
    with transaction(engine) as session:
        session.get_one(Ticket, moved.id).version += 1

    page = client.submit("3件で「メーカーへ」を実行し、お客様へ返信する")

    assert page.heading == "定型アクションをまとめて実行" and page.says("2件を変更しました。", "1件は変更していません。", "メーカーへ")
    with transaction(engine, readonly=True) as session:
        done = session.get_one(Ticket, tickets[0].id)
        assert (done.state, done.priority, done.category_id, done.assignee_id) == (State.WAITING_VENDOR, Priority.HIGH, 3, sato.id)
        assert session.scalars(select(Message.body).where(Message.ticket_id == done.id, Message.kind == "answer")).all() == [
            "新しい件（CV4126AF0093）をメーカーに確認します。"
        ]
        assert sorted(session.scalars(select(Letter.kind))) == ["answered", "answered", "staff_assigned_many"]
    clock.advance(seconds=5)
    assert client.submit("/undo").says("変更した 2件のうち、2件を元に戻しました。")

    back = now_is(engine, tickets[0])
    assert (back.state, back.priority, back.category_id, back.assignee_id) == (State.OPEN, Priority.NORMAL, tickets[0].category_id, None)
    assert back.due_at == NOW + HOUR
    assert client.get(f"/console/tickets/{tickets[0].id}").says("中村さんがまとめた変更を元に戻しました")
    assert client.get("/console/journal").says("定型アクションを実行しました", "優先度")
    with transaction(engine) as session:
        session.add(Canned(name="あとで", body="引き継ぎます。", post=PostKind.NOTE, to_state=State.RESOLVED, **shared))
    client.get(chosen(tickets[:1], "macro"))
    with transaction(engine, readonly=True) as session:
        later = session.scalars(select(Canned.id).where(Canned.name == "あとで")).one()
    assert client.submit("内容を確認する", macro=str(later)).says("対応中 → 解決済み", "社内メモとして残します。")
    assert client.submit("1件で「あとで」を実行する").says("1件を変更しました。", "社内メモは残ります。")
    assert client.submit("/undo").says("1件を元に戻しました。", "社内メモは残っています。") and now_is(engine, tickets[0]).state == State.OPEN
    page = client.get(chosen(tickets[:1], "macro") + f"&macro={other.id}")
    assert page.value_of("macro") != str(other.id) and not page.says("別の製品だけ"), "what suits none of the chosen is not offered"


def test_what_was_touched_since_stays_and_late_is_late(engine: Engine, client: Client, clock: Clock, tickets: Sequence[Ticket]) -> None:
    client.get(chosen(tickets[:2], "state") + "&to=resolved")
    page = client.submit("2件を「解決済み」にする")
    clock.advance(minutes=1)
    client.get(f"/console/tickets/{tickets[0].id}")
    client.submit("/status", button="「対応中」にする")
    client.get(page.path)

    page = client.submit("/undo")

    assert page.says("変更した 2件のうち、1件を元に戻しました。")
    assert "そのあとに変わったため、元に戻していません。" in row_of(page, "新しい件")
    client.get(chosen(tickets[:1], "state") + "&to=resolved")
    page = client.submit("1件を「解決済み」にする")
    clock.advance(minutes=11)
    assert "まで元に戻せます" not in client.get(page.path).text
    late = client.post(f"{page.path}/undo", {"csrf_token": client.csrf_token()})
    assert late.says("元に戻せる時間を過ぎました。")


def test_all_of_a_condition_is_chosen_up_to_the_limit(engine: Engine, client: Client, tickets: Sequence[Ticket]) -> None:
    with transaction(engine) as session:
        account = session.scalars(select(Account)).one()
        for _ in range(LIMITS.bulk_tickets):
            add_ticket(session, account, subject="たくさんの件", state=State.WAITING_VENDOR)
    client.get("/console/tickets?state=waiting_vendor")

    page = client.submit("/console/tickets/bulk", button="この条件のすべて（99+件）")

    assert page.says(f"選んだチケット {LIMITS.bulk_tickets}件") and "先頭から" not in page.text
    assert client.get("/console/tickets/bulk?all=1").says("一度に変更できるのは 200件までのため、一覧の先頭から 200件を選びました。")
    assert client.get("/console/tickets/bulk").says("チケットを選んでいません。")


def test_who_may_only_look_changes_nothing_and_who_may_not_answer_sends_nothing(engine: Engine, client: Client, tickets: Sequence[Ticket]) -> None:
    posted = {"ticket": f"{tickets[0].id}.1", "act": "state", "to": "resolved", "body": "x"}
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session, "kansa", roles=[Role.AUDITOR]))
    page = client.get(chosen(tickets[:1], "state"))
    assert page.says("閲覧のみの役割のため、変更はできません。")
    client.post("/console/tickets/bulk", {**posted, "csrf_token": client.csrf_token()}, expect=403)
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session, "kanri", roles=[Role.ADMIN]))
    page = client.get(chosen(tickets[3:], "state") + "&to=resolved")
    client.post("/console/tickets/bulk", {**posted, "act": "reply", "csrf_token": client.csrf_token()}, expect=403)
    assert now_is(engine, tickets[0]).state == State.NEW

    assert client.get(page.path) and client.submit("1件を「解決済み」にする").says("1件を変更しました。")


def test_two_who_change_the_same_tickets_at_once_never_pass_over_each_other(engine: Engine, tickets: Sequence[Ticket]) -> None:
    with transaction(engine) as session:
        people = [StaffMember(member.id, member.name) for member in (add_staff(session, f"lead{n}", name=f"班長{n}") for n in range(2))]
    seen = {ticket.id: 1 for ticket in tickets[:2]}
    start = Barrier(3)

    def change(by: StaffMember, submission: str) -> int:
        start.wait()

        def work() -> int:
            with transaction(engine) as session:
                hand = bulk_changes.Hand(by, DESK, LIMITS, BusinessCalendar(frozenset()), NOW, submission, None)
                return bulk_changes.change_many(session, seen, Wish(BulkAct.ASSIGN, staff_id=by.id), hand=hand).id

        return retrying(work)

    with ThreadPoolExecutor(3) as threads:
        first, second, doubled = threads.map(change, [people[0], people[1], people[1]], ["a", "b", "b"])

    assert second == doubled != first
    with transaction(engine, readonly=True) as session:
        assert session.scalar(select(func.count()).select_from(BulkChange)) == 2
        assert session.scalar(select(func.count()).select_from(JournalEntry).where(JournalEntry.act == "assign")) == 2
        assert len({*session.scalars(select(Ticket.assignee_id).where(Ticket.id.in_(seen)))}) == 1


def test_a_second_press_that_waits_for_the_first_undoes_nothing_again(engine: Engine, tickets: Sequence[Ticket], nakamura: Staff) -> None:
    by = StaffMember(nakamura.id, nakamura.name, roles=frozenset({Role.SUPPORT}))
    hand = bulk_changes.Hand(by, DESK, LIMITS, BusinessCalendar(frozenset()), NOW, "a", None)
    with transaction(engine) as session:
        number = bulk_changes.change_many(session, {tickets[0].id: 1}, Wish(BulkAct.ASSIGN, staff_id=by.id), hand=hand).id
    done = Event()

    def first() -> int:
        with transaction(engine) as session:
            count = bulk_changes.undo_many(session, session.get_one(BulkChange, number), by=by, limits=LIMITS, now=NOW)
            done.set()
            time.sleep(0.3)
            return count

    def second() -> str:
        done.wait(10)
        try:
            with transaction(engine) as session:
                return str(bulk_changes.undo_many(session, session.get_one(BulkChange, number), by=by, limits=LIMITS, now=NOW))
        except Refused as refused:
            return refused.code

    with ThreadPoolExecutor(2) as threads:
        one, other = threads.submit(first), threads.submit(second)
        assert (one.result(), other.result()) == (1, "bulk_undo_late")

    with transaction(engine, readonly=True) as session:
        assert session.scalars(select(BulkChangeTicket.undone)).all() == ["undone"]
        assert session.scalar(select(func.count()).select_from(JournalEntry).where(JournalEntry.act == "undo_many")) == 1
