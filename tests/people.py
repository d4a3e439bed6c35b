"""The standing cast: the companies, certificates, accounts and staff that tests speak of, and ways to sign them in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import count
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.admission import Refusal
from models.base import NEVER
from models.contracts import Certificate, ContractLine, Party, PartyRole
from models.email_changes import EmailChange
from models.import_corrections import ImportCorrection
from models.imports import BatchState, Cells, ImportBatch, ImportRow
from models.masters import ProductFamily
from models.outbox import ReturnedKind, ReturnedMail
from models.people import Account, Staff
from models.renewals import Renewal
from models.requests import ExceptionGrant, ExceptionRequest, RequestKind
from models.tickets import Message, MessageKind, Ticket
from rules.addresses import registrable
from rules.contracts import CONTACT
from rules.email_changes import Received
from rules.limits import Limits
from rules.lines import FIELDS
from rules.requests import RequestState
from rules.rights import Role
from rules.text import searchable
from rules.tickets import Priority, State
from tests.client import Client
from web.passwords import Passwords
from web.sessions import open_customer_session, open_staff_session

NOW = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)
"""Tuesday, 1 December 2026, 10:00 in Japan: where the clock of the tests stands."""
PASSWORD = "Kaede-no-Ki-2026"
CONTRACT = "JSC26040123A"
MAINTENANCE = "kiban@osaka.tozai.example"
EMAIL = "kimura@osaka.tozai.example"
_LINE = {"product_number": "SRX300-SYS-JB", "serial": "CV4126AF0093", "service": "平日9:00~17:00オンサイト保守"}
_numbers = count(1)


@cache
def password_hash() -> str:
    """The hash of PASSWORD, made once with low cost."""
    return Passwords(memory_kib=8, time_cost=1, at_once=1).hash(PASSWORD)


def add_certificate(
    session: Session,
    key: str = CONTRACT,
    *,
    issued_on: date = date(2026, 4, 1),
    agent: str = "hosyu@kansai-hanbai.example",
    operator: str = "",
    end_user: str = MAINTENANCE,
    family: str = "juniper-srx",
    lines: Sequence[dict[str, str]] = (_LINE,),
    starts_on: date = date(2026, 4, 1),
    ends_on: date = date(2027, 3, 31),
    contact: str = CONTACT,
) -> Certificate:
    """A certificate of 東西ネットワーク株式会社: 関西システム販売 sold it, the operator is nobody unless named."""
    certificate = Certificate(contract_key=key, issued_on=issued_on, created_at=NOW, updated_at=NOW)
    session.add(certificate)
    session.flush()
    names = {PartyRole.AGENT: "関西システム販売株式会社", PartyRole.OPERATOR: "マネージドネット", PartyRole.END_USER: "東西ネットワーク株式会社"}
    for role, email in ((PartyRole.AGENT, agent), (PartyRole.OPERATOR, operator), (PartyRole.END_USER, end_user)):
        if email:
            session.add(Party(certificate_id=certificate.id, role=role, name=names[role], email=email, email_key=email.lower()))
    for line in lines:
        session.add(
            ContractLine(
                certificate_id=certificate.id, family_id=family_id(session, family), starts_on=starts_on, ends_on=ends_on, contact=contact, **{**_LINE, **line}
            )
        )
    session.flush()
    return certificate


def add_renewal(session: Session, old: Certificate, new: Certificate) -> Renewal:
    """That the first line of `new` carries on the first one of `old`, as an import confirmed it."""
    first, second = (session.scalars(select(ContractLine.id).where(ContractLine.certificate_id == each.id).limit(1)).one() for each in (old, new))
    told = {"size": 1, "sha256": "0" * 64, "storage_key": "imports/x", "sheets": list[Any](), "summary": dict[str, Any]()}
    batch = ImportBatch(file_name="更新.xlsx", state=BatchState.APPLIED, uploaded_by="森", uploaded_at=NOW, **told)
    session.add(batch)
    session.flush()
    renewal = Renewal(line_id=second, renews_id=first, batch_id=batch.id, confirmed_by="森", confirmed_at=NOW)
    session.add(renewal)
    session.flush()
    return renewal


def add_account(
    session: Session,
    user_id: str = "kimura",
    *,
    email: str = EMAIL,
    maintenance_email: str = MAINTENANCE,
    contract_key: str = CONTRACT,
    company_name: str = "東西ネットワーク株式会社",
    person_name: str = "木村 はるか",
) -> Account:
    """木村 はるか of 東西ネットワーク株式会社, who signs in as kimura with PASSWORD."""
    account = Account(
        user_id=user_id,
        user_id_key=user_id.lower(),
        password_hash=password_hash(),
        company_name=company_name,
        person_name=person_name,
        email=email,
        email_key=email.lower(),
        email_domain=registrable(email.rpartition("@")[2]) or "",
        maintenance_email=maintenance_email,
        maintenance_email_key=maintenance_email.lower(),
        contract_key=contract_key,
        search_text=searchable(f"{company_name} {person_name} {user_id} {email}"),
        privacy_version=1,
        created_at=NOW,
        updated_at=NOW,
    )
    session.add(account)
    session.flush()
    return account


def add_staff(session: Session, user_id: str = "nakamura", *, name: str = "中村", roles: Iterable[Role] = (Role.SUPPORT,)) -> Staff:
    """中村 of the support, who signs in as nakamura with PASSWORD."""
    member = Staff(
        user_id=user_id,
        user_id_key=user_id.lower(),
        name=name,
        email=f"{user_id}@jscom.co.jp",
        email_key=f"{user_id.lower()}@jscom.co.jp",
        roles=[str(role) for role in roles],
        password_hash=password_hash(),
        created_at=NOW,
    )
    session.add(member)
    session.flush()
    return member


def add_ticket(
    session: Session,
    account: Account | None,
    *,
    subject: str = "SRX300 で IPsec VPN が切断される",
    body: str = "本日 9 時ごろから切断されます。",
    contract: str = CONTRACT,
    serial: str = "CV4126AF0093",
    family: str = "juniper-srx",
    state: State = State.NEW,
    due_at: datetime = NEVER,
    assignee: Staff | None = None,
    cc: Sequence[str] = (),
    now: datetime = NOW,
) -> Ticket:
    """A ticket with its first post, as the table holds it; letters and journal are the actions' business."""
    people = f"{account.company_name} {account.person_name} {account.email} {account.user_id}" if account else ""
    ticket = Ticket(
        account_id=account.id if account else None,
        family_id=family_id(session, family),
        category_id=1,
        subject=subject,
        search_text=searchable(f"{subject} {people}"),
        contract_text=contract,
        contract_key="" if contract == "不明" else contract.upper(),
        serial_text=serial,
        serial_key="" if serial == "不明" else serial.upper(),
        cc=list(cc),
        state=state,
        state_before=state,
        state_from=now,
        unresolved=state not in (State.RESOLVED, State.CLOSED),
        priority=Priority.NORMAL,
        assignee_id=assignee.id if assignee else None,
        created_at=now,
        updated_at=now,
        due_at=due_at,
        owed_since=now if due_at != NEVER else None,
        opening_verdict={"verdict": "active", "reason": "contract_and_serial", "path": "both", "lines": []},
    )
    session.add(ticket)
    session.flush()
    add_post(session, ticket, body, account=account, now=now)
    return ticket


