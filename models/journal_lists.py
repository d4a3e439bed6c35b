"""The named selects of the journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
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
    return newest_first(session, statement, JournalEntry.id, place, limit=limit)


def acts_on(session: Session, kind: str, number: int, *, since: datetime | None = None, limit: int = 200) -> Sequence[AnyRow]:
    """What was done to one subject from a moment on, the oldest first."""
    statement = _ENTRIES.where(JournalEntry.subject_kind == kind, JournalEntry.subject_id == number)
    if since is not None:
        statement = statement.where(JournalEntry.at >= since)
    return session.execute(statement.order_by(JournalEntry.id).limit(limit)).all()
