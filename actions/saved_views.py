"""Keeping lists under a name: for oneself, or for everybody who reads tickets."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from actions import journal
from models.actors import StaffMember
from models.database import insert_on_conflict
from models.saved_views import NAME_CHARACTERS, SavedView, StartView, views_beside
from rules.limits import Limits
from rules.refusal import Refused
from rules.text import fold, one_line


def save_view(session: Session, name: str, query: str, *, shared: bool, by: StaffMember, limits: Limits, now: datetime) -> SavedView:
    """Keep the conditions of `query` under `name`, last among its kind. Refuses at name: view_name, view_name_long, view_name_taken, views_many."""
    view = SavedView(staff_id=by.id, shared=shared, name=_checked(name), query=query, position=0, created_at=now, updated_at=now)
    _check_place(session, view, limits)
    session.add(view)
    session.flush()
    _put_last(session, view)
    journal.record(session, "save_view", "saved_view", view.id, by=by, now=now, subject_name=view.name, shared=shared, query=query)
    return view


def change_view(session: Session, view: SavedView, name: str, *, shared: bool, by: StaffMember, limits: Limits, now: datetime) -> bool:
    """Rename a view, share it or take it back to oneself; False when nothing differs. Refuses as `save_view`."""
    before = [view.name, view.shared]
    wanted = _checked(name)
    if before == [wanted, shared]:
        return False
    moved = view.shared != shared
    with session.no_autoflush:
        view.name, view.shared, view.updated_at = wanted, shared, now
        if moved:
            view.staff_id = by.id or view.staff_id
        _check_place(session, view, limits)
    session.flush()
    if moved:
        _put_last(session, view)
    facts = {"name": [before[0], wanted], "shared": [before[1], shared]}
    journal.record(session, "change_view", "saved_view", view.id, by=by, now=now, subject_name=wanted, **facts)
    return True


def move_view(session: Session, view: SavedView, *, up: bool, now: datetime) -> None:
    """Change places with the neighbour above or below; at the end nothing moves."""
    beside = [*views_beside(session, view)]
    at = beside.index(view)
    other = at - 1 if up else at + 1
    if 0 <= other < len(beside):
        beside[at], beside[other] = beside[other], beside[at]
        view.updated_at = now
    for place, one in enumerate(beside):
        one.position = place


def delete_view(session: Session, view: SavedView, *, by: StaffMember, now: datetime) -> None:
    """Forget a view; who began with it begins with the usual list again."""
    session.execute(delete(StartView).where(StartView.view_id == view.id))
    session.delete(view)
    journal.record(session, "delete_view", "saved_view", view.id, by=by, now=now, subject_name=view.name, shared=view.shared, query=view.query)


def begin_with(session: Session, view: SavedView | None, *, by: StaffMember) -> None:
    """Let `view` be the first list after the sign-in, None: the usual one."""
    if view is None:
        session.execute(delete(StartView).where(StartView.staff_id == by.id))
        return
    added = insert_on_conflict(session, StartView).values(staff_id=by.id, view_id=view.id)
    session.execute(added.on_conflict_do_update(index_elements=["staff_id"], set_={"view_id": added.excluded.view_id}))


def _checked(name: str) -> str:
    text = one_line(name).strip()
    if not fold(text):
        raise Refused("view_name", "name")
    if len(text) > NAME_CHARACTERS:
        raise Refused("view_name_long", "name", max=NAME_CHARACTERS, n=len(text))
    return text


def _check_place(session: Session, view: SavedView, limits: Limits) -> None:
    beside = [one for one in views_beside(session, view) if one.id != view.id]
    if any(one.name == view.name for one in beside):
        raise Refused("view_name_taken", "name", name=view.name)
    if len(beside) >= limits.saved_views:
        raise Refused("views_many", "name", max=limits.saved_views)


def _put_last(session: Session, view: SavedView) -> None:
    view.position = max((one.position for one in views_beside(session, view) if one is not view), default=-1) + 1