def add_post(
    session: Session, ticket: Ticket, body: str, *, account: Account | None = None, staff: Staff | None = None, note: bool = False, now: datetime = NOW
) -> Message:
    """A post of the thread: the customer's, a published answer, or a note."""
    kind = MessageKind.NOTE if note else MessageKind.ANSWER if staff else MessageKind.CUSTOMER
    author = staff.name if staff else account.person_name if account else "電話"
    message = Message(
        ticket_id=ticket.id,
        kind=kind,
        account_id=account.id if account and not staff else None,
        staff_id=staff.id if staff else None,
        author_name=author,
        body=body,
        created_at=now,
        published_at=now,
        undo={},
        submission=f"cast-{next(_numbers)}-{ticket.id}",
    )
    session.add(message)
    session.flush()
    return message


def add_request(
    session: Session, *, email: str = "kimura@tokyo.tozai.example", state: RequestState = RequestState.PENDING, now: datetime = NOW
) -> ExceptionRequest:
    """A registration of 木村 from another subdomain than the certificate's, its address proved, waiting for the desk."""
    host = email.rpartition("@")[2]
    request = ExceptionRequest(
        kind=RequestKind.REGISTRATION,
        state=state,
        account_id=None,
        user_id=email,
        user_id_key=email.lower(),
        password_hash=password_hash(),
        company_name="東西ネットワーク株式会社",
        person_name="木村 はるか",
        email=email,
        email_key=email.lower(),
        email_host=host,
        email_domain=registrable(host) or host,
        maintenance_email=MAINTENANCE,
        maintenance_email_key=MAINTENANCE.lower(),
        contract_key=CONTRACT,
        party_role=PartyRole.OPERATOR,
        verdict="subdomains_differ",
        trace={"rules": []},
        reference="26-1",
        privacy_version=1,
        created_at=now,
        expires_at=now + timedelta(hours=24),
        proved_at=now,
        handler_id=None,
        decided_at=None,
    )
    session.add(request)
    session.flush()
    return request


