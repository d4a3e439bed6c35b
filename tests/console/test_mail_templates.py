"""メールの文面: rewritten, seen on real data, published, used, and set back."""

from __future__ import annotations

from sqlalchemy import Engine, select

from actions import notices
from models.database import transaction
from models.journal import JournalEntry
from models.outbox import Letter
from models.tickets import Message, Ticket
from rules.limits import Limits
from rules.rights import Role
from tests.client import Client
from tests.people import NOW, add_account, add_staff, add_ticket, sign_in_staff
from web.wiring import Wiring

PATH = "/console/masters/mails"
BODY = "{{ person|one_line }} 様\n\nお問合せ #{{ ticket.id }} を承りました。\n{{ link }}\n"


def opened(engine: Engine, wiring: Wiring, number: int) -> str:
    """The body of the mail about the ticket's opening."""
    with transaction(engine) as session:
        ticket = session.get_one(Ticket, number)
        message = session.scalars(select(Message).where(Message.ticket_id == number)).one()
        notices.ticket_opened(session, ticket, message, desk=wiring.desk, limits=Limits(), now=NOW)
        return session.scalars(select(Letter.body).where(Letter.kind == "ticket_opened", Letter.ticket_id == number)).one()


def test_an_administrator_rewrites_a_mail_and_finds_the_way_back(client: Client, engine: Engine, wiring: Wiring) -> None:
    with transaction(engine) as session:
        account = add_account(session)
        first, second, third = (add_ticket(session, account, subject=f"件名 {number}").id for number in range(3))
        sign_in_staff(client, session, add_staff(session, "honda", name="本田", roles=[Role.ADMIN]))

    assert client.get(PATH).says("チケットの受付", "初めの文面")
    client.click("チケットの受付")
    assert client.submit("実際のチケットで確かめる", body="{{ note }} {{ link }}", expect=422).says("「note」という名前は使えません")
    client.get(f"{PATH}/ticket_opened")
    shown = client.submit("実際のチケットで確かめる", subject="[J's #{{ ticket.id }}] 承りました", body=BODY)
    assert shown.says(f"[J's #{third}] 承りました", f"お問合せ #{third} を承りました。")
    assert "お問合せ #" not in opened(engine, wiring, first), "seeing it publishes nothing"
    client.submit("この文面を公開する")
    assert f"お問合せ #{second} を承りました。" in opened(engine, wiring, second)

    client.post(f"{PATH}/ticket_opened", {"csrf_token": client.csrf_token(), "present": "0", "confirmed": "1", "subject": "x", "body": BODY}, expect=422)
    assert client.page is not None and client.page.says("別の版が公開されました")
    client.get(f"{PATH}/ticket_opened")
    client.submit("初めの文面に戻す")
    assert "お問合せ #" not in opened(engine, wiring, third)
    with transaction(engine, readonly=True) as session:
        acts = session.scalars(select(JournalEntry.act).where(JournalEntry.subject_kind == "mail_template").order_by(JournalEntry.id)).all()
    assert acts == ["publish_mail_template", "restore_mail_template"]
    client.get(f"{PATH}/login_ids", expect=404)
