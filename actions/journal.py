"""Recording acts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from models.actors import Actor
from models.journal import JournalEntry
from models.kept import Kept

_INSERT = Kept(insert(JournalEntry))


def record(session: Session, act: str, subject_kind: str, subject_id: int | None, *, by: Actor, now: datetime, subject_name: str = "", **facts: object) -> None:
    """Add one row to the journal, in the caller's transaction.

    `act` is a verb of the glossary (``reply``, ``assign``), `facts` hold what changed as [before, after] or plain values.
    """
    # Past the ORM: nobody changes an entry, and a unit of work for it costs four times the row.
    entry = {
        "at": now,
        "actor_kind": by.kind,
        "actor_id": by.id,
        "actor_name": by.name,
        "act": act,
        "subject_kind": subject_kind,
        "subject_id": subject_id,
        "subject_name": subject_name,
        "facts": facts,
        "client": by.client,
    }
    _INSERT.rows(session, entry)