def add_grant(session: Session, request: ExceptionRequest, *, account: Account | None = None) -> ExceptionGrant:
    """What the desk allowed on `request`: for one account, or for everyone with its maintenance e-mail."""
    grant = ExceptionGrant(
        request_id=request.id,
        host=request.email_host,
        maintenance_email=request.maintenance_email,
        maintenance_email_key=request.maintenance_email_key,
        account_id=account.id if account else None,
        ends_on=None,
        reason="支店のドメインのため",
        granted_by="佐藤",
        granted_at=NOW,
        revoked_at=None,
    )
    session.add(grant)
    session.flush()
    return grant


def add_import(session: Session) -> tuple[ImportBatch, ImportRow, ImportCorrection]:
    """An upload of 近藤 that could not be read, with a row and a corrected cell all the same."""
    batch = ImportBatch(
        file_name="a.xlsx",
        sha256="0" * 64,
        size=1,
        storage_key="x",
        state=BatchState.FAILED,
        uploaded_by="近藤",
        uploaded_at=NOW,
        sheets=[],
        summary={},
    )
    session.add(batch)
    session.flush()
    row = ImportRow(
        batch_id=batch.id,
        position=0,
        sheet="",
        row=2,
        hidden=False,
        status="new",
        values=Cells({**dict.fromkeys(FIELDS, ""), "contract": "X"}),
    )
    before: dict[str, Any] = {"value": "", "errors": [], "warnings": []}
    mended = ImportCorrection(batch_id=batch.id, sheet="", row=2, field="serial", old="a", new="b", before=before, corrected_by="近藤", corrected_at=NOW)
    session.add_all([row, mended])
    session.flush()
    return batch, row, mended


def add_refusal(session: Session) -> Refusal:
    """A refused registration with a trace of one rule."""
    rule = {"rule": "certificate", "inputs": {"contract_key": CONTRACT, "maintenance_email": MAINTENANCE}, "passed": False, "code": "contract_not_found"}
    refusal = Refusal(kind="registration", at=NOW, contract_key=CONTRACT, trace={"rules": [rule]}, client="203.0.113.7")
    session.add(refusal)
    session.flush()
    return refusal


def add_email_change(session: Session, *, old: str = MAINTENANCE, new: str = "joho@osaka.tozai.example", account: Account | None = None) -> EmailChange:
    """A request that 木村 made by mail on the day the clock stands at."""
    change = EmailChange(
        received=Received.MAIL,
        received_on=NOW.date(),
        due_on=date(2026, 12, 3),
        account_id=account.id if account else None,
        requester_company="東西ネットワーク株式会社",
        requester_name="木村 はるか",
        requester_email=EMAIL,
        old_email=old,
        old_key=old.lower(),
        new_email=new,
        new_key=new.lower(),
        body="担当者が代わりました。",
        left_out=[],
        choices={},
        before={},
        created_at=NOW,
        updated_at=NOW,
    )
    session.add(change)
    session.flush()
    return change


def family_id(session: Session, slug: str) -> int:
    """The id of a seeded family."""
    return session.scalars(select(ProductFamily.id).where(ProductFamily.slug == slug)).one()


def sign_in_customer(client: Client, session: Session, account: Account, *, now: datetime = NOW) -> None:
    """Give `client` the cookie of a signed-in account, without the login page."""
    client.cookies.set("jtickets_portal", open_customer_session(session, account.id, client="203.0.113.7", limits=Limits(), now=now))


def sign_in_staff(client: Client, session: Session, member: Staff, *, now: datetime = NOW) -> None:
    """Give `client` the cookie of a signed-in staff member, without the sign-in page."""
    client.cookies.set("jtickets_console", open_staff_session(session, member.id, totp_passed=True, client="203.0.113.7", limits=Limits(), now=now))


def add_returned_mail(session: Session, *, kind: ReturnedKind = ReturnedKind.REPLY, sender: str = "tanaka@elsewhere.example", **columns: Any) -> ReturnedMail:
    """A mail in the sender's mailbox that found neither letter nor ticket, unless `columns` say so."""
    number = session.scalar(select(func.count()).select_from(ReturnedMail)) or 0
    mail = ReturnedMail(mailbox_key=f"1/{number + 1}", kind=kind, sender=sender, subject="先日の件", body="本体の交換をお願いします。\n", at=NOW, **columns)
    session.add(mail)
    session.flush()
    return mail
