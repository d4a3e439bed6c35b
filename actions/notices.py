"""One function per mail: who gets it, what it says, and the outbox row in the transaction of its cause.

Recipients are an account's `email`, a ticket's CC, or staff. A maintenance e-mail is never one, and a note is never a cause.
A letter's `cause` is unique: asked twice, it is written once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, String, bindparam, cast, func, literal, select, update
from sqlalchemy.orm import Session

from actions.attachments import FileFacts
from actions.letters import Draft, worded, write_letters
from actions.outside_mails import count_outside, uncount_outside
from actions.recipients import queue_staff
from mail.compose import Text, excerpt
from mail.desk import Desk
from mail.rewritten import text_of
from models.actors import Actor
from models.admission import PendingRegistration
from models.kept import Kept
from models.mail_templates import MailTemplate
from models.masters import Category, DomainKind, MailDomain, ProductFamily
from models.outbox import HELD, STOPPED, CopyStop, Letter, LetterState, Recipient, RecipientState
from models.people import Account, Staff
from models.tickets import Message, MessageKind, Ticket
from rules.addresses import parse_address
from rules.calendar import BusinessCalendar
from rules.limits import Limits
from rules.tickets import is_outside
from wording.hours import opening


def ticket_opened(
    session: Session,
    ticket: Ticket,
    message: Message,
    *,
    files: Sequence[FileFacts] = (),
    desk: Desk,
    limits: Limits,
    calendar: BusinessCalendar | None = None,
    now: datetime,
) -> None:
    """受付: tell the customer and the CC that the ticket is here, and the queue's staff that it wants an answer.

    A ticket without an account tells staff only. Out of the hours of the ticket's calendar the customer reads when the desk opens; None says nothing of it.
    """
    facts = _facts_of(session, ticket, message, limits, files, notice="ticket_opened", staff_notice="staff_ticket_opened")
    to_customer = _customer_drafts(session, "ticket_opened", facts, desk=desk, limits=limits, opens=_opens(ticket, calendar, now), now=now)
    staff = queue_staff(session, ticket.family_id, besides=message.staff_id)
    text = _staff_text("staff_ticket_opened", facts, desk)
    to_staff = Draft("staff_ticket_opened", f"staff_ticket_opened:{ticket.id}", text, staff, ticket_id=ticket.id)
    write_letters(session, [*to_customer, to_staff], desk=desk, now=now)


def ticket_updated(session: Session, ticket: Ticket, message: Message, *, files: Sequence[FileFacts] = (), desk: Desk, limits: Limits, now: datetime) -> None:
    """更新: tell the customer and the CC what was written, and the assignee (without one the queue's staff)."""
    facts = _facts_of(session, ticket, message, limits, files, notice="ticket_updated", staff_notice="staff_ticket_updated")
    to_customer = _customer_drafts(session, "ticket_updated", facts, desk=desk, limits=limits, now=now)
    staff = [facts.row.assignee_email] if facts.row.assignee_active else queue_staff(session, ticket.family_id, besides=message.staff_id)
    text = _staff_text("staff_ticket_updated", facts, desk)
    to_staff = Draft("staff_ticket_updated", f"staff_ticket_updated:{message.id}", text, staff, ticket_id=ticket.id, message_id=message.id)
    write_letters(session, [*to_customer, to_staff], desk=desk, now=now)


def mail_replied(session: Session, ticket: Ticket, mail_id: int, *, desk: Desk, limits: Limits, now: datetime) -> None:
    """Tell the assignee (without one the queue's staff) that a mail answered a notification: nothing of it stands in the thread."""
    facts = _facts_of(session, ticket, None, limits, staff_notice="staff_mail_replied")
    staff = [facts.row.assignee_email] if facts.row.assignee_active else queue_staff(session, ticket.family_id)
    text = _staff_text("staff_mail_replied", facts, desk)
    write_letters(session, [Draft("staff_mail_replied", f"staff_mail_replied:{mail_id}", text, staff, ticket_id=ticket.id)], desk=desk, now=now)


def answered(session: Session, ticket: Ticket, message: Message, *, files: Sequence[FileFacts] = (), desk: Desk, limits: Limits, now: datetime) -> None:
    """回答: tell the customer and the CC; the letter leaves from `message.published_at` on."""
    facts = _facts_of(session, ticket, message, limits, files, notice="answered")
    write_letters(session, _customer_drafts(session, "answered", facts, desk=desk, limits=limits, now=now), desk=desk, now=now)


def withdraw(session: Session, message: Message, *, now: datetime) -> bool:
    """Take back the letters of an undone answer; False when one is on its way or gone.

    The letters stay in the ledger as withdrawn and let go of the message, which may then be deleted; the day's outside mails are without them.
    """
    ids = session.scalars(select(Letter.id).where(Letter.message_id == message.id)).all()
    if not ids:
        return True
    taken = update(Letter).where(Letter.message_id == message.id, Letter.state == LetterState.WAITING, Letter.fence == 0)
    # The cause gets a mark: the next message may get the same id again on SQLite, and its letter is another one.
    taken = taken.values(state=LetterState.WITHDRAWN, message_id=None, cause=Letter.cause + ":withdrawn:" + Letter.header_id)
    gone = session.execute(taken.returning(Letter.id, Letter.account_id, Letter.created_at)).all()
    for letter in gone:
        uncount_outside(session, letter)
    theirs = Recipient.letter_id.in_([letter.id for letter in gone])
    session.execute(update(Recipient).where(theirs).values(state=RecipientState.SUPPRESSED, answer="withdrawn", updated_at=now))
    return len(gone) == len(ids)


def assigned(session: Session, ticket: Ticket, staff_id: int, *, by: Actor, desk: Desk, limits: Limits, now: datetime) -> None:
    """割り当て: tell the new assignee, unless they took the ticket themselves."""
    if by.kind == "staff" and by.id == staff_id:
        return
    email = session.scalar(select(Staff.email).where(Staff.id == staff_id, Staff.active))
    facts = _facts_of(session, ticket, None, limits, staff_notice="staff_assigned")
    text = _staff_text("staff_assigned", facts, desk, by=by.name)
    cause = f"staff_assigned:{ticket.id}:{staff_id}:{now.isoformat()}"
    write_letters(session, [Draft("staff_assigned", cause, text, [email] if email else [], ticket_id=ticket.id)], desk=desk, now=now)


def registration_link(session: Session, pending: PendingRegistration, *, token: str, desk: Desk, now: datetime) -> None:
    """仮登録確認: the single-use link. Nothing the applicant typed stands in it: it may go to a stranger."""
    text = worded(session, "registration_link", desk=desk, token=token, expires_at=pending.expires_at)
    write_letters(session, [Draft("registration_link", f"registration_link:{pending.token_hash}", text, [pending.email])], desk=desk, now=now)


def registered(session: Session, account: Account, *, desk: Desk, now: datetime) -> None:
    """本登録完了."""
    cause = f"registered:{account.id}:{account.created_at.isoformat()}"
    _write_to_account(session, "registered", cause, account, account.email, _account_text(session, "registered", account, desk), desk=desk, now=now)


def login_ids(session: Session, email: str, accounts: Sequence[tuple[Account, str]], *, desk: Desk, limits: Limits, now: datetime) -> None:
    """ID再取得・パスワードリセット: every account of `email` with its reset link, in one letter; none without accounts."""
    if not accounts:
        return
    entries = [{"user_id": account.user_id, "token": token} for account, token in accounts]
    text = worded(session, "login_ids", desk=desk, entries=entries, hours=limits.reset_link_hours)
    cause = f"login_ids:{_digest(''.join(token for _, token in accounts))}"
    account_id = accounts[0][0].id if len(accounts) == 1 else None
    write_letters(session, [Draft("login_ids", cause, text, [email], account_id=account_id)], desk=desk, now=now)


def password_changed(session: Session, account: Account, *, desk: Desk, now: datetime) -> None:
    """変更通知: the password."""
    cause = f"password_changed:{account.id}:{now.isoformat()}"
    text = _account_text(session, "password_changed", account, desk, at=now)
    _write_to_account(session, "password_changed", cause, account, account.email, text, desk=desk, now=now)


def totp_changed(session: Session, account: Account, *, enrolled: bool, desk: Desk, now: datetime) -> None:
    """変更通知: the second factor."""
    cause = f"totp_changed:{account.id}:{now.isoformat()}:{enrolled}"
    text = _account_text(session, "totp_changed", account, desk, at=now, enrolled=enrolled)
    _write_to_account(session, "totp_changed", cause, account, account.email, text, desk=desk, now=now)


def email_link(session: Session, account: Account, *, new_email: str, token: str, desk: Desk, now: datetime) -> None:
    """メールアドレス変更の確認, to the new address: the single-use link, and nothing the customer typed."""
    text = worded(session, "email_link", desk=desk, token=token)
    _write_to_account(session, "email_link", f"email_link:{_digest(token)}", account, new_email, text, desk=desk, now=now)


def email_changed(session: Session, account: Account, *, old_email: str, desk: Desk, now: datetime) -> None:
    """変更通知, to the old address; the new one is not told there."""
    cause = f"email_changed:{account.id}:{now.isoformat()}"
    text = _account_text(session, "email_changed", account, desk, at=now)
    _write_to_account(session, "email_changed", cause, account, old_email, text, desk=desk, now=now)


# -- inner parts

_SHARED_DOMAINS = select(func.aggregate_strings(MailDomain.domain, " ")).where(MailDomain.kind == DomainKind.SHARED).scalar_subquery()
"""The shared mail domains in one text: they come with the facts instead of by a statement of their own."""


def _stopped_copies(count: int) -> Any:
    """Those of a ticket's `count` CC addresses who want no copies, likewise."""
    copied = [bindparam(f"copied_{place}", type_=String) for place in range(count)]
    return select(func.aggregate_strings(CopyStop.address_key, " ")).where(CopyStop.address_key.in_(copied)).scalar_subquery()


_BETWEEN = "\x1f"


def _rewritten(notice: str) -> Any:
    """The text of the notice that goes by that name as an administrator rewrote it, likewise."""
    newest = select(func.max(MailTemplate.id)).where(MailTemplate.notice == bindparam(notice)).scalar_subquery()
    told = cast(MailTemplate.id, String) + _BETWEEN + MailTemplate.subject + _BETWEEN + MailTemplate.body
    return select(told).where(MailTemplate.id == newest, MailTemplate.body != "").scalar_subquery()


def _about(shared_domains: Any, stopped_copies: Any) -> Select[Any]:
    """What letters say of a ticket and whom they can reach, by the ticket's number."""
    found: Any = select(
        ProductFamily.name.label("product"),
        Category.name.label("category"),
        Account.id.label("account_id"),
        Account.company_name,
        Account.person_name,
        Account.email,
        Account.maintenance_email,
        Staff.email.label("assignee_email"),
        Staff.active.label("assignee_active"),
        shared_domains.label("shared_domains"),
        stopped_copies.label("stopped_copies"),
        _rewritten("notice").label("rewritten"),
        _rewritten("staff_notice").label("staff_rewritten"),
    )
    joined = found.select_from(Ticket).join(ProductFamily, ProductFamily.id == Ticket.family_id).join(Category, Category.id == Ticket.category_id)
    people = joined.outerjoin(Account, Account.id == Ticket.account_id).outerjoin(Staff, Staff.id == Ticket.assignee_id)
    return people.where(Ticket.id == bindparam("number"))


@lru_cache(maxsize=32)
def _kept_about(copies: int) -> Kept:
    """For a ticket with `copies` addresses in CC: most have none, and no ticket has many."""
    return Kept(_about(_SHARED_DOMAINS, _stopped_copies(copies)) if copies else _about(literal(""), literal("")))


@dataclass(frozen=True)
class _Facts:
    """What the letters about a ticket say, and whom they can reach."""

    ticket: Ticket
    message: Message | None
    row: Any
    files: Sequence[FileFacts]
    post: str
    cut: bool


def _facts_of(
    session: Session, ticket: Ticket, message: Message | None, limits: Limits, files: Sequence[FileFacts] = (), *, notice: str = "", staff_notice: str = ""
) -> _Facts:
    if message is not None and message.kind == MessageKind.NOTE:
        raise ValueError("a note never leaves the console")
    session.flush()
    copied = {f"copied_{place}": address.lower() for place, address in enumerate(ticket.cc)}
    row = _kept_about(len(copied)).rows(session, {"number": ticket.id, "notice": notice, "staff_notice": staff_notice, **copied})[0]
    post, cut = "", False
    if message is not None:
        post, cut = excerpt(message.body, limits.mail_body_characters)
    return _Facts(ticket, message, row, files, post, cut)


def _opens(ticket: Ticket, calendar: BusinessCalendar | None, now: datetime) -> str:
    """When the desk opens next, "" while it is open."""
    opens_at = calendar.of(ticket.calendar_id).next_opening(now) if calendar else now
    return opening(opens_at, now) if opens_at > now else ""


def _customer_drafts(session: Session, kind: str, facts: _Facts, *, desk: Desk, limits: Limits, opens: str = "", now: datetime) -> list[Draft]:
    """The letter to the account and its CC; nothing for a ticket that belongs to nobody yet, or to an erased person."""
    ticket, message, row = facts.ticket, facts.message, facts.row
    if not row.email or message is None:
        return []
    held = _held_cc(session, facts, limits, now)
    stop_link = desk.link(f"/copies/{desk.stop_token(ticket.id)}") if len(held) < len(ticket.cc) else ""
    text = text_of(
        kind,
        _own(row.rewritten),
        desk=desk,
        stop_link=stop_link,
        opens=opens,
        ticket=ticket,
        product=row.product,
        category=row.category,
        company=row.company_name,
        person=row.person_name,
        post=facts.post,
        cut=facts.cut,
        files=facts.files,
    )
    return [
        Draft(
            kind,
            # A post opens a ticket once more where it is split off again.
            f"{kind}:{message.id}" if kind != "ticket_opened" else f"{kind}:{ticket.id}:{message.id}",
            text,
            [row.email],
            ticket.cc,
            held,
            ticket_id=ticket.id,
            message_id=message.id,
            account_id=row.account_id,
            leaves_at=max(now, message.published_at),
        )
    ]


def _own(rewritten: str | None) -> tuple[int, str, str] | None:
    """(version, subject, body) of a rewritten text."""
    if not rewritten:
        return None
    version, subject, body = rewritten.split(_BETWEEN, 2)
    return int(version), subject, body


def _held_cc(session: Session, facts: _Facts, limits: Limits, now: datetime) -> dict[str, str]:
    """The CC addresses that get no copy, with the reason: they asked for none, or they are outside and the account's number for today is used up.

    Each outside one that may go is counted.
    """
    if not facts.ticket.cc:
        return {}
    stopped = (facts.row.stopped_copies or "").split()
    held = {address: STOPPED for address in facts.ticket.cc if address.lower() in stopped}
    shared = frozenset((facts.row.shared_domains or "").split())
    own, maintenance = parse_address(facts.row.email), parse_address(facts.row.maintenance_email)
    outside = [value for value in facts.ticket.cc if value not in held and is_outside(parse_address(value), own, maintenance, shared)]
    for value in outside:
        if count_outside(session, facts.row.account_id, now=now) > limits.outside_cc_mails_per_day:
            held[value] = HELD
    return held


def _staff_text(kind: str, facts: _Facts, desk: Desk, **more: object) -> Text:
    row = facts.row
    customer = f"{row.company_name} {row.person_name} 様" if row.account_id is not None else "（お客様は未登録です）"
    everything: dict[str, object] = {"post": facts.post, "cut": facts.cut, "files": facts.files, **more}
    return text_of(kind, _own(row.staff_rewritten), desk=desk, ticket=facts.ticket, product=row.product, category=row.category, customer=customer, **everything)


def _account_text(session: Session, notice: str, account: Account, desk: Desk, **more: object) -> Text:
    return worded(session, notice, desk=desk, company=account.company_name, person=account.person_name, user_id=account.user_id, **more)


def _write_to_account(session: Session, kind: str, cause: str, account: Account, to: str, text: Text, *, desk: Desk, now: datetime) -> None:
    write_letters(session, [Draft(kind, cause, text, [to], account_id=account.id)], desk=desk, now=now)


def _digest(secret: str) -> str:
    """A name for a secret that does not tell it."""
    return hashlib.sha256(secret.encode()).hexdigest()
