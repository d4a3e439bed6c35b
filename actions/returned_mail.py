"""Mails that came back: reports mark recipients, a person's answer is shown to staff and answered once. Nothing is ever posted on a ticket."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from actions import notices
from actions.journal import record
from actions.letters import Draft, thread_id, worded, write_letters
from actions.rates import count_one
from mail.desk import Desk
from mail.returned import Fate, Returned
from models.actors import SYSTEM, Actor
from models.database import insert_on_conflict
from models.outbox import Letter, Recipient, RecipientState, ReturnedKind, ReturnedMail
from models.tickets import Ticket
from rules.addresses import parse_address
from rules.calendar import tokyo_date
from rules.limits import Limits
from rules.refusal import Refused
from rules.text import fold

_ANSWERS, _REPLIES = "mail_answers", "mail_replies"
_MOST_REPLIES = 10
"""Mails of a day about one ticket that staff are told of one by one."""
_DAY = timedelta(days=1)
_THREAD = re.compile(r"<ticket-(\d{1,9})@")
_TOO_LONG = 10
"""Digits that no ticket number has."""
_HANDED_OVER = (RecipientState.ACCEPTED, RecipientState.UNKNOWN, RecipientState.TEMPORARY)


def take(session: Session, key: str, returned: Returned, *, desk: Desk, limits: Limits, now: datetime) -> ReturnedKind | None:
    """Record the mail that the mailbox knows as `key` and do what it asks for; None when it was taken before.

    A person's mail about a ticket that was merged stands on the other one, where it is answered.
    """
    kind = ReturnedKind.REPORT if returned.report else ReturnedKind.AUTOMATIC if returned.automatic else ReturnedKind.REPLY
    letter_id, ticket_id = _about(session, returned.references, desk)
    values = {
        "mailbox_key": key,
        "kind": kind,
        "letter_id": letter_id,
        "ticket_id": ticket_id,
        "sender": returned.sender,
        "subject": returned.subject,
        "body": returned.body,
        "answered": False,
        "at": now,
    }
    adding = insert_on_conflict(session, ReturnedMail).values(**values).on_conflict_do_nothing(index_elements=["mailbox_key"])
    id_ = session.execute(adding.returning(ReturnedMail.id)).scalar_one_or_none()
    if id_ is None:
        return None
    if kind is ReturnedKind.REPORT and letter_id is not None:
        _mark(session, letter_id, returned.fates, now)
    if kind is ReturnedKind.REPLY and ticket_id is not None:
        record(session, "mail_reply", "ticket", ticket_id, by=SYSTEM, now=now, address=returned.sender)
        _tell(session, id_, letter_id, ticket_id, desk=desk, limits=limits, now=now)
        if _answer(session, id_, returned, ticket_id, desk=desk, now=now):
            session.execute(update(ReturnedMail).where(ReturnedMail.id == id_).values(answered=True))
    return kind


def place(session: Session, mail: ReturnedMail, number: str, *, by: Actor, now: datetime) -> int:
    """Show a person's mail that found no ticket by itself on the ticket `number`; the ticket's id. Nobody is written to.

    Refuses at ``ticket``: returned_ticket_empty, returned_ticket_unknown; and mail_placed when it stands on a ticket already.
    """
    if mail.ticket_id is not None:
        raise Refused("mail_placed")
    digits = fold(number).lstrip("#")
    if not digits:
        raise Refused("returned_ticket_empty", "ticket")
    found = session.scalar(select(Ticket.id).where(Ticket.id == int(digits))) if digits.isascii() and digits.isdecimal() and len(digits) < _TOO_LONG else None
    if found is None:
        raise Refused("returned_ticket_unknown", "ticket")
    mail.ticket_id, mail.settled_at, mail.settled_by = found, now, by.name
    record(session, "mail_reply", "ticket", found, by=by, now=now, address=mail.sender)
    return found


def settle(session: Session, mail: ReturnedMail, *, by: Actor, now: datetime) -> None:
    """Somebody has dealt with a mail; once is enough."""
    if mail.settled_at is None:
        mail.settled_at, mail.settled_by = now, by.name
        record(session, "settle_returned_mail", "returned_mail", mail.id, by=by, now=now, address=mail.sender)


def _about(session: Session, references: Collection[str], desk: Desk) -> tuple[int | None, int | None]:
    """(letter, ticket) that a mail speaks of: by a letter's Message-ID, else by the id that all letters of a ticket refer to."""
    if not references:
        return None, None
    row = session.execute(select(Letter.id, Letter.ticket_id).where(Letter.header_id.in_(references)).order_by(Letter.id.desc()).limit(1)).first()
    if row is not None:
        return row.id, _there(session, row.ticket_id)
    for text in references:
        found = _THREAD.match(text)
        if found and text == thread_id(int(found.group(1)), desk):
            return None, _there(session, int(found.group(1)))
    return None, None


def _there(session: Session, number: int | None) -> int | None:
    """The ticket of a number, or the one that it was merged into; None where there is none."""
    ticket = session.get(Ticket, number) if number is not None else None
    while ticket is not None and ticket.merged_into_id is not None:
        ticket = session.get_one(Ticket, ticket.merged_into_id)
    return ticket.id if ticket is not None else None


def _tell(session: Session, id_: int, letter_id: int | None, ticket_id: int, *, desk: Desk, limits: Limits, now: datetime) -> None:
    """Tell staff of an answer to a customer's letter, whose Message-ID nobody guesses; a ticket's own id proves nothing."""
    if session.scalar(select(Letter.id).where(Letter.id == letter_id, Letter.account_id.is_not(None))) is None:
        return
    if count_one(session, _REPLIES, str(ticket_id), window=_DAY, now=now) <= _MOST_REPLIES:
        notices.mail_replied(session, session.get_one(Ticket, ticket_id), id_, desk=desk, limits=limits, now=now)


def _mark(session: Session, letter_id: int, fates: Collection[Fate], now: datetime) -> None:
    """恒久失敗 for whom a server downstream gave up, though ours had taken the letter."""
    for fate in fates:
        if not fate.failed:
            continue
        there = (Recipient.letter_id == letter_id, Recipient.address_key.in_(fate.addresses), Recipient.state.in_(_HANDED_OVER))
        values = {"state": RecipientState.PERMANENT, "answer": fate.words, "updated_at": now}
        if session.execute(update(Recipient).where(*there).values(**values).returning(Recipient.id)).first() is not None:
            session.execute(update(Letter).where(Letter.id == letter_id).values(fault=fate.words or "returned"))


def _answer(session: Session, id_: int, returned: Returned, ticket_id: int, *, desk: Desk, now: datetime) -> bool:
    """Tell the sender how to answer in the portal: once a day and address, whatever they write and however often."""
    try:
        address = parse_address(returned.sender)
    except Refused:
        return False
    if count_one(session, _ANSWERS, address.key, window=_DAY, now=now) > 1:
        return False
    text = worded(session, "mail_not_taken", desk=desk, ticket_id=ticket_id)
    cause = f"mail_not_taken:{id_}:{tokyo_date(now).isoformat()}"
    return bool(write_letters(session, [Draft("mail_not_taken", cause, text, [address.value], ticket_id=ticket_id)], desk=desk, now=now))
