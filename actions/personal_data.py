"""One person's data: handed out whole (開示請求), and taken away for ever (SECURITY, "Personal data").

Erasing leaves the account's row, its tickets and the journal's lines, all without the person.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from enum import Enum
from typing import Any, cast

from sqlalchemy import and_, case, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from actions import journal
from models.actors import Actor
from models.admission import AccountLink, AccountTotp, Consent, PendingRegistration, RecoveryRequest, Refusal, SignIn
from models.base import AnyRow, AnySelect
from models.email_changes import EmailChange
from models.journal import JournalEntry
from models.neighbours import TicketMerge
from models.outbox import CopyStop, Letter, LetterState, Recipient, RecipientState, ReturnedKind, ReturnedMail
from models.people import Account, AccountSession, AccountState, RateCount
from models.radar import AccountFinding
from models.requests import ExceptionRequest, RequestLink
from models.search import take_out
from models.tickets import Attachment, Message, MessageKind, Ticket
from rules.refusal import Refused
from rules.text import searchable

NOBODY = "（削除済みのお客様）"
_PROFILE = ("user_id", "company_name", "person_name", "email", "maintenance_email", "contract_key", "state", "privacy_version", "created_at", "updated_at")
_TOLD = frozenset({"user_id", "email", "person_name", "company_name", "maintenance_email", "contract_key"})
"""Facts of the journal that tell of the person."""


def export_person(session: Session, account: Account, *, by: Actor, now: datetime) -> dict[str, Any]:
    """Everything that is kept of an account's holder, as plain values; notes of the staff are not theirs. The act is journalled.

    Refuses: account_erased.
    """
    _check(account)
    posts = select(Message.ticket_id, Message.kind, Message.author_name, Message.body, Message.created_at).join(Ticket, Ticket.id == Message.ticket_id)
    files = select(Message.ticket_id, Attachment.name, Attachment.size, Attachment.sha256, Attachment.created_at).join(
        Message, Message.id == Attachment.message_id
    )
    own = (Ticket.account_id == account.id, Message.kind != MessageKind.NOTE, Message.published_at <= now)
    letters = select(Letter.kind, Letter.subject, Letter.body, Letter.created_at, Recipient.place, Recipient.address, Recipient.state).join(
        Recipient, Recipient.letter_id == Letter.id
    )
    changes = select(EmailChange.id, EmailChange.state, EmailChange.old_email, EmailChange.new_email, EmailChange.body, EmailChange.created_at)
    requests = select(ExceptionRequest.id, ExceptionRequest.state, ExceptionRequest.email, ExceptionRequest.answer, ExceptionRequest.created_at)
    told: dict[str, Any] = {
        "exported_at": now.isoformat(),
        "account": {name: _plain(getattr(account, name)) for name in _PROFILE},
        "consents": _rows(session, select(Consent.privacy_version, Consent.at).where(Consent.account_id == account.id)),
        "sign_ins": _rows(session, select(SignIn.at, SignIn.succeeded, SignIn.how, SignIn.client).where(SignIn.account_id == account.id)),
        "sessions": _rows(
            session, select(AccountSession.created_at, AccountSession.seen_at, AccountSession.client).where(AccountSession.account_id == account.id)
        ),
        "tickets": _rows(
            session,
            select(
                Ticket.id,
                Ticket.subject,
                Ticket.contract_text,
                Ticket.serial_text,
                Ticket.model,
                Ticket.os_version,
                Ticket.cc,
                Ticket.created_at,
                Ticket.contact_name,
                Ticket.contact_phone,
            ).where(Ticket.account_id == account.id),
        ),
        "posts": _rows(session, posts.where(*own).order_by(Message.id)),
        "files": _rows(session, files.join(Ticket, Ticket.id == Message.ticket_id).where(*own).order_by(Attachment.id)),
        "letters": _rows(session, letters.where(Recipient.address_key == account.email_key).order_by(Letter.id)),
        "email_changes": _rows(session, changes.where(EmailChange.account_id == account.id)),
        "exception_requests": _rows(session, requests.where(ExceptionRequest.account_id == account.id)),
        "journal": _rows(session, select(JournalEntry.at, JournalEntry.act, JournalEntry.facts, JournalEntry.client).where(*_acts_of(account))),
    }
    journal.record(session, "export_person", "account", account.id, by=by, now=now, subject_name=account.user_id)
    return told


def files_of(session: Session, account_id: int, *, now: datetime) -> Sequence[AnyRow]:
    """The files on an account's tickets as its holder sees them: ticket_id, name, storage_key."""
    statement = select(Message.ticket_id, Attachment.name, Attachment.storage_key).join(Message, Message.id == Attachment.message_id)
    statement = statement.join(Ticket, Ticket.id == Message.ticket_id)
    own = (Ticket.account_id == account_id, Message.kind != MessageKind.NOTE, Message.published_at <= now)
    return session.execute(statement.where(*own).order_by(Attachment.id)).all()


