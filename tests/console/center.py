"""The center at the console: 森 records and decides changes of maintenance e-mails, colleagues beside her."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, select
from starlette.types import ASGIApp

from models.contracts import Party
from models.database import transaction
from models.outbox import Letter, Recipient
from models.people import Account
from rules.rights import Role
from tests.client import Client, Page
from tests.people import EMAIL, MAINTENANCE, add_account, add_certificate, add_staff, add_ticket, sign_in_staff

PATH = "/console/email-changes"
NEW = "joho@osaka.tozai.example"
OUTSIDE = "joho@tsubame.example"


@dataclass
class Center:
    """森 of the center at the console, a colleague beside her, and the database behind."""

    app: ASGIApp
    engine: Engine
    mori: Client
    others: list[Client] = field(default_factory=list[Client])

    def colleague(self, user_id: str = "ishii", name: str = "石井") -> Client:
        client = Client(self.app, address="198.51.100.9")
        with transaction(self.engine) as session:
            sign_in_staff(client, session, add_staff(session, user_id, name=name, roles=(Role.SERVICE_CENTER,)))
        return client

    def record(self, new: str = NEW, **more: Any) -> str:
        """Record a request that came by mail; the path of its page."""
        self.mori.get(f"{PATH}/new")
        fields: dict[str, Any] = {"old_email": MAINTENANCE, "new_email": new, "company_name": "東西ネットワーク株式会社", "person_name": "木村"}
        fields |= {"requester_email": EMAIL, "body": "担当変更のため", **more}
        return self.mori.submit("/console/email-changes", files={"files": [("依頼.eml", b"From: kimura")]}, **fields).path

    def decide(self, path: str, decision: str, client: Client | None = None, *, expect: int = 200, **fields: Any) -> Page:
        visitor = client or self.mori
        visitor.get(path)
        return visitor.submit(f"{path}/decision", decision=decision, reason="電話で確認済み", expect=expect, **fields)

    def letters(self) -> list[tuple[str, str]]:
        with transaction(self.engine, readonly=True) as session:
            statement = select(Letter.kind, Recipient.address).join(Recipient, Recipient.letter_id == Letter.id).order_by(Letter.id)
            return [(row.kind, row.address) for row in session.execute(statement)]

    def addresses(self) -> list[str]:
        with transaction(self.engine, readonly=True) as session:
            return list(session.scalars(select(Party.email).order_by(Party.id)))

    def account(self, user_id: str = "kimura") -> Account:
        with transaction(self.engine, readonly=True) as session:
            return session.scalars(select(Account).where(Account.user_id == user_id)).one()


def center_of(app: ASGIApp, engine: Engine, client: Client) -> Center:
    """森 signed in on `client`, the standing certificate, 木村's account with a ticket."""
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session, "mori", name="森", roles=(Role.SERVICE_CENTER,)))
        add_certificate(session)
        add_ticket(session, add_account(session))
    return Center(app, engine, client)
