"""Certificates, their parties and lines."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session

from models import load
from models.base import Base, mapped_column, words

load("imports")


class PartyRole(StrEnum):
    AGENT = "agent"
    OPERATOR = "operator"
    END_USER = "end_user"


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
    That of the certificate is held by SQLite alone: lines come and certificates go under the lock "import" only; `jtickets check` looks.
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


def stray_lines(session: Session) -> int:
    """How many lines have no certificate: none, unless somebody wrote into the database past the desk."""
    lacking = select(func.count()).select_from(ContractLine).outerjoin(Certificate, Certificate.id == ContractLine.certificate_id)
    return session.execute(lacking.where(Certificate.id.is_(None))).scalar_one()
