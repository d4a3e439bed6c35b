"""つながり: linking tickets, merging them, splitting a post off; what both sides and the customer see, and the way back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from actions.clock import follow_state, start_clock
from actions.tickets import change_state
from models.actors import StaffMember
from models.base import NEVER
from models.database import transaction
from models.outbox import Letter
from models.people import Account, QueueMember, Staff
from models.tickets import Attachment, Message, Ticket
from rules.calendar import BusinessCalendar
from rules.rights import Role
from rules.tickets import Priority, State
from tests.client import Client
from tests.people import EMAIL, NOW, add_account, add_certificate, add_post, add_staff, add_ticket, sign_in_customer, sign_in_staff

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def account(engine: Engine, client: Client) -> Account:
    """木村's account; 中村 is signed in."""
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session))
        add_certificate(session)
        return add_account(session)


def now_is(engine: Engine, ticket: Ticket) -> Ticket:
    with transaction(engine, readonly=True) as session:
        return session.get_one(Ticket, ticket.id)


def posts(engine: Engine, ticket: Ticket) -> list[str]:
    with transaction(engine, readonly=True) as session:
        return list(session.scalars(select(Message.body).where(Message.ticket_id == ticket.id).order_by(Message.id)))


def test_two_tickets_are_linked_and_parted_and_both_say_so(engine: Engine, client: Client, account: Account) -> None:
    with transaction(engine) as session:
        here, there = add_ticket(session, account), add_ticket(session, None, subject="別のお客様の件")
    path = f"/console/tickets/{here.id}"
    assert client.get(f"{path}/related").says("つながっているチケットはありません。")
    assert client.submit("関連付ける", other="99999999", expect=422).says("この番号のチケットがありません。")
    client.get(f"{path}/related")

    page = client.submit("関連付ける", other=f"＃{there.id}")

    assert page.says(f"#{there.id} と関連付けました。", "別のお客様の件", "関連付けを外す")
    assert client.get(path).says(f"関連：#{there.id}", f"中村さんが #{there.id} と関連付けました")
    assert client.get(f"/console/tickets/{there.id}").says(f"関連：#{here.id}")
    token = client.csrf_token()
    assert client.post(f"{path}/links", {"other": str(there.id), "csrf_token": token}, expect=422).says("すでに関連付いています。")

    client.get(f"{path}/related")
    page = client.submit(f"関連付けを外す：#{there.id}")
    assert page.says("関連付けを外しました。", "つながっているチケットはありません。")
    assert not client.get(f"/console/tickets/{there.id}").says(f"関連：#{here.id}")


def test_a_merge_moves_posts_and_clock_and_can_be_undone(engine: Engine, client: Client, account: Account) -> None:
    with transaction(engine) as session:
        member = session.get_one(Account, account.id)
        into = add_ticket(session, member, subject="先の件", state=State.WAITING_CUSTOMER, cc=["a@osaka.tozai.example"])
        due = BusinessCalendar().add_business_hours(NOW - HOUR, 4).at
        ticket = add_ticket(session, member, subject="後の件", body="同じ件です", cc=["b@osaka.tozai.example"], due_at=due, now=NOW - HOUR)
        post = session.scalars(select(Message).where(Message.ticket_id == ticket.id)).one()
        session.add(Attachment(token="t", message_id=post.id, name="log.txt", size=3, sha256="0", storage_key="k", created_at=NOW))
    path = f"/console/tickets/{ticket.id}"
    client.get(f"{path}/related")
    page = client.get(f"{path}/merge?into={into.id}")
    assert page.says(
        "まだ何も変わっていません。", "書き込み 1件と添付ファイルが", "お客様へのメールは送りません。", "a@osaka.tozai.example、b@osaka.tozai.example"
    )

    page = client.submit("/merge")

    assert page.says(f"#{ticket.id} をこのチケットにまとめました。", "同じ件です", "log.txt", f"まとめたチケット：#{ticket.id}", "社内メモ")
    merged, target = now_is(engine, ticket), now_is(engine, into)
    assert (merged.state, merged.merged_into_id, merged.owed_since) == (State.CLOSED, into.id, None)
    assert (target.state, target.owed_since, target.due_at) == (State.OPEN, NOW - HOUR, due)
    assert target.cc == ["a@osaka.tozai.example", "b@osaka.tozai.example"]
    assert client.get("/console/tickets?q=同じ件です").says("先の件")
    assert client.get(path).says(f"このチケットは #{into.id} にまとめました。")
    with transaction(engine, readonly=True) as session:
        assert not session.scalars(select(Letter)).all()

    page = client.submit("/merge/withdrawal")

    assert page.says("まとめを取り消しました。", "同じ件です")
    back, target = now_is(engine, ticket), now_is(engine, into)
    assert (back.state, back.merged_into_id, back.due_at) == (State.NEW, None, due)
    assert (target.state, target.cc, target.owed_since) == (State.WAITING_CUSTOMER, ["a@osaka.tozai.example"], None)
    assert posts(engine, ticket) == ["同じ件です"]
    assert client.post(f"{path}/merge/withdrawal", {"csrf_token": client.csrf_token()}, expect=422).says("すでに取り消されています。")


