"""契約確認依頼: what support asks the service management center about a ticket's contract."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, select
from sqlalchemy.orm import Mapped, Session

from models import load
from models.base import Base, mapped_column

load("people", "tickets")


class CenterQuestion(Base):
    """A question and, once given, its answer. The center sees this and the ticket's contract fields, never the thread."""

    __tablename__ = "center_question"
    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    question: Mapped[str] = mapped_column(Text)
    asked_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    asked_by: Mapped[str] = mapped_column(String(100))
    asked_at: Mapped[datetime]
    answer: Mapped[str] = mapped_column(Text, default="")
    answered_by: Mapped[str] = mapped_column(String(100), default="")
    answered_at: Mapped[datetime | None]


def questions_of(session: Session, ticket_id: int) -> Sequence[CenterQuestion]:
    """The questions about a ticket, the newest first."""
    return session.scalars(select(CenterQuestion).where(CenterQuestion.ticket_id == ticket_id).order_by(CenterQuestion.id.desc())).all()


def open_question(session: Session, ticket_id: int) -> CenterQuestion | None:
    """The question that waits for its answer."""
    return session.scalars(
        select(CenterQuestion).where(CenterQuestion.ticket_id == ticket_id, CenterQuestion.answered_at.is_(None)).order_by(CenterQuestion.id.desc()).limit(1)
    ).one_or_none()
