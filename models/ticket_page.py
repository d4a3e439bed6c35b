"""The named selects of a ticket's page: the ticket with its names, everything in its thread, what its verdict rests on.

Each is one statement: parts of different tables come as one UNION ALL, told apart by `part`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import JSON, Date, Integer, Row, Select, String, Text, bindparam, case, cast, literal, null, or_, select, union_all
from sqlalchemy.orm import Session

from models.base import Moment
from models.contracts import Category, Certificate, CompanyDay, ContractLine, DomainKind, FamilyMailbox, MailDomain, Party, ProductFamily
from models.journal import JournalEntry
from models.outbox import Letter, Recipient
from models.people import Account, Staff
from models.tickets import Attachment, Draft, Message, Ticket
from rules.contracts import CertificateFacts, LineFacts, PartyFacts

MOST_LINES = 500
"""Lines loaded of the certificates behind a ticket, those with its serial first."""
MOST_RELATED = 6
_MOST_SERIAL_CERTIFICATES = 20
_NUMBER: Any = bindparam("number", type_=Integer)
_SERIALS: Any = bindparam("serials", type_=String, expanding=True)
_NO_MOMENT: Any = cast(null(), Moment)
_NO_DAY: Any = cast(null(), Date)
_NO_NUMBER: Any = cast(null(), Integer)
_NO_FACTS: Any = cast(null(), JSON)


@dataclass(frozen=True)
class Masters:
    """What a ticket's page asks of the masters."""

    staff: dict[int, str]
    company_days: frozenset[date]
    shared_domains: frozenset[str]
    mailboxes: frozenset[str]


@dataclass(frozen=True)
class Behind:
    """What stands behind a ticket: its contract's certificate, those of its serial, the lines as shown, other tickets."""

    certificate: CertificateFacts | None
    by_serial: list[CertificateFacts]
    lines: dict[int, Row[Any]]
    """id → id, of (certificate), key (contract), product_number, serial, service, contact, sheet, starts_on, ends_on, issued_on, number (row)."""
    parties: dict[str, dict[str, str]]
    """contract key → role → company name."""
    of_account: list[Row[Any]]
    of_serial: list[Row[Any]]


_TICKET: Any = (
    select(
        Ticket,
        ProductFamily.name.label("family"),
        ProductFamily.slug.label("family_slug"),
        Category.name.label("category"),
        Account.company_name,
        Account.person_name,
        Account.user_id,
        Account.email,
        Account.email_key,
        Account.maintenance_email,
        Account.maintenance_email_key,
        Account.state.label("account_state"),
        Staff.name.label("assignee"),
    )
    .join(ProductFamily, ProductFamily.id == Ticket.family_id)
    .join(Category, Category.id == Ticket.category_id)
    .outerjoin(Account, Account.id == Ticket.account_id)
    .outerjoin(Staff, Staff.id == Ticket.assignee_id)
)
_MASTERS = union_all(
    select(literal("staff").label("part"), Staff.id, Staff.name, _NO_DAY.label("day")).where(Staff.active),
    select(literal("day"), CompanyDay.id, literal(""), CompanyDay.day),
    select(literal("shared"), MailDomain.id, MailDomain.domain, _NO_DAY).where(MailDomain.kind == DomainKind.SHARED),
    select(literal("mailbox"), FamilyMailbox.id, FamilyMailbox.address, _NO_DAY),
)


def ticket_row(session: Session, number: int) -> Row[Any] | None:
    """The ticket (first column) with the names of its family, category, account and assignee."""
    return session.execute(_TICKET.where(Ticket.id == number)).one_or_none() if 0 < number < 2**31 else None


def ticket_masters(session: Session) -> Masters:
    """Active staff by name, company days, shared domains and mailboxes: one statement."""
    rows = session.execute(_MASTERS).all()
    return Masters(
        staff={row.id: row.name for row in sorted(rows, key=lambda row: row.name) if row.part == "staff"},
        company_days=frozenset(row.day for row in rows if row.part == "day"),
        shared_domains=frozenset(row.name for row in rows if row.part == "shared"),
        mailboxes=frozenset(row.name for row in rows if row.part == "mailbox"),
    )


