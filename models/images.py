"""Before-images: how the records were that a batch wrote, so that it can be undone."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, Integer, String, UniqueConstraint, insert, literal, select
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session

from models import load
from models.base import Base, mapped_column, words
from models.contracts import Certificate, ContractLine, Party, PartyRole

load("imports")


class Deed(StrEnum):
    """What a batch did to a record."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


class CertificateImage(Base):
    """One certificate that a batch wrote. Of an added one the values are those that it got."""

    __tablename__ = "certificate_image"
    __table_args__ = (UniqueConstraint("batch_id", "certificate_id"), Index("ix_certificate_image_contract_key", "contract_key"))
    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id"))
    deed: Mapped[Deed] = mapped_column(words(Deed, 8))
    certificate_id: Mapped[int]
    contract_key: Mapped[str] = mapped_column(String(80))
    issued_on: Mapped[date]
    origin_id: Mapped[int | None]
    """The batch that the certificate named."""
    created_at: Mapped[datetime]
    set_at: Mapped[datetime | None]
    set_by: Mapped[str] = mapped_column(String(100))


class PartyImage(Base):
    """One party of a certificate that a batch changed or removed; parties of an added certificate have none."""

    __tablename__ = "party_image"
    __table_args__ = (UniqueConstraint("batch_id", "certificate_id", "role"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id"))
    party_id: Mapped[int]
    certificate_id: Mapped[int]
    role: Mapped[PartyRole] = mapped_column(words(PartyRole, 10))
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254))
    set_at: Mapped[datetime | None]
    set_by: Mapped[str] = mapped_column(String(100))


class LineImage(Base):
    """One line that a batch changed or removed; what an import added carries the batch itself and has no image."""

    __tablename__ = "line_image"
    __table_args__ = (UniqueConstraint("batch_id", "line_id"), Index("ix_line_image_certificate_id", "certificate_id"))
    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id"))
    deed: Mapped[Deed] = mapped_column(words(Deed, 8))
    line_id: Mapped[int]
    certificate_id: Mapped[int]
    family_id: Mapped[int]
    product_number: Mapped[str] = mapped_column(String(120))
    serial: Mapped[str] = mapped_column(String(120))
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    service: Mapped[str] = mapped_column(String(200))
    contact: Mapped[str] = mapped_column(String(254))
    origin_id: Mapped[int | None] = mapped_column(index=True)
    """The batch that the line named, with its sheet and row."""
    sheet: Mapped[str] = mapped_column(String(120))
    row: Mapped[int]
    set_at: Mapped[datetime | None]
    set_by: Mapped[str] = mapped_column(String(100))


OF_CERTIFICATE: dict[str, InstrumentedAttribute[Any]] = {
    "certificate_id": Certificate.id,
    "contract_key": Certificate.contract_key,
    "issued_on": Certificate.issued_on,
    "origin_id": Certificate.batch_id,
    "created_at": Certificate.created_at,
    "set_at": Certificate.set_at,
    "set_by": Certificate.set_by,
}
OF_PARTY: dict[str, InstrumentedAttribute[Any]] = {
    "party_id": Party.id,
    "certificate_id": Party.certificate_id,
    "role": Party.role,
    "name": Party.name,
    "email": Party.email,
    "email_key": Party.email_key,
    "set_at": Party.set_at,
    "set_by": Party.set_by,
}
OF_LINE: dict[str, InstrumentedAttribute[Any]] = {
    "line_id": ContractLine.id,
    "certificate_id": ContractLine.certificate_id,
    "family_id": ContractLine.family_id,
    "product_number": ContractLine.product_number,
    "serial": ContractLine.serial,
    "starts_on": ContractLine.starts_on,
    "ends_on": ContractLine.ends_on,
    "service": ContractLine.service,
    "contact": ContractLine.contact,
    "origin_id": ContractLine.batch_id,
    "sheet": ContractLine.sheet,
    "row": ContractLine.row,
    "set_at": ContractLine.set_at,
    "set_by": ContractLine.set_by,
}
"""Column of an image -> column of its record."""


def keep_certificates(session: Session, batch_id: int, deed: Deed, chosen: ColumnElement[bool]) -> None:
    """Images of the certificates that `chosen` names, as they are now."""
    _keep(session, CertificateImage, {"batch_id": literal(batch_id, Integer), "deed": literal(deed.value, String), **OF_CERTIFICATE}, chosen)


def keep_parties(session: Session, batch_id: int, chosen: ColumnElement[bool]) -> None:
    """Images of the parties that `chosen` names."""
    _keep(session, PartyImage, {"batch_id": literal(batch_id, Integer), **OF_PARTY}, chosen)


def keep_lines(session: Session, batch_id: int, deed: Deed, chosen: ColumnElement[bool]) -> None:
    """Images of the lines that `chosen` names."""
    _keep(session, LineImage, {"batch_id": literal(batch_id, Integer), "deed": literal(deed.value, String), **OF_LINE}, chosen)


def _keep(session: Session, table: type[Base], columns: dict[str, Any], chosen: ColumnElement[bool]) -> None:
    session.execute(insert(table).from_select(list(columns), select(*columns.values()).where(chosen), include_defaults=False))
