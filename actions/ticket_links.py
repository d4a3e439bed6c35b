"""関連: two tickets that people want to see beside each other, from either side."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from actions import journal
from models.actors import StaffMember
from models.neighbours import LinkKind, join_tickets, link_kind, part_tickets
from models.tickets import Ticket
from rules.refusal import Refused


def link(session: Session, ticket: Ticket, other_id: int, *, by: StaffMember, now: datetime) -> None:
    """Link two tickets, whosever they are: only staff see it. Refuses: other_unknown, other_same, linked_already."""
    if other_id == ticket.id:
        raise Refused("other_same", "other")
    if session.get(Ticket, other_id) is None:
        raise Refused("other_unknown", "other")
    if link_kind(session, ticket.id, other_id) is not None:
        raise Refused("linked_already", "other")
    join_tickets(session, ticket.id, other_id, here=LinkKind.RELATED, there=LinkKind.RELATED)
    _record(session, "link_tickets", ticket.id, other_id, by=by, now=now)


def unlink(session: Session, ticket: Ticket, other_id: int, *, by: StaffMember, now: datetime) -> None:
    """Take the link away; what was split off stays linked. Refuses: link_gone."""
    if link_kind(session, ticket.id, other_id) is not LinkKind.RELATED:
        raise Refused("link_gone", "other")
    part_tickets(session, ticket.id, other_id)
    _record(session, "unlink_tickets", ticket.id, other_id, by=by, now=now)


def _record(session: Session, act: str, number: int, other: int, *, by: StaffMember, now: datetime) -> None:
    for here, there in ((number, other), (other, number)):
        journal.record(session, act, "ticket", here, by=by, now=now, other=there)
