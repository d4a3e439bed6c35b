"""Keeping in the journal who knocked at a door that is not theirs."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.actors import Actor
from models.journal import JournalEntry
from rules.text import one_line
from web.call import Basis

ACT = "refuse_access"
AT_MOST = 20
"""Lines of one person in an hour: what a page that reloads itself adds says nothing new, and nobody shall fill the journal."""
_WHILE = timedelta(hours=1)
_SUBJECT_CHARACTERS = 300


def note_refused(actor: Actor, basis: Basis, session: Session) -> None:
    """Add the line, unless the last `AT_MOST` acts of `actor` are such lines of this hour."""
    latest = select(JournalEntry.act, JournalEntry.at).where(JournalEntry.actor_kind == actor.kind, JournalEntry.actor_id == actor.id)
    rows = session.execute(latest.order_by(JournalEntry.id.desc()).limit(AT_MOST)).all()
    if sum(row.act == ACT and row.at > basis.now - _WHILE for row in rows) >= AT_MOST:
        return
    session.add(
        JournalEntry(
            at=basis.now,
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_name=actor.name,
            act=ACT,
            subject_kind="page",
            subject_id=None,
            subject_name=one_line(basis.request.scope["path"])[:_SUBJECT_CHARACTERS],
            facts={"method": basis.request.method},
            client=basis.client,
        )
    )
