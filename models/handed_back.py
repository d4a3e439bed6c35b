"""結果を書き込んだファイル: a batch's workbook handed back, from the moment that somebody asks for it until its bytes go."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, select
from sqlalchemy.orm import Mapped, Session

from models import load
from models.base import Base, mapped_column, words

load("imports", "people")


class HandedBackState(StrEnum):
    WAITING = "waiting"
    WRITING = "writing"
    READY = "ready"
    NOTHING = "nothing"
    """No row waits, and the workbook itself is none that could be marked."""
    FAILED = "failed"
    CANCELLED = "cancelled"


COMING = (HandedBackState.WAITING, HandedBackState.WRITING)


class HandedBack(Base):
    """One workbook to hand back, of the plan as it stood at `revision`. Whoever may see the batch may fetch it, whoever asked for it."""

    __tablename__ = "handed_back"
    __table_args__ = (Index("ix_handed_back_state", "state", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id"), index=True)
    revision: Mapped[int]
    state: Mapped[HandedBackState] = mapped_column(words(HandedBackState, 10))
    progress: Mapped[int] = mapped_column(default=0)
    """Percent."""
    tries: Mapped[int] = mapped_column(default=0)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), index=True)
    asked_by: Mapped[str] = mapped_column(String(100))
    asked_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    storage_key: Mapped[str | None] = mapped_column(String(200), index=True)
    """Where the bytes lie once it is ready."""
    size: Mapped[int] = mapped_column(default=0)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    losses: Mapped[dict[str, Any]]
    """What it lacks (`importers.losses.Losses.told`)."""
    refusal: Mapped[str] = mapped_column(Text, default="")
    """Why there is none, in Japanese."""

    @property
    def is_coming(self) -> bool:
        """Whether it is still to be written."""
        return self.state in COMING


def newest_of(session: Session, batch_id: int) -> HandedBack | None:
    """The last one that was asked for."""
    return session.scalars(select(HandedBack).where(HandedBack.batch_id == batch_id).order_by(HandedBack.id.desc()).limit(1)).one_or_none()
