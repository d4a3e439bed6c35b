"""まとめ: a ticket's posts go to another ticket of the same account, and the ticket itself is closed; undoing brings both back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from actions import journal
from actions.clock import change_calendar, change_target, end_clock, follow_state, take_clock
from actions.splits import owe_the_rest
from actions.ticket_snapshots import restore, snapshot
from actions.tickets import add_note, set_state, touch
from models.actors import StaffMember
from models.calendars import business_calendar
from models.neighbours import LinkKind, TicketMerge, customers_posts, link_kind, merge_of
from models.search import take_out
from models.tickets import Message, Ticket
from rules.calendar import BusinessCalendar
from rules.limits import Limits
from rules.refusal import Refused
from rules.tickets import Priority, State, after_customer_post, carry_cc
from wording.ticket_acts import MERGE_UNDONE_NOTE, MERGED_NOTE

_QUIET = {"synchronize_session": False}
_STATE = ("state", "state_before", "state_from", "unresolved", "resolved_at")
_CLOCK = ("due_at", "clock_left", "owed_since", "clock_pauses")
"""What a merge changes of a ticket."""


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
    before: dict[str, Any] = {"messages": moved, "ticket": _kept(ticket), "into": _kept(into), "cc": list(into.cc)}
    _move_posts(session, moved, ticket.id, into.id)
    _carry_clock(ticket, into, calendar, now)
    into.cc = merged_cc(ticket, into, limits)[0]
    end_clock(ticket)
    set_state(ticket, State.CLOSED, since=now, now=now)
    ticket.merged_into_id = into.id
    touch(ticket, now)
    touch(into, now)
    session.add(TicketMerge(ticket_id=ticket.id, into_id=into.id, before=before, merged_at=now, undone_at=None))
    add_note(session, into, MERGED_NOTE.format(n=ticket.id, subject=ticket.subject), by=by, now=now)
    journal.record(session, "merge_into", "ticket", ticket.id, by=by, now=now, other=into.id, **_moved(before["ticket"], ticket))
    journal.record(session, "take_merged", "ticket", into.id, by=by, now=now, other=ticket.id, **_moved(before["into"], into))


def undo_merge(session: Session, ticket: Ticket, into: Ticket, *, by: StaffMember, now: datetime) -> bool:
    """Bring a merged ticket back with its posts, and take out of `into` what came with it; whether `into` has its state back too.

    What was done to either since stays: a state that `into` was given after the merge, priorities, products, who has them, other CC.

    Refuses: merge_not (it is not merged into that ticket), merge_nested(n) (that ticket was itself merged meanwhile), split_gone (what the customer
    wrote on one of them was split off since: nothing of it would be left there).
    """
    made = merge_of(session, ticket.id)
    if made is None or ticket.merged_into_id != into.id:
        raise Refused("merge_not")
    if into.merged_into_id is not None:
        raise Refused("merge_nested", n=into.id)
    _check_posts(session, made, into)
    ticket_before, into_before = made.before["ticket"], made.before["into"]
    came = _move_posts(session, made.before["messages"], into.id, ticket.id)
    closed, held = snapshot(ticket), snapshot(into)
    carried, calendar = ticket_before["owed_since"], business_calendar(session)
    _come_back(ticket, ticket_before, calendar, now)
    if came < len(made.before["messages"]):
        owe_the_rest(session, ticket, calendar)
    ticket.merged_into_id = None
    later = _hand_over(session, made, carried)
    whole = later is None and into.state_from in (made.merged_at, datetime.fromisoformat(into_before["state_from"]))
    if whole:
        _come_back(into, into_before, calendar, now)
    elif carried and into.owed_since == datetime.fromisoformat(carried) and carried != into_before["owed_since"]:
        _owe_the_own(session, into, into_before, calendar, since=made.merged_at)
    into.cc = list(carry_cc(made.before["cc"], seen=[*made.before["cc"], *ticket.cc], present=into.cc))
    made.undone_at = now
    touch(ticket, now)
    touch(into, now)
    add_note(session, into, MERGE_UNDONE_NOTE.format(n=ticket.id, subject=ticket.subject), by=by, now=now)
    journal.record(session, "undo_merge", "ticket", ticket.id, by=by, now=now, other=into.id, **_moved(closed, ticket))
    journal.record(session, "give_merged_back", "ticket", into.id, by=by, now=now, other=ticket.id, **_moved(held, into))
    return whole


def _hand_over(session: Session, made: TicketMerge, carried: str | None) -> TicketMerge | None:
    """Let the merge that followed into the same ticket find it as this one did, as far as this one had changed it; None where none followed."""
    followed = (TicketMerge.into_id == made.into_id, TicketMerge.id > made.id, TicketMerge.undone_at.is_(None))
    later = session.scalars(select(TicketMerge).where(*followed).order_by(TicketMerge.id).limit(1)).one_or_none()
    if later is None:
        return None
    found, before = later.before["into"], made.before["into"]
    mine: dict[str, Any] = {}
    if found["state_from"] == made.merged_at.isoformat():
        mine |= {name: before[name] for name in _STATE}
    if carried and found["owed_since"] == carried != before["owed_since"]:
        mine |= {name: before[name] for name in _CLOCK}
    later.before = {**later.before, "into": {**found, **mine}}
    return later


def _check_posts(session: Session, made: TicketMerge, into: Ticket) -> None:
    moved = set(made.before["messages"])
    if len({post.id in moved for post in customers_posts(session, into.id)}) == 1:
        raise Refused("split_gone")


def _kept(ticket: Ticket) -> dict[str, Any]:
    return snapshot(ticket) | {"calendar_id": ticket.calendar_id}


def _moved(before: Mapping[str, Any], ticket: Ticket) -> dict[str, Any]:
    """What the journal tells of a ticket's state, where it is another one now: waits are counted by it."""
    return {"state": [before["state"], ticket.state]} if ticket.state != before["state"] else {}