def test_the_customer_is_led_to_the_ticket_that_has_the_posts(engine: Engine, client: Client, account: Account) -> None:
    with transaction(engine) as session:
        member = session.get_one(Account, account.id)
        into, ticket = add_ticket(session, member, subject="先の件"), add_ticket(session, member, body="同じ件です")
    client.get(f"/console/tickets/{ticket.id}/merge?into={into.id}")
    client.submit("/merge")
    client.cookies.clear()
    with transaction(engine) as session:
        sign_in_customer(client, session, session.get_one(Account, account.id))

    page = client.get(f"/tickets/{ticket.id}")

    assert page.path.startswith(f"/tickets/{into.id}")
    assert page.says(f"お問合せ #{ticket.id} は、#{into.id} にまとめました。", "同じ件です")
    assert not page.says("社内メモ")
    assert client.get("/tickets").says(f"#{ticket.id}", f"#{into.id}")
    client.post(f"/tickets/{ticket.id}/replies", {"body": "古い画面から", "csrf_token": client.csrf_token()})
    assert posts(engine, into)[-1] == "古い画面から"


def test_what_may_not_be_merged_says_why(engine: Engine, client: Client, account: Account) -> None:
    with transaction(engine) as session:
        member, stranger = session.get_one(Account, account.id), add_account(session, "stranger")
        ticket = add_ticket(session, member)
        others = {
            "お客様のアカウントが異なるため": add_ticket(session, stranger).id,
            "終了しているチケットには、まとめられません。": add_ticket(session, member, state=State.CLOSED).id,
            "このチケット自身です。": ticket.id,
            "この番号のチケットがありません。": 99999999,
        }
        nobodys = add_ticket(session, None), add_ticket(session, None)
        asked, open_one = add_ticket(session, member, state=State.WAITING_CENTER), add_ticket(session, member)
        pending = add_post(session, open_one, "まだ取り消せます", staff=add_staff(session, "sato", name="佐藤"), now=NOW)
        pending.published_at = NOW + timedelta(seconds=10)
    for says, number in others.items():
        assert client.get(f"/console/tickets/{ticket.id}/merge?into={number}").says(says)
        client.post(f"/console/tickets/{ticket.id}/merge", {"into": str(number), "csrf_token": client.csrf_token()}, expect=422)
    assert client.get(f"/console/tickets/{nobodys[0].id}/merge?into={nobodys[1].id}").says("お客様のアカウントが異なるため")
    assert client.get(f"/console/tickets/{asked.id}/merge?into={ticket.id}").says("サービス管理センターの回答を待っている")
    assert client.get(f"/console/tickets/{open_one.id}/merge?into={ticket.id}").says("まだ取り消せる返信がある")


