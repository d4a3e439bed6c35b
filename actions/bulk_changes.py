"""まとめて操作: one act on many tickets, each with its own history and letters; what cannot be done to one is noted and stops none of the others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions import journal, notices_bulk
from actions.macros import ANY_POST, filled_text, run_macro
from actions.ticket_snapshots import snapshot
from actions.tickets import NoTicket, answer, assign, change_state, ticket_for_staff, withdraw_answer
from actions.undo_changes import bring_back
from mail.desk import Desk
from models.actors import StaffMember
from models.bulk_changes import BulkChange, BulkChangeTicket
from models.canned import Canned, CannedKind, PostKind
from models.journal import JournalEntry
from models.people import names_to_assign
from models.tickets import Ticket
from models.tokens import hash_token
from rules.bulk import BulkAct, Wish, check_complete, check_reach, foresee
from rules.calendar import BusinessCalendar
from rules.limits import Limits
from rules.refusal import Refused
from rules.tickets import State, check_post

UNDONE = "undone"
_POSTS = frozenset({"reply", "mail_reply"})
"""Acts of a customer that a bulk change must not pass over."""


@dataclass(frozen=True)
class Hand:
    """Who changes the tickets, and with what."""

    by: StaffMember
    desk: Desk
    limits: Limits
    calendar: BusinessCalendar
    now: datetime
    submission: str
    queues: Collection[int] | None
    """The families whose tickets `by` may change in bulk, None: all."""


def change_many(session: Session, chosen: Mapping[int, int], wish: Wish, *, hand: Hand) -> BulkChange:
    """Do what `wish` says to the tickets of `chosen` (number → the version that was seen); the same submission again returns what it made.

    A ticket that changed since, that is another queue's, or that the act itself refuses, is left alone and says why.
    Refuses as a whole: bulk_none, bulk_many(max, n), assignee_unknown, canned_gone, words_empty, text_long.
    """
    made = session.scalars(select(BulkChange).where(BulkChange.submission == hand.submission)).one_or_none()
    if made is not None:
        return made
    facts = _check(session, chosen, wish, hand.limits)
    kept = {**facts, "post": _macro(session, wish).post.value} if wish.act is BulkAct.MACRO else facts
    change = BulkChange(staff_id=hand.by.id, staff_name=hand.by.name, act=wish.act, facts=kept, submission=hand.submission, at=hand.now)
    session.add(change)
    session.flush()
    done: list[Ticket] = []
    # In the order of their numbers, so that two who change the same tickets wait for each other and never lock each other out.
    for number in sorted(chosen):
        ticket = _change_one(session, change, number, chosen[number], wish, hand)
        if ticket is not None:
            done.append(ticket)
    if done and wish.act in (BulkAct.ASSIGN, BulkAct.MACRO) and wish.staff_id not in (None, hand.by.id):
        notices_bulk.assigned_many(session, done, wish.staff_id, cause=str(change.id), by=hand.by, desk=hand.desk, now=hand.now)
    told = {"kind": wish.act.value, "done": len(done), "left": len(chosen) - len(done)}
    journal.record(session, "change_many", "bulk_change", change.id, by=hand.by, now=hand.now, **told, **facts)
    return change


def undo_many(session: Session, change: BulkChange, *, by: StaffMember, limits: Limits, now: datetime) -> int:
    """Bring back every ticket that nobody touched since, and withdraw the answers that are not published; returns how many came back.

    Refuses: bulk_undo_late (too late, undone already, or another's).
    """
    session.refresh(change, with_for_update=True)  # pressed twice, the second press finds it undone
    if not may_undo(change, by=by, limits=limits, now=now):
        raise Refused("bulk_undo_late")
    change.undone_at = now
    rows = session.scalars(
        select(BulkChangeTicket).where(BulkChangeTicket.change_id == change.id, BulkChangeTicket.refusal == "").order_by(BulkChangeTicket.ticket_id)
    ).all()
    for row in rows:
        row.undone = _undo_one(session, row, by=by, limits=limits, now=now)
    count = sum(row.undone == UNDONE for row in rows)
    journal.record(session, "undo_many", "bulk_change", change.id, by=by, now=now, kind=change.act, done=count, left=len(rows) - count)
    return count


def undo_until(change: BulkChange, limits: Limits) -> datetime:
    """Until when a bulk change can be undone: answers only while they are not published."""
    window = timedelta(seconds=limits.undo_send_seconds) if answers(change) else timedelta(minutes=limits.undo_bulk_minutes)
    return change.at + window


def answers(change: BulkChange) -> bool:
    """Whether it wrote to the customers."""
    return change.act == BulkAct.REPLY or change.facts.get("post") == PostKind.ANSWER


def may_undo(change: BulkChange, *, by: StaffMember, limits: Limits, now: datetime) -> bool:
    """Whether `by` can undo it now."""
    return change.undone_at is None and change.staff_id == by.id and now < undo_until(change, limits)


def _check(session: Session, chosen: Mapping[int, int], wish: Wish, limits: Limits) -> dict[str, Any]:
    """Refuse what no ticket could take; what the journal tells of the wish."""
    if not chosen:
        raise Refused("bulk_none")
    if len(chosen) > limits.bulk_tickets:
        raise Refused("bulk_many", max=limits.bulk_tickets, n=len(chosen))
    if wish.act is BulkAct.REPLY:
        check_post(wish.body, has_files=False, body_characters=limits.body_characters, takes_files=False)
        return {"state": wish.next_state} if wish.next_state else {}
    if wish.act is BulkAct.STATE:
        return {"state": wish.state}
    names, able = names_to_assign(session, {wish.staff_id})
    if wish.staff_id is not None and wish.staff_id not in able:
        raise Refused("assignee_unknown", "staff_id")
    if wish.act is BulkAct.MACRO:
        return {"macro": _macro(session, wish).name}
    return {"assignee": names.get(wish.staff_id or 0, "")}


def _change_one(session: Session, change: BulkChange, number: int, version: int, wish: Wish, hand: Hand) -> Ticket | None:
    """The ticket if it was changed; its row says what became of it. A number that names none leaves no row."""
    row = BulkChangeTicket(change_id=change.id, ticket_id=number, facts={}, before={}, version=0)
    try:
        with session.begin_nested():
            ticket = ticket_for_staff(session, number, change=True)
            _check_unchanged(session, ticket, version)
            check_reach(ticket.family_id, ticket.assignee_id, by=hand.by.id, queues=hand.queues)
            foresee(wish, State(ticket.state), assignee_id=ticket.assignee_id)
            row.before = snapshot(ticket)
            row.message_id = ACTS[wish.act](session, ticket, wish, hand)
            row.version = ticket.version
    except NoTicket:
        return None
    except Refused as refused:
        row.before, row.refusal, row.facts = {}, refused.code, {name: value if isinstance(value, int) else str(value) for name, value in refused.facts.items()}
        session.add(row)
        return None
    session.add(row)
    return ticket


def _check_unchanged(session: Session, ticket: Ticket, version: int) -> None:
    if ticket.version == version:
        return
    last = session.execute(
        select(JournalEntry.act, JournalEntry.actor_name)
        .where(JournalEntry.subject_kind == "ticket", JournalEntry.subject_id == ticket.id)
        .order_by(JournalEntry.id.desc())
        .limit(1)
    ).one_or_none()
    if last is not None and last.act in _POSTS:
        raise Refused("bulk_newer_post", name=last.actor_name)
    raise Refused("bulk_changed", name=last.actor_name if last else "–")


def _assign(session: Session, ticket: Ticket, wish: Wish, hand: Hand) -> None:
    assign(session, ticket, wish.staff_id, by=hand.by, desk=hand.desk, limits=hand.limits, now=hand.now, tell=False)


def _change_state(session: Session, ticket: Ticket, wish: Wish, hand: Hand) -> None:
    change_state(session, ticket, wish.state or State(ticket.state), by=hand.by, calendar=hand.calendar, now=hand.now)


def _reply(session: Session, ticket: Ticket, wish: Wish, hand: Hand) -> int:
    # Nobody wrote since: the version says so. The mark of each post hangs on the form's own.
    message = answer(
        session,
        ticket,
        wish.body,
        next_state=wish.next_state,
        last_seen=ANY_POST,
        submission=hash_token(f"{hand.submission}:{ticket.id}"),
        by=hand.by,
        desk=hand.desk,
        limits=hand.limits,
        now=hand.now,
    )
    return message.id


def _run_macro(session: Session, ticket: Ticket, wish: Wish, hand: Hand) -> int | None:
    macro = _macro(session, wish)
    if macro.post is PostKind.ANSWER:
        check_complete(filled_text(session, ticket.id, macro, by=hand.by, desk=hand.desk))
    posted = run_macro(
        session,
        ticket,
        macro,
        submission=hash_token(f"{hand.submission}:{ticket.id}"),
        by=hand.by,
        desk=hand.desk,
        limits=hand.limits,
        calendar=hand.calendar,
        now=hand.now,
        tell=False,
    )
    # A note is nobody's letter: it stays where the rest is undone.
    return posted.id if posted is not None and macro.post is PostKind.ANSWER else None


def _macro(session: Session, wish: Wish) -> Canned:
    macro = session.get(Canned, wish.macro_id)
    if macro is None or macro.kind != CannedKind.MACRO:
        raise Refused("canned_gone", "macro")
    return macro


ACTS: Mapping[BulkAct, Callable[[Session, Ticket, Wish, Hand], int | None]] = {
    BulkAct.ASSIGN: _assign,
    BulkAct.STATE: _change_state,
    BulkAct.REPLY: _reply,
    BulkAct.MACRO: _run_macro,
}
"""What each act does to one held ticket, returning the answer it wrote; a further one is a member of `BulkAct`, its part of `Wish` and a line here."""


def _undo_one(session: Session, row: BulkChangeTicket, *, by: StaffMember, limits: Limits, now: datetime) -> str:
    ticket = ticket_for_staff(session, row.ticket_id, change=True)
    if ticket.version != row.version:
        return "bulk_kept"
    if row.message_id is not None:
        try:
            with session.begin_nested():
                withdraw_answer(session, ticket, row.message_id, by=by, limits=limits, now=now)
        except Refused as refused:
            return refused.code
    if snapshot(ticket) == row.before:
        return UNDONE
    bring_back(session, ticket, row.before, act="undo_change", by=by, now=now)
    return UNDONE
