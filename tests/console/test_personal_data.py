"""One person's data: handed out whole, taken away for ever, and who saw or received it."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from starlette.types import ASGIApp

from actions import copies, delivery
from actions.letters import Draft, thread_id, write_letters
from actions.personal_data import NOBODY, erase_person
from actions.returned_mail import take
from mail.compose import Text, to_bytes, to_email
from mail.returned import Returned
from mail.smtp import Answer, Outcome, Verdict
from models import TABLES, load
from models.actors import Actor
from models.admission import Consent, Refusal, SignIn
from models.base import Base
from models.database import transaction
from models.journal import JournalEntry
from models.neighbours import TicketMerge
from models.outbox import CopyStop, Letter, Recipient, RecipientState
from models.people import Account, AccountState
from models.requests import ExceptionRequest
from models.search import put_in, waiting_posts
from models.tickets import Ticket
from rules.rights import Role
from tests.client import Client
from tests.people import EMAIL, MAINTENANCE, NOW, add_account, add_certificate, add_post, add_request, add_staff, add_ticket, sign_in_customer, sign_in_staff
from web.wiring import Wiring

ACCOUNTS = "/console/accounts"


@pytest.fixture
def kimura(engine: Engine, client: Client, wiring: Wiring) -> Account:
    """木村, who asked something, signed in and got letters; 森 of the desk is signed in."""
    with transaction(engine) as session:
        desk = add_staff(session, "desk", name="森", roles=(Role.DESK,))
        sign_in_staff(client, session, desk)
        add_certificate(session)
        account = add_account(session)
        ticket = add_ticket(session, account, cc=(EMAIL, "boss@osaka.tozai.example"))
        add_post(session, ticket, "社内だけの話", staff=desk, note=True)
        add_post(session, ticket, "お答えします", staff=desk)
        merged = add_ticket(session, account, subject="同じ件")
        session.add(TicketMerge(ticket_id=merged.id, into_id=ticket.id, before={"cc": [EMAIL, "boss@osaka.tozai.example"]}, merged_at=NOW, undone_at=None))
        written = Returned((thread_id(ticket.id, wiring.desk),), EMAIL.upper(), "Re: 木村です", "木村です。", automatic=False, report=False)
        take(session, "1:1", written, desk=wiring.desk, limits=wiring.limits, now=NOW)
        add_request(session, email=EMAIL).account_id = account.id
        session.add_all(
            [
                Consent(account_id=account.id, privacy_version=1, at=NOW),
                SignIn(account_id=account.id, succeeded=True, how="password", client="198.51.100.4", at=NOW),
                Refusal(
                    kind="profile", at=NOW, contract_key=account.contract_key, trace={"rules": [{"rule": "domain", "inputs": {"email": EMAIL}}]}, client="x"
                ),
                JournalEntry(
                    at=NOW,
                    actor_kind="customer",
                    actor_id=account.id,
                    actor_name="木村 はるか",
                    act="edit_profile",
                    subject_kind="account",
                    subject_id=account.id,
                    subject_name="kimura",
                    facts={"person_name": ["木村", "木村 はるか"], "password": True},
                    client="198.51.100.4",
                ),
            ]
        )
        letter = Letter(
            kind="answered",
            cause="x",
            header_id="<x@x>",
            thread_ids=[],
            subject="件名",
            body="木村 はるか 様",
            account_id=account.id,
            created_at=NOW,
            try_at=NOW,
        )
        session.add(letter)
        session.flush()
        for address, place in ((EMAIL, "to"), ("boss@osaka.tozai.example", "cc")):
            session.add(Recipient(letter_id=letter.id, place=place, address=address, address_key=address, state=RecipientState.ACCEPTED, updated_at=NOW))
        return account


def table_texts(engine: Engine) -> str:
    load(*TABLES)
    with transaction(engine, readonly=True) as session:
        tables = [table for table in Base.metadata.sorted_tables if table.name not in ("certificate", "party", "contract_line")]
        return "\n".join(f"{table.name} {row}" for table in tables for row in session.execute(select(table)))


def test_everything_of_a_person_is_handed_out_in_one_file_and_no_note(client: Client, engine: Engine, kimura: Account) -> None:
    client.get(f"{ACCOUNTS}/{kimura.id}")
    answer = client.submit("個人情報を書き出す")

    told: dict[str, Any] = json.loads(zipfile.ZipFile(io.BytesIO(answer.content)).read("account.json"))
    assert answer.headers["content-disposition"].startswith(f'attachment; filename="account-{kimura.id}.zip"')
    assert (told["account"]["email"], told["account"]["person_name"]) == (EMAIL, "木村 はるか")
    assert [post["body"] for post in told["posts"]] == ["本日 9 時ごろから切断されます。", "お答えします", "本日 9 時ごろから切断されます。"]
    assert (len(told["sign_ins"]), len(told["consents"]), len(told["letters"]), len(told["tickets"])) == (1, 1, 2, 2)
    assert "password" not in json.dumps({name: list(told[name]) for name in ("account",)})
    with transaction(engine, readonly=True) as session:
        assert session.scalars(select(JournalEntry.act).order_by(JournalEntry.id.desc())).first() == "export_person"


def test_erasing_leaves_tickets_and_lines_without_the_person(client: Client, app: ASGIApp, engine: Engine, kimura: Account) -> None:
    customer = Client(app)
    with transaction(engine) as session:
        sign_in_customer(customer, session, kimura)
    client.get(f"{ACCOUNTS}/{kimura.id}")
    client.click("個人情報を削除する")
    assert "ユーザーID「kimura」を入力してください" in client.submit(expect=422, reason="ご本人の請求", confirmation="kim").fault_of("confirmation")

    page = client.submit(reason="ご本人の請求", confirmation="kimura")

    assert page.says("個人情報を削除しました。", "削除済み", "SRX300 で IPsec VPN が切断される")
    left = table_texts(engine)
    assert [word for word in ("木村", "kimura", EMAIL, "198.51.100.4") if word in left] == []
    assert [line.split()[0] for line in left.split("\n") if MAINTENANCE in line] == ["exception_request"]
    with transaction(engine, readonly=True) as session:
        account = session.scalars(select(Account)).one()
        assert (account.state, account.company_name) == (AccountState.ERASED, "東西ネットワーク株式会社")
        acts = session.scalars(select(JournalEntry.act).order_by(JournalEntry.id)).all()
        assert acts == ["mail_reply", "edit_profile", "erase_person"]
        assert session.scalars(select(TicketMerge)).one().before["cc"] == ["boss@osaka.tozai.example"]
        assert len(session.scalars(select(Consent)).all()) == 1
    assert customer.get("/tickets").path.startswith("/login")
    client.get(f"{ACCOUNTS}/{kimura.id}/erasure", expect=404)
    with transaction(engine, readonly=True) as session:
        number = session.scalars(select(ExceptionRequest.id)).one()
    assert client.get(f"/console/exceptions/{number}").says("（削除済みのお客様）")
    client.get(f"{ACCOUNTS}/{kimura.id}")
    client.post(f"{ACCOUNTS}/{kimura.id}/reopening", {"csrf_token": client.csrf_token(), "reason": "x"}, expect=422)


def test_an_erased_person_is_no_longer_found_by_search(client: Client, engine: Engine, kimura: Account) -> None:
    for word in ("木村", EMAIL):
        _index(engine)
        assert client.get(f"/console/tickets?q={word}").says("SRX300 で IPsec VPN が切断される")
    client.get(f"{ACCOUNTS}/{kimura.id}/erasure")

    client.submit(reason="ご本人の請求", confirmation="kimura")

    for _ in range(2):
        left = table_texts(engine)
        assert [word for word in ("木村", "kimura", EMAIL) if word in left] == []
        for word in ("木村", EMAIL):
            assert not client.get(f"/console/tickets?q={word}").says("SRX300 で IPsec VPN が切断される")
        assert client.get("/console/tickets?q=東西ネットワーク").says("SRX300 で IPsec VPN が切断される")
        _index(engine)


def test_what_an_erased_person_said_of_copies_leaves_neither_address_nor_client(client: Client, engine: Engine, wiring: Wiring, kimura: Account) -> None:
    visitor, nobody = (Actor(None, "CC の受取人", address, "visitor") for address in ("198.51.100.9", "203.0.113.5"))
    with transaction(engine) as session:
        other = add_account(session, "ishii", email="ishii@tsubame.example", maintenance_email="system@tsubame.example", person_name="石井 誠")
        ticket = add_ticket(session, other, cc=(EMAIL, "abe@tsubame.example"))
        addresses = [other.email, EMAIL, "abe@tsubame.example"]
        draft = Draft("answered", "copied", Text("件名", "本文です。\n"), addresses[:1], addresses[1:], ticket_id=ticket.id)
        write_letters(session, [draft], desk=wiring.desk, now=NOW)
        copies.stop(session, ticket.id, EMAIL, by=visitor, now=NOW)
        copies.resume(session, ticket.id, EMAIL, by=visitor, now=NOW)
        copies.stop(session, ticket.id, EMAIL.upper(), by=visitor, now=NOW)
        copies.stop(session, ticket.id, "abe@tsubame.example", by=nobody, now=NOW)
    client.get(f"{ACCOUNTS}/{kimura.id}/erasure")

    client.submit(reason="ご本人の請求", confirmation="kimura")

    left = table_texts(engine).split("\n")
    assert sorted(line.split()[0] for line in left if EMAIL in line) == ["copy_stop", "ticket"]
    assert [line for line in left if "198.51.100.9" in line] == []
    with transaction(engine, readonly=True) as session:
        assert session.get_one(Ticket, ticket.id).cc == [EMAIL, "abe@tsubame.example"]
        assert len(session.scalars(select(CopyStop.address)).all()) == 2, "copies do not begin again"
        assert set(session.scalars(select(Recipient.state).where(Recipient.address == NOBODY))) == {RecipientState.ACCEPTED, RecipientState.SUPPRESSED}
        lines = session.scalars(select(JournalEntry).where(JournalEntry.subject_id == ticket.id, JournalEntry.act.like("%_copies")).order_by(JournalEntry.id))
        told = [(line.act, line.facts.get("address"), line.client) for line in lines]
    nothing = [(act, None, "") for act in ("stop_copies", "resume_copies", "stop_copies")]
    assert told == [*nothing, ("stop_copies", "abe@tsubame.example", "203.0.113.5")]


def _index(engine: Engine) -> None:
    with transaction(engine) as session:
        put_in(session, waiting_posts(session, NOW + timedelta(days=1), limit=100))


def test_a_letter_goes_on_to_its_others_when_those_it_reached_are_erased(engine: Engine, wiring: Wiring, kimura: Account) -> None:
    other, own = "mori@elsewhere.example", "abe@elsewhere.example"
    with transaction(engine) as session:
        mori = add_account(session, "mori", email=other)
        (id_,) = write_letters(session, [Draft("answered", "y", Text("件名", "本文\n"), [own], [EMAIL, other])], desk=wiring.desk, now=NOW)
        (held,) = delivery.claim(session, now=NOW, limit=1)
        put_off, taken = Answer(Verdict.TEMPORARY, "451 later"), Answer(Verdict.ACCEPTED, "250 ok")
        outcome = Outcome({own: put_off, EMAIL: taken, other: put_off})
        delivery.settle(session.connection(), delivery.ending(held, outcome, limits=wiring.limits, now=NOW))

    for user_id in ("kimura", "mori"):
        with transaction(engine) as session:
            account = session.scalars(select(Account).where(Account.user_id == user_id)).one()
            erase_person(session, account, confirmation=user_id, reason="ご本人の請求", by=Actor(None, "森", "", "staff"), now=NOW)

    with transaction(engine) as session:
        (again,) = delivery.claim(session, now=NOW + timedelta(minutes=2), limit=1)
        assert [one.address for one in again.open] == [own]
        assert b"Cc" not in to_bytes(to_email(again.envelope, wiring.desk))
        assert (again.letter_id, mori.id > kimura.id) == (id_, True)


def test_letters_to_another_account_of_the_same_mailing_list_leave_all_the_same(engine: Engine, wiring: Wiring, kimura: Account) -> None:
    with transaction(engine) as session:
        colleague = add_account(session, "sato")
        ids = [
            write_letters(
                session, [Draft("answered", f"c{owner.id}", Text("件名", "本文\n"), [EMAIL], account_id=owner.id)], desk=wiring.desk, now=NOW
            )[0]
            for owner in (kimura, colleague)
        ]  # fmt: skip

    with transaction(engine) as session:
        account = session.get_one(Account, kimura.id)
        erase_person(session, account, confirmation="kimura", reason="ご本人の請求", by=Actor(None, "森", "", "staff"), now=NOW)

    with transaction(engine) as session:
        (held,) = [claim for claim in delivery.claim(session, now=NOW, limit=9) if claim.letter_id in ids]
        assert (held.letter_id, held.envelope.to, held.envelope.body) == (ids[1], (EMAIL,), "本文\n")


def test_one_screen_tells_who_saw_or_received_data_between_two_days(client: Client, engine: Engine, kimura: Account) -> None:
    client.get(f"{ACCOUNTS}/{kimura.id}")
    page = client.click("だれが閲覧・受信したかを見る")
    assert page.says("boss@osaka.tozai.example", EMAIL, "木村 はるか", "198.51.100.4", "森：J's チケットシステム担当")

    later = (NOW + timedelta(days=2)).date().isoformat()
    page = client.get(f"{ACCOUNTS}/{kimura.id}/disclosure?since={later}&until={later}")
    assert page.says("この期間に送ったメールはありません", "この期間の操作はありません", "この期間のログインはありません")


def test_the_support_neither_hands_out_nor_takes_away(client: Client, engine: Engine, kimura: Account) -> None:
    client.cookies.clear()
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session))

    page = client.get(f"{ACCOUNTS}/{kimura.id}")

    assert not page.says("個人情報を書き出す")
    client.get(f"{ACCOUNTS}/{kimura.id}/erasure", expect=403)


def test_the_ticket_of_an_erased_person_is_worked_on_and_mails_nobody(client: Client, engine: Engine, kimura: Account) -> None:
    client.get(f"{ACCOUNTS}/{kimura.id}/erasure")
    client.submit("/erasure", reason="ご本人のお申し出", confirmation="kimura")
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session))
        ticket = session.scalars(select(Ticket).where(Ticket.subject == "SRX300 で IPsec VPN が切断される")).one()
        before = session.scalars(select(Letter.id)).all()
    client.get(f"/console/tickets/{ticket.id}")

    assert client.submit("/replies", button="waiting_customer", body="記録のための返信").says("返信しました。")
    client.get(f"/console/tickets/{ticket.id}/edit")
    assert client.submit("/edit", category="2").says("チケットの情報を変更しました。")

    with transaction(engine, readonly=True) as session:
        assert session.scalars(select(Letter.id)).all() == before
        assert session.get_one(Ticket, ticket.id).cc == ["boss@osaka.tozai.example"]
