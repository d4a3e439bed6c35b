"""Reminders: that one was due and what became of it, what is switched off, who reads the day's overview when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, func, select
from sqlalchemy.orm import Mapped, Session

from models import load
from models.base import AnyRow, Base, mapped_column, words
from rules.reminders import DIGEST_HOUR, OFF_AT_FIRST, Kind, Outcome

load("people")


class Reminder(Base):
    """That a reminder of `kind` was due for `cause`, and what became of it: never a second time for one cause.

    `ticket_id` and `since` (when the answer came to be owed) let the reminders of answers find what is still to be told in one statement.
    """

    __tablename__ = "reminder"
    __table_args__ = (Index("ix_reminder_ticket", "ticket_id", "kind"), Index("ix_reminder_kind", "kind", "at"))
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    cause: Mapped[str] = mapped_column(String(200), unique=True)
    outcome: Mapped[Outcome] = mapped_column(words(Outcome, 10), default=Outcome.TOLD, server_default=Outcome.TOLD.value)
    ticket_id: Mapped[int | None]
    since: Mapped[datetime | None]
    at: Mapped[datetime]


class ReminderSwitch(Base):
    """That an administrator switched a kind of reminder on or off; without a row it is as `rules.reminders` says."""

    __tablename__ = "reminder_switch"
    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    active: Mapped[bool]


class DigestHour(Base):
    """When a staff member reads the day's overview; without a row at the usual hour, None: not at all."""

    __tablename__ = "digest_hour"
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True, autoincrement=False)
    hour: Mapped[int | None]


def active_kinds(session: Session) -> frozenset[Kind]:
    """The reminders that are switched on."""
    chosen = {row.kind: row.active for row in session.execute(select(ReminderSwitch.kind, ReminderSwitch.active))}
    return frozenset(kind for kind in Kind if chosen.get(kind.value, kind not in OFF_AT_FIRST))


def digest_hour(session: Session, staff_id: int) -> int | None:
    """When a staff member reads the day's overview; None: not at all."""
    row = session.execute(select(DigestHour.hour).where(DigestHour.staff_id == staff_id)).one_or_none()
    return row.hour if row else DIGEST_HOUR


def reminder_counts(session: Session, *, since: datetime) -> Mapping[str, AnyRow]:
    """By kind, the reminders that were due since `since`: kind, told (how many were given), last (when the newest was due)."""
    told = func.count().filter(Reminder.outcome == Outcome.TOLD).label("told")
    rows = session.execute(select(Reminder.kind, told, func.max(Reminder.at).label("last")).where(Reminder.at >= since).group_by(Reminder.kind))
    return {row.kind: row for row in rows}
