"""What a ticket's verdict rests on, and the tickets beside it: one statement, its parts one UNION ALL, told apart by `part`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Date, Integer, Row, Select, String, bindparam, case, cast, literal, null, select, union_all
from sqlalchemy.orm import Session

from models.base import Moment
from models.contracts import Certificate, ContractLine, Party
from models.kept import Kept, fixed
from models.service_types import ServiceType
from models.tickets import Ticket
from rules.contracts import CertificateFacts, LineFacts, PartyFacts

MOST_LINES = 500
"""Lines loaded of the certificates behind a ticket, those with its serial first."""
MOST_RELATED = 3
"""The newest other tickets of the customer, and of the serial number; a page of its own shows all."""
_MOST_SERIAL_CERTIFICATES = 20
_NUMBER: Any = bindparam("number", type_=Integer)
_NO_MOMENT: Any = cast(null(), Moment)
_NO_DAY: Any = cast(null(), Date)
_NO_NUMBER: Any = cast(null(), Integer)


@dataclass(frozen=True)
class Behind:
    """What stands behind a ticket: its contract's certificate, those of its serial, the lines as shown, other tickets."""

    certificate: CertificateFacts | None
    by_serial: list[CertificateFacts]
    lines: dict[int, Row[Any]]
    """id → id, of (certificate), key (contract), product_number, serial, service, contact, sheet, starts_on, ends_on, issued_on, number (row), reads_as."""
    parties: dict[str, dict[str, str]]
    """contract key → role → company name."""
    of_account: list[Row[Any]]
    of_serial: list[Row[Any]]


def behind_ticket(session: Session, ticket: Row[Any], *, contract_key: str | None, serials: Sequence[str]) -> Behind:
    """What `rules.contracts.judge` asks for and what stands beside it on the page, for a `ticket_row`: one statement."""
    asked = {"contract": contract_key, "account_id": ticket.account_id, "serial_key": ticket.serial_key or None, "number": ticket.id}
    asked |= {f"serial_{place}": serial for place, serial in enumerate(serials)}
    parts: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in _behind(len(serials)).rows(session, asked):
        parts[row.part].append(row)
    facts = _facts(parts["line"], parts["party"])
    parties: dict[str, dict[str, str]] = {found.key: {} for found in facts}
    for party in parts["party"]:
        parties[party.key][party.product_number] = party.serial
    return Behind(
        certificate=next((found for found in facts if found.key == contract_key), None),
        by_serial=[found for found in facts if any(line.serial_key in serials for line in found.lines)],
        lines={line.id: line for line in parts["line"]},
        parties=parties,
        of_account=parts["account"],
        of_serial=parts["serial"],
    )


@lru_cache(maxsize=16)
def _behind(count: int) -> Kept:
    """For a ticket with `count` serials: almost all have one."""
    serials = ContractLine.serial.in_([bindparam(f"serial_{place}", type_=String) for place in range(count)])
    on_lines = select(ContractLine.certificate_id).where(serials).distinct().limit(fixed(_MOST_SERIAL_CERTIFICATES)).subquery()
    named = select(Certificate.id).where(Certificate.contract_key == bindparam("contract")).correlate(None)
    # One list of both: asked with OR, PostgreSQL looks through all certificates there are.
    wanted = Certificate.id.in_(named.union_all(select(on_lines.c.certificate_id)))
    of_account = Ticket.account_id == bindparam("account_id", type_=Integer)
    of_serial = Ticket.serial_key == bindparam("serial_key", type_=String)
    return Kept(union_all(_lines(wanted, serials), _parties(wanted), _related("account", of_account), _related("serial", of_serial)))


def _lines(wanted: Any, serials: Any) -> Select[Any]:
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
        .order_by(case((serials, 0), else_=1), ContractLine.ends_on.desc(), ContractLine.id)
        .limit(fixed(MOST_LINES))
        .subquery()
    )
    return _part(*found.c, ServiceType.reads_as).outerjoin(ServiceType, ServiceType.service == found.c.service)


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
            literal(""),
        )
        .join(Certificate, Certificate.id == Party.certificate_id)
        .where(wanted)
    )


def _related(part: str, condition: Any) -> Select[Any]:
    """As lines: product_number holds the subject, serial the state, `at` the moment of opening."""
    found = (
        select(Ticket.id, Ticket.subject, Ticket.state, Ticket.created_at)
        .where(condition, Ticket.id != _NUMBER)
        .order_by(Ticket.id.desc())
        .limit(fixed(MOST_RELATED))
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
        empty,
    )


def _facts(lines: Sequence[Row[Any]], parties: Sequence[Row[Any]]) -> list[CertificateFacts]:
    keys = {row.of: (row.key, row.issued_on) for row in (*lines, *parties)}
    return [
        CertificateFacts(
            key=key,
            issued_on=issued_on,
            parties=tuple(PartyFacts(row.product_number, row.service) for row in parties if row.of == number),
            lines=tuple(LineFacts(row.id, row.serial, row.starts_on, row.ends_on, row.contact) for row in lines if row.of == number),
        )
        for number, (key, issued_on) in keys.items()
    ]


def _part(*columns: Any) -> Select[Any]:
    """One table's share of a UNION ALL."""
    share: Any = select(*columns)
    return share
