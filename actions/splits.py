"""分割: a customer's post becomes a ticket of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from actions import journal, notices
from actions.attachments import FileFacts, names_of
from actions.clock import end_clock, take_clock
from actions.openings import Caller, Opening, new_ticket
from actions.tickets import touch
from mail.desk import Desk
from models.actors import StaffMember
from models.masters import Category, ProductFamily
from models.neighbours import LinkKind, join_tickets, posts_of
from models.people import Account
from models.search import take_out
from models.tickets import Message, MessageKind, Ticket
from rules.calendar import BusinessCalendar
from rules.limits import Limits
from rules.refusal import Refused
from rules.tickets import FIELD_CHARACTERS, after_assignment

_QUIET = {"synchronize_session": False}


@dataclass(frozen=True)
class Heading:
    """What the new ticket is called and where it belongs."""

    subject: str
    family_id: int
    category_id: int


def check_split(session: Session, ticket: Ticket, message_id: int) -> Message:
    """The post that may become a ticket. Refuses: split_gone (another's or moved), split_kind (no customer's post), split_first."""
    message = session.get(Message, message_id)
    if message is None or message.ticket_id != ticket.id:
        raise Refused("split_gone")
    if message.kind != MessageKind.CUSTOMER:
        raise Refused("split_kind")
    if message.id == session.scalar(
        select(Message.id).where(Message.ticket_id == ticket.id, Message.kind == MessageKind.CUSTOMER).order_by(Message.id).limit(1)
    ):
        raise Refused("split_first")
    return message


def split_off(
    session: Session,
    ticket: Ticket,
    message_id: int,
    heading: Heading,
    *,
    by: StaffMember,
    desk: Desk,
    limits: Limits,
    calendar: BusinessCalendar,
    now: datetime,
) -> Ticket:
    """Make a ticket of a customer's post, with contract, CC and assignee of the old one; its customer gets the letter of an opened ticket.

    The answer is owed from when the post was written, where it was owed before. Refuses what `check_split` refuses, subject_empty,
    text_long(max, n), product_unknown, category_unknown.
    """
    message = check_split(session, ticket, message_id)
    _check_heading(session, heading)
    owed = ticket.owed_since is not None and message.created_at >= ticket.owed_since
    account = session.get(Account, ticket.account_id) if ticket.account_id else None
    caller = Caller(ticket.contact_company, ticket.contact_name, ticket.contact_phone)
    since = message.created_at if owed else now
    opening = _opening(ticket, message, heading)
    made = new_ticket(session, opening, account, source=ticket.source, caller=caller, since=since, calendar=calendar, now=now)
    made.matched_contract, made.matched_serial = ticket.matched_contract, ticket.matched_serial
    made.contract_key, made.serial_key = ticket.contract_key, ticket.serial_key
    if ticket.assignee_id is not None:
        made.assignee_id = ticket.assignee_id
        made.state = made.state_before = after_assignment(made.state)
    take_out(session, ticket.id)
    session.execute(update(Message).where(Message.id == message.id).values(ticket_id=made.id), execution_options=_QUIET)
    session.refresh(message)
    if owed:
        owe_the_rest(session, ticket, calendar)
    touch(ticket, now)
    join_tickets(session, made.id, ticket.id, here=LinkKind.SPLIT_FROM, there=LinkKind.SPLIT_OFF)
    journal.record(session, "split_from", "ticket", made.id, by=by, now=now, subject_name=made.subject, other=ticket.id)
    journal.record(session, "split_off", "ticket", ticket.id, by=by, now=now, other=made.id)
    files = [FileFacts(file.name, file.size) for file in names_of(session, [message.id])[message.id]]
    notices.ticket_opened(session, made, message, files=files, desk=desk, limits=limits, now=now)
    return made


def _check_heading(session: Session, heading: Heading) -> None:
    most = FIELD_CHARACTERS["subject"]
    if not heading.subject:
        raise Refused("subject_empty", "subject")
    if len(heading.subject) > most:
        raise Refused("text_long", "subject", max=most, n=len(heading.subject))
    if session.get(ProductFamily, heading.family_id) is None:
        raise Refused("product_unknown", "product")
    if session.get(Category, heading.category_id) is None:
        raise Refused("category_unknown", "category")


def _opening(ticket: Ticket, message: Message, heading: Heading) -> Opening:
    return Opening(
        family_id=heading.family_id,
        category_id=heading.category_id,
        subject=heading.subject,
        contract_text=ticket.contract_text,
        serial_text=ticket.serial_text,
        body=message.body,
        model=ticket.model,
        os_version=ticket.os_version,
        cc=tuple(ticket.cc),
    )


def owe_the_rest(session: Session, ticket: Ticket, calendar: BusinessCalendar) -> None:
    """Let the ticket owe an answer from the first post on that its customer wrote after the last answer; none where there is none left."""
    left: list[datetime] = []
    for post in posts_of(session, ticket.id):
        if post.kind == MessageKind.CUSTOMER:
            left.append(post.created_at)
        elif post.kind == MessageKind.ANSWER:
            left.clear()
    if not left:
        end_clock(ticket)
    elif ticket.owed_since is not None and left[0].replace(microsecond=0) > ticket.owed_since:
        take_clock(ticket, calendar, left[0], ticket.clock_pauses)
