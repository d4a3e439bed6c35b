"""操作履歴: who did what to which subject, with the facts before and after; rows are only ever added."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped

from models.base import Base, mapped_column


class JournalEntry(Base):
    """One act. `subject_kind` and `subject_id` name what it was done to; the actor's name is kept as it was."""

    __tablename__ = "journal_entry"
    __table_args__ = (
        Index("ix_journal_entry_subject", "subject_kind", "subject_id", "id"),
        Index("ix_journal_entry_actor", "actor_kind", "actor_id", "id"),
        Index("ix_journal_entry_act", "act", "id"),
        Index("ix_journal_entry_at", "at", "id"),
        Index("ix_journal_entry_actor_name", "actor_name", "id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor_kind: Mapped[str] = mapped_column(String(10))
    actor_id: Mapped[int | None]
    actor_name: Mapped[str] = mapped_column(String(200))
    act: Mapped[str] = mapped_column(String(40))
    subject_kind: Mapped[str] = mapped_column(String(30))
    subject_id: Mapped[int | None]
    subject_name: Mapped[str] = mapped_column(String(300), default="")
    facts: Mapped[dict[str, Any]]
    client: Mapped[str] = mapped_column(String(45), default="")
