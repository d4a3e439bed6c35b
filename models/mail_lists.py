"""The named selects of the mail ledger."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from enum import StrEnum

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from models.base import AnyRow, AnySelect
from models.database import begins_with
from models.outbox import Letter, LetterState, Recipient, RecipientState, ReturnedKind, ReturnedMail
from models.paging import Place, Sheet, newest_first
from models.people import Account
from models.tickets import Ticket
from rules.text import fold

_HIGHEST_TICKET = 2**31 - 1
_TICKET = re.compile(r"#?(\d{1,10})")
_LETTERS: AnySelect = select(
    Letter.id, Letter.kind, Letter.ticket_id, Letter.subject, Letter.state, Letter.created_at, Letter.try_at, Letter.sent_at, Letter.fault
)

_LOST = (ReturnedMail.letter_id.is_(None), ReturnedMail.ticket_id.is_(None), ReturnedMail.settled_at.is_(None), ReturnedMail.kind != ReturnedKind.AUTOMATIC)


class Shown(StrEnum):
    """What the ledger can be narrowed to."""

    TROUBLED = "troubled"
    """A try failed, and nobody has dealt with it."""
    WAITING = "waiting"
    SENDING = "sending"
    DONE = "done"
    PARKED = "parked"
    WITHDRAWN = "withdrawn"


def letter_list(session: Session, *, text: str, shown: Shown | None, place: Place, limit: int) -> Sheet:
    """Letters, the newest first; `text` is a ticket's number or the beginning of an address."""
    statement = _LETTERS
    if shown is Shown.TROUBLED:
        statement = statement.where(Letter.fault != "")
    elif shown is Shown.DONE:
        # Most are: the list is walked and the others are left out.
        statement = statement.where(Letter.state.not_in([state for state in LetterState if state is not LetterState.DONE]))
    elif shown is not None:
        statement = statement.where(Letter.state == LetterState(shown))
    if text:
        statement = statement.where(_found(session, text))
    return newest_first(session, statement, Letter.id, place, limit=limit)


def recipients_of(session: Session, letters: Sequence[int]) -> Mapping[int, list[AnyRow]]:
    """The recipients of `letters` by letter: letter_id, place, address, state, answer, updated_at; To before Cc."""
    found: dict[int, list[AnyRow]] = defaultdict(list)
    if letters:
        statement = select(Recipient.letter_id, Recipient.place, Recipient.address, Recipient.state, Recipient.answer, Recipient.updated_at)
        for row in session.execute(statement.where(Recipient.letter_id.in_(letters)).order_by(Recipient.letter_id, Recipient.place.desc(), Recipient.id)):
            found[row.letter_id].append(row)
    return found


def letter_page(session: Session, letter_id: int) -> AnyRow | None:
    """One letter with what it was about: every column, the ticket's subject, the account's user_id and company_name."""
    statement: AnySelect = (
        select(*Letter.__table__.columns, Ticket.subject.label("ticket_subject"), Account.user_id, Account.company_name)
        .outerjoin(Ticket, Ticket.id == Letter.ticket_id)
        .outerjoin(Account, Account.id == Letter.account_id)
        .where(Letter.id == letter_id)
    )
    return session.execute(statement).one_or_none()


def unreached_copies(session: Session, ticket_id: int) -> Sequence[AnyRow]:
    """The CC addresses that the ticket's last letter to them has not reached and will not: address, state, answer."""
    last = (
        select(func.max(Recipient.id))
        .join(Letter, Letter.id == Recipient.letter_id)
        .where(Letter.ticket_id == ticket_id, Letter.state != LetterState.WITHDRAWN, Recipient.place == "cc")
        .group_by(Recipient.address_key)
    )
    given_up = or_(
        Recipient.state.in_([RecipientState.PERMANENT, RecipientState.SUPPRESSED]),
        (Letter.state == LetterState.PARKED) & (Recipient.state != RecipientState.ACCEPTED),
    )
    statement = select(Recipient.address, Recipient.state, Recipient.answer).join(Letter, Letter.id == Recipient.letter_id)
    return session.execute(statement.where(Recipient.id.in_(last), given_up).order_by(Recipient.id)).all()


class Returns(StrEnum):
    """What the list of returned mails can be narrowed to: what nobody could place and nobody has dealt with, or one kind."""

    OPEN = "open"
    REPLY = "reply"
    REPORT = "report"
    AUTOMATIC = "automatic"


def returned_list(session: Session, *, text: str, shown: Returns | None, place: Place, limit: int) -> Sheet:
    """Mails that came back, the newest first: id, kind, sender, subject, letter_id, ticket_id, at, settled_at; `text` begins the sender's address."""
    mail = ReturnedMail
    statement: AnySelect = select(mail.id, mail.kind, mail.sender, mail.subject, mail.letter_id, mail.ticket_id, mail.at, mail.settled_at)
    if shown is Returns.OPEN:
        statement = statement.where(*_LOST)
    elif shown is not None:
        statement = statement.where(mail.kind == ReturnedKind(shown))
    if text:
        statement = statement.where(func.lower(mail.sender).startswith(fold(text).lower(), autoescape=True))
    return newest_first(session, statement, mail.id, place, limit=limit)


def lost_count(session: Session, *, most: int) -> int:
    """How many returned mails wait for somebody who knows whose they are, at most `most`."""
    return session.execute(select(func.count()).select_from(select(ReturnedMail.id).where(*_LOST).limit(most).subquery())).scalar_one()


def _found(session: Session, text: str) -> ColumnElement[bool]:
    number = _TICKET.fullmatch(fold(text))
    if number and int(number.group(1)) <= _HIGHEST_TICKET:
        return Letter.ticket_id == int(number.group(1))
    return Letter.id.in_(select(Recipient.letter_id).where(begins_with(session, Recipient.__table__.c.address_key, fold(text).lower())))
