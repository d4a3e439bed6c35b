"""A house with something behind every door, and visitors who knock without a browser's manners."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

import httpx2
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session
from starlette.types import ASGIApp

import console.routes
import customer_portal.routes
from asgi import application
from models.base import Base
from models.bulk_changes import BulkChange
from models.canned import Canned, CannedKind
from models.contracts import ContractLine
from models.database import transaction
from models.email_changes import EmailChangeFile
from models.masters import CompanyDay, DomainKind, FamilyAlias, FamilyMailbox, MailDomain
from models.outbox import Letter
from models.radar import AccountFinding
from models.saved_views import SavedView
from models.service_types import ServiceType
from models.tickets import Attachment
from rules.calendar import tokyo_date
from rules.email_changes import ChangeState
from rules.limits import Limits
from rules.radar import Finding
from rules.rights import Role
from rules.tickets import State
from tests import people
from tests.client import BASE_URL
from tests.people import NOW
from tests.services.asgi import InProcess
from web.access import World
from web.csrf import token_for
from web.endpoint import Page
from web.nouns import pages_of
from web.sessions import open_customer_session, open_staff_session
from web.wiring import Wiring

MANY = 10**6
GENEROUS = Limits(
    sign_in_failures=MANY,
    sign_in_failures_all=MANY,
    registrations_per_hour=MANY,
    contract_failures_per_day=MANY,
    confirmation_mails=MANY,
)
"""For sweeps: the counters have tests of their own."""
_COOKIES = {World.PORTAL: "jtickets_portal", World.CONSOLE: "jtickets_console"}


@dataclass
class Visitor:
    """Somebody who sends what they like. Nothing is audited, followed or remembered but the cookies given here."""

    http: httpx2.Client
    key: bytes
    cookie: str = ""
    token: str = ""

    @property
    def csrf(self) -> str:
        """The token that this visitor's forms would carry."""
        return token_for(self.key, self.token)

    def get(self, path: str, **options: Any) -> Any:
        return self._send("GET", path, **options)

    def head(self, path: str) -> Any:
        return self._send("HEAD", path)

    def post(self, path: str, fields: dict[str, Any] | None = None, **options: Any) -> Any:
        """Post a form of our own pages; `fields` None leaves the body to `options`."""
        if fields is not None:
            options["data"] = {"csrf_token": self.csrf, **fields}
        return self._send("POST", path, **options)

    def _send(self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any) -> Any:
        self.http.cookies.clear()
        sent = {"origin": BASE_URL, "sec-fetch-site": "same-origin", **(headers or {})}
        if self.cookie:
            sent.setdefault("cookie", f"{self.cookie}={self.token}")
        return self.http.request(method, path, headers={name: value for name, value in sent.items() if value}, **options)


@dataclass(frozen=True)
class House:
    """The database, the parts of one process, and the numbers of what lies in it."""

    engine: Engine
    wiring: Wiring
    numbers: dict[str, str]
    http: httpx2.Client

    @property
    def app(self) -> ASGIApp:
        """The application, for visitors with a browser's manners (tests.client)."""
        return application(self.wiring)

    def visitor(self) -> Visitor:
        """Nobody, with the cookie that binds their forms."""
        return Visitor(self.http, self.wiring.settings.key, "jtickets_visitor", "a-visitor-without-a-session-0001")

    def customer(self, user_id: str = "kimura") -> Visitor:
        """A signed-in account."""
        number = int(self.numbers[f"account {user_id}"])
        with transaction(self.engine) as session:
            token = open_customer_session(session, number, client="203.0.113.7", limits=GENEROUS, now=NOW)
        return Visitor(self.http, self.wiring.settings.key, _COOKIES[World.PORTAL], token)

    def staff(self, user_id: str = "everything") -> Visitor:
        """A signed-in member of the staff; without a name one who may do everything."""
        number = int(self.numbers[f"staff {user_id}"])
        with transaction(self.engine) as session:
            token = open_staff_session(session, number, totp_passed=True, client="203.0.113.7", limits=GENEROUS, now=NOW)
        return Visitor(self.http, self.wiring.settings.key, _COOKIES[World.CONSOLE], token)

    def fitting(self, page: Page) -> Visitor:
        """Whoever may open `page`."""
        if not page.access.signed_in:
            return self.visitor()
        return self.customer() if page.access.world is World.PORTAL else self.staff()

    def path(self, page: Page, *, instead: dict[str, str] | None = None) -> str:
        """The path of `page` with what lies in the house, or with `instead` by the parameter's name."""
        parts = page.path.split("/")
        noun = next((part for part in reversed(parts[: _first_parameter(parts)]) if not part.startswith("{")), "")
        for place, part in enumerate(parts):
            if part.startswith("{"):
                name = part.strip("{}").partition(":")[0]
                parts[place] = (instead or {}).get(name) or self.numbers[f"{noun} {name}"]
        return "/".join(parts)

    def rows(self, table: type[Base]) -> int:
        """How many rows `table` has."""
        with transaction(self.engine, readonly=True) as session:
            return session.scalar(select(func.count()).select_from(table)) or 0