def _move_posts(session: Session, messages: list[int], frm: int, to: int) -> int:
    """Posts with their files, as many as are still there; search forgets them and learns them anew. Their letters stay with the ticket they were sent for."""
    session.flush()
    take_out(session, frm)
    wanted = (Message.id.in_(messages), Message.ticket_id == frm)
    return len(session.scalars(update(Message).where(*wanted).values(ticket_id=to).returning(Message.id), execution_options=_QUIET).all())


def _carry_clock(ticket: Ticket, into: Ticket, calendar: BusinessCalendar, now: datetime) -> None:
    """What is owed on the merged ticket is owed on the other one, from when the customer wrote it."""
    owed = ticket.owed_since
    if owed is None:
        return
    set_state(into, after_customer_post(into.state), since=now, now=now)
    if into.owed_since is None or owed < into.owed_since:
        take_clock(into, calendar, owed, _ended(ticket.clock_pauses, now))
    follow_state(into, calendar, now)


def _come_back(ticket: Ticket, before: Mapping[str, Any], calendar: BusinessCalendar, now: datetime) -> None:
    """Give the ticket back the state and the clock it had, counted by the priority and the calendar that it has now."""
    priority, number = Priority(ticket.priority), ticket.calendar_id
    restore(ticket, {name: before[name] for name in (*_STATE, *_CLOCK)})
    if before.get("calendar_id", number) != number:
        change_calendar(ticket, calendar.of(before["calendar_id"]), calendar.of(number))
    if before["priority"] != priority:
        change_target(ticket, calendar, Priority(before["priority"]), now)


def _owe_the_own(session: Session, into: Ticket, before: Mapping[str, Any], calendar: BusinessCalendar, *, since: datetime) -> None:
    """Let a ticket that owed an answer to a post that went back owe it to its own: to what it owed before, else to what its customer wrote `since`."""
    owed = datetime.fromisoformat(before["owed_since"]) if before["owed_since"] else None
    later = [post.created_at for post in customers_posts(session, into.id) if post.created_at >= since]
    if owed is None and not later:
        end_clock(into)
        return
    own = [one for one in into.clock_pauses if datetime.fromisoformat(one["since"]) >= since.replace(microsecond=0)]
    take_clock(into, calendar, owed or later[0], [*_ended(before["clock_pauses"], since), *own])


def _ended(pauses: Sequence[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """The pauses of a clock, the one that it stands in over: from now on another ticket's state says whether it does."""
    until = now.replace(microsecond=0).isoformat()
    return [{**one, "until": one["until"] or until} for one in pauses]