def test_a_merge_stops_an_answer_that_knows_nothing_of_it(engine: Engine, client: Client, account: Account) -> None:
    with transaction(engine) as session:
        member = session.get_one(Account, account.id)
        into, ticket = add_ticket(session, member), add_ticket(session, member, body="同じ件です")
        sato = add_staff(session, "sato", name="佐藤")
    page = client.get(f"/console/tickets/{into.id}")
    client.cookies.clear()
    with transaction(engine) as session:
        sign_in_staff(client, session, sato)
    client.get(f"/console/tickets/{ticket.id}/merge?into={into.id}")
    client.submit("/merge")
    mine = client.get(f"/console/tickets/{into.id}").value_of("csrf_token")
    client.cookies.clear()
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session, "third", name="三田"))
    client.get(f"/console/tickets/{into.id}")

    answer = {"body": "古い画面の返信", "last_seen": page.value_of("last_seen"), "next_state": "open", "csrf_token": client.csrf_token()}
    assert mine != answer["csrf_token"]
    assert client.post(f"/console/tickets/{into.id}/replies", answer, expect=409).says("佐藤さんが先に返信しました。", "古い画面の返信")


def test_a_post_becomes_a_ticket_and_goes_back(engine: Engine, client: Client, account: Account) -> None:
    with transaction(engine) as session:
        member = session.get_one(Account, account.id)
        ticket = add_ticket(session, member, state=State.OPEN, now=NOW - 3 * HOUR)
        add_post(session, ticket, "お調べします", staff=add_staff(session, "sato", name="佐藤"), now=NOW - 2 * HOUR)
        other = add_post(session, ticket, "別件ですが、ライセンスの更新方法は", account=member, now=NOW - HOUR)
        ticket.owed_since, ticket.due_at = NOW - HOUR, BusinessCalendar().add_business_hours(NOW - HOUR, 4).at
        due = ticket.due_at
    path = f"/console/tickets/{ticket.id}"
    assert client.get(f"{path}/related").says("書き込みを別のチケットに分ける", "ライセンスの更新方法は")
    page = client.get(f"{path}/messages/{other.id}/split")
    assert page.says("まだ何も変わっていません。", f"受付のメールを {EMAIL} へ送ります。")
    assert client.submit("/split", subject=" ", expect=422).says("件名を入力してください。")

    page = client.submit("/split", subject="ライセンスの更新", category="4")

    with transaction(engine, readonly=True) as session:
        made = session.scalars(select(Ticket).where(Ticket.subject == "ライセンスの更新")).one()
        assert session.scalars(select(Letter.kind).where(Letter.ticket_id == made.id).order_by(Letter.kind)).all() == ["staff_ticket_opened", "ticket_opened"]
    assert page.says(f"#{ticket.id} から、このチケットに分けました。", "ライセンスの更新方法は", f"分けた元：#{ticket.id}")
    assert (made.due_at, made.account_id, made.category_id, made.contract_key) == (due, account.id, 4, "JSC26040123A")
    assert now_is(engine, ticket).owed_since is None
    assert client.get(path).says(f"分けたチケット：#{made.id}")
    assert posts(engine, ticket) == ["本日 9 時ごろから切断されます。", "お調べします"]

    client.get(f"/console/tickets/{made.id}/related")
    page = client.submit(f"元のチケットに戻す：#{ticket.id}")
    assert page.says(f"#{made.id} の書き込みを、このチケットに戻しました。", "ライセンスの更新方法は")
    assert now_is(engine, ticket).due_at == due
    assert now_is(engine, made).merged_into_id == ticket.id


def test_only_later_posts_of_the_customer_can_be_split_off(engine: Engine, client: Client, account: Account) -> None:
    with transaction(engine) as session:
        ticket = add_ticket(session, session.get_one(Account, account.id))
        note = add_post(session, ticket, "メモ", staff=add_staff(session, "sato", name="佐藤"), note=True)
        elsewhere = add_post(session, add_ticket(session, None), "よその書き込み")
        first = session.scalars(select(Message.id).where(Message.ticket_id == ticket.id).order_by(Message.id)).first()
    for number, says in (
        (first, "最初の書き込みは分けられません。"),
        (note.id, "お客様の書き込みだけです。"),
        (elsewhere.id, "すでに別のチケットに移っています。"),
    ):
        assert client.get(f"/console/tickets/{ticket.id}/messages/{number}/split").says(says)


