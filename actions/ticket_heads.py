"""What heads a ticket in the full text: its subject, and its account's people as they are called now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.openings import Caller, search_text
from models.base import AnyRow
from models.journal import JournalEntry
from models.people import Account, AccountState
from models.search import put_in_again
from models.tickets import Ticket

_RENAMES = ("edit_profile", "change_email")
_LOOKED_AT = 500
"""Tickets that are read at a time."""


def renamed_accounts(session: Session, since: datetime | None) -> list[int]:
    """The accounts whose profile or e-mail changed from `since` on (None: ever)."""
    acts = select(JournalEntry.subject_id).where(JournalEntry.act.in_(_RENAMES))
    if since is not None:
        acts = acts.where(JournalEntry.at >= since)
    return sorted({number for number in session.scalars(acts) if number is not None})


def tickets_of_old_words(session: Session, account_id: int, *, after: int = 0) -> tuple[list[int], int | None]:
    """Those of the account's next tickets that are headed by other words than today's, and the last one that was looked at (None: there are no more)."""
    account = session.get_one(Account, account_id)
    columns = (Ticket.id, Ticket.subject, Ticket.search_text, Ticket.contact_company, Ticket.contact_name, Ticket.contact_phone)
    theirs = select(*columns).where(Ticket.account_id == account_id, Ticket.id > after)
    rows = session.execute(theirs.order_by(Ticket.id).limit(_LOOKED_AT)).all()
    old = [row.id for row in rows if row.search_text != _head_of(row, account)] if account.state != AccountState.ERASED else []
    return old, rows[-1].id if len(rows) == _LOOKED_AT else None


def head_anew(session: Session, account_id: int, tickets: Sequence[int]) -> int:
    """Head these tickets of the account by today's words; how many were. They are found by them at once, and stay found meanwhile.

    The account is read behind its tickets, as who erases its person holds those first.
    """
    wanted = select(Ticket).where(Ticket.id.in_(tickets), Ticket.account_id == account_id).order_by(Ticket.id)
    held = session.scalars(wanted.with_for_update(), execution_options={"populate_existing": True}).all()
    account = session.get_one(Account, account_id, populate_existing=True)
    if account.state == AccountState.ERASED:
        return 0
    for ticket in held:
        ticket.search_text = _head_of(ticket, account)
    session.flush()
    put_in_again(session, [ticket.id for ticket in held])
    return len(held)


def _head_of(ticket: Ticket | AnyRow, account: Account) -> str:
    return search_text(ticket.subject, account, Caller(ticket.contact_company, ticket.contact_name, ticket.contact_phone))
