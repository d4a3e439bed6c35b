"""The named selects of a ticket's page: the ticket with its names, and everything in its thread.

Each is one statement: parts of different tables come as one UNION ALL, told apart by `part`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, Integer, Row, Select, String, Text, bindparam, cast, literal, null, select, union_all
from sqlalchemy.orm import Session

from models.base import NEVER, Moment
from models.journal import JournalEntry
from models.kept import Kept
from models.masters import Category, ProductFamily
from models.outbox import CopyStop, Letter, Recipient, ReturnedKind, ReturnedMail
from models.people import Account, RateCount, Staff
from models.reading import Reading
from models.tickets import Attachment, Draft, Message, Ticket

_NUMBER: Any = bindparam("number", type_=Integer)
_NO_MOMENT: Any = cast(null(), Moment)
_NO_NUMBER: Any = cast(null(), Integer)
_NO_FACTS: Any = cast(null(), JSON)


_TICKET = Kept(
    select(
        Ticket.id,
        Ticket.account_id,
        Ticket.subject,
        Ticket.contract_text,
        Ticket.serial_text,
        Ticket.serial_key,
        Ticket.matched_contract,
        Ticket.matched_serial,
        Ticket.source,
        Ticket.contact_company,
        Ticket.contact_name,
        Ticket.contact_phone,
        Ticket.model,
        Ticket.os_version,
        Ticket.cc,
        Ticket.state,
        Ticket.state_from,
        Ticket.priority,
        Ticket.assignee_id,
        Ticket.created_at,
        Ticket.due_at,
        Ticket.owed_since,
        Ticket.first_answer_at,
        Ticket.calendar_id,
        Ticket.opening_verdict,
        Ticket.follows_id,
        Ticket.merged_into_id,
        Ticket.family_id,
        ProductFamily.name.label("family"),
        Category.name.label("category"),
        Account.company_name,
        Account.person_name,
        Account.user_id,
        Account.email,
        Account.email_key,
        Account.maintenance_email,
        Account.maintenance_email_key,
        Account.state.label("account_state"),
        Staff.name.label("assignee"),
    )
    .join(ProductFamily, ProductFamily.id == Ticket.family_id)
    .join(Category, Category.id == Ticket.category_id)
    .outerjoin(Account, Account.id == Ticket.account_id)
    .outerjoin(Staff, Staff.id == Ticket.assignee_id)
    .where(Ticket.id == _NUMBER)
)


def ticket_row(session: Session, number: int) -> Row[Any] | None:
    """What the page shows of the ticket itself, with the names of its family, category, account and assignee."""
    if not 0 < number < 2**31:
        return None
    return _TICKET.one(session, {"number": number})


def thread_parts(session: Session, ticket: Row[Any], *, staff_id: int, used: tuple[str, str, datetime]) -> Sequence[Row[Any]]:
    """Everything written on a `ticket_row` in the order it was written, by `part`; `used` names the count of outside mails (bucket, key, beginning).

    message: id, at, until (published), kind, name (author), who (staff), text · file: of (message), name, text (token), size ·
    recipient: of (message), at (sent), kind (to or cc), name (state), text (address) · event: at, kind (act), name (actor), facts ·
    draft of `staff_id`: at, kind, text · read: of (the newest message that `staff_id` was shown) ·
    returned: at, name (sender), text of a mail that answered a notification ·
    stopped: name (an address of the ticket's CC, in lower case, that wants no more copies) · outside: size (mails that `used` counts).
    """
    asked: dict[str, Any] = {"number": ticket.id, "staff_id": staff_id}
    if ticket.cc:
        asked |= {f"copy_{place}": address.lower() for place, address in enumerate(ticket.cc)}
        asked |= zip(("bucket", "key", "began_at"), used, strict=True)
    rows = _thread(len(ticket.cc)).rows(session, asked)
    return sorted(rows, key=lambda row: (row.at, row.id))


@lru_cache(maxsize=32)
def _thread(copies: int) -> Kept:
    """For a ticket with `copies` addresses in CC: most have none, and ask nothing of them."""
    written = [_messages(), _files(), _recipients(), _events(), _drafts(), _returned(), _read()]
    return Kept(union_all(*written, _stopped(copies), _outside()) if copies else union_all(*written))


def _part(*columns: Any) -> Select[Any]:
    """One table's share of a UNION ALL."""
    share: Any = select(*columns)
    return share


def _messages() -> Select[Any]:
    return _part(
        literal("message").label("part"),
        Message.id.label("id"),
        Message.id.label("of"),
        Message.created_at.label("at"),
        Message.published_at.label("until"),
        cast(Message.kind, String).label("kind"),
        Message.author_name.label("name"),
        Message.body.label("text"),
        Message.staff_id.label("who"),
        _NO_NUMBER.label("size"),
        _NO_FACTS.label("facts"),
    ).where(Message.ticket_id == _NUMBER)


def _files() -> Select[Any]:
    return (
        _part(
            literal("file"),
            Attachment.id,
            Attachment.message_id,
            Attachment.created_at,
            _NO_MOMENT,
            literal(""),
            Attachment.name,
            cast(Attachment.token, Text),
            _NO_NUMBER,
            Attachment.size,
            Attachment.found,
        )
        .join(Message, Message.id == Attachment.message_id)
        .where(Message.ticket_id == _NUMBER)
    )


def _recipients() -> Select[Any]:
    return (
        _part(
            literal("recipient"),
            Recipient.id,
            Letter.message_id,
            Recipient.updated_at,
            Letter.sent_at,
            Recipient.place,
            cast(Recipient.state, String),
            cast(Recipient.address, Text),
            _NO_NUMBER,
            _NO_NUMBER,
            _NO_FACTS,
        )
        .join(Letter, Letter.id == Recipient.letter_id)
        # By the message: a post that was merged or split into this ticket brings its letters, which stay with the ticket they were sent for.
        .join(Message, Message.id == Letter.message_id)
        .where(Message.ticket_id == _NUMBER)
    )


def _returned() -> Select[Any]:
    return _part(
        literal("returned"),
        ReturnedMail.id,
        _NO_NUMBER,
        ReturnedMail.at,
        _NO_MOMENT,
        cast(ReturnedMail.kind, String),
        ReturnedMail.sender,
        ReturnedMail.body,
        _NO_NUMBER,
        _NO_NUMBER,
        _NO_FACTS,
    ).where(ReturnedMail.ticket_id == _NUMBER, ReturnedMail.kind == ReturnedKind.REPLY)


def _events() -> Select[Any]:
    return _part(
        literal("event"),
        JournalEntry.id,
        _NO_NUMBER,
        JournalEntry.at,
        _NO_MOMENT,
        JournalEntry.act,
        JournalEntry.actor_name,
        cast(literal(""), Text),
        _NO_NUMBER,
        _NO_NUMBER,
        JournalEntry.facts,
    ).where(JournalEntry.subject_kind == "ticket", JournalEntry.subject_id == _NUMBER)


def _drafts() -> Select[Any]:
    return _part(
        literal("draft"),
        Draft.id,
        _NO_NUMBER,
        Draft.updated_at,
        _NO_MOMENT,
        cast(Draft.kind, String),
        literal(""),
        Draft.body,
        _NO_NUMBER,
        _NO_NUMBER,
        _NO_FACTS,
    ).where(Draft.ticket_id == _NUMBER, Draft.staff_id == bindparam("staff_id"))


def _read() -> Select[Any]:
    return _part(
        literal("read"),
        Reading.id,
        Reading.last_seen,
        literal(NEVER, Moment),
        _NO_MOMENT,
        literal(""),
        literal(""),
        cast(literal(""), Text),
        _NO_NUMBER,
        _NO_NUMBER,
        _NO_FACTS,
    ).where(Reading.ticket_id == _NUMBER, Reading.staff_id == bindparam("staff_id"))


def _stopped(copies: int) -> Select[Any]:
    return _beside("stopped", CopyStop.address_key, _NO_NUMBER).where(
        CopyStop.address_key.in_([bindparam(f"copy_{place}", type_=String) for place in range(copies)])
    )


def _outside() -> Select[Any]:
    return _beside("outside", literal(""), RateCount.count).where(
        RateCount.bucket == bindparam("bucket"), RateCount.key == bindparam("key"), RateCount.began_at == bindparam("began_at", type_=Moment)
    )


def _beside(part: str, name: Any, size: Any) -> Select[Any]:
    """What is no part of the thread: it comes behind all that is."""
    never, empty = literal(NEVER, Moment), literal("")
    return _part(literal(part), literal(0), _NO_NUMBER, never, _NO_MOMENT, empty, name, cast(empty, Text), _NO_NUMBER, size, _NO_FACTS)