def test_support_merges_and_splits_in_its_own_queues_only(engine: Engine, client: Client, account: Account) -> None:
    with transaction(engine) as session:
        member = session.get_one(Account, account.id)
        ticket, into = add_ticket(session, member), add_ticket(session, member)
        other = add_post(session, ticket, "別件です", account=member)
        session.add(QueueMember(family_id=ticket.family_id, staff_id=add_staff(session, "sato", name="佐藤").id))
    token = client.get(f"/console/tickets/{ticket.id}/related").value_of("csrf_token")
    posted = {"into": str(into.id), "subject": "別件", "product": "1", "category": "1", "csrf_token": token}

    for path in ("merge", f"messages/{other.id}/split"):
        assert client.post(f"/console/tickets/{ticket.id}/{path}", posted, expect=422).says(
            "この製品の担当ではないため", "サポートリーダーに依頼してください。"
        )
    client.cookies.clear()
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session, "lead", name="高田", roles=(Role.LEAD,)))
    client.get(f"/console/tickets/{ticket.id}/merge?into={into.id}")
    client.submit("/merge")
    client.cookies.clear()
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session, "auditor", name="吉田", roles=(Role.AUDITOR,)))
    token = client.get(f"/console/tickets/{ticket.id}/related").value_of("csrf_token")
    client.post(f"/console/tickets/{ticket.id}/merge/withdrawal", {"csrf_token": token}, expect=403)
    assert now_is(engine, ticket).merged_into_id == into.id


def test_a_merge_brings_the_waits_of_the_clock_along(engine: Engine, client: Client, account: Account) -> None:
    with transaction(engine) as session:
        member, desk = session.get_one(Account, account.id), BusinessCalendar()
        into = add_ticket(session, member, state=State.OPEN)
        ticket = add_ticket(session, member, state=State.OPEN, now=NOW - DAY, due_at=desk.add_business_hours(NOW - DAY, 4).at)
        ticket.first_answer_at = into.first_answer_at = NOW - 2 * DAY
        ticket.state = State.WAITING_VENDOR
        follow_state(ticket, desk, NOW - DAY + HOUR)
    client.get(f"/console/tickets/{ticket.id}/merge?into={into.id}")

    client.submit("/merge")

    target = now_is(engine, into)
    assert (target.owed_since, target.due_at, target.clock_left) == (NOW - DAY, NOW + 3 * HOUR, None)
    assert [(one["state"], one["until"]) for one in target.clock_pauses] == [("waiting_vendor", NOW.isoformat())]
    assert client.get(f"/console/tickets/{into.id}/deadline").says("メーカー確認中")


def test_what_is_left_of_a_split_ticket_is_owed_from_its_own_post_on(engine: Engine, client: Client, account: Account) -> None:
    with transaction(engine) as session:
        member, desk = session.get_one(Account, account.id), BusinessCalendar()
        ticket = add_ticket(session, member, state=State.OPEN, now=NOW - DAY)
        add_post(session, ticket, "お調べします", staff=add_staff(session, "sato", name="佐藤"), now=NOW - DAY)
        other = add_post(session, ticket, "別件です", account=member, now=NOW - 3 * HOUR)
        add_post(session, ticket, "元の件の続きです", account=member, now=NOW - HOUR)
        start_clock(ticket, desk, NOW - 3 * HOUR)
    client.get(f"/console/tickets/{ticket.id}/messages/{other.id}/split")

    client.submit("/split", subject="別件", category="4")

    left = now_is(engine, ticket)
    assert (left.owed_since, left.due_at) == (NOW - HOUR, BusinessCalendar().add_business_hours(NOW - HOUR, 4).at)


