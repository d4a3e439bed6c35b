"""The deadline of a ticket's next answer as people read it: time left in business hours, near, over, or a clock that stands."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from models.base import NEVER
from rules.calendar import BusinessCalendar
from rules.reminders import NEAR_SHARE
from rules.tickets import Priority, State
from wording.catalog import N_, translate

_WHY = {
    State.WAITING_CUSTOMER: N_("お客様の返信待ち"),
    State.WAITING_VENDOR: N_("メーカー回答待ち"),
    State.WAITING_CENTER: N_("契約の確認待ち"),
}
_DAYS = N_("{why} {days}日")


class Deadline(NamedTuple):
    """What ui.deadline_card shows. `left` counts business seconds (past the deadline when over), `used` is 0…100."""

    kind: str
    left: int = 0
    due_at: datetime | None = None
    used: int = 0
    why: str = ""


def deadline_of(ticket: Any, calendar: BusinessCalendar, now: datetime, *, language: str) -> Deadline | None:
    """The deadline of a ticket, or of a row with its clock; None when nothing is owed and nobody is waited for. `calendar` is the desk's."""
    due_at = ticket.due_at
    if due_at == NEVER:
        state = State(ticket.state)
        return Deadline("stopped", why=_why(state, ticket.state_from, now, language)) if state in _WHY else None
    mine = calendar.of(ticket.calendar_id)
    left = mine.business_seconds(now, due_at)
    if due_at <= now:
        return Deadline("over", -left, due_at, 100)
    total = mine.target_seconds(Priority(ticket.priority), answered=ticket.first_answer_at is not None)
    kind = "near" if left * NEAR_SHARE <= total else "running"
    return Deadline(kind, left, due_at, max(0, min(100, 100 - left * 100 // total)))


def _why(state: State, since: datetime, now: datetime, language: str) -> str:
    why = translate(_WHY[state], language)
    days = (now - since).days
    return translate(_DAYS, language).format(why=why, days=days) if days > 0 else why
