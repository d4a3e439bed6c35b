"""Unsent texts: kept while they are typed, and the signs of who is on a ticket."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.actors import StaffMember
from models.database import insert_on_conflict
from models.presence import Presence
from models.tickets import Draft, Message, MessageKind
from rules.limits import Limits
from rules.refusal import Refused

_QUIET = {"synchronize_session": False}


def keep_draft(session: Session, ticket_id: int, kind: MessageKind, body: str, *, submission: str = "", by: StaffMember, limits: Limits, now: datetime) -> None:
    """Keep the newest text of `by` on a ticket; an empty one forgets it. A draft that arrives after its post was sent changes nothing.

    Refuses: text_long.
    """
    if len(body) > limits.body_characters:
        raise Refused("text_long", "body", max=limits.body_characters, n=len(body))
    if _is_sent(session, submission):
        return
    if not body.strip():
        _forget(session, ticket_id, kind, by)
        return
    added = insert_on_conflict(session, Draft).values(ticket_id=ticket_id, staff_id=by.id, kind=kind, body=body, updated_at=now)
    newest = {"body": added.excluded.body, "updated_at": added.excluded.updated_at}
    session.execute(added.on_conflict_do_update(index_elements=["ticket_id", "staff_id", "kind"], set_=newest))
    # A post that was being written down holds its ticket, and let the row in only when it was there.
    if _is_sent(session, submission):
        _forget(session, ticket_id, kind, by)


def put_back(session: Session, ticket_id: int, kind: MessageKind, text: str, *, by: StaffMember, limits: Limits, now: datetime) -> None:
    """Make the text of a withdrawn post a draft again, above what its author began since. Beyond the limit the withdrawn text alone is kept."""
    begun = draft_of(session, ticket_id, kind, by=by)
    both = f"{text}\n\n{begun}" if begun.strip() and begun.strip() != text.strip() else text
    keep_draft(session, ticket_id, kind, both if len(both) <= limits.body_characters else text, by=by, limits=limits, now=now)


def draft_of(session: Session, ticket_id: int, kind: MessageKind, *, by: StaffMember) -> str:
    """The unsent text of `by` on a ticket, "" without one."""
    return session.scalar(select(Draft.body).where(Draft.ticket_id == ticket_id, Draft.staff_id == by.id, Draft.kind == kind)) or ""


def show_up(session: Session, ticket_id: int, *, by: StaffMember, now: datetime) -> None:
    """Note that `by` has the ticket's page open."""
    added = insert_on_conflict(session, Presence).values(ticket_id=ticket_id, staff_id=by.id, seen_at=now)
    session.execute(added.on_conflict_do_update(index_elements=["ticket_id", "staff_id"], set_={"seen_at": added.excluded.seen_at}))


def _is_sent(session: Session, submission: str) -> bool:
    return bool(submission) and session.scalar(select(Message.id).where(Message.submission == submission)) is not None


def _forget(session: Session, ticket_id: int, kind: MessageKind, by: StaffMember) -> None:
    session.execute(delete(Draft).where(Draft.ticket_id == ticket_id, Draft.staff_id == by.id, Draft.kind == kind), execution_options=_QUIET)
