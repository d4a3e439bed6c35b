"""Attack list C 49: notes, staff fields, other tickets' CC and undone answers stand in no mail, whatever the notice."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine, select

from actions import notices
from models.database import transaction
from models.outbox import Letter, LetterState, Recipient
from models.tickets import Message, MessageKind, Ticket
from rules.limits import Limits
from tests.people import NOW, add_account, add_post, add_staff, add_ticket
from web.wiring import Wiring

CANARY = "カナリア-7731"
COPY = "canary-cc@osaka.tozai.example"


def test_what_customers_must_not_read_is_in_no_mail(engine: Engine, wiring: Wiring) -> None:
    with transaction(engine) as session:
        account = add_account(session)
        member = add_staff(session)
        add_ticket(session, account, subject="別の件", cc=[COPY])
        ticket = add_ticket(session, account, cc=["sato@osaka.tozai.example"], assignee=member)
        note = add_post(session, ticket, f"{CANARY} 社内", staff=member, note=True)
        undone = add_post(session, ticket, f"{CANARY} 取り消した回答", staff=member, now=NOW + timedelta(seconds=10))
        notices.answered(session, ticket, undone, desk=wiring.desk, limits=Limits(), now=NOW)
        assert notices.withdraw(session, undone, now=NOW)
        session.delete(undone)
        asked = session.scalars(select(Message).where(Message.ticket_id == ticket.id, Message.kind == MessageKind.CUSTOMER)).one()
        told = add_post(session, ticket, "回答です。", staff=member)
        notices.ticket_opened(session, ticket, asked, desk=wiring.desk, limits=Limits(), now=NOW)
        notices.ticket_updated(session, ticket, asked, desk=wiring.desk, limits=Limits(), now=NOW)
        notices.answered(session, ticket, told, desk=wiring.desk, limits=Limits(), now=NOW)
        for letter in (notices.ticket_opened, notices.ticket_updated, notices.answered):
            try:
                letter(session, session.get_one(Ticket, ticket.id), note, desk=wiring.desk, limits=Limits(), now=NOW)
            except ValueError:
                continue
            raise AssertionError("a note became a mail")

    with transaction(engine, readonly=True) as session:
        letters = session.execute(select(Letter.subject, Letter.body).where(Letter.state != LetterState.WITHDRAWN)).all()
        assert len(letters) >= 5
        assert not [row for row in letters if CANARY in row.subject + row.body]
        assert COPY not in set(session.scalars(select(Recipient.address)))
        assert account.maintenance_email not in set(session.scalars(select(Recipient.address)))
