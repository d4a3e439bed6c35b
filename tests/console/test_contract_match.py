"""契約の照合: what is near to a ticket's contract, setting it with one press or by hand, and the way back."""

from __future__ import annotations

from sqlalchemy import Engine, select

from models.database import transaction
from models.tickets import Attachment, Message, Ticket
from rules.rights import Role
from tests.client import Client
from tests.people import add_account, add_certificate, add_post, add_staff, add_ticket, sign_in_staff


def now_is(engine: Engine, ticket: Ticket) -> Ticket:
    with transaction(engine, readonly=True) as session:
        return session.get_one(Ticket, ticket.id)


def test_an_unknown_contract_is_set_with_one_press_and_taken_back(engine: Engine, client: Client) -> None:
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session))
        add_certificate(session)
        add_certificate(session, "JSC26049999A", lines=({"serial": "ZZ0000000001"},), end_user="kiban@elsewhere.example")
        account = add_account(session)
        ticket = add_ticket(session, account, contract="不明", serial="不明", body="筐体に CV4126AF0093 と書かれています。")
    path = f"/console/tickets/{ticket.id}"

    assert client.get(path).says("契約が不明です", "近い契約と候補を見る", "照合した値", "受付時")
    page = client.get(f"{path}/match")
    assert page.says("JSC26040123A", "本文にシリアル番号がある", "保守登録メールの契約", "保守対象です")
    assert not page.says("JSC26049999A")

    page = client.submit("この契約に照合する：JSC26040123A CV4126AF0093")

    assert page.says(
        "契約を照合しました。", "保守対象です", "サポートの照合", "中村さんが契約を「お客様の入力」から「JSC26040123A / CV4126AF0093」に照合しました"
    )
    assert page.says("候補から：本文にシリアル番号がある", "オンサイト・平日9:00〜17:00・いまは時間内")
    after = now_is(engine, ticket)
    assert (after.contract_text, after.serial_text) == ("不明", "不明")
    assert (after.contract_key, after.serial_key) == ("JSC26040123A", "CV4126AF0093")

    page = client.submit("/match/withdrawal")

    assert page.says("契約の照合を取り消しました。", "契約が不明です", "中村さんが契約の照合「JSC26040123A / CV4126AF0093」を取り消しました")
    assert (now_is(engine, ticket).contract_key, now_is(engine, ticket).serial_key) == ("", "")


def test_the_serial_of_an_attached_log_names_the_contract(engine: Engine, client: Client) -> None:
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session))
        add_certificate(session)
        ticket = add_ticket(session, None, contract="不明", serial="不明", body="ログを添付します。")
        post = session.scalars(select(Message).where(Message.ticket_id == ticket.id)).one()
        kept = {"token": "t", "name": "show.log", "size": 9, "sha256": "", "storage_key": "k", "created_at": post.created_at, "message_id": post.id}
        session.add(Attachment(**kept, found={"": {"serial": ["cv4126af0093"]}, "999": {"serial": ["OTHERPRODUCT1"]}}))

    page = client.get(f"/console/tickets/{ticket.id}/match")

    assert page.says("JSC26040123A", "添付のログにシリアル番号がある")
    assert client.submit("この契約に照合する：JSC26040123A CV4126AF0093").says("候補から：添付のログにシリアル番号がある")


def test_a_slip_and_another_party_s_contract_are_told_apart(engine: Engine, client: Client) -> None:
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session))
        add_certificate(session)
        add_certificate(session, "JSC26O40123A", lines=({"serial": "ZZ0000000001"},), end_user="kiban@elsewhere.example", agent="a@elsewhere.example")
        ticket = add_ticket(session, add_account(session), contract="JSC2604O123A", serial="CV4126AFO093")

    page = client.get(f"/console/tickets/{ticket.id}/match")

    assert page.says("契約番号がよく似ている", "シリアル番号がよく似ている", "英字 O → 数字 0", "ほかの会社の契約です", "保守対象です")
    assert page.text.index("CV4126AF0093") < page.text.index("ZZ0000000001")


def test_a_contract_by_hand_wants_a_line_and_a_reason(engine: Engine, client: Client) -> None:
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session))
        add_certificate(session)
        ticket = add_ticket(session, None, contract="不明", serial="不明")
        add_post(session, ticket, "お電話での続き")
    path = f"/console/tickets/{ticket.id}/match"

    assert client.get(path).says("入力に近い契約も、お客様の保守登録メールの契約も見つかりません。")
    assert client.submit("/match", contract="JSC26040123A", serial="NONE", reason="電話で確認", expect=422).says("明細がありません。")
    assert client.submit("/match", contract="JSC26040123A", serial="", reason=" ", expect=422).says("照合した理由を入力してください。")
    assert client.submit("/match", contract="ｊｓｃ26040123a", serial="", reason="電話で確認").says("契約を照合しました。", "保守対象です", "電話で確認")
    token = client.csrf_token()
    client.post(f"{path}/withdrawal", {"csrf_token": token})
    assert client.post(f"{path}/withdrawal", {"csrf_token": token}, expect=422).says("すでに取り消されています。")


def test_a_matched_ticket_is_found_by_its_serial(engine: Engine, client: Client) -> None:
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session, roles=(Role.LEAD,)))
        add_certificate(session)
        ticket = add_ticket(session, add_account(session), contract="不明", serial="不明")
    client.get(f"/console/tickets/{ticket.id}/match")

    client.submit("この契約に照合する：JSC26040123A CV4126AF0093")

    assert client.get("/console/tickets?q=cv4126af0093").says(ticket.subject)