def erase_person(session: Session, account: Account, *, confirmation: str, reason: str, by: Actor, now: datetime) -> None:
    """Take the person out of everything that is kept, for ever.

    Their address in the CC of another account's ticket stays: it is what that customer entered, who takes it out; so does their word that no
    copies shall go there, or these would begin again.
    Refuses: account_erased, text_empty at reason, erase_confirmation(user_id) at confirmation.
    """
    _check(account)
    if not reason.strip():
        raise Refused("text_empty", "reason")
    if confirmation.strip() != account.user_id:
        raise Refused("erase_confirmation", "confirmation", user_id=account.user_id)
    # Sessions, links and the like go first: nobody signs in while the rest is taken away.
    for table in (AccountSession, AccountLink, AccountTotp, SignIn, AccountFinding):
        session.execute(delete(table).where(table.account_id == account.id))
    session.execute(delete(PendingRegistration).where(PendingRegistration.account_id == account.id))
    session.execute(delete(RateCount).where(RateCount.key == account.email_key))
    session.execute(delete(RecoveryRequest).where(RecoveryRequest.email_key == account.email_key))
    _hold(session, account)
    _erase_lines(session, account)
    _erase_returned(session, account)
    _erase_letters(session, account, now=now)
    _erase_tickets(session, account)
    _erase_refusals(session, account)
    _erase_requests(session, account)
    _erase_journal(session, account)
    _erase_account(account, now=now)
    journal.record(session, "erase_person", "account", account.id, by=by, now=now, reason=reason.strip())


def _check(account: Account) -> None:
    if account.state == AccountState.ERASED:
        raise Refused("account_erased")


def _hold(session: Session, account: Account) -> None:
    """Let nobody write on the account's tickets or give it another meanwhile. The tickets first, as whoever writes on one holds it before the account."""
    own = select(Ticket).where(Ticket.account_id == account.id).order_by(Ticket.id)
    session.scalars(own.with_for_update(), execution_options={"populate_existing": True}).all()
    session.refresh(account, with_for_update=True)
    _check(account)


def _erase_account(account: Account, *, now: datetime) -> None:
    account.user_id = account.user_id_key = f" erased {account.id}"  # a blank is in no user ID: nobody can sign in or register as it
    account.password_hash = "erased"  # noqa: S105 - no hash: no password ever matches
    account.person_name, account.search_text = NOBODY, searchable(account.company_name)
    account.email = account.email_key = account.email_domain = ""
    account.maintenance_email = account.maintenance_email_key = account.contract_key = ""
    account.state, account.state_reason, account.updated_at = AccountState.ERASED, "", now


def _erase_letters(session: Session, account: Account, *, now: datetime) -> None:
    """What still waits leaves no more; the ledger keeps that a letter went, not to whom and with what words.

    Letters to another living account of the same address (a mailing list may hold several) are that one's.
    """
    mine = select(Letter.id).where(Letter.account_id == account.id)
    alike = select(Account.id).where(Account.email_key == account.email_key, Account.id != account.id, Account.state != AccountState.ERASED)
    anothers = select(Letter.id).where(Letter.account_id.in_(alike))
    to_me = and_(Recipient.address_key == account.email_key, Recipient.letter_id.not_in(anothers))
    waiting = (Recipient.letter_id.in_(mine) | to_me, Recipient.state.in_([RecipientState.WAITING, RecipientState.TEMPORARY]))
    session.execute(update(Recipient).where(*waiting).values(state=RecipientState.SUPPRESSED, answer="erased", updated_at=now))
    session.execute(update(Letter).where(Letter.id.in_(mine), Letter.state == LetterState.WAITING).values(state=LetterState.WITHDRAWN))
    named = Letter.id.in_(mine) | Letter.id.in_(select(Recipient.letter_id).where(to_me))
    session.execute(update(Letter).where(named).values(body=f"{NOBODY}\n"), execution_options={"synchronize_session": False})
    # Two erased people of one letter stay two.
    other = aliased(Recipient)
    taken = exists(select(other.id).where(other.letter_id == Recipient.letter_id, other.address == NOBODY))
    nobody = case((taken, f"{NOBODY} {account.id}"), else_=NOBODY)
    session.execute(update(Recipient).where(to_me).values(address=nobody, address_key=f"erased {account.id}"), execution_options={"synchronize_session": False})


def _erase_returned(session: Session, account: Account) -> None:
    """What the person wrote by mail, and reports that their letters came back; that something came stays, and who else wrote."""
    theirs = func.lower(ReturnedMail.sender) == account.email_key
    session.execute(update(ReturnedMail).where(theirs).values(sender=NOBODY, subject="", body=""))
    back = select(Letter.id).outerjoin(Recipient, Recipient.letter_id == Letter.id)
    back = back.where((Letter.account_id == account.id) | (Recipient.address_key == account.email_key))
    session.execute(update(ReturnedMail).where(ReturnedMail.letter_id.in_(back), ReturnedMail.kind == ReturnedKind.REPORT).values(body=""))


