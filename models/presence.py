"""閲覧中: who has a ticket open, and what colleagues are writing on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, UniqueConstraint, bindparam, delete, func, select
from sqlalchemy.orm import Mapped, Session

from models.base import AnyRow, Base, mapped_column
from models.kept import Kept
from models.people import Staff
from models.tickets import Draft, Message, MessageKind

LOOKING = timedelta(seconds=30)
"""So long after its last sign a page counts as open; pages give one every 15 seconds."""


class Presence(Base):
    """That a staff member has a ticket's page open; the page renews `seen_at` while it is visible."""

    __tablename__ = "presence"
    __table_args__ = (UniqueConstraint("ticket_id", "staff_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    seen_at: Mapped[datetime] = mapped_column(index=True)


@dataclass(frozen=True)
class Around:
    """What goes on around a reader of a ticket."""

    looking: Sequence[str]
    """Names of colleagues who only look."""
    drafts: Sequence[AnyRow]
    """Colleagues' unsent texts, the newest first: name, kind, body, updated_at."""
    newer: Sequence[AnyRow]
    """Posts of others that the reader's page does not show yet, oldest first: id, author_name, kind, created_at."""


def around(session: Session, ticket_id: int, *, staff_id: int, last_seen: int, now: datetime) -> Around:
    """Colleagues on a ticket, and posts of others after the message `last_seen`: three statements."""
    drafts = session.execute(
        select(Draft.staff_id, Staff.name, Draft.kind, Draft.body, Draft.updated_at)
        .join(Staff, Staff.id == Draft.staff_id)
        .where(Draft.ticket_id == ticket_id, Draft.staff_id != staff_id, func.length(Draft.body) > 0)
        .order_by(Draft.updated_at.desc())
    ).all()
    writing = {draft.staff_id for draft in drafts if draft.updated_at > now - LOOKING}
    here = session.execute(
        select(Presence.staff_id, Staff.name)
        .join(Staff, Staff.id == Presence.staff_id)
        .where(Presence.ticket_id == ticket_id, Presence.staff_id != staff_id, Presence.seen_at > now - LOOKING)
        .order_by(Staff.name)
    ).all()
    newer = session.execute(
        select(Message.id, Message.author_name, Message.kind, Message.created_at)
        .where(Message.ticket_id == ticket_id, Message.id > last_seen, Message.staff_id.is_distinct_from(staff_id))
        .order_by(Message.id)
    ).all()
    return Around([row.name for row in here if row.staff_id not in writing], drafts, newer)


def newest_post(session: Session, number: int) -> int:
    """The newest message of a ticket, 0 without any: what a page says its reader saw."""
    return session.scalar(select(func.max(Message.id)).where(Message.ticket_id == number)) or 0


def drop_draft(session: Session, number: int, kind: MessageKind, *, staff_id: int | None) -> None:
    """Forget a staff member's unsent text on a ticket: it was sent."""
    _DROP_DRAFT.rows(session, {"number": number, "written": kind, "by": staff_id})


_DROP_DRAFT = Kept(delete(Draft).where(Draft.ticket_id == bindparam("number"), Draft.kind == bindparam("written"), Draft.staff_id == bindparam("by")))
