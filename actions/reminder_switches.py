"""Switching a kind of reminder on and off."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from actions import journal
from models.actors import Actor
from models.database import insert_on_conflict
from models.reminders import ReminderSwitch, active_kinds
from rules.reminders import Kind


def switch(session: Session, kind: Kind, *, active: bool, by: Actor, now: datetime) -> None:
    """Let a kind of reminder be given from now on, or no more; what was due meanwhile and is still so is given when it is on again."""
    if (kind in active_kinds(session)) is active:
        return
    statement = insert_on_conflict(session, ReminderSwitch).values(kind=kind.value, active=active)
    session.execute(statement.on_conflict_do_update(index_elements=["kind"], set_={"active": active}))
    journal.record(session, "switch_reminder", "reminder", None, by=by, now=now, subject_name=kind.value, active=[not active, active])