@contextmanager
def furnished(engine: Engine, wiring: Wiring, **limits: int) -> Iterator[House]:
    """A house with two accounts, a ticket with a file, a note with a file, an answer that can be undone, and one of everything else."""
    generous = replace(wiring, limits=replace(GENEROUS, **limits))
    stored = [wiring.store.put(BytesIO(text)).key for text in (b"customer's", b"note's", b"undone answer's")]
    with transaction(engine) as session:
        numbers = _people(session) | _things(session)
        _ticket(session, numbers, stored)
    carrier = InProcess(application(generous), "203.0.113.7", raises=False)
    with httpx2.Client(transport=carrier, base_url=BASE_URL, follow_redirects=False) as http:
        yield House(engine, generous, numbers, http)


def pages(method: str = "") -> list[Page]:
    """Every line of both routing tables, those that end a session last."""
    found = [page for page in pages_of([*customer_portal.routes.NOUNS, *console.routes.NOUNS]) if method in ("", page.method)]
    return sorted(found, key=lambda page: page.path in ("/logout", "/console/sign-out"))


def named(page: Page) -> str:
    """A test's name for a route."""
    return f"{page.method} {page.path}"


def faults(sent: Iterator[tuple[str, Any]]) -> str:
    """The requests of `sent` (what, answer) that the house could not answer, a line each."""
    return "\n".join(f"{what}: {answer.status_code}" for what, answer in sent if answer.status_code >= 500)


def _people(session: Session) -> dict[str, str]:
    numbers: dict[str, int] = {}
    numbers["contracts id"] = people.add_certificate(session).id
    numbers["contracts line"] = session.query(ContractLine.id).filter_by(certificate_id=numbers["contracts id"]).limit(1).scalar()
    numbers["account kimura"] = numbers["accounts id"] = people.add_account(session).id
    numbers["account ishii"] = people.add_account(session, "ishii", email="ishii@tsubame.example", maintenance_email="system@tsubame.example").id
    numbers["staff everything"] = people.add_staff(session, "everything", name="何でも", roles=tuple(Role)).id
    for role in Role:
        numbers[f"staff {role.value}"] = people.add_staff(session, role.value, name=role.value, roles=(role,)).id
    numbers["staff id"] = people.add_staff(session, "somebody", name="誰か").id
    return {name: str(number) for name, number in numbers.items()}


