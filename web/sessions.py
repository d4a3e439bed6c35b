"""Server-side sessions: a random token in a cookie, its hash in the table, one look-up per request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from models.actors import Customer, StaffMember
from models.database import StateOfDatabase
from models.kept import Kept
from models.people import Account, AccountSession, AccountState, Staff, StaffSession
from models.tokens import hash_token, new_token
from models.unchanged import note_state
from rules.limits import Limits
from rules.rights import Role

_SEEN_EVERY = timedelta(minutes=1)

_CUSTOMER = Kept(
    select(
        AccountSession.id,
        AccountSession.seen_at,
        AccountSession.expires_at,
        Account.id.label("account_id"),
        Account.user_id,
        Account.company_name,
        Account.person_name,
        Account.email,
        Account.maintenance_email,
        Account.contract_key,
        Account.privacy_version,
    )
    .join(Account, Account.id == AccountSession.account_id)
    .where(Account.state == AccountState.ACTIVE, AccountSession.token_hash == bindparam("token_hash"))
)
_STAFF = Kept(
    select(
        StaffSession.id,
        StaffSession.seen_at,
        StaffSession.expires_at,
        StaffSession.totp_passed,
        Staff.id.label("staff_id"),
        Staff.user_id,
        Staff.name,
        Staff.email,
        Staff.roles,
        StateOfDatabase().label("state"),
    )
    .join(Staff, Staff.id == StaffSession.staff_id)
    .where(Staff.active, StaffSession.token_hash == bindparam("token_hash"))
)


@dataclass(frozen=True)
class Found:
    """The actor of a request's cookie, and whether the session's last-seen moment is due for an update."""

    actor: Customer | StaffMember | None
    half_signed_in: StaffMember | None = None
    """A staff member between password and code."""
    touch: bool = False


NOBODY = Found(None)


def find_customer(session: Session, token: str, *, client: str, limits: Limits, now: datetime) -> Found:
    """The account behind a portal cookie, unless it is idle, ended, revoked or suspended."""
    row = _CUSTOMER.one(session, {"token_hash": hash_token(token)})
    if row is None or row.expires_at <= now or row.seen_at + timedelta(hours=limits.customer_idle_hours) <= now:
        return NOBODY
    customer = Customer(
        id=row.account_id,
        name=row.person_name,
        client=client,
        session_id=row.id,
        user_id=row.user_id,
        company_name=row.company_name,
        email=row.email,
        maintenance_email=row.maintenance_email,
        contract_key=row.contract_key,
        privacy_version=row.privacy_version,
    )
    return Found(customer, touch=now - row.seen_at >= _SEEN_EVERY)


def find_staff(session: Session, token: str, *, client: str, limits: Limits, now: datetime) -> Found:
    """The staff member behind a console cookie, unless the session is idle, ended or revoked."""
    row = _STAFF.one(session, {"token_hash": hash_token(token)})
    if row is None or row.expires_at <= now or row.seen_at + timedelta(hours=limits.staff_idle_hours) <= now:
        return NOBODY
    note_state(session, row.state)
    member = StaffMember(
        id=row.staff_id,
        name=row.name,
        client=client,
        session_id=row.id,
        user_id=row.user_id,
        email=row.email,
        roles=frozenset(Role(role) for role in row.roles),
    )
    if not row.totp_passed:
        return Found(None, half_signed_in=member)
    return Found(member, touch=now - row.seen_at >= _SEEN_EVERY)


def touch(session: Session, actor: Customer | StaffMember, *, now: datetime) -> None:
    """Note that the session was used now; written at most once a minute."""
    table = AccountSession if isinstance(actor, Customer) else StaffSession
    session.execute(update(table).where(table.id == actor.session_id).values(seen_at=now))


def open_customer_session(session: Session, account_id: int, *, client: str, limits: Limits, now: datetime) -> str:
    """A new session of the account; returns the cookie's token."""
    token = new_token()
    session.add(
        AccountSession(
            token_hash=hash_token(token),
            account_id=account_id,
            created_at=now,
            seen_at=now,
            expires_at=now + timedelta(days=limits.customer_session_days),
            password_at=now,
            client=client,
        )
    )
    return token


def open_staff_session(session: Session, staff_id: int, *, totp_passed: bool, client: str, limits: Limits, now: datetime) -> str:
    """A new session of the staff member; returns the cookie's token."""
    token = new_token()
    session.add(
        StaffSession(
            token_hash=hash_token(token),
            staff_id=staff_id,
            created_at=now,
            seen_at=now,
            expires_at=now + timedelta(hours=limits.staff_session_hours),
            totp_passed=totp_passed,
            client=client,
        )
    )
    return token


def close_session(session: Session, actor: Customer | StaffMember) -> None:
    """End the session that `actor` uses."""
    table = AccountSession if isinstance(actor, Customer) else StaffSession
    session.execute(delete(table).where(table.id == actor.session_id))


def close_customer_sessions(session: Session, account_id: int, *, but: int | None = None) -> None:
    """End all sessions of an account, the one with the id `but` aside."""
    statement = delete(AccountSession).where(AccountSession.account_id == account_id)
    session.execute(statement if but is None else statement.where(AccountSession.id != but))
