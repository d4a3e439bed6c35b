"""How a ticket was before an act that can be undone, and bringing it back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from models.tickets import Ticket

_UNDONE = ("state", "state_before", "unresolved", "clock_left", "clock_pauses", "assignee_id", "priority", "category_id")
_UNDONE_MOMENTS = ("state_from", "due_at", "owed_since", "first_answer_at", "resolved_at")


def snapshot(ticket: Ticket) -> dict[str, Any]:
    """What an act of the desk may change of a ticket, as JSON."""
    moments = {name: getattr(ticket, name) for name in _UNDONE_MOMENTS}
    return {name: getattr(ticket, name) for name in _UNDONE} | {name: at.isoformat() if at else None for name, at in moments.items()}


def restore(ticket: Ticket, before: Mapping[str, Any], *, since: Mapping[str, Any] | None = None) -> None:
    """Set what `snapshot` kept; with `since`, the snapshot behind the act, what somebody changed after it stays as it is.

    What an older snapshot does not name stays too.
    """
    present = snapshot(ticket)
    for name in present.keys() & before.keys():
        if since is None or present[name] == since.get(name):
            value = before[name]
            setattr(ticket, name, datetime.fromisoformat(value) if value and name in _UNDONE_MOMENTS else value)
