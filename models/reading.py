"""How far each of the staff has read a ticket, and what came after: the page opens there, and an answer unaware of it is stopped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ForeignKey, Integer, Row, UniqueConstraint, bindparam, literal, select, union_all
from sqlalchemy.orm import Mapped, Session

from models import load
from models.base import Base, mapped_column
from models.database import insert_on_conflict
from models.kept import Kept
from models.tickets import Message

load("people")

_NUMBER: Any = bindparam("number", type_=Integer)


class Reading(Base):
    """The newest message of a ticket that a staff member's page showed."""

    __tablename__ = "reading"
    __table_args__ = (UniqueConstraint("ticket_id", "staff_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    last_seen: Mapped[int]


def note_reading(session: Session, ticket_id: int, *, staff_id: int, last_seen: int) -> None:
    """Note what a page showed; an older page that is still open takes nothing back."""
    wanted = insert_on_conflict(session, Reading).values(ticket_id=ticket_id, staff_id=staff_id, last_seen=last_seen)
    newer = wanted.on_conflict_do_update(
        index_elements=["ticket_id", "staff_id"], set_={"last_seen": wanted.excluded.last_seen}, where=Reading.last_seen < wanted.excluded.last_seen
    )
    session.execute(newer)


def unseen_posts(session: Session, number: int, *, last_seen: int, submission: str, staff_id: int | None) -> Sequence[Row[Any]]:
    """What came since a reply's form was shown: own, id, author_name of the newest post of somebody else and, where `own`, of what this form made already."""
    return _UNSEEN.rows(session, {"number": number, "last_seen": last_seen, "submission": submission or None, "staff_id": staff_id})


_unseen = (
    select(literal(value=False).label("own"), Message.id, Message.author_name)
    .where(Message.ticket_id == _NUMBER, Message.id > bindparam("last_seen"), Message.staff_id.is_distinct_from(bindparam("staff_id", type_=Integer)))
    .order_by(Message.id.desc())
    .limit(1)
    .subquery()
)
# Two selects, an index for each: with one OR, SQLite reads every message of every ticket.
_UNSEEN = Kept(
    union_all(
        select(literal(value=True).label("own"), Message.id, Message.author_name).where(Message.submission == bindparam("submission")),
        select(*_unseen.c),
    )
)
