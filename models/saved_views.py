"""ビュー: conditions of the queue that somebody keeps under a name, for themselves or for all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, ForeignKey, Index, String, false, or_, select, true
from sqlalchemy.orm import Mapped, Session

from models import load
from models.base import AnyRow, Base, mapped_column

load("people")

NAME_CHARACTERS = 40


class SavedView(Base):
    """A list under a name: what its address asks for, whose it is, and where it stands among its kind."""

    __tablename__ = "saved_view"
    __table_args__ = (Index("ix_saved_view_staff", "staff_id", "position", "id"), Index("ix_saved_view_shared", "shared", "position", "id"))
    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    shared: Mapped[bool] = mapped_column(default=False, server_default=false())
    """For everybody who may read tickets; else only its owner knows of it."""
    name: Mapped[str] = mapped_column(String(NAME_CHARACTERS))
    query: Mapped[str] = mapped_column(String(2500))
    """The query string of the list, as `console.queue.Choice` writes it."""
    position: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class StartView(Base):
    """The saved view with which a staff member begins."""

    __tablename__ = "start_view"
    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), unique=True)
    view_id: Mapped[int] = mapped_column(ForeignKey("saved_view.id"), index=True)


def saved_views(session: Session, staff_id: int) -> Sequence[AnyRow]:
    """Those of a staff member, then the shared ones: id, staff_id, owner's (bool), shared, name, query, starts (bool)."""
    starts = select(StartView.id).where(StartView.staff_id == staff_id, StartView.view_id == SavedView.id).exists()
    columns = (SavedView.id, SavedView.staff_id, SavedView.shared, SavedView.name, SavedView.query, starts.label("starts"))
    statement = select(*columns).where(_seen_by(staff_id))
    return session.execute(statement.order_by(SavedView.shared, SavedView.position, SavedView.id)).all()


def view_name(session: Session, number: int, queries: Sequence[str], *, staff_id: int) -> str:
    """The name of a view that `staff_id` may see and that asks for one of `queries`, "" for none."""
    statement = select(SavedView.name).where(SavedView.id == number, SavedView.query.in_(queries), _seen_by(staff_id))
    return session.scalar(statement) or ""


def start_view(session: Session, staff_id: int) -> AnyRow | None:
    """The view with which a staff member begins: id, query; None without one, or when it is not shared any more."""
    statement = select(SavedView.id, SavedView.query).join(StartView, StartView.view_id == SavedView.id)
    return session.execute(statement.where(StartView.staff_id == staff_id, _seen_by(staff_id))).one_or_none()


def views_beside(session: Session, view: SavedView) -> Sequence[SavedView]:
    """The views among which `view` stands, in their order: its owner's own, or the shared ones."""
    among = SavedView.shared == true() if view.shared else (SavedView.shared == false()) & (SavedView.staff_id == view.staff_id)
    return session.scalars(select(SavedView).where(among).order_by(SavedView.position, SavedView.id)).all()


def _seen_by(staff_id: int) -> ColumnElement[bool]:
    return or_(SavedView.shared == true(), SavedView.staff_id == staff_id)
