"""The named selects of the journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base import AnyRow, AnySelect
from models.journal import JournalEntry
from models.paging import Place, Sheet, newest_first

_ENTRIES: AnySelect = select(
    JournalEntry.id,
    JournalEntry.at,
    JournalEntry.actor_kind,
    JournalEntry.actor_id,
    JournalEntry.actor_name,
    JournalEntry.act,
    JournalEntry.subject_kind,
    JournalEntry.subject_id,
    JournalEntry.subject_name,
    JournalEntry.facts,
    JournalEntry.client,
)

_NEAREST = 5_000
"""Entries that are looked through for a name before the names themselves are."""
_NAMES = 100
"""More names than these are found among the entries sooner than by name."""


@dataclass(frozen=True)
class Sought:
    """What of the journal is shown; every part narrows it."""

    own_id: int | None = None
    """The staff member whose own acts are all there is to see."""
    actor: str = ""
    act: str = ""
    subject_kind: str = ""
    subject_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Acts before this moment."""


def journal_list(session: Session, sought: Sought, *, place: Place, limit: int) -> Sheet:
    """Acts, the newest first."""
    statement = _narrowed(sought)
    if not sought.actor or place.after is not None:
        return newest_first(session, statement, JournalEntry.id, place, limit=limit)
    newest = place.before or (session.execute(select(func.max(JournalEntry.id))).scalar_one() or 0) + 1
    near = newest_first(session, statement.where(JournalEntry.id >= newest - _NEAREST), JournalEntry.id, place, limit=limit)
    if near.older or newest <= _NEAREST:
        return near
    names = _names_with(session, sought.actor)
    if len(names) <= _NAMES:
        statement = statement.where(JournalEntry.actor_name.in_(names))
    return newest_first(session, statement, JournalEntry.id, place, limit=limit)


def _narrowed(sought: Sought) -> AnySelect:
    statement = _ENTRIES
    if sought.own_id is not None:
        statement = statement.where(JournalEntry.actor_kind == "staff", JournalEntry.actor_id == sought.own_id)
    if sought.actor:
        statement = statement.where(JournalEntry.actor_name.contains(sought.actor, autoescape=True))
    if sought.act:
        statement = statement.where(JournalEntry.act == sought.act)
    if sought.subject_kind:
        statement = statement.where(JournalEntry.subject_kind == sought.subject_kind)
    if sought.subject_id is not None:
        statement = statement.where(JournalEntry.subject_id == sought.subject_id)
    if sought.since is not None:
        statement = statement.where(JournalEntry.at >= sought.since)
    if sought.until is not None:
        statement = statement.where(JournalEntry.at < sought.until)
    return statement


def _names_with(session: Session, part: str) -> Sequence[str]:
    """Names of actors that hold `part`, one more than are useful: the index of names is walked from one name to the next."""
    name = select(func.min(JournalEntry.actor_name).label("name")).cte("name", recursive=True)
    following = select(func.min(JournalEntry.actor_name)).where(JournalEntry.actor_name > name.c.name).scalar_subquery()
    name = name.union_all(select(following).where(name.c.name.is_not(None)))
    return session.scalars(select(name.c.name).where(name.c.name.contains(part, autoescape=True)).limit(_NAMES + 1)).all()


def acts_on(session: Session, kind: str, number: int, *, since: datetime | None = None, limit: int = 200) -> Sequence[AnyRow]:
    """What was done to one subject from a moment on, the oldest first."""
    statement = _ENTRIES.where(JournalEntry.subject_kind == kind, JournalEntry.subject_id == number)
    if since is not None:
        statement = statement.where(JournalEntry.at >= since)
    return session.execute(statement.order_by(JournalEntry.id).limit(limit)).all()
