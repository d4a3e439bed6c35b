"""The contract behind a ticket: the facts that `rules.contracts.judge` asks for, loaded in a fixed number of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from models.base import AnyRow
from models.contracts import Certificate, ContractLine, Party
from models.masters import DomainKind, mail_domains, mailboxes
from models.people import Account
from rules.contracts import AccountFacts, CertificateFacts, Judgement, LineFacts, PartyFacts, judge, lookup_contract, lookup_serials

_MOST_SERIAL_CERTIFICATES = 20


def judge_typed(session: Session, typed_contract: str, typed_serial: str, account: AccountFacts | None, *, today: date) -> Judgement:
    """The verdict of a contract and a serial as a customer typed them."""
    certificate, by_serial = find_certificates(session, typed_contract, typed_serial)
    return judge(
        typed_contract,
        typed_serial,
        certificate=certificate,
        serial_certificates=by_serial,
        account=account,
        mailboxes=mailboxes(session),
        shared_domains=mail_domains(session, DomainKind.SHARED),
        today=today,
    )


def find_certificates(session: Session, typed_contract: str, typed_serial: str) -> tuple[CertificateFacts | None, list[CertificateFacts]]:
    """The certificate the contract names and, only where there is none, those on which the serial stands."""
    key = lookup_contract(typed_contract)
    if key:
        found = load_certificates(session, Certificate.contract_key == key)
        if found:
            return found[0], []
    serials = lookup_serials(typed_serial)
    if not serials:
        return None, []
    named = select(ContractLine.certificate_id).where(ContractLine.serial.in_(serials)).distinct().limit(_MOST_SERIAL_CERTIFICATES)
    return None, load_certificates(session, Certificate.id.in_(named))


def load_certificates(session: Session, condition: ColumnElement[bool]) -> list[CertificateFacts]:
    """The certificates of `condition` with their parties and lines, in three statements."""
    certificates = session.execute(select(Certificate.id, Certificate.contract_key, Certificate.issued_on).where(condition)).all()
    if not certificates:
        return []
    ids = [row.id for row in certificates]
    parties = _by_certificate(session.execute(select(Party.certificate_id, Party.role, Party.email_key).where(Party.certificate_id.in_(ids))).all())
    lines = _by_certificate(
        session.execute(
            select(ContractLine.certificate_id, ContractLine.id, ContractLine.serial, ContractLine.starts_on, ContractLine.ends_on, ContractLine.contact)
            .where(ContractLine.certificate_id.in_(ids))
            .order_by(ContractLine.id)
        ).all()
    )
    return [
        CertificateFacts(
            key=row.contract_key,
            issued_on=row.issued_on,
            parties=tuple(PartyFacts(party.role, party.email_key) for party in parties[row.id]),
            lines=tuple(LineFacts(line.id, line.serial, line.starts_on, line.ends_on, line.contact) for line in lines[row.id]),
        )
        for row in certificates
    ]


def facts_of(account: Account | AnyRow | None) -> AccountFacts | None:
    """What the verdict asks of an account; None for a phone ticket of nobody yet."""
    return AccountFacts(account.email_key, account.maintenance_email_key) if account is not None else None


def _by_certificate(rows: Sequence[AnyRow]) -> dict[int, list[AnyRow]]:
    found: dict[int, list[AnyRow]] = defaultdict(list)
    for row in rows:
        found[row.certificate_id].append(row)
    return found
