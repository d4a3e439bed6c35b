"""Letters: written with their cause, sent afterwards; each recipient keeps a state of its own."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped

from models import load
from models.base import Base, mapped_column, words

load("people", "tickets")


class LetterState(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    DONE = "done"
    """No recipient is open any more: accepted, refused for good or suppressed."""
    PARKED = "parked"
    """Given up: staff decide."""
    WITHDRAWN = "withdrawn"
    """Its cause was undone before it left."""


class RecipientState(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    ACCEPTED = "accepted"
    TEMPORARY = "temporary"
    PERMANENT = "permanent"
    UNKNOWN = "unknown"
    SUPPRESSED = "suppressed"


class Letter(Base):
    """One mail, rendered once. `cause` is unique: one cause and kind make one letter, however often they are tried."""

    __tablename__ = "letter"
    __table_args__ = (
        Index("ix_letter_due", "state", "try_at", "id"),
        Index("ix_letter_ticket", "ticket_id", "id"),
        Index("ix_letter_message", "message_id"),
        Index("ix_letter_troubled", "id", info={"where": "fault <> ''"}),
        Index("ix_letter_unsent", "ticket_id", "id", info={"where": "state IN ('waiting', 'sending')"}),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    cause: Mapped[str] = mapped_column(String(200), unique=True)
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    header_id: Mapped[str] = mapped_column(String(200), unique=True)
    """The Message-ID, the same at every try."""
    thread_ids: Mapped[list[str]]
    """What References names."""
    subject: Mapped[str] = mapped_column(String(1000))
    body: Mapped[str] = mapped_column(Text)
    text_version: Mapped[int | None]
    """Which `MailTemplate` it was made with, 0: the text it came with; None: written before this was kept. No key: versions are never deleted."""
    state: Mapped[LetterState] = mapped_column(words(LetterState, 10), default=LetterState.WAITING)
    created_at: Mapped[datetime]
    try_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    fence: Mapped[int] = mapped_column(default=0)
    """Counts claims: who lost the lease holds an older number and can write nothing."""
    sent_at: Mapped[datetime | None]
    fault: Mapped[str] = mapped_column(String(500), default="")


HELD = "outside_cc_limit"
"""Why a recipient is suppressed: the account's outside CC mails of the day are used up."""
STOPPED = "stopped"
"""Why a recipient is suppressed: they asked for no more copies."""


class Recipient(Base):
    """One address of a letter, in To or Cc."""

    __tablename__ = "recipient"
    __table_args__ = (UniqueConstraint("letter_id", "address"), Index("ix_recipient_address", "address_key", "letter_id", info={"ops": "text_pattern_ops"}))
    id: Mapped[int] = mapped_column(primary_key=True)
    letter_id: Mapped[int] = mapped_column(ForeignKey("letter.id"))
    place: Mapped[str] = mapped_column(String(2))
    """``to`` or ``cc``."""
    address: Mapped[str] = mapped_column(String(254))
    address_key: Mapped[str] = mapped_column(String(254))
    state: Mapped[RecipientState] = mapped_column(words(RecipientState, 10), default=RecipientState.WAITING)
    answer: Mapped[str] = mapped_column(String(500), default="")
    """What the server said last."""
    updated_at: Mapped[datetime]


class CopyStop(Base):
    """That a CC recipient wants no more copies. Taking it back deletes the row; the journal keeps both."""

    __tablename__ = "copy_stop"
    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(String(254))
    address_key: Mapped[str] = mapped_column(String(254), unique=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    """The ticket whose mail brought them."""
    at: Mapped[datetime]


class ReturnedKind(StrEnum):
    REPORT = "report"
    """A mail server tells what became of a letter (RFC 3464)."""
    REPLY = "reply"
    """A person answered a notification."""
    AUTOMATIC = "automatic"
    """An absence note, a list, a machine: kept, never answered."""


class ReturnedMail(Base):
    """One mail that came into the sender's mailbox; `mailbox_key` is unique: each is taken once."""

    __tablename__ = "returned_mail"
    __table_args__ = (Index("ix_returned_mail_ticket", "ticket_id", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    mailbox_key: Mapped[str] = mapped_column(String(200), unique=True)
    """The mailbox's UIDVALIDITY and UID."""
    kind: Mapped[ReturnedKind] = mapped_column(words(ReturnedKind, 10))
    letter_id: Mapped[int | None] = mapped_column(ForeignKey("letter.id"), index=True)
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    sender: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(String(400))
    body: Mapped[str] = mapped_column(Text)
    answered: Mapped[bool] = mapped_column(default=False)
    """Whether the sender was told how to answer in the portal."""
    at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    """When somebody dealt with it; None as long as it waits, and for mails that found their letter or ticket by themselves."""
    settled_by: Mapped[str] = mapped_column(String(100), default="", server_default="")
