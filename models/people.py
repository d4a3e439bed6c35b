"""Customers' accounts and the staff: two worlds with their own tables, sessions and links."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint, cast, or_, select
from sqlalchemy.orm import Mapped, Session

from models import load
from models.base import Base, mapped_column, words
from rules.rights import Area, Right, Role, may

load("masters")


class AccountState(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    ERASED = "erased"
    """Without its person, for ever: only the tickets are left."""


class Account(Base):
    """A customer's login; may be shared by several people, and its e-mail by several accounts."""

    __tablename__ = "account"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(String(128))
    user_id_key: Mapped[str] = mapped_column(String(128), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    company_name: Mapped[str] = mapped_column(String(200))
    person_name: Mapped[str] = mapped_column(String(100))
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), index=True)
    email_domain: Mapped[str] = mapped_column(String(253), index=True)
    """The registrable domain of `email`."""
    maintenance_email: Mapped[str] = mapped_column(String(254))
    maintenance_email_key: Mapped[str] = mapped_column(String(254), index=True)
    contract_key: Mapped[str] = mapped_column(String(80), index=True)
    party_role: Mapped[str] = mapped_column(String(10), default="")
    """Which party of the certificate the maintenance e-mail matched when last checked."""
    search_text: Mapped[str] = mapped_column(String(700), default="")
    """Company, person, user ID and e-mail in the form search compares."""
    state: Mapped[AccountState] = mapped_column(words(AccountState, 10), default=AccountState.ACTIVE)
    state_reason: Mapped[str] = mapped_column(Text, default="")
    privacy_version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class AccountSession(Base):
    """A signed-in customer; the cookie's token is kept as its hash."""

    __tablename__ = "account_session"
    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    password_at: Mapped[datetime]
    """When the password was last typed in this session."""
    client: Mapped[str] = mapped_column(String(45), default="")


class Staff(Base):
    """A member of J's staff: signs in locally (password and TOTP) or through OpenID (issuer and subject, bound once)."""

    __tablename__ = "staff"
    __table_args__ = (UniqueConstraint("oidc_issuer", "oidc_subject"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(String(128))
    user_id_key: Mapped[str] = mapped_column(String(128), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), unique=True)
    roles: Mapped[list[str]]
    active: Mapped[bool] = mapped_column(default=True)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    totp_secret: Mapped[str | None] = mapped_column(String(64))
    totp_enrolled_at: Mapped[datetime | None]
    totp_step: Mapped[int] = mapped_column(default=0)
    """The last time step whose code was used: a code counts once."""
    oidc_issuer: Mapped[str | None] = mapped_column(String(300))
    oidc_subject: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime]


class QueueMember(Base):
    """That a staff member answers for a family: the queue's staff, told of new and overdue tickets."""

    __tablename__ = "queue_member"
    __table_args__ = (UniqueConstraint("family_id", "staff_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    family_id: Mapped[int] = mapped_column(ForeignKey("product_family.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)


class StaffSession(Base):
    """A signed-in staff member; the cookie's token is kept as its hash."""

    __tablename__ = "staff_session"
    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    totp_passed: Mapped[bool] = mapped_column(default=True)
    """False between the password and the code: such a session opens nothing but the code's page."""
    client: Mapped[str] = mapped_column(String(45), default="")


class RateCount(Base):
    """How often `key` did what `bucket` limits in the window that began at `began_at`."""

    __tablename__ = "rate_count"
    __table_args__ = (UniqueConstraint("bucket", "key", "began_at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    bucket: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(300))
    began_at: Mapped[datetime] = mapped_column(index=True)
    count: Mapped[int]


def account_by_user_id(session: Session, key: str) -> Account | None:
    """The account of a user ID, whatever its case."""
    return session.scalars(select(Account).where(Account.user_id_key == key)).one_or_none()


def staff_by_user_id(session: Session, key: str) -> Staff | None:
    """The staff member of a user ID, whatever its case."""
    return session.scalars(select(Staff).where(Staff.user_id_key == key)).one_or_none()


ANSWERS: Any = or_(*(cast(Staff.roles, String).contains(f'"{role}"') for role in Role if may([role], Area.TICKETS, Right.WRITE)))
"""Whether a staff member may write in tickets, and so may be given them."""


def names_to_assign(session: Session, ids: set[int | None]) -> tuple[dict[int, str], frozenset[int]]:
    """The names of those of `ids` who are active, and which of them may be given a ticket."""
    found = _active(session, ids)
    return {number: name for number, (name, _) in found.items()}, frozenset(number for number, (_, answers) in found.items() if answers)


def _active(session: Session, ids: set[int | None]) -> dict[int, tuple[str, bool]]:
    known = [number for number in ids if number is not None]
    rows = session.execute(select(Staff.id, Staff.name, ANSWERS.label("answers")).where(Staff.id.in_(known), Staff.active))
    return {row.id: (row.name, bool(row.answers)) for row in rows}
