"""How people come in: registrations, consents, links by mail, second factors, sign-ins, and who was refused."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped

from models import load
from models.base import NEVER_REUSED, Base, mapped_column, words

load("people")


class LinkKind(StrEnum):
    RESET = "reset"
    EMAIL_CHANGE = "email_change"


class Consent(Base):
    """That an account agreed to a version of the privacy text, and when; never rewritten."""

    __tablename__ = "consent"
    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    privacy_version: Mapped[int]
    at: Mapped[datetime]


class PendingRegistration(Base):
    """仮登録: no account yet; holds its user ID only while the link lives. The token is kept as its hash."""

    __tablename__ = "pending_registration"
    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[str] = mapped_column(String(128))
    user_id_key: Mapped[str] = mapped_column(String(128), index=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    company_name: Mapped[str] = mapped_column(String(200))
    person_name: Mapped[str] = mapped_column(String(100))
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), index=True)
    maintenance_email: Mapped[str] = mapped_column(String(254))
    contract_key: Mapped[str] = mapped_column(String(80))
    privacy_version: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    completed_at: Mapped[datetime | None]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)


class AccountLink(Base):
    """A single-use link mailed to an account's holder (password reset, new e-mail); the token is kept as its hash."""

    __tablename__ = "account_link"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[LinkKind] = mapped_column(words(LinkKind, 20))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    email: Mapped[str] = mapped_column(String(254), default="")
    """The new address that an e-mail change proves."""
    held: Mapped[dict[str, Any] | None]
    """What changes together with the address once it is proved: the profile's fields by name."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


class AccountTotp(Base):
    """The second factor that an account chose. The secret is sealed (models.sealing); recovery codes are kept as hashes, each good once."""

    __tablename__ = "account_totp"
    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), unique=True)
    secret: Mapped[str] = mapped_column(String(64))
    enrolled_at: Mapped[datetime | None]
    step: Mapped[int] = mapped_column(default=0)
    """The last time step whose code was used: a code counts once."""
    recovery: Mapped[list[str]]
    created_at: Mapped[datetime]


class RecoveryRequest(Base):
    """That somebody asked for help to sign in at an address; a job answers by mail, whether or not there is an account."""

    __tablename__ = "recovery_request"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254))
    asked_at: Mapped[datetime]


class SignIn(Base):
    """ログイン履歴: every success and failure that named an existing account or staff member."""

    __tablename__ = "sign_in"
    __table_args__ = (Index("ix_sign_in_account", "account_id", "id"), Index("ix_sign_in_staff", "staff_id", "id"))
    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    succeeded: Mapped[bool]
    how: Mapped[str] = mapped_column(String(20))
    client: Mapped[str] = mapped_column(String(45))
    at: Mapped[datetime]


class Refusal(Base):
    """A refused registration or profile change with its whole trace; its id makes the 受付番号 the customer sees."""

    __tablename__ = "refusal"
    __table_args__ = NEVER_REUSED
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(index=True)
    contract_key: Mapped[str] = mapped_column(String(80), index=True)
    trace: Mapped[dict[str, Any]]
    client: Mapped[str] = mapped_column(String(45), default="")
