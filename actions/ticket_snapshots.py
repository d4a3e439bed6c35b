"""How a ticket was before an act that can be undone, and bringing it back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from models.tickets import Ticket

_UNDONE = ("state", "state_before", "unresolved", "clock_left", "assignee_id")
_UNDONE_MOMENTS = ("state_from", "due_at", "owed_since", "first_answer_at", "resolved_at")


def snapshot(ticket: Ticket) -> dict[str, Any]:
    """What an act of the desk may change of a ticket, as JSON."""
    moments = {name: getattr(ticket, name) for name in _UNDONE_MOMENTS}
    return {name: getattr(ticket, name) for name in _UNDONE} | {name: at.isoformat() if at else None for name, at in moments.items()}


def restore(ticket: Ticket, before: Mapping[str, Any]) -> None:
    """Set what `snapshot` kept; whether nothing else came since is the caller's to know."""
    for name in _UNDONE:
        setattr(ticket, name, before[name])
    for name in _UNDONE_MOMENTS:
        setattr(ticket, name, datetime.fromisoformat(before[name]) if before[name] else None)