def thread_parts(session: Session, number: int, *, staff_id: int) -> Sequence[Row[Any]]:
    """Everything written on a ticket in the order it was written, by `part`.

    message: id, at, until (published), kind, name (author), who (staff), text · file: of (message), name, text (token), size ·
    recipient: of (message), at (sent), kind (to or cc), name (state), text (address) · event: at, kind (act), name (actor), facts ·
    draft of `staff_id`: at, kind, text.
    """
    rows = session.execute(_thread(), {"number": number, "staff_id": staff_id}).all()
    return sorted(rows, key=lambda row: (row.at, row.id))


@cache
def _thread() -> Any:
    return union_all(_messages(), _files(), _recipients(), _events(), _drafts())


def _part(*columns: Any) -> Select[Any]:
    """One table's share of a UNION ALL."""
    share: Any = select(*columns)
    return share


def _messages() -> Select[Any]:
    return _part(
        literal("message").label("part"),
        Message.id.label("id"),
        Message.id.label("of"),
        Message.created_at.label("at"),
        Message.published_at.label("until"),
        cast(Message.kind, String).label("kind"),
        Message.author_name.label("name"),
        Message.body.label("text"),
        Message.staff_id.label("who"),
        _NO_NUMBER.label("size"),
        _NO_FACTS.label("facts"),
    ).where(Message.ticket_id == _NUMBER)


def _files() -> Select[Any]:
    return (
        _part(
            literal("file"),
            Attachment.id,
            Attachment.message_id,
            Attachment.created_at,
            _NO_MOMENT,
            literal(""),
            Attachment.name,
            cast(Attachment.token, Text),
            _NO_NUMBER,
            Attachment.size,
            _NO_FACTS,
        )
        .join(Message, Message.id == Attachment.message_id)
        .where(Message.ticket_id == _NUMBER)
    )


def _recipients() -> Select[Any]:
    return (
        _part(
            literal("recipient"),
            Recipient.id,
            Letter.message_id,
            Recipient.updated_at,
            Letter.sent_at,
            Recipient.place,
            cast(Recipient.state, String),
            cast(Recipient.address, Text),
            _NO_NUMBER,
            _NO_NUMBER,
            _NO_FACTS,
        )
        .join(Letter, Letter.id == Recipient.letter_id)
        .where(Letter.ticket_id == _NUMBER, Letter.message_id.is_not(None))
    )


def _events() -> Select[Any]:
    return _part(
        literal("event"),
        JournalEntry.id,
        _NO_NUMBER,
        JournalEntry.at,
        _NO_MOMENT,
        JournalEntry.act,
        JournalEntry.actor_name,
        cast(literal(""), Text),
        _NO_NUMBER,
        _NO_NUMBER,
        JournalEntry.facts,
    ).where(JournalEntry.subject_kind == "ticket", JournalEntry.subject_id == _NUMBER)


def _drafts() -> Select[Any]:
    return _part(
        literal("draft"),
        Draft.id,
        _NO_NUMBER,
        Draft.updated_at,
        _NO_MOMENT,
        cast(Draft.kind, String),
        literal(""),
        Draft.body,
        _NO_NUMBER,
        _NO_NUMBER,
        _NO_FACTS,
    ).where(Draft.ticket_id == _NUMBER, Draft.staff_id == bindparam("staff_id"))


def behind_ticket(session: Session, ticket: Ticket, *, contract_key: str | None, serials: Sequence[str]) -> Behind:
    """What `rules.contracts.judge` asks for and what stands beside it on the page: one statement."""
    asked = {"contract": contract_key, "serials": list(serials), "account_id": ticket.account_id, "serial_key": ticket.serial_key or None, "number": ticket.id}
    rows = session.execute(_behind(), asked).all()
    facts = _facts(rows)
    return Behind(
        certificate=next((found for found in facts if found.key == contract_key), None),
        by_serial=[found for found in facts if any(line.serial_key in serials for line in found.lines)],
        lines={row.id: row for row in rows if row.part == "line"},
        parties={key: {row.product_number: row.serial for row in rows if row.part == "party" and row.key == key} for key in {found.key for found in facts}},
        of_account=[row for row in rows if row.part == "account"],
        of_serial=[row for row in rows if row.part == "serial"],
    )


