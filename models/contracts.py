"""Certificates, their parties and lines, and the masters that read them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session

from models import load
from models.base import AnyRow, AnySelect, Base, mapped_column, words

load("imports")


class PartyRole(StrEnum):
    AGENT = "agent"
    OPERATOR = "operator"
    END_USER = "end_user"


class DomainKind(StrEnum):
    SHARED = "shared"
    """A mail service of many unrelated people."""
    OWN = "own"
    """J's own domain: never an applicant's, never a CC."""


class ProductFamily(Base):
    """種別: what a ticket is opened for."""

    __tablename__ = "product_family"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    intake_hint: Mapped[str] = mapped_column(Text, default="")
    position: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)
    calendar_id: Mapped[int | None]
    """The service calendar of its tickets; None: the standard one."""


class FamilyAlias(Base):
    """Another spelling of a family in workbooks; `alias_key` is folded and upper-case."""

    __tablename__ = "family_alias"
    id: Mapped[int] = mapped_column(primary_key=True)
    family_id: Mapped[int] = mapped_column(ForeignKey("product_family.id"), index=True)
    alias: Mapped[str] = mapped_column(String(80))
    alias_key: Mapped[str] = mapped_column(String(80), unique=True)


class FamilyMailbox(Base):
    """An old mailbox of the manual's table; one address may serve two families."""

    __tablename__ = "family_mailbox"
    __table_args__ = (UniqueConstraint("address", "family_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    family_id: Mapped[int] = mapped_column(ForeignKey("product_family.id"), index=True)
    address: Mapped[str] = mapped_column(String(254))


class Category(Base):
    """カテゴリ of a ticket."""

    __tablename__ = "category"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    position: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)


class MailDomain(Base):
    """A shared mail domain or one of J's own."""

    __tablename__ = "mail_domain"
    id: Mapped[int] = mapped_column(primary_key=True)
    domain: Mapped[str] = mapped_column(String(253), unique=True)
    kind: Mapped[DomainKind] = mapped_column(words(DomainKind, 10))


class CompanyDay(Base):
    """A day on which the desk is closed beyond weekends, holidays and the year's end."""

    __tablename__ = "company_day"
    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(String(80))


class SetByHand:
    """When and by whom a record was last corrected in the console; an import that would say otherwise asks (競合)."""

    set_at: Mapped[datetime | None]
    set_by: Mapped[str] = mapped_column(String(100), default="", server_default="")


class Certificate(SetByHand, Base):
    """サポートサービス証書, one per contract; `contract_key` is folded and upper-case."""

    __tablename__ = "certificate"
    id: Mapped[int] = mapped_column(primary_key=True)
    contract_key: Mapped[str] = mapped_column(String(80), unique=True)
    issued_on: Mapped[date]
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("import_batch.id"), index=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Party(SetByHand, Base):
    """A company and its 保守登録メール on a certificate; `email` may be empty, never the name alone decides."""

    __tablename__ = "party"
    __table_args__ = (UniqueConstraint("certificate_id", "role"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id"))
    role: Mapped[PartyRole] = mapped_column(words(PartyRole, 10))
    name: Mapped[str] = mapped_column(String(200), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    email_key: Mapped[str] = mapped_column(String(254), default="", index=True)


class ContractLine(SetByHand, Base):
    """契約明細: one product number, serial and service with a period; points back to the workbook row it came from.

    Family and batch are no foreign keys: neither is ever deleted, and asking for both would take a quarter of applying an import.
    """

    __tablename__ = "contract_line"
    __table_args__ = (
        Index("ix_contract_line_certificate", "certificate_id", "product_number", "serial", "service"),
        # With the certificate: a search for a part of one reads the index alone.
        Index("ix_contract_line_serial", "serial", "certificate_id"),
        Index("ix_contract_line_ends", "ends_on"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id"))
    family_id: Mapped[int] = mapped_column(index=True)
    product_number: Mapped[str] = mapped_column(String(120))
    serial: Mapped[str] = mapped_column(String(120), default="")
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    service: Mapped[str] = mapped_column(String(200))
    contact: Mapped[str] = mapped_column(String(254))
    batch_id: Mapped[int | None] = mapped_column(index=True)
    sheet: Mapped[str] = mapped_column(String(120), default="")
    row: Mapped[int] = mapped_column(default=0)


class PrivacyText(Base):
    """One version of 個人情報の取り扱いについて; `id` is the version, the highest one counts."""

    __tablename__ = "privacy_text"
    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    published_at: Mapped[datetime]


FAMILIES: AnySelect = select(ProductFamily.id, ProductFamily.slug, ProductFamily.name, ProductFamily.intake_hint, ProductFamily.active).order_by(
    ProductFamily.position, ProductFamily.id
)
"""Every family in the order of the manual."""


def families(session: Session) -> Sequence[AnyRow]:
    """The families people may choose: id, slug, name, intake_hint, active."""
    return session.execute(FAMILIES.where(ProductFamily.active)).all()


def family_by_slug(session: Session, slug: str) -> ProductFamily | None:
    """The active family of a URL slug."""
    return session.scalars(select(ProductFamily).where(ProductFamily.slug == slug, ProductFamily.active)).one_or_none()


def categories(session: Session) -> Sequence[AnyRow]:
    """The categories people may choose: id, name."""
    return session.execute(select(Category.id, Category.name).where(Category.active).order_by(Category.position, Category.id)).all()


def mail_domains(session: Session, kind: DomainKind) -> frozenset[str]:
    """The domains of one kind."""
    return frozenset(session.scalars(select(MailDomain.domain).where(MailDomain.kind == kind)))


def mailboxes(session: Session) -> frozenset[str]:
    """The old mailboxes that make a line before August 2014 eligible."""
    return frozenset(session.scalars(select(FamilyMailbox.address)))


def company_days(session: Session) -> frozenset[date]:
    """The days on which the desk is closed by its own decision."""
    return frozenset(session.scalars(select(CompanyDay.day)))


def privacy_text(session: Session) -> PrivacyText | None:
    """The version in force."""
    return session.scalars(select(PrivacyText).order_by(PrivacyText.id.desc()).limit(1)).one_or_none()