def _ticket(session: Session, numbers: dict[str, str], stored: Sequence[str]) -> None:
    account = session.get_one(people.Account, int(numbers["account kimura"]))
    member = session.get_one(people.Staff, int(numbers["staff support"]))
    ticket = people.add_ticket(session, account, state=State.WAITING_CENTER)
    asked = people.add_post(session, ticket, "追記です。", account=account)
    note = people.add_post(session, ticket, "社内だけの話", staff=member, note=True)
    undone = people.add_post(session, ticket, "取り消せる回答", staff=member)
    undone.published_at = NOW.replace(hour=2)
    for post, key, token in zip((asked, note, undone), stored, ("file-of-customer", "file-of-note", "file-of-undone"), strict=True):
        session.add(Attachment(token=token, message_id=post.id, name="a.txt", size=9, sha256="0" * 64, storage_key=key, created_at=NOW))
    numbers |= {"tickets other": str(ticket.id)}
    numbers |= {"tickets number": str(ticket.id), "replies message": str(undone.id), "tickets message": str(undone.id)}
    numbers |= {"attachments token": "file-of-customer", "new slug": "juniper-srx"}
    macro = Canned(kind=CannedKind.MACRO, name="まとめ", body="{お客様名} 様", updated_at=NOW, updated_by="佐藤")
    session.add(macro)
    session.flush()
    numbers |= {"uploads token": "file-of-customer", "tickets canned": str(macro.id), "canned id": str(macro.id)}
    change = people.add_email_change(session, account=account)
    change.state, change.before = ChangeState.NOTIFIED, {"parties": [], "accounts": []}
    finding = AccountFinding(account_id=account.id, kind=Finding.ADDRESS_GONE, found_at=NOW, checked_at=NOW)
    proof = session.scalars(select(Attachment.id).where(Attachment.token == "file-of-customer")).one()
    many = BulkChange(staff_id=member.id, staff_name=member.name, act="assign", facts={}, submission="x", at=NOW)
    view = SavedView(staff_id=member.id, shared=True, name="x", query="", position=0, created_at=NOW, updated_at=NOW)
    session.add_all([finding, many, view, EmailChangeFile(change_id=change.id, attachment_id=proof)])
    session.flush()
    numbers |= {"email-changes id": str(change.id), "maintenance-email id": str(change.id), "radar id": str(finding.id)}
    numbers |= {"bulk id": str(many.id), "views id": str(view.id)}
    numbers["email-changes token"] = "file-of-customer"


def _things(session: Session) -> dict[str, str]:
    batch, row, mended = people.add_import(session)
    letter = Letter(kind="answered", cause="x", header_id="<x@x>", thread_ids=[], subject="件名", body="本文", created_at=NOW, try_at=NOW)
    alias, box = FamilyAlias(family_id=1, alias="x", alias_key="X"), FamilyMailbox(family_id=1, address="x@jscom.co.jp")
    service = ServiceType(service="平日オンサイト", reads_as="平日9:00〜17:00オンサイト")
    domain, day = MailDomain(domain="x.example", kind=DomainKind.SHARED), CompanyDay(day=tokyo_date(NOW), name="休業")
    session.add_all([letter, alias, box, domain, day, service])
    session.flush()
    found = {
        "logs id": 1,
        "imports id": batch.id,
        "mails id": letter.id,
        "products id": 1,
        "products alias": alias.id,
        "mailboxes id": box.id,
        "services id": service.id,
        "categories id": 1,
        "calendars id": 1,
    }
    found |= {"returned id": people.add_returned_mail(session).id}
    found |= {"imports row": row.id, "imports correction": mended.id}
    found |= {"domains id": domain.id, "company-days id": day.id, "privacy-text version": 1}
    request = people.add_request(session)
    found |= {"exceptions id": request.id, "grants id": people.add_grant(session, request).id, "refusals id": people.add_refusal(session).id}
    texts = {
        "exceptions token": "no-such-link",
        "copies token": "no-such-link",
        "mails notice": "ticket_opened",
        "reminders kind": "silent_reminder",
        "jobs name": "deliver_mail",
        "confirm token": "no-such-link",
        "recover token": "no-such-link",
        "email token": "no-such-link",
    }
    return {name: str(number) for name, number in found.items()} | texts


def _first_parameter(parts: Sequence[str]) -> int:
    return next((place for place, part in enumerate(parts) if part.startswith("{")), len(parts))
