"""Cells of an uploaded workbook that people put right in the browser; the workbook itself stays as it came."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session

from models import load
from models.base import Base, mapped_column
from models.imports import ImportBatch

load("people")


class ImportCorrection(Base):
    """One cell: what stood there, and what stands there now. A second correction of a cell takes the place of the first."""

    __tablename__ = "import_correction"
    __table_args__ = (UniqueConstraint("batch_id", "sheet", "row", "field"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id"))
    sheet: Mapped[str] = mapped_column(String(120))
    row: Mapped[int]
    """As Excel numbers it."""
    field: Mapped[str] = mapped_column(String(32))
    old: Mapped[str] = mapped_column(Text)
    """What the workbook's cell shows."""
    new: Mapped[str] = mapped_column(Text)
    """The stored form of what was typed."""
    before: Mapped[dict[str, Any]]
    """``{"value", "issues"}``: what reading had made of the cell, for taking the correction back."""
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), index=True)
    corrected_by: Mapped[str] = mapped_column(String(100))
    corrected_at: Mapped[datetime]


def corrections_of(session: Session, batch_id: int) -> Sequence[ImportCorrection]:
    """All corrections of a batch in the order of sheets and rows."""
    mine = select(ImportCorrection).where(ImportCorrection.batch_id == batch_id)
    return session.scalars(mine.order_by(ImportCorrection.sheet, ImportCorrection.row, ImportCorrection.id)).all()


def correction_page(session: Session, batch_id: int, *, after: int | None, limit: int) -> tuple[Sequence[ImportCorrection], bool]:
    """The corrections with ids above `after`, and whether there are more."""
    mine = select(ImportCorrection).where(ImportCorrection.batch_id == batch_id, ImportCorrection.id > (after or 0))
    found = session.scalars(mine.order_by(ImportCorrection.id).limit(limit + 1)).all()
    return found[:limit], len(found) > limit


def correction_count(session: Session, batch_id: int) -> int:
    """How many cells of a batch were corrected."""
    return session.scalar(select(func.count()).select_from(ImportCorrection).where(ImportCorrection.batch_id == batch_id)) or 0


def find_correction(session: Session, batch: ImportBatch, number: int) -> ImportCorrection | None:
    """One correction of `batch`."""
    return session.scalars(select(ImportCorrection).where(ImportCorrection.batch_id == batch.id, ImportCorrection.id == number)).one_or_none()
