"""Tickets, their messages and attachments."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped

from models import load
from models.actors import Actor
from models.base import NEVER, NEVER_REUSED, Base, mapped_column, words
from rules.tickets import Priority, State

load("masters", "people")


class MessageKind(StrEnum):
    CUSTOMER = "customer"
    ANSWER = "answer"
    NOTE = "note"
    """社内メモ: never leaves the console."""


class Source(StrEnum):
    PORTAL = "portal"
    PHONE = "phone"


_REPORTED = ("state", "family_id", "category_id", "assignee_id", "resolved_at", "contract_key", "serial_key")
_ENDED = ("state", "resolved_at", "id")
_WHERE_ENDED = {"where": "NOT unresolved", "sqlite": "unresolved = 0"}


class Ticket(Base):
    """One inquiry; `id` is the number people quote: rising, never reused.

    Until `state_from` the customer still sees `state_before` (an answer can be undone until it is published).
    `due_at` is the deadline of the next answer, NEVER while the clock stands; `clock_left` keeps the business seconds left then.
    `contract_text` and `serial_text` stay as typed; the keys are what matching compares ("" for 不明): those typed, or, where staff set
    the contract by hand, `matched_contract` and `matched_serial`. `contact_*` name a caller, who may have no account.
    """

    __tablename__ = "ticket"
    __table_args__ = (
        Index("ix_ticket_due", "unresolved", "due_at", "id", "priority"),  # counting what is near its deadline asks for each one's priority
        Index("ix_ticket_state", "state", "due_at", "id"),
        Index("ix_ticket_assignee", "assignee_id", "unresolved", "due_at", "id"),
        Index("ix_ticket_family", "family_id", "unresolved", "due_at", "id"),
        Index("ix_ticket_unresolved_updated", "unresolved", "updated_at", "id"),
        Index("ix_ticket_unresolved", "unresolved", "id"),
        Index("ix_ticket_updated", "updated_at", "id", "priority"),  # a list of one priority looks at each
        # Of one product or one person, resolved ones too, in the other orders of the queue.
        Index("ix_ticket_family_updated", "family_id", "updated_at", "id"),
        # A search with conditions walks what these leave: with all of them in the index it need not look at the tickets.
        Index("ix_ticket_family_number", "family_id", "id", "state", "assignee_id", "priority", "unresolved"),
        Index("ix_ticket_state_number", "state", "id", "family_id", "assignee_id", "priority", "unresolved"),
        Index("ix_ticket_assignee_updated", "assignee_id", "updated_at", "id"),
        Index("ix_ticket_assignee_number", "assignee_id", "id"),
        Index("ix_ticket_account", "account_id", "id"),
        Index("ix_ticket_contract", "contract_key"),
        Index("ix_ticket_serial", "serial_key", "id"),
        Index("ix_ticket_resolved", "state", "resolved_at", "id"),
        # Only of what is done with: in the other lists it would be taken for better than the index of their deadlines.
        Index("ix_ticket_family_ended", "family_id", *_ENDED, "assignee_id", "priority", "unresolved", info=_WHERE_ENDED),
        Index("ix_ticket_assignee_ended", "assignee_id", *_ENDED, "family_id", "priority", "unresolved", info=_WHERE_ENDED),
        # Reports add up hundreds of thousands of tickets: with what they ask for in the index they need not read one of them.
        Index("ix_ticket_created", "created_at", "merged_into_id", *_REPORTED, "id"),
        # SQLite takes "not merged" for something rare, and would walk the index of all that were not.
        Index("ix_ticket_follows_id", "follows_id", info={"where": "follows_id IS NOT NULL"}),
        Index("ix_ticket_merged_into_id", "merged_into_id", info={"where": "merged_into_id IS NOT NULL"}),
        NEVER_REUSED,
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    family_id: Mapped[int] = mapped_column(ForeignKey("product_family.id"))
    category_id: Mapped[int] = mapped_column(ForeignKey("category.id"), index=True)
    subject: Mapped[str] = mapped_column(String(300))
    search_text: Mapped[str] = mapped_column(Text, default="")
    """Subject, company, person and e-mail, in the form search compares; a job follows the account's profile (`actions.ticket_heads`)."""
    contract_text: Mapped[str] = mapped_column(String(200))
    contract_key: Mapped[str] = mapped_column(String(200))
    serial_text: Mapped[str] = mapped_column(String(200))
    serial_key: Mapped[str] = mapped_column(String(200))
    matched_contract: Mapped[str] = mapped_column(String(80), default="", server_default="")
    matched_serial: Mapped[str] = mapped_column(String(120), default="", server_default="")
    source: Mapped[Source] = mapped_column(words(Source, 10), default=Source.PORTAL, server_default=Source.PORTAL.value)
    contact_company: Mapped[str] = mapped_column(String(200), default="", server_default="")
    contact_name: Mapped[str] = mapped_column(String(200), default="", server_default="")
    contact_phone: Mapped[str] = mapped_column(String(40), default="", server_default="")
    model: Mapped[str] = mapped_column(String(120), default="")
    os_version: Mapped[str] = mapped_column(String(120), default="")
    cc: Mapped[list[str]]
    state: Mapped[State] = mapped_column(words(State, 20), default=State.NEW)
    state_before: Mapped[State] = mapped_column(words(State, 20), default=State.NEW)
    state_from: Mapped[datetime]
    unresolved: Mapped[bool] = mapped_column(default=True)
    """Neither resolved nor closed: one column, so that the queue walks one index in the order of its deadlines."""
    priority: Mapped[Priority] = mapped_column(words(Priority, 10), default=Priority.NORMAL)
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    due_at: Mapped[datetime] = mapped_column(default=NEVER)
    clock_left: Mapped[int | None]
    owed_since: Mapped[datetime | None]
    """When the customer wrote what no answer has met yet."""
    first_answer_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    calendar_id: Mapped[int | None]
    """The service calendar by which its deadlines are counted; None: the standard one."""
    clock_pauses: Mapped[list[dict[str, Any]]] = mapped_column(default=list, server_default="[]")
    """When the clock stood since `owed_since`, in order: state, since, until ("" while it stands)."""
    opening_verdict: Mapped[dict[str, Any]]
    follows_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    version: Mapped[int] = mapped_column(default=1)


