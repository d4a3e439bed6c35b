"""Which column of a workbook holds what, as people said: for one workbook, and remembered for its set of headings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session

from models import load
from models.base import Base, mapped_column

load("imports", "people")

MOST_REMEMBERED = 500
"""Sets of headings that are told to the reading process; offices have a handful."""


class ImportMapping(Base):
    """What a person said of a set of headings; the next workbook with the same ones goes on by itself."""

    __tablename__ = "import_mapping"
    id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    """Of the headings (`importers.headings.fingerprint`)."""
    fields: Mapped[dict[str, Any]]
    """Heading as it is remembered -> field, "" for a column that is left out."""
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), index=True)
    chosen_by: Mapped[str] = mapped_column(String(100))
    chosen_at: Mapped[datetime]


class ImportChoice(Base):
    """What a person said of one workbook's sheets: ``{sheet: {"skip": true}}`` or ``{sheet: {"heading_row": 4, "columns": {field: "E"}}}``."""

    __tablename__ = "import_choice"
    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id"), primary_key=True, autoincrement=False)
    sheets: Mapped[dict[str, Any]]
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), index=True)
    chosen_by: Mapped[str] = mapped_column(String(100))
    chosen_at: Mapped[datetime]


def remembered(session: Session) -> dict[str, dict[str, str]]:
    """Fingerprint -> heading -> field, the newest choices."""
    statement = select(ImportMapping.fingerprint, ImportMapping.fields).order_by(ImportMapping.chosen_at.desc()).limit(MOST_REMEMBERED)
    return {row.fingerprint: row.fields for row in session.execute(statement)}
