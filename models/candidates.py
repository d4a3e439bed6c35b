"""Lines that a ticket may be about: those of its account, those a slip away from what was typed, those whose serial stands in its posts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import AnyRow, AnySelect
from models.contracts import Certificate, ContractLine, Party
from models.tickets import Attachment, Message, MessageKind
from rules.candidates import PossibleLine

_MOST_LINES = 500
_MOST_POSTS = 20
_MOST_FILES = 50
_LINES: AnySelect = (
    select(
        ContractLine.id,
        ContractLine.certificate_id,
        Certificate.contract_key,
        ContractLine.serial,
        ContractLine.product_number,
        ContractLine.family_id,
        ContractLine.starts_on,
        ContractLine.ends_on,
    )
    .join(Certificate, Certificate.id == ContractLine.certificate_id)
    .order_by(ContractLine.ends_on.desc(), ContractLine.id)
    .limit(_MOST_LINES)
)


def possible_lines(session: Session, *, maintenance_key: str, contracts: Collection[str], serials: Collection[str]) -> list[PossibleLine]:
    """Lines of the account's own certificates, of `contracts`, and with one of `serials`, each once; 500 of each at most. Three statements."""
    own = select(Party.certificate_id).where(Party.email_key == maintenance_key, Party.email_key != "")
    of_account: Sequence[AnyRow] = session.execute(_LINES.where(ContractLine.certificate_id.in_(own))).all() if maintenance_key else []
    owned: set[int] = {row.certificate_id for row in of_account}
    named = (*of_account, *_among(session, Certificate.contract_key, contracts), *_among(session, ContractLine.serial, serials))
    return [PossibleLine(*row, of_account=row.certificate_id in owned) for row in {row.id: row for row in named}.values()]


def customers_texts(session: Session, ticket_id: int) -> Sequence[str]:
    """What the customer wrote, the first twenty posts."""
    statement = select(Message.body).where(Message.ticket_id == ticket_id, Message.kind == MessageKind.CUSTOMER)
    return session.scalars(statement.order_by(Message.id).limit(_MOST_POSTS)).all()


def logs_of(session: Session, ticket_id: int) -> Sequence[dict[str, Any]]:
    """What the ticket's newest fifty files say of the device (`rules.logs.Found`), the empty ones left out."""
    statement = select(Attachment.found).join(Message, Message.id == Attachment.message_id).where(Message.ticket_id == ticket_id)
    return [found for found in session.scalars(statement.order_by(Attachment.id.desc()).limit(_MOST_FILES)) if found]


def find_line(session: Session, contract_key: str, serial: str) -> AnyRow | None:
    """A line of the contract with the serial (any line where it is ""): id, certificate_id, contract_key, and the rest of `_LINES`."""
    statement = _LINES.where(Certificate.contract_key == contract_key)
    if serial:
        statement = statement.where(ContractLine.serial == serial)
    return session.execute(statement.limit(1)).one_or_none()


def _among(session: Session, column: Any, keys: Collection[str]) -> Sequence[AnyRow]:
    return session.execute(_LINES.where(column.in_(sorted(keys)))).all() if keys else []
