"""電話の受付: staff open a ticket for a caller; without an account nobody outside is written to, until one is attached."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions import journal, notices
from actions.attachments import take_files
from actions.openings import Caller, Opening, new_ticket, search_text
from actions.tickets import add_message, already_posted
from mail.desk import Desk
from models.actors import StaffMember
from models.journal import JournalEntry
from models.people import Account, AccountState
from models.search import take_out
from models.tickets import Message, MessageKind, Source, Ticket
from rules.calendar import BusinessCalendar
from rules.limits import Limits
from rules.refusal import Refused
from rules.tickets import State


def open_phone_ticket(
    session: Session,
    opening: Opening,
    *,
    account: Account | None,
    caller: Caller,
    take: bool,
    files: Sequence[int] = (),
    follows: Ticket | None = None,
    submission: str,
    by: StaffMember,
    desk: Desk,
    limits: Limits,
    calendar: BusinessCalendar,
    now: datetime,
) -> Ticket:
    """Open a ticket for what a caller said; `take` makes it the opener's. The same letters as from the portal, to the account and the CC.

    The same `submission` again returns the ticket it made. Refuses: account_unknown, caller_name_empty, cc_without_account; at files what `take_files` does.
    """
    posted = already_posted(session, submission)
    if posted is not None:
        return session.get_one(Ticket, posted.ticket_id)
    _check_caller(account, caller, opening)
    ticket = new_ticket(session, opening, account, follows=follows, source=Source.PHONE, caller=caller, calendar=calendar, now=now)
    if take:
        ticket.assignee_id, ticket.state, ticket.state_before = by.id, State.OPEN, State.OPEN
    said_by = caller.name or (account.person_name if account else "")
    message = add_message(session, ticket, MessageKind.CUSTOMER, opening.body, submission=submission, by=by, published_at=now, now=now, author=said_by)
    taken = take_files(session, files, message, by=by, limits=limits)
    journal.record(session, "open_by_phone", "ticket", ticket.id, by=by, now=now, subject_name=ticket.subject, follows=ticket.follows_id)
    if follows is not None:
        journal.record(session, "follow_up", "ticket", follows.id, by=by, now=now, other=ticket.id)
    notices.ticket_opened(session, ticket, message, files=taken, desk=desk, limits=limits, calendar=calendar, now=now)
    return ticket


def attach_account(session: Session, ticket: Ticket, account_id: int, *, by: StaffMember, now: datetime) -> Account:
    """Give a ticket of nobody to an account, which sees it from now on.

    Refuses: account_attached, account_unknown, merge_gone(n) (its posts are another ticket's by now).
    """
    account = session.get(Account, account_id)
    if account is None or account.state == AccountState.ERASED:
        raise Refused("account_unknown", "account")
    if ticket.account_id is not None:
        raise Refused("account_attached", "account")
    if ticket.merged_into_id is not None:
        raise Refused("merge_gone", "account", n=ticket.id)
    _set_account(session, ticket, account, now=now)
    journal.record(session, "attach_account", "ticket", ticket.id, by=by, now=now, account=account.user_id, company=account.company_name)
    return account


def detach_account(session: Session, ticket: Ticket, *, by: StaffMember, now: datetime) -> None:
    """Take a phone ticket back from an account that it was given to by mistake.

    Refuses account_bound: the ticket is none from the phone, has no account, or the customer has written or decided something on it;
    account_merged(n): posts of the account's other tickets stand in it, or its own in another, and would change hands with it.
    """
    if ticket.source != Source.PHONE or ticket.account_id is None or _customer_acted(session, ticket.id):
        raise Refused("account_bound")
    merged = ticket.id if ticket.merged_into_id is not None else session.scalar(select(Ticket.id).where(Ticket.merged_into_id == ticket.id).limit(1))
    if merged is not None:
        raise Refused("account_merged", n=merged)
    account = session.get_one(Account, ticket.account_id)
    _set_account(session, ticket, None, now=now)
    ticket.cc = []
    journal.record(session, "detach_account", "ticket", ticket.id, by=by, now=now, account=account.user_id, company=account.company_name)


def _check_caller(account: Account | None, caller: Caller, opening: Opening) -> None:
    if account is None and not caller.name:
        raise Refused("caller_name_empty", "contact_name")
    if account is None and opening.cc:
        raise Refused("cc_without_account", "cc")
    if account is not None and account.state == AccountState.ERASED:
        raise Refused("account_unknown", "account")


def _customer_acted(session: Session, ticket_id: int) -> bool:
    """Whether a customer wrote on the ticket, or changed it: its thread tells that with their name and addresses."""
    written = select(Message.id).where(Message.ticket_id == ticket_id, Message.account_id.is_not(None))
    done = select(JournalEntry.id).where(JournalEntry.subject_kind == "ticket", JournalEntry.subject_id == ticket_id, JournalEntry.actor_kind == "customer")
    return session.scalar(written.limit(1)) is not None or session.scalar(done.limit(1)) is not None


def _set_account(session: Session, ticket: Ticket, account: Account | None, *, now: datetime) -> None:
    ticket.account_id = account.id if account else None
    ticket.search_text = search_text(ticket.subject, account, Caller(ticket.contact_company, ticket.contact_name, ticket.contact_phone))
    ticket.updated_at = now
    ticket.version += 1
    session.flush()
    take_out(session, ticket.id)
