"""A visitor of the portal beside the database they act on: registering, signing in, and reading the letters that leave."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event, func, select

from actions.recoveries import answer_request
from customer_portal.routes import NOUNS
from models.admission import Refusal
from models.base import Base
from models.database import transaction
from models.outbox import Letter, Recipient
from models.people import Account
from rules.limits import Limits
from settings import Settings
from tests import people
from tests.client import BASE_URL, Client, Page
from tests.clock import Clock
from tests.services.templates import shared_renderer
from web.app import build
from web.nouns import pages_of
from web.passwords import Passwords
from web.wiring import desk_of, wire

import_module("models.imports")  # certificates point at their batch; the portal alone never imports its table
PASSWORD = "aB3xyz-nagai-kotoba"
FILLED: dict[str, Any] = {
    "company_name": "東西ネットワーク株式会社",
    "person_name": "木村 はるか",
    "user_id": "kimura",
    "password": PASSWORD,
    "password_confirmation": PASSWORD,
    "email": people.EMAIL,
    "maintenance_email": people.MAINTENANCE,
    "contract_key": people.CONTRACT,
    "consent": True,
}
_LINK = re.compile(r"http://127\.0\.0\.1:8720(/(?:register/confirm|recover|profile/email)/\S+)")


@dataclass
class Work:
    """What a request cost."""

    statements: list[str]
    argon2: int = 0


class CountingPasswords(Passwords):
    """Passwords that tell how often Argon2 ran."""

    def __init__(self) -> None:
        super().__init__(memory_kib=8, time_cost=1, at_once=2)
        self.calls = 0

    def hash(self, password: str) -> str:
        self.calls += 1
        return super().hash(password)

    def matches(self, kept: str | None, password: str) -> bool:
        self.calls += 1
        return super().matches(kept, password)


@dataclass
class Visit:
    """One visitor, and what a test looks at behind their back."""

    engine: Engine
    clock: Clock
    folder: Path
    limits: Limits
    passwords: CountingPasswords
    client: Client

    def another(self, address: str = "198.51.100.9") -> Client:
        """A second browser, somewhere else."""
        return _client(self.engine, self.clock, self.folder, self.limits, self.passwords, address)

    def register(self, client: Client | None = None, *, expect: int = 200, **changed: Any) -> Page:
        """Fill in the form of 新規アカウント登録 and press its button."""
        visitor = client or self.client
        visitor.get("/register")
        return visitor.submit("/register", expect=expect, **{**FILLED, **changed})

    def complete(self, client: Client | None = None) -> Page:
        """Open the newest confirmation link and press its button."""
        visitor = client or self.client
        path = self.link("registration_link")
        visitor.get(path)
        return visitor.submit(path)

    def sign_in(self, client: Client | None = None, *, user_id: str = "kimura", password: str = people.PASSWORD, expect: int = 200) -> Page:
        """Type a user ID and a password on the login page."""
        visitor = client or self.client
        visitor.get("/login")
        return visitor.submit("/login", user_id=user_id, password=password, expect=expect)

    def letters(self, kind: str) -> list[tuple[str, str]]:
        """(To, body) of the letters of a kind, the oldest first, once the job has answered who asked for help to sign in."""
        answer_recoveries(self.engine, limits=self.limits, now=self.clock())
        with transaction(self.engine, readonly=True) as session:
            statement = select(Recipient.address, Letter.body).join(Letter, Letter.id == Recipient.letter_id)
            return [(row.address, row.body) for row in session.execute(statement.where(Letter.kind == kind).order_by(Letter.id))]

    def link(self, kind: str) -> str:
        """The path of the link in the newest letter of a kind."""
        return self.links(kind)[-1]

    def links(self, kind: str) -> list[str]:
        """The paths of all links in the newest letter of a kind."""
        return _LINK.findall(self.letters(kind)[-1][1])

    def count(self, table: type[Base]) -> int:
        """How many rows a table has, once the job has answered who asked for help to sign in."""
        answer_recoveries(self.engine, limits=self.limits, now=self.clock())
        with transaction(self.engine, readonly=True) as session:
            return session.scalar(select(func.count()).select_from(table)) or 0

    @contextmanager
    def work(self) -> Iterator[Work]:
        """The statements and Argon2 calls that the block causes."""
        seen = Work([])
        before = self.passwords.calls

        def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            seen.statements.append(statement)

        event.listen(self.engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(self.engine, "before_cursor_execute", note)
            seen.argon2 = self.passwords.calls - before

    def account(self, user_id: str = "kimura") -> Account:
        """An account as it is kept."""
        with transaction(self.engine, readonly=True) as session:
            return session.scalars(select(Account).where(Account.user_id_key == user_id.lower())).one()

    def refusals(self) -> list[Refusal]:
        """The kept refusals, the oldest first."""
        with transaction(self.engine, readonly=True) as session:
            return list(session.scalars(select(Refusal).order_by(Refusal.id)))


def answer_recoveries(engine: Engine, *, limits: Limits, now: datetime, base_url: str = BASE_URL) -> None:
    """What the job does every second."""
    desk = desk_of(Settings(base_url=base_url))
    with transaction(engine) as session:
        while answer_request(session, desk=desk, limits=limits, now=now):
            pass


def visit(engine: Engine, clock: Clock, folder: Path, **limits: int) -> Visit:
    """A visitor of the portal with the standing certificate, under the limits of DOMAIN unless others are given."""
    chosen = Limits(**limits)
    with transaction(engine) as session:
        people.add_certificate(session)
    passwords = CountingPasswords()
    return Visit(engine, clock, folder, chosen, passwords, _client(engine, clock, folder, chosen, passwords, "203.0.113.7"))


def _client(engine: Engine, clock: Clock, folder: Path, limits: Limits, passwords: Passwords, address: str) -> Client:
    settings: dict[str, Any] = {"base_url": BASE_URL, "secret_key": "a-secret-only-the-tests-know-0123456789", "state_dir": folder}
    wired = wire(Settings(**settings, argon2_memory_kib=8, argon2_time=1), clock=clock, engine=engine)
    return Client(build(replace(wired, renderer=shared_renderer(), limits=limits, passwords=passwords), pages_of(NOUNS)), address=address)
