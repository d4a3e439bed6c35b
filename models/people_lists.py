"""The named selects of the console's lists of people: accounts with what hangs on them, and the staff."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from models.admission import Consent, SignIn
from models.base import AnyRow, AnySelect
from models.contracts import Certificate, ContractLine, Party
from models.masters import ProductFamily
from models.paging import Place, Sheet, newest_first
from models.people import Account, AccountSession, AccountState, QueueMember, Staff, StaffSession
from models.tickets import Ticket
from rules.text import fold, fold_key, searchable

MOST_TERMS = 5
SHOWN = 20
"""How many rows the parts of a person's page show."""

_ACCOUNTS: AnySelect = select(
    Account.id,
    Account.user_id,
    Account.company_name,
    Account.person_name,
    Account.email,
    Account.maintenance_email,
    Account.contract_key,
    Account.state,
    Account.created_at,
)
_LAST_SIGN_IN = select(SignIn.at).where(SignIn.staff_id == Staff.id, SignIn.succeeded).order_by(SignIn.id.desc()).limit(1).correlate(Staff).scalar_subquery()
_STAFF: AnySelect = select(
    Staff.id,
    Staff.user_id,
    Staff.name,
    Staff.email,
    Staff.roles,
    Staff.active,
    Staff.password_hash.is_not(None).label("has_password"),
    Staff.totp_enrolled_at.is_not(None).label("has_totp"),
    Staff.oidc_subject.is_not(None).label("has_identity"),
    _LAST_SIGN_IN.label("last_sign_in"),
).order_by(Staff.active.desc(), Staff.name, Staff.id)


def account_list(session: Session, *, text: str, state: AccountState | None, place: Place, limit: int) -> Sheet:
    """Accounts, the newest first; every word of `text` must stand in company, person, user ID, e-mail, maintenance e-mail or contract."""
    statement = _ACCOUNTS if state is None else _ACCOUNTS.where(Account.state == state)
    for term in text.split()[:MOST_TERMS]:
        statement = statement.where(
            or_(
                Account.search_text.contains(searchable(term), autoescape=True),
                Account.maintenance_email_key.contains(fold(term).lower(), autoescape=True),
                Account.contract_key == fold_key(term),
            )
        )
    return newest_first(session, statement, Account.id, place, limit=limit)


def account_certificates(session: Session, email_key: str) -> Sequence[AnyRow]:
    """The certificates with this maintenance e-mail, the newest first: id, contract_key, issued_on, ends_on; one more than is shown."""
    ends_on = select(func.max(ContractLine.ends_on)).where(ContractLine.certificate_id == Certificate.id).correlate(Certificate).scalar_subquery()
    statement = (
        select(Certificate.id, Certificate.contract_key, Certificate.issued_on, Party.role, ends_on.label("ends_on"))
        .join(Party, Party.certificate_id == Certificate.id)
        .where(Party.email_key == email_key)
        .order_by(Certificate.issued_on.desc(), Certificate.id.desc(), Party.role)
        .limit(SHOWN + 1)
    )
    return session.execute(statement).all() if email_key else []


def account_sign_ins(session: Session, account_id: int) -> Sequence[AnyRow]:
    """ログイン履歴, the newest first: succeeded, how, client, at."""
    statement = select(SignIn.succeeded, SignIn.how, SignIn.client, SignIn.at).where(SignIn.account_id == account_id)
    return session.execute(statement.order_by(SignIn.id.desc()).limit(SHOWN)).all()


def account_sessions(session: Session, account_id: int, now: datetime) -> Sequence[AnyRow]:
    """Where the account is signed in: created_at, seen_at, client."""
    statement = select(AccountSession.created_at, AccountSession.seen_at, AccountSession.client).where(
        AccountSession.account_id == account_id, AccountSession.expires_at > now
    )
    return session.execute(statement.order_by(AccountSession.seen_at.desc()).limit(SHOWN)).all()


def account_consents(session: Session, account_id: int) -> Sequence[AnyRow]:
    """Which versions of the privacy text were agreed to: privacy_version, at."""
    statement = select(Consent.privacy_version, Consent.at).where(Consent.account_id == account_id)
    return session.execute(statement.order_by(Consent.id.desc()).limit(SHOWN)).all()


def account_tickets(session: Session, account_id: int) -> Sequence[AnyRow]:
    """The account's tickets, the newest first: id, subject, state, created_at; one more than is shown."""
    statement = select(Ticket.id, Ticket.subject, Ticket.state, Ticket.created_at).where(Ticket.account_id == account_id)
    return session.execute(statement.order_by(Ticket.id.desc()).limit(SHOWN + 1)).all()


def staff_list(session: Session) -> Sequence[AnyRow]:
    """All of the staff, those who may enter first; a house's staff is some dozens of rows."""
    return session.execute(_STAFF).all()


def queues_by_staff(session: Session) -> Mapping[int, list[str]]:
    """The families each staff member answers for, by name."""
    found: dict[int, list[str]] = defaultdict(list)
    statement = select(QueueMember.staff_id, ProductFamily.name).join(ProductFamily, ProductFamily.id == QueueMember.family_id)
    for staff_id, name in session.execute(statement.order_by(ProductFamily.position)):
        found[staff_id].append(name)
    return found


def staff_queues(session: Session, staff_id: int) -> Sequence[AnyRow]:
    """The families a staff member answers for: id, name."""
    statement = select(ProductFamily.id, ProductFamily.name).join(QueueMember, QueueMember.family_id == ProductFamily.id)
    return session.execute(statement.where(QueueMember.staff_id == staff_id).order_by(ProductFamily.position)).all()


def staff_sign_ins(session: Session, staff_id: int) -> Sequence[AnyRow]:
    """サインイン履歴, the newest first: succeeded, how, client, at."""
    statement = select(SignIn.succeeded, SignIn.how, SignIn.client, SignIn.at).where(SignIn.staff_id == staff_id)
    return session.execute(statement.order_by(SignIn.id.desc()).limit(SHOWN)).all()


def staff_sessions(session: Session, staff_id: int, now: datetime) -> Sequence[AnyRow]:
    """Where a staff member is signed in: id, created_at, seen_at, client."""
    statement = select(StaffSession.id, StaffSession.created_at, StaffSession.seen_at, StaffSession.client).where(
        StaffSession.staff_id == staff_id, StaffSession.expires_at > now, StaffSession.totp_passed
    )
    return session.execute(statement.order_by(StaffSession.seen_at.desc()).limit(SHOWN)).all()
