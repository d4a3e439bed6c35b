"""定型文 and 定型アクション: texts that staff insert, and acts that change several things of a ticket at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, bindparam, or_, select
from sqlalchemy.orm import Mapped, Session

from models.base import AnyRow, Base, mapped_column, words
from models.kept import Kept
from models.masters import Category, ProductFamily
from models.people import ANSWERS, QueueMember, Staff
from rules.tickets import Priority, State

MOST = 300
"""Of one kind, shared or of one person: what a list can show at once."""


class CannedKind(StrEnum):
    TEXT = "text"
    """定型文"""
    MACRO = "macro"
    """定型アクション"""


class PostKind(StrEnum):
    """What a macro's text becomes."""

    ANSWER = "answer"
    NOTE = "note"
    NOTHING = "nothing"


class Canned(Base):
    """A text with places for the ticket's words, and for a macro what else it changes. Without family, category or owner it is for all."""

    __tablename__ = "canned"
    __table_args__ = (Index("ix_canned_kind", "kind", "active", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[CannedKind] = mapped_column(words(CannedKind, 10))
    name: Mapped[str] = mapped_column(String(60))
    body: Mapped[str] = mapped_column(Text, default="")
    family_id: Mapped[int | None] = mapped_column(ForeignKey("product_family.id"), index=True)
    category_id: Mapped[int | None] = mapped_column(ForeignKey("category.id"), index=True)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), index=True)
    """Whose personal one it is."""
    post: Mapped[PostKind] = mapped_column(words(PostKind, 10), default=PostKind.ANSWER)
    to_state: Mapped[State | None] = mapped_column(words(State, 20))
    to_priority: Mapped[Priority | None] = mapped_column(words(Priority, 10))
    to_category_id: Mapped[int | None] = mapped_column(ForeignKey("category.id"), index=True)
    to_assignee: Mapped[str] = mapped_column(String(12), default="")
    """"" (stays), ``me`` (who runs it), ``nobody``, or a staff member's id."""
    active: Mapped[bool] = mapped_column(default=True)
    updated_at: Mapped[datetime]
    updated_by: Mapped[str] = mapped_column(String(100))

    def suits(self, *, family_id: int, category_id: int, staff_id: int | None) -> bool:
        """Whether this member may use it on a ticket of that family and category."""
        ours = self.owner_id in (None, staff_id) and self.active
        return ours and self.family_id in (None, family_id) and self.category_id in (None, category_id)


_FOR_TICKET = Kept(
    select(Canned.id, Canned.kind, Canned.name, Canned.body, Canned.owner_id, Canned.post, Canned.family_id, Canned.category_id)
    .where(
        Canned.active,
        or_(Canned.family_id.is_(None), Canned.family_id == bindparam("family_id")),
        or_(Canned.category_id.is_(None), Canned.category_id == bindparam("category_id")),
        or_(Canned.owner_id.is_(None), Canned.owner_id == bindparam("staff_id")),
    )
    .order_by(Canned.kind, Canned.owner_id.is_(None), Canned.name, Canned.id)
    .limit(4 * MOST)  # texts and macros, shared and one's own
)


def canned_for(session: Session, *, family_id: int, category_id: int, staff_id: int | None) -> Sequence[AnyRow]:
    """What a member may use on a ticket, the own ones first: id, kind, name, body, owner_id, post, family_id, category_id."""
    return _FOR_TICKET.rows(session, {"family_id": family_id, "category_id": category_id, "staff_id": staff_id})


def macros_of(session: Session, staff_id: int | None) -> Sequence[Canned]:
    """The active macros that a member may run on one ticket or another, the own ones first."""
    mine = or_(Canned.owner_id.is_(None), Canned.owner_id == staff_id)
    ordered = select(Canned).where(Canned.kind == CannedKind.MACRO, Canned.active, mine).order_by(Canned.owner_id.is_(None), Canned.name, Canned.id)
    return session.scalars(ordered.limit(2 * MOST)).all()


def canned_list(session: Session, kind: CannedKind, *, staff_id: int | None) -> Sequence[AnyRow]:
    """The shared ones and a member's own, by name: id, name, body, family, category, owner_id, active, updated_at, updated_by."""
    statement = (
        select(
            Canned.id,
            Canned.name,
            Canned.body,
            ProductFamily.name.label("family"),
            Category.name.label("category"),
            Canned.owner_id,
            Canned.active,
            Canned.updated_at,
            Canned.updated_by,
        )
        .outerjoin(ProductFamily, ProductFamily.id == Canned.family_id)
        .outerjoin(Category, Category.id == Canned.category_id)
        .where(Canned.kind == kind, or_(Canned.owner_id.is_(None), Canned.owner_id == staff_id))
        .order_by(Canned.active.desc(), Canned.name, Canned.id)
    )
    return session.execute(statement.limit(2 * MOST)).all()


def own_queues(session: Session, staff_id: int | None) -> frozenset[int]:
    """The families whose queue a member answers for."""
    return frozenset(session.scalars(select(QueueMember.family_id).where(QueueMember.staff_id == staff_id)))


def staff_names(session: Session) -> dict[int, str]:
    """Active staff who may be given tickets, by name."""
    rows = session.execute(select(Staff.id, Staff.name).where(Staff.active, ANSWERS).order_by(Staff.name, Staff.id)).all()
    return {row.id: row.name for row in rows}
