"""The named selects of refused registrations, and what stands close to what was typed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.admission import Refusal
from models.base import AnyRow, AnySelect
from models.contracts import Certificate, Party
from models.paging import Place, Sheet, newest_first

_MOST = 20


def refusal_list(session: Session, *, text: str, place: Place, limit: int) -> Sheet:
    """Refusals, the newest first: id, kind, at, contract_key, trace, client. `text` is a 受付番号 (26-104732) or part of a contract key."""
    statement: AnySelect = select(Refusal.id, Refusal.kind, Refusal.at, Refusal.contract_key, Refusal.trace, Refusal.client)
    if text:
        number = text.rpartition("-")[2]
        by_number = Refusal.id == int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else Refusal.id == -1
        statement = statement.where(or_(by_number, Refusal.contract_key.contains(text.upper(), autoescape=True)))
    return newest_first(session, statement, Refusal.id, place, limit=limit)


def certificates_with(session: Session, email_key: str) -> Sequence[AnyRow]:
    """The certificates on which an address stands: id, contract_key, issued_on, role."""
    statement: AnySelect = (
        select(Certificate.id, Certificate.contract_key, Certificate.issued_on, Party.role)
        .join(Party, Party.certificate_id == Certificate.id)
        .where(Party.email_key == email_key, Party.email_key != "")
    )
    return session.execute(statement.order_by(Certificate.issued_on.desc(), Certificate.id.desc()).limit(_MOST)).all()


def parties_with_key(session: Session, contract_key: str) -> Sequence[AnyRow]:
    """The parties of the certificate that was named: id (certificate), role, name, email."""
    statement: AnySelect = select(Certificate.id, Party.role, Party.name, Party.email).join(Party, Party.certificate_id == Certificate.id)
    return session.execute(statement.where(Certificate.contract_key == contract_key).order_by(Party.id)).all()


def similar_keys(session: Session, contract_key: str) -> Sequence[AnyRow]:
    """Certificates whose key differs from the typed one in its last or its first part only: id, contract_key. The caller compares them."""
    half = len(contract_key) // 2
    if half < 2:
        return []
    head, tail = contract_key[:half], contract_key[-half:]
    near = or_(Certificate.contract_key.startswith(head, autoescape=True), Certificate.contract_key.endswith(tail, autoescape=True))
    statement: AnySelect = select(Certificate.id, Certificate.contract_key).where(near, Certificate.contract_key != contract_key)
    return session.execute(statement.order_by(Certificate.id.desc()).limit(500)).all()
