"""The masters: what the desk knows of products, categories, domains and its own days, and the privacy text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint, or_, select
from sqlalchemy.orm import Mapped, Session

from models.base import AnyRow, AnySelect, Base, mapped_column, words


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


def families(session: Session, *, besides: int | None = None) -> Sequence[AnyRow]:
    """The families people may choose, and the one in force, which may have been switched off since: id, slug, name, intake_hint, active."""
    return session.execute(FAMILIES.where(or_(ProductFamily.active, ProductFamily.id == besides))).all()


def family_by_slug(session: Session, slug: str) -> ProductFamily | None:
    """The active family of a URL slug."""
    return session.scalars(select(ProductFamily).where(ProductFamily.slug == slug, ProductFamily.active)).one_or_none()


def categories(session: Session, *, besides: int | None = None) -> Sequence[AnyRow]:
    """The categories people may choose, and the one in force: id, name."""
    chosen = select(Category.id, Category.name).where(or_(Category.active, Category.id == besides))
    return session.execute(chosen.order_by(Category.position, Category.id)).all()


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