class Message(Base):
    """A post of the thread. An answer counts and shows from `published_at` on; until then it can be undone, and `undo` says how it was before."""

    __tablename__ = "message"
    __table_args__ = (
        Index("ix_message_ticket", "ticket_id", "id"),
        # Partial, as its migrations make it. SQLAlchemy's words for that would load both databases' dialects in every process: 4 MB.
        # SQLite knows it again only by the words in which it is asked for.
        Index("ix_message_waiting", "published_at", info={"where": "NOT indexed", "sqlite": "indexed = 0"}),
        NEVER_REUSED,
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    kind: Mapped[MessageKind] = mapped_column(words(MessageKind, 10))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), index=True)
    author_name: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    published_at: Mapped[datetime]
    undo: Mapped[dict[str, Any]]
    submission: Mapped[str | None] = mapped_column(String(64), unique=True)
    """The form's own token: the same form posted twice makes one message."""
    indexed: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether models.search holds it: a job puts published posts in."""


class Draft(Base):
    """A staff member's unsent text on a ticket."""

    __tablename__ = "draft"
    __table_args__ = (UniqueConstraint("ticket_id", "staff_id", "kind"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    kind: Mapped[MessageKind] = mapped_column(words(MessageKind, 10))
    body: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime]


class Attachment(Base):
    """An uploaded file. The bytes lie in the storage under `storage_key`; without a message it is held for the form of `holder`.

    `id` is for joins, `token` for URLs; neither gives a right.
    """

    __tablename__ = "attachment"
    __table_args__ = (Index("ix_attachment_message", "message_id"), Index("ix_attachment_held", "holder", "created_at"))
    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(String(32), unique=True)
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"))
    holder: Mapped[str] = mapped_column(String(60), default="")
    """``account:7`` or ``staff:3`` while held, "" once posted."""
    name: Mapped[str] = mapped_column(String(255))
    found: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """What it says of the device (`rules.logs.Found`), where it is a log."""
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    storage_key: Mapped[str] = mapped_column(String(200), unique=True)
    created_at: Mapped[datetime]


def holder_of(actor: Actor) -> str:
    """How held files name whom they are held for."""
    return f"{actor.kind}:{actor.id}"
