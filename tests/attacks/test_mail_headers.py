"""What people type never makes a header, a recipient or a word too much (attack list C, rows 42, 43, 49)."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from sqlalchemy import select

from mail.compose import Envelope, to_bytes, to_email
from models.database import transaction
from models.outbox import Letter, Recipient
from models.people import Account
from models.tickets import Message, Ticket
from rules.tickets import State
from tests import people
from tests.attacks.house import House
from tests.clock import Clock
from tests.services.databases import Database

_WIRE = {"From", "To", "Cc", "Subject", "Date", "Message-ID", "References", "In-Reply-To", "Auto-Submitted", "X-Auto-Response-Suppress"}
HEADERS = _WIRE | {"Content-Type", "Content-Transfer-Encoding", "MIME-Version"}
BREAKS = ["\r\nBcc: evil@evil.example", "\nBcc: evil@evil.example\n\nx", "\x0bBcc: x", "\x85Bcc: x", "\u2028Bcc: x", "\u202eBcc", "=?utf-8?q?=0D=0ABcc:_x?="]
FILLED = {"subject": "件名", "contract_key": "不明", "serial": "不明", "category": "障害", "body": "本文", "confirmed": "1"}


@pytest.fixture
def database(sqlite: Database) -> Database:
    """No letter depends on the database: one is enough."""
    sqlite.reset()
    return sqlite


def sent_letters(house: House) -> list[tuple[EmailMessage, list[str]]]:
    """Every letter as it would go over the wire, with its recipients."""
    with transaction(house.engine, readonly=True) as session:
        found: list[tuple[EmailMessage, list[str]]] = []
        for letter in session.scalars(select(Letter).where(Letter.cause != "x").order_by(Letter.id)):
            rows = session.execute(select(Recipient.address, Recipient.place).where(Recipient.letter_id == letter.id)).all()
            to, cc = (tuple(row.address for row in rows if row.place == place) for place in ("to", "cc"))
            thread = tuple(letter.thread_ids)
            envelope = Envelope(letter.header_id, thread, letter.subject, letter.body, letter.created_at, to, cc)
            found.append((message_from_bytes(to_bytes(to_email(envelope, house.wiring.desk)), policy=default), [*to, *cc]))
        return found


@pytest.mark.parametrize("typed", BREAKS)
def test_c42_no_text_of_a_ticket_makes_a_header(house: House, typed: str) -> None:
    with transaction(house.engine) as session:
        account = session.scalars(select(Account).where(Account.user_id == "kimura")).one()
        account.company_name = account.person_name = f"東西{typed}"
    fields = {name: f"{value}{typed}" for name, value in FILLED.items() if name in ("subject", "body", "contract_key", "serial")}

    assert house.customer().post("/tickets/new/juniper-srx", {**FILLED, **fields, "model": typed, "os_version": typed}).status_code == 303

    letters = sent_letters(house)
    assert letters
    for mail, recipients in letters:
        assert set(mail.keys()) <= HEADERS
        assert not any("evil" in recipient for recipient in recipients)
        assert len(str(mail["Subject"]).splitlines()) == 1


@pytest.mark.parametrize(
    "typed",
    [
        "x@y.example\r\nBcc: z@evil.example",
        "x@y.example\nz",
        "g:a@y.example,b@y.example;",
        "a@y.example;b@y.example",
        "<a@y.example>b@y.example",
        '"a@evil.example"@y.example',
        "a@y.example\x00",
        "a@y.example\x0bb@y.example",
        "=?utf-8?q?a=40evil.example?=@y.example",
        "a@y.example b@y.example",
        ",".join(f"a{number}@y.example" for number in range(11)),
        "a@[127.0.0.1]",
        "a@localhost",
        "nobody@jscom.co.jp",
    ],
)
def test_c43_what_is_no_list_of_addresses_is_refused_at_its_field(house: House, typed: str) -> None:
    answer = house.customer().post("/tickets/new/juniper-srx", {**FILLED, "cc": typed})

    assert answer.status_code == 422
    assert sent_letters(house) == []


def test_c43_separators_duplicates_and_ones_own_address_are_tidied(house: House) -> None:
    typed = f"a@y.example、b@y.example，c@y.example,\r\n{people.EMAIL.upper()}\nA@y.example"

    house.customer().post("/tickets/new/juniper-srx", {**FILLED, "cc": typed})

    to_customer = [recipients for _, recipients in sent_letters(house) if people.EMAIL in recipients]
    assert to_customer == [[people.EMAIL, "a@y.example", "b@y.example", "c@y.example"]]


def test_c49_notes_drafts_undone_answers_and_the_staffs_fields_leave_in_no_letter(house: House, clock: Clock) -> None:
    number = house.numbers["tickets number"]
    path, staff = f"/console/tickets/{number}", house.staff("support")
    with transaction(house.engine) as session:
        session.get_one(Ticket, int(number)).state = State.OPEN
    staff.post(f"{path}/notes", {"body": "canary-note"}, files=[("files", ("canary-note-file.txt", b"x"))])
    with transaction(house.engine, readonly=True) as session:
        newest = str(session.scalars(select(Message.id).order_by(Message.id.desc())).first())
    staff.post(f"{path}/replies", {"body": "canary-undone", "last_seen": newest}, files=[("files", ("canary-undone-file.txt", b"x"))])
    with transaction(house.engine, readonly=True) as session:
        answered = session.scalars(select(Message.id).where(Message.body == "canary-undone")).one()
    assert staff.post(f"{path}/replies/{answered}/withdrawal", {}).status_code == 303
    staff.post(f"{path}/priority", {"priority": "urgent"})
    staff.post(f"{path}/status", {"state": "waiting_vendor"})
    clock.advance(minutes=1)
    house.customer().post(f"/tickets/{number}/replies", {"body": "追伸"})
    staff.post(f"{path}/replies", {"body": "公開の回答", "last_seen": "999999999"})

    with transaction(house.engine, readonly=True) as session:
        waiting = session.scalars(select(Letter).where(Letter.state != "withdrawn", Letter.cause != "x")).all()
        texts = [f"{letter.subject}\n{letter.body}" for letter in waiting]
    assert any("公開の回答" in text for text in texts)
    assert not [text for text in texts if "canary" in text]
    portal = house.customer().get(f"/tickets/{number}").text
    assert "canary" not in portal and "urgent" not in portal and "メーカー" not in portal
    clock.advance(seconds=timedelta(minutes=1).seconds)
    assert "canary" not in house.customer().get(f"/tickets/{number}").text
