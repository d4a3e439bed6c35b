"""写しの停止: a CC recipient stops further copies by the link in the mail; customer and staff see it."""

from __future__ import annotations

import re

from sqlalchemy import Engine, select

from actions import notices
from mail.desk import Desk
from models.database import transaction
from models.journal import JournalEntry
from models.outbox import CopyStop, Letter, LetterState, Recipient, RecipientState
from models.tickets import Message, Ticket
from rules.limits import Limits
from rules.rights import Role
from tests.client import Client
from tests.clock import Clock
from tests.people import add_account, add_post, add_staff, add_ticket, sign_in_customer, sign_in_staff
from web.wiring import Wiring

CC = ["sato@osaka.tozai.example", "ito@osaka.tozai.example"]


def write(engine: Engine, wiring: Wiring, ticket_id: int, clock: Clock) -> None:
    with transaction(engine) as session:
        ticket = session.get_one(Ticket, ticket_id)
        message = session.scalars(select(Message).where(Message.ticket_id == ticket_id).order_by(Message.id.desc()).limit(1)).one()
        notices.ticket_updated(session, ticket, message, desk=wiring.desk, limits=Limits(), now=clock())


def copies(engine: Engine) -> list[tuple[str, str, str]]:
    with transaction(engine, readonly=True) as session:
        rows = session.execute(select(Recipient.address, Recipient.state, Recipient.answer).where(Recipient.place == "cc").order_by(Recipient.id))
        return [(row.address, str(row.state), row.answer) for row in rows]


def stops(engine: Engine) -> list[str]:
    with transaction(engine, readonly=True) as session:
        return list(session.scalars(select(CopyStop.address)))


def test_a_cc_recipient_stops_and_resumes_copies_by_the_link(client: Client, engine: Engine, wiring: Wiring, clock: Clock) -> None:
    with transaction(engine) as session:
        account = add_account(session)
        ticket = add_ticket(session, account, cc=CC)
        sign_in_customer(client, session, account)
    write(engine, wiring, ticket.id, clock)
    with transaction(engine, readonly=True) as session:
        body = session.scalars(select(Letter.body).where(Letter.kind == "ticket_updated")).one()
    found = re.search(r"/copies/[\w-]+", body)
    assert found is not None

    client.get(found.group())
    assert stops(engine) == [], "opening the page changes nothing"
    assert client.submit("写しを止める", address="dare@osaka.tozai.example", expect=422).says("CC で送っていません")
    assert client.submit("写しを止める", address="Sato@osaka.tozai.example").says("sato@osaka.tozai.example への写しを止めました。")
    client.submit("写しを止める", address=CC[0])
    assert stops(engine) == [CC[0]]
    assert copies(engine) == [(CC[0], "suppressed", "stopped"), (CC[1], "waiting", "")]

    with transaction(engine) as session:
        add_post(session, session.get_one(Ticket, ticket.id), "続きです。", account=account)
    write(engine, wiring, ticket.id, clock)
    assert copies(engine)[2:] == [(CC[0], "suppressed", "stopped"), (CC[1], "waiting", "")]
    assert client.get(f"/tickets/{ticket.id}").says("CC の 1 件に届いていません", "写しを止めています")

    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session, "honda", name="本田", roles=[Role.LEAD]))
        letter = session.scalars(select(Letter.id).where(Letter.kind == "ticket_updated").order_by(Letter.id).limit(1)).one()
        for recipient in session.scalars(select(Recipient).where(Recipient.letter_id == letter, Recipient.address != CC[0])):
            recipient.state = RecipientState.ACCEPTED
        session.get_one(Letter, letter).state = LetterState.DONE
    page = client.get(f"/console/mails/{letter}")
    assert "届いていない宛先に再送する" not in page.text, "staff do not override a stop"
    form = {"csrf_token": client.csrf_token()}
    assert client.post(f"/console/mails/{letter}/resend", form, expect=422).says("止めたご本人だけが再開できます")
    client.get(f"/console/mails/{letter}")
    assert client.submit(f"再開のご案内を送る：{CC[0]}").says(f"{CC[0]} に、再開のご案内を送ります。")
    assert client.submit(f"再開のご案内を送る：{CC[0]}", expect=422).says("きょう再開のご案内を送っています")
    with transaction(engine, readonly=True) as session:
        offer = session.scalars(select(Letter).where(Letter.kind == "copies_offer")).one()
        assert session.scalars(select(Recipient.address).where(Recipient.letter_id == offer.id)).all() == [CC[0]]
        assert found.group() in offer.body

    client.get(found.group())
    assert client.submit("写しを再開する", address=CC[0]).says("への写しを再開します")
    assert stops(engine) == []
    with transaction(engine, readonly=True) as session:
        acts = session.scalars(select(JournalEntry.act).where(JournalEntry.act.like("%copies")).order_by(JournalEntry.id)).all()
    assert acts == ["stop_copies", "offer_copies", "resume_copies"]


def test_a_link_nobody_signed_is_not_there(client: Client, engine: Engine, wiring: Wiring) -> None:
    with transaction(engine) as session:
        ticket = add_ticket(session, add_account(session), cc=CC)
    token = wiring.desk.stop_token(ticket.id)

    for altered in (token[:-1] + ("0" if token[-1] != "0" else "1"), token.replace(f"{ticket.id}-", f"{ticket.id + 1}-"), "x", f"{ticket.id}-"):
        client.get(f"/copies/{altered}", expect=404)
    assert Desk("", "", "", "", b"another key").ticket_of_stop_token(token) is None
