"""Bringing a ticket back to what it was before somebody changed it by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from actions import journal
from actions.ticket_snapshots import restore
from actions.tickets import touch
from models.actors import StaffMember
from models.masters import Category
from models.people import names_to_assign
from models.tickets import Ticket
from rules.refusal import Refused


def undo_last(session: Session, ticket: Ticket, before: Mapping[str, Any], *, version: int, by: StaffMember, now: datetime) -> None:
    """Undo the change that made the ticket's `version`; `before` is its snapshot. A letter about an assignment is not called back.

    Refuses: changed_since (somebody wrote or changed something after it).
    """
    if ticket.version != version:
        raise Refused("changed_since")
    bring_back(session, ticket, before, act="undo_last", by=by, now=now)


def bring_back(session: Session, ticket: Ticket, before: Mapping[str, Any], *, act: str, by: StaffMember, now: datetime) -> None:
    """Set what the snapshot `before` kept, with a line in the journal that names what went back. Who answers no more gets no ticket back."""
    state, assignee, priority, category = ticket.state, ticket.assignee_id, ticket.priority, ticket.category_id
    restore(ticket, before)
    touch(ticket, now)
    names, able = names_to_assign(session, {assignee, ticket.assignee_id})
    if ticket.assignee_id not in able:
        ticket.assignee_id = None
    told: dict[str, Any] = {"state": [state, ticket.state], "assignee": [names.get(assignee or 0, ""), names.get(ticket.assignee_id or 0, "")]}
    if ticket.priority != priority:
        told["priority"] = [priority, ticket.priority]
    if ticket.category_id != category:
        told["category"] = [session.get_one(Category, number).name for number in (category, ticket.category_id)]
    journal.record(session, act, "ticket", ticket.id, by=by, now=now, **told)