@cache
def _behind() -> Any:
    on_lines = select(ContractLine.certificate_id).where(ContractLine.serial.in_(_SERIALS)).distinct().limit(_MOST_SERIAL_CERTIFICATES)
    wanted = or_(Certificate.contract_key == bindparam("contract"), Certificate.id.in_(on_lines))
    of_account = Ticket.account_id == bindparam("account_id", type_=Integer)
    of_serial = Ticket.serial_key == bindparam("serial_key", type_=String)
    return union_all(_lines(wanted), _parties(wanted), _related("account", of_account), _related("serial", of_serial))


def _lines(wanted: Any) -> Select[Any]:
    found = (
        _part(
            literal("line").label("part"),
            ContractLine.id.label("id"),
            ContractLine.certificate_id.label("of"),
            Certificate.contract_key.label("key"),
            ContractLine.product_number.label("product_number"),
            ContractLine.serial.label("serial"),
            ContractLine.service.label("service"),
            ContractLine.contact.label("contact"),
            ContractLine.sheet.label("sheet"),
            ContractLine.starts_on.label("starts_on"),
            ContractLine.ends_on.label("ends_on"),
            Certificate.issued_on.label("issued_on"),
            ContractLine.row.label("number"),
            _NO_MOMENT.label("at"),
        )
        .join(Certificate, Certificate.id == ContractLine.certificate_id)
        .where(wanted)
        .order_by(case((ContractLine.serial.in_(_SERIALS), 0), else_=1), ContractLine.ends_on.desc(), ContractLine.id)
        .limit(MOST_LINES)
        .subquery()
    )
    return _part(*found.c)


def _parties(wanted: Any) -> Select[Any]:
    """As lines: product_number holds the role, serial the company, service the e-mail as it is compared."""
    return (
        _part(
            literal("party"),
            Party.id,
            Party.certificate_id,
            Certificate.contract_key,
            cast(Party.role, String),
            Party.name,
            Party.email_key,
            literal(""),
            literal(""),
            _NO_DAY,
            _NO_DAY,
            Certificate.issued_on,
            _NO_NUMBER,
            _NO_MOMENT,
        )
        .join(Certificate, Certificate.id == Party.certificate_id)
        .where(wanted)
    )


def _related(part: str, condition: Any) -> Select[Any]:
    """As lines: product_number holds the subject, serial the state, `at` the moment of opening."""
    found = (
        select(Ticket.id, Ticket.subject, Ticket.state, Ticket.created_at).where(condition, Ticket.id != _NUMBER).order_by(Ticket.id.desc()).limit(MOST_RELATED)
    ).subquery()
    empty = literal("")
    return _part(
        literal(part),
        found.c.id,
        _NO_NUMBER,
        empty,
        found.c.subject,
        cast(found.c.state, String),
        empty,
        empty,
        empty,
        _NO_DAY,
        _NO_DAY,
        _NO_DAY,
        _NO_NUMBER,
        found.c.created_at,
    )


def _facts(rows: Sequence[Row[Any]]) -> list[CertificateFacts]:
    keys = {row.of: (row.key, row.issued_on) for row in rows if row.part in ("line", "party")}
    return [
        CertificateFacts(
            key=key,
            issued_on=issued_on,
            parties=tuple(PartyFacts(row.product_number, row.service) for row in rows if row.part == "party" and row.of == number),
            lines=tuple(LineFacts(row.id, row.serial, row.starts_on, row.ends_on, row.contact) for row in rows if row.part == "line" and row.of == number),
        )
        for number, (key, issued_on) in keys.items()
    ]
