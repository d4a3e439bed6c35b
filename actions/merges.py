"""まとめ: a ticket's posts go to another ticket of the same account, and the ticket itself is closed; undoing brings both back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from actions import journal
from actions.clock import end_clock, follow_state, take_clock
from actions.ticket_snapshots import restore, snapshot
from actions.tickets import add_note, set_state, touch
from models.actors import StaffMember
from models.neighbours import LinkKind, TicketMerge, link_kind, merge_of
from models.search import take_out
from models.tickets import Message, Ticket
from rules.calendar import BusinessCalendar
from rules.limits import Limits
from rules.refusal import Refused
from rules.tickets import State, after_customer_post
from wording.ticket_acts import MERGE_UNDONE_NOTE, MERGED_NOTE

_QUIET = {"synchronize_session": False}


def check_merge(session: Session, ticket: Ticket, into: Ticket, *, now: datetime) -> None:
    """Refuse at into, unless `ticket` may be merged into it.

    Codes: other_same, merge_gone(n) (one of them is merged already), merge_accounts, merge_closed, merge_asked (the center owes an answer),
    merge_pending (an answer can still be undone).
    """
    if into.id == ticket.id:
        raise Refused("other_same", "into")
    for one in (ticket, into):
        if one.merged_into_id is not None:
            raise Refused("merge_gone", "into", n=one.id)
    if ticket.account_id != into.account_id or (ticket.account_id is None and link_kind(session, ticket.id, into.id) is not LinkKind.SPLIT_FROM):
        raise Refused("merge_accounts", "into")
    if State(into.state) is State.CLOSED:
        raise Refused("merge_closed", "into")
    if State(ticket.state) is State.WAITING_CENTER:
        raise Refused("merge_asked", "into")
    if session.scalar(select(Message.id).where(Message.ticket_id.in_((ticket.id, into.id)), Message.published_at > now).limit(1)) is not None:
        raise Refused("merge_pending", "into")


def merged_cc(ticket: Ticket, into: Ticket, limits: Limits) -> tuple[list[str], list[str]]:
    """The CC of `into` after the merge, and the addresses that find no room in it."""
    known = {address.lower() for address in into.cc}
    added = [address for address in ticket.cc if address.lower() not in known]
    room = max(limits.cc_addresses - len(into.cc), 0)
    return [*into.cc, *added[:room]], added[room:]


def merge(session: Session, ticket: Ticket, into: Ticket, *, by: StaffMember, limits: Limits, calendar: BusinessCalendar, now: datetime) -> None:
    """Merge; nobody is written to: no post was written and no answer published. Refuses what `check_merge` refuses.

    A note in `into` tells of it, so that an answer written unaware of the posts that came is stopped.
    """
    check_merge(session, ticket, into, now=now)
    moved = list(session.scalars(select(Message.id).where(Message.ticket_id == ticket.id).order_by(Message.id)))
    before: dict[str, Any] = {"messages": moved, "ticket": snapshot(ticket), "into": snapshot(into), "cc": list(into.cc)}
    _move_posts(session, moved, ticket.id, into.id)
    _carry_clock(ticket, into, calendar, now)
    into.cc = merged_cc(ticket, into, limits)[0]
    end_clock(ticket)
    set_state(ticket, State.CLOSED, since=now, now=now)
    ticket.merged_into_id = into.id
    touch(ticket, now)
    touch(into, now)
    session.add(TicketMerge(ticket_id=ticket.id, into_id=into.id, before=before | {"version": into.version}, merged_at=now, undone_at=None))
    add_note(session, into, MERGED_NOTE.format(n=ticket.id, subject=ticket.subject), by=by, now=now)
    journal.record(session, "merge_into", "ticket", ticket.id, by=by, now=now, other=into.id, **_moved(before["ticket"], ticket))
    journal.record(session, "take_merged", "ticket", into.id, by=by, now=now, other=ticket.id, **_moved(before["into"], into))


def undo_merge(session: Session, ticket: Ticket, into: Ticket, *, by: StaffMember, now: datetime) -> bool:
    """Bring a merged ticket back with its posts; whether `into` is as before too (it keeps what was done to it since).

    Refuses: merge_not (it is not merged into that ticket), merge_nested(n) (that ticket was itself merged meanwhile).
    """
    made = merge_of(session, ticket.id)
    if made is None or ticket.merged_into_id != into.id:
        raise Refused("merge_not")
    if into.merged_into_id is not None:
        raise Refused("merge_nested", n=into.id)
    _move_posts(session, made.before["messages"], into.id, ticket.id)
    closed, held = snapshot(ticket), snapshot(into)
    restore(ticket, made.before["ticket"])
    ticket.merged_into_id = None
    whole = into.version == made.before["version"]
    if whole:
        restore(into, made.before["into"])
        into.cc = made.before["cc"]
    made.undone_at = now
    touch(ticket, now)
    touch(into, now)
    add_note(session, into, MERGE_UNDONE_NOTE.format(n=ticket.id, subject=ticket.subject), by=by, now=now)
    journal.record(session, "undo_merge", "ticket", ticket.id, by=by, now=now, other=into.id, **_moved(closed, ticket))
    journal.record(session, "give_merged_back", "ticket", into.id, by=by, now=now, other=ticket.id, **_moved(held, into))
    return whole


def _moved(before: Mapping[str, Any], ticket: Ticket) -> dict[str, Any]:
    """What the journal tells of a ticket's state, where it is another one now: waits are counted by it."""
    return {"state": [before["state"], ticket.state]} if ticket.state != before["state"] else {}


def _move_posts(session: Session, messages: list[int], frm: int, to: int) -> None:
    """Posts with their files; search forgets them and learns them anew. Their letters stay with the ticket they were sent for."""
    session.flush()
    take_out(session, frm)
    wanted = (Message.id.in_(messages), Message.ticket_id == frm)
    session.execute(update(Message).where(*wanted).values(ticket_id=to), execution_options=_QUIET)


def _carry_clock(ticket: Ticket, into: Ticket, calendar: BusinessCalendar, now: datetime) -> None:
    """What is owed on the merged ticket is owed on the other one, from when the customer wrote it."""
    owed = ticket.owed_since
    if owed is None:
        return
    set_state(into, after_customer_post(into.state), since=now, now=now)
    if into.owed_since is None or owed < into.owed_since:
        take_clock(into, calendar, owed, _ended(ticket.clock_pauses, now))
    follow_state(into, calendar, now)


def _ended(pauses: Sequence[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """The pauses of a clock, the one that it stands in over: from now on another ticket's state says whether it does."""
    until = now.replace(microsecond=0).isoformat()
    return [{**one, "until": one["until"] or until} for one in pauses]
