"""Who could see or received data of one person between two moments: the selects behind that one screen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from models.admission import SignIn
from models.base import AnyRow
from models.journal import JournalEntry
from models.outbox import Letter, Recipient, RecipientState
from models.people import Staff
from models.tickets import Ticket

_MOST = 200


def who_received(session: Session, account_id: int, *, since: datetime, until: datetime) -> Sequence[AnyRow]:
    """Every address that a letter about the account or its tickets reached: address, place, letters, first, last; the most letters first."""
    tickets = select(Ticket.id).where(Ticket.account_id == account_id)
    statement = (
        select(
            Recipient.address,
            Recipient.place,
            func.count().label("letters"),
            func.min(Letter.created_at).label("first"),
            func.max(Letter.created_at).label("last"),
        )
        .join(Letter, Letter.id == Recipient.letter_id)
        .where(
            or_(Letter.account_id == account_id, Letter.ticket_id.in_(tickets)),
            # What nobody can say of was perhaps received.
            Recipient.state.in_([RecipientState.ACCEPTED, RecipientState.UNKNOWN]),
            Letter.created_at >= since,
            Letter.created_at < until,
        )
        .group_by(Recipient.address, Recipient.place)
        .order_by(func.count().desc(), Recipient.address)
    )
    return session.execute(statement.limit(_MOST)).all()


def who_acted(session: Session, account_id: int, *, since: datetime, until: datetime) -> Sequence[AnyRow]:
    """Who did something to the account or its tickets: actor_kind, actor_name, acts, first, last; the most acts first."""
    tickets = select(Ticket.id).where(Ticket.account_id == account_id)
    of_account = (JournalEntry.subject_kind == "account") & (JournalEntry.subject_id == account_id)
    of_tickets = (JournalEntry.subject_kind == "ticket") & JournalEntry.subject_id.in_(tickets)
    statement = (
        select(
            JournalEntry.actor_kind,
            JournalEntry.actor_name,
            func.count().label("acts"),
            func.min(JournalEntry.at).label("first"),
            func.max(JournalEntry.at).label("last"),
        )
        .where(or_(of_account, of_tickets), JournalEntry.at >= since, JournalEntry.at < until)
        .group_by(JournalEntry.actor_kind, JournalEntry.actor_name)
        .order_by(func.count().desc(), JournalEntry.actor_name)
    )
    return session.execute(statement.limit(_MOST)).all()


def where_signed_in(session: Session, account_id: int, *, since: datetime, until: datetime) -> Sequence[AnyRow]:
    """From where the account was entered: client, times, first, last."""
    statement = (
        select(SignIn.client, func.count().label("times"), func.min(SignIn.at).label("first"), func.max(SignIn.at).label("last"))
        .where(SignIn.account_id == account_id, SignIn.succeeded, SignIn.at >= since, SignIn.at < until)
        .group_by(SignIn.client)
        .order_by(func.max(SignIn.at).desc())
    )
    return session.execute(statement.limit(_MOST)).all()


def who_may_look(session: Session) -> Sequence[AnyRow]:
    """The staff who may enter now, with their roles: name, roles."""
    return session.execute(select(Staff.name, Staff.roles).where(Staff.active).order_by(Staff.name)).all()