def _erase_lines(session: Session, account: Account) -> None:
    """The address in the journal's lines about tickets, whosesoever they are, and where a visitor with it was."""
    mailed = select(Letter.ticket_id).join(Recipient, Recipient.letter_id == Letter.id).where(Recipient.address_key == account.email_key)
    wrote = select(ReturnedMail.ticket_id).where(func.lower(ReturnedMail.sender) == account.email_key)
    stopped = select(CopyStop.ticket_id).where(CopyStop.address_key == account.email_key)
    acts = JournalEntry.act.in_(("mail_reply", "stop_copies", "resume_copies", "offer_copies"))
    tickets = or_(*(JournalEntry.subject_id.in_(found) for found in (mailed, wrote, stopped)))
    for entry in session.scalars(select(JournalEntry).where(JournalEntry.subject_kind == "ticket", tickets, acts)):
        if str(entry.facts.get("address", "")).lower() == account.email_key:
            entry.facts = {name: value for name, value in entry.facts.items() if name != "address"}
            entry.client = "" if entry.actor_kind == "visitor" else entry.client


def _erase_tickets(session: Session, account: Account) -> None:
    """Subjects and posts stay as written: they are the desk's record of the device. The full text is made of them anew."""
    own = select(Ticket.id).where(Ticket.account_id == account.id)
    tickets = session.scalars(select(Ticket).where(Ticket.account_id == account.id)).all()
    for ticket in tickets:
        ticket.search_text = searchable(f"{ticket.subject} {account.company_name}")
        ticket.cc = [address for address in ticket.cc if address.lower() != account.email_key]
        ticket.contact_name, ticket.contact_phone = NOBODY if ticket.contact_name else "", ""
    session.flush()
    # Before their posts are written: the job that puts posts in holds the index while it writes them.
    for ticket in tickets:
        take_out(session, ticket.id)
    posts = (Message.ticket_id.in_(own), Message.kind == MessageKind.CUSTOMER)
    session.execute(update(Message).where(*posts).values(author_name=NOBODY), execution_options={"synchronize_session": False})
    for merge in session.scalars(select(TicketMerge).where(TicketMerge.into_id.in_(own))):
        merge.before = {**merge.before, "cc": [address for address in merge.before["cc"] if address.lower() != account.email_key]}


def _erase_refusals(session: Session, account: Account) -> None:
    """The traces that name the person: their rules' results stay, what was typed goes."""
    told = {account.user_id, account.email, account.maintenance_email}
    for refusal in session.scalars(select(Refusal).where(Refusal.contract_key == account.contract_key)):
        if any(told & set(cast("dict[str, str]", rule.get("inputs", {})).values()) for rule in refusal.trace.get("rules", [])):
            rules: list[dict[str, Any]] = [{**rule, "inputs": {}} for rule in refusal.trace["rules"]]
            refusal.trace, refusal.client = {**refusal.trace, "rules": rules}, ""


def _erase_requests(session: Session, account: Account) -> None:
    values = {"requester_name": NOBODY, "requester_email": "", "body": ""}
    session.execute(update(EmailChange).where(EmailChange.account_id == account.id).values(**values))
    asked = or_(ExceptionRequest.account_id == account.id, ExceptionRequest.email_key == account.email_key)
    for request in session.scalars(select(ExceptionRequest).where(asked)).all():
        session.execute(delete(RequestLink).where(RequestLink.request_id == request.id))
        request.user_id = request.user_id_key = f" erased {account.id}"
        # The request's page still splits its address: an address of nobody stands there. The maintenance e-mail is the certificate's.
        request.email = request.email_key = f"erased-{account.id}@erased.example"
        request.person_name, request.password_hash = NOBODY, ""
        request.client = request.answer = request.message = ""
        request.trace = {**request.trace, "rules": []}


def _erase_journal(session: Session, account: Account) -> None:
    """The lines stay, without the person's name, address and what they typed."""
    for entry in session.scalars(select(JournalEntry).where(*_acts_of(account))):
        entry.facts = {name: value for name, value in entry.facts.items() if name not in _TOLD}
        if entry.subject_kind == "account":
            entry.subject_name = ""
        if entry.actor_kind == "customer" and entry.actor_id == account.id:
            entry.actor_name, entry.client = NOBODY, ""


def _acts_of(account: Account) -> tuple[Any, ...]:
    """What the person did, and what was done to the account."""
    by_them = (JournalEntry.actor_kind == "customer") & (JournalEntry.actor_id == account.id)
    to_them = (JournalEntry.subject_kind == "account") & (JournalEntry.subject_id == account.id)
    return (by_them | to_them,)


def _rows(session: Session, statement: AnySelect) -> list[dict[str, Any]]:
    return [{name: _plain(value) for name, value in row.items()} for row in session.execute(statement).mappings()]


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return value
