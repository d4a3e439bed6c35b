"""The named selects of the console's contracts: the list, and one certificate with all that hangs on it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import ColumnElement, case, exists, func, or_, select
from sqlalchemy.orm import Session

from models.base import AnyRow
from models.contracts import Certificate, ContractLine, Party
from models.imports import ImportBatch
from models.masters import ProductFamily
from models.paging import Place, Sheet, newest_first
from models.people import Account
from models.tickets import Ticket
from rules.contracts import FIRST_DESK_DAY, LAST_MAILBOX_DAY
from rules.text import fold_key, searchable

MOST_TERMS = 5
LINES = 50
"""Lines of one certificate on a page."""
SHOWN = 20


class Period(StrEnum):
    """Where a certificate's lines stand, taken together."""

    ACTIVE = "active"
    NOT_STARTED = "not_started"
    ENDED = "ended"


@dataclass(frozen=True)
class ContractFilter:
    """What a search asks of certificates; everything left empty asks nothing."""

    today: date
    text: str = ""
    """Every word must stand in the key, a serial, a product number, a company or an e-mail of the certificate."""
    period: Period | None = None
    family_id: int | None = None
    ends_from: date | None = None
    ends_to: date | None = None
    """The certificate has a line that ends between the two days, both counted."""

    def conditions(self) -> list[ColumnElement[bool]]:
        """As conditions on `Certificate`."""
        found = [_matches(term) for term in self.text.split()[:MOST_TERMS]]
        if self.period is not None:
            found.append(_stands(self.period, self.today))
        line: list[ColumnElement[bool]] = []
        if self.family_id is not None:
            line.append(ContractLine.family_id == self.family_id)
        if self.ends_from:
            line.append(ContractLine.ends_on >= self.ends_from)
        if self.ends_to:
            line.append(ContractLine.ends_on <= self.ends_to)
        # A list that is made once: asked line by line, the wrong index of two would be walked for each certificate.
        return [*found, Certificate.id.in_(select(ContractLine.certificate_id).where(*line))] if line else found


def contract_list(session: Session, wanted: ContractFilter, place: Place, *, limit: int) -> Sheet:
    """Certificates, the newest first: id, contract_key, issued_on."""
    statement = select(Certificate.id, Certificate.contract_key, Certificate.issued_on).where(*wanted.conditions())
    return newest_first(session, statement, Certificate.id, place, limit=limit)


def parties_of(session: Session, certificate_ids: Collection[int]) -> Sequence[AnyRow]:
    """The parties of some certificates: certificate_id, role, name, email, email_key."""
    order = case({"agent": 0, "operator": 1}, value=Party.role, else_=2)
    statement = select(Party.certificate_id, Party.role, Party.name, Party.email, Party.email_key)
    return session.execute(statement.where(Party.certificate_id.in_(certificate_ids)).order_by(Party.certificate_id, order)).all()


def line_groups(session: Session, certificate_ids: Collection[int], today: date) -> Sequence[AnyRow]:
    """The lines of some certificates in groups that are eligible together.

    Columns: certificate_id, family, contact, sample_start (a start that decides the eligibility of the whole group), lines,
    active, not_started (numbers of lines), starts_on, ends_on.
    """
    early, late = ContractLine.starts_on < FIRST_DESK_DAY, ContractLine.starts_on > LAST_MAILBOX_DAY
    active = (ContractLine.starts_on <= today) & (ContractLine.ends_on >= today)
    statement = (
        select(
            ContractLine.certificate_id,
            ProductFamily.name.label("family"),
            ContractLine.contact,
            func.min(ContractLine.starts_on).label("sample_start"),
            func.count().label("lines"),
            func.sum(case((active, 1), else_=0)).label("active"),
            func.sum(case((ContractLine.starts_on > today, 1), else_=0)).label("not_started"),
            func.min(ContractLine.starts_on).label("starts_on"),
            func.max(ContractLine.ends_on).label("ends_on"),
        )
        .join(ProductFamily, ProductFamily.id == ContractLine.family_id)
        .where(ContractLine.certificate_id.in_(certificate_ids))
        .group_by(ContractLine.certificate_id, ProductFamily.name, ProductFamily.position, ContractLine.contact, early, late)
        .order_by(ContractLine.certificate_id, ProductFamily.position)
    )
    return session.execute(statement).all()


def batch_names(session: Session, batch_ids: Collection[int]) -> dict[int, str]:
    """The workbooks that lines name, by batch."""
    if not batch_ids:
        return {}
    return {row.id: row.file_name for row in session.execute(select(ImportBatch.id, ImportBatch.file_name).where(ImportBatch.id.in_(batch_ids)))}


def accounts_on(session: Session, contract_key: str, email_keys: Collection[str]) -> Sequence[AnyRow]:
    """Accounts that registered with the contract or with one of its parties' addresses; one more than is shown."""
    columns = (
        Account.company_name,
        Account.person_name,
        Account.user_id,
        Account.maintenance_email,
        Account.email_key,
        Account.maintenance_email_key,
        Account.state,
    )
    statement = select(Account.id, *columns)
    statement = statement.where(or_(Account.contract_key == contract_key, Account.maintenance_email_key.in_(email_keys)))
    return session.execute(statement.order_by(Account.id.desc()).limit(SHOWN + 1)).all()


def tickets_on(session: Session, contract_key: str) -> Sequence[AnyRow]:
    """Tickets that name the contract, the newest first; one more than is shown."""
    statement = select(Ticket.id, Ticket.subject, Ticket.state, Ticket.created_at, Account.company_name).outerjoin(Account, Account.id == Ticket.account_id)
    return session.execute(statement.where(Ticket.contract_key == contract_key).order_by(Ticket.id.desc()).limit(SHOWN + 1)).all()


def _matches(term: str) -> ColumnElement[bool]:
    """The key, or one of three lists that are made once, each in one walk: asking the lines of each certificate costs a hundred times more."""
    key, text = fold_key(term), searchable(term)
    serials = select(ContractLine.certificate_id).where(ContractLine.serial.contains(key, autoescape=True))
    products = select(ContractLine.certificate_id).where(func.upper(ContractLine.product_number).contains(key, autoescape=True))
    parties = select(Party.certificate_id).where(
        or_(
            Party.email_key.contains(text, autoescape=True),
            Party.name.contains(term, autoescape=True),
            func.lower(Party.name).contains(text, autoescape=True),
        )
    )
    found = (Certificate.id.in_(each) for each in (serials, products, parties))
    return or_(Certificate.contract_key.contains(key, autoescape=True), *found)


def _stands(period: Period, today: date) -> ColumnElement[bool]:
    """Active where any line is; not started where none is and one will; ended where nothing is left to come."""
    active = _any_line(ContractLine.starts_on <= today, ContractLine.ends_on >= today)
    if period is Period.ACTIVE:
        return active
    if period is Period.ENDED:
        return ~_any_line(ContractLine.ends_on >= today)
    return ~active & _any_line(ContractLine.starts_on > today)


def _any_line(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(ContractLine.certificate_id == Certificate.id, *conditions).correlate(Certificate)