def test_what_came_with_a_merge_goes_back_though_the_other_ticket_was_worked_on_since(engine: Engine, client: Client, account: Account) -> None:
    with transaction(engine) as session:
        member, desk = session.get_one(Account, account.id), BusinessCalendar()
        into = add_ticket(session, member, state=State.WAITING_CUSTOMER, cc=["a@osaka.tozai.example"], now=NOW - DAY)
        ticket = add_ticket(session, member, cc=["b@osaka.tozai.example"], now=NOW - HOUR)
        start_clock(ticket, desk, NOW - HOUR)
    client.get(f"/console/tickets/{ticket.id}/merge?into={into.id}")
    client.submit("/merge")
    with transaction(engine) as session:
        held = session.get_one(Ticket, into.id)
        add_post(session, held, "メモ", staff=add_staff(session, "sato", name="佐藤"), note=True)
        held.cc, held.priority, held.version = [*held.cc, "c@osaka.tozai.example"], Priority.HIGH, held.version + 1
    client.get(f"/console/tickets/{ticket.id}")

    page = client.submit("/merge/withdrawal")

    assert page.says("まとめを取り消しました。")
    assert not page.says("そのままにしました")
    back, target = now_is(engine, ticket), now_is(engine, into)
    assert (back.state, back.owed_since) == (State.NEW, NOW - HOUR)
    assert (target.state, target.owed_since, target.due_at) == (State.WAITING_CUSTOMER, None, NEVER)
    assert (target.cc, target.priority) == (["a@osaka.tozai.example", "c@osaka.tozai.example"], Priority.HIGH)


@pytest.mark.parametrize("wrote", [False, True])
def test_a_ticket_owes_nothing_for_posts_that_went_back_though_its_state_was_changed_since(
    engine: Engine, client: Client, account: Account, wrote: bool
) -> None:
    with transaction(engine) as session:
        member, desk = session.get_one(Account, account.id), BusinessCalendar()
        into = add_ticket(session, member, state=State.RESOLVED, now=NOW - DAY)
        into.first_answer_at = NOW - DAY
        ticket = add_ticket(session, member, now=NOW - HOUR)
        start_clock(ticket, desk, NOW - HOUR)
    client.get(f"/console/tickets/{ticket.id}/merge?into={into.id}")
    client.submit("/merge")
    with transaction(engine) as session:
        held, by = session.get_one(Ticket, into.id), StaffMember(session.scalars(select(Staff.id)).first() or 0, "中村")
        change_state(session, held, State.WAITING_VENDOR, by=by, calendar=BusinessCalendar(), now=NOW + HOUR)
        if wrote:
            add_post(session, held, "続きです", account=session.get_one(Account, account.id), now=NOW + 2 * HOUR)
    client.get(f"/console/tickets/{ticket.id}")

    page = client.submit("/merge/withdrawal")

    assert page.says("の状態は、まとめたあとに変更されたため、そのままにしました。")
    target = now_is(engine, into)
    assert (target.state, target.due_at) == (State.WAITING_VENDOR, NEVER)
    assert (target.owed_since, target.clock_left) == ((NOW + 2 * HOUR, 4 * 3600) if wrote else (None, None))


def test_no_ticket_comes_back_without_a_word_of_its_customer_and_none_owes_for_what_was_split_off(engine: Engine, client: Client, account: Account) -> None:
    with transaction(engine) as session:
        member = session.get_one(Account, account.id)
        into, ticket = add_ticket(session, member), add_ticket(session, member, now=NOW - HOUR)
        start_clock(ticket, BusinessCalendar(), NOW - HOUR)
        first = session.scalars(select(Message.id).where(Message.ticket_id == ticket.id)).one()
        add_post(session, ticket, "別の話もあります", account=member)
    client.get(f"/console/tickets/{ticket.id}/merge?into={into.id}")
    client.submit("/merge")
    with transaction(engine) as session:
        made = add_ticket(session, session.get_one(Account, account.id))
        session.get_one(Message, first).ticket_id = made.id
    client.get(f"/console/tickets/{ticket.id}")

    client.submit("/merge/withdrawal")

    back = now_is(engine, ticket)
    assert (posts(engine, ticket), back.owed_since) == (["別の話もあります"], NOW)
    client.get(f"/console/tickets/{ticket.id}/merge?into={into.id}")
    client.submit("/merge")
    with transaction(engine) as session:
        for message in session.scalars(select(Message).where(Message.body == "別の話もあります")):
            message.ticket_id = made.id
    client.get(f"/console/tickets/{ticket.id}")
    assert client.submit("/merge/withdrawal", expect=422).says("この書き込みは、すでに別のチケットに移っています。")
    assert now_is(engine, ticket).merged_into_id == into.id
