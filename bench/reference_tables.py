"""The smallest schema that can serve the same pages, and the inquiries in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Column, DateTime, Engine, ForeignKey, Index, Integer, MetaData, String, Table, Text, create_engine, event, text
from sqlalchemy.orm import Session, registry

from bench import corpus
from bench.bulk import settle, write_rows
from bench.corpus import Inquiry, inquiries

METADATA = MetaData()
CUSTOMER = Table(
    "customer",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("user_id", String(100), nullable=False, unique=True),
    Column("password_hash", String(200), nullable=False),
    Column("company", String(200), nullable=False),
    Column("email", String(200), nullable=False),
)
MEMBER = Table("member", METADATA, Column("id", Integer, primary_key=True), Column("name", String(100), nullable=False))
SESSION = Table(
    "session",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("member_id", Integer, ForeignKey("member.id")),
    Column("customer_id", Integer, ForeignKey("customer.id")),
    Column("csrf", String(64), nullable=False),
)
TICKET = Table(
    "ticket",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("subject", String(300), nullable=False),
    Column("product", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("customer_id", Integer, ForeignKey("customer.id"), nullable=False),
    Column("member_id", Integer, ForeignKey("member.id"), nullable=False),
    Index("ix_ticket_state_updated", "state", "updated_at", "id"),
)
MESSAGE = Table(
    "message",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("ticket_id", Integer, ForeignKey("ticket.id"), nullable=False, index=True),
    Column("author", String(200), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("body", Text, nullable=False),
)
COUNTER = Table("counter", METADATA, Column("name", String(20), primary_key=True), Column("n", Integer, nullable=False))


class StoredTicket:
    """A ticket as an object, for the reply."""

    updated_at: datetime


class StoredMessage:
    """A message as an object, for the reply."""

    def __init__(self, **columns: Any) -> None:
        for name, value in columns.items():
            setattr(self, name, value)


_mappers = registry(metadata=METADATA)
_mappers.map_imperatively(StoredTicket, TICKET)
_mappers.map_imperatively(StoredMessage, MESSAGE)

_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-65536", "mmap_size=268435456", "busy_timeout=10000", "wal_autocheckpoint=4000")


def reference_engine(url: str, *, threads: int) -> Engine:
    """An engine as kind to the reference as ours is to the desk: the same pragmas and the same BEGIN IMMEDIATE for writers."""
    if not url.startswith("sqlite"):
        return create_engine(url, pool_size=threads)
    engine = create_engine(url, pool_size=threads, connect_args={"isolation_level": None, "check_same_thread": False})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _record: object) -> None:
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


def reference_token(number: int) -> str:
    """The cookie of the session `number`."""
    return f"reference-session-{number:02d}"


def load_reference(engine: Engine, count: int, *, password_hash: str) -> None:
    """Make the tables and fill them with `count` tickets."""
    METADATA.create_all(engine)
    with engine.execution_options(writes=True).begin() as connection:
        accounts = range(corpus.ACCOUNTS)
        customers = ((number + 1, f"bench{number:03d}", password_hash, corpus.company(number), corpus.customer_email(number)) for number in accounts)
        write_rows(connection, CUSTOMER, ("id", "user_id", "password_hash", "company", "email"), customers)
        write_rows(connection, MEMBER, ("id", "name"), ((number + 1, corpus.staff_name(number)) for number in range(corpus.STAFF)))
        sessions = ((reference_token(number), number % corpus.STAFF + 1, None, f"csrf-{number}") for number in range(16))
        write_rows(connection, SESSION, ("id", "member_id", "customer_id", "csrf"), sessions)
        columns = ("id", "subject", "product", "state", "created_at", "updated_at", "customer_id", "member_id")
        write_rows(connection, TICKET, columns, map(_ticket, inquiries(count)))
        messages = (row for one in inquiries(count) for row in _messages(one))
        write_rows(connection, MESSAGE, ("id", "ticket_id", "author", "created_at", "body"), messages)
        write_rows(connection, COUNTER, ("name", "n"), [("open", sum(one.unresolved for one in inquiries(count)))])
    settle(engine, [CUSTOMER, MEMBER, TICKET, MESSAGE])


def index_words(engine: Engine) -> None:
    """Let PostgreSQL find words of two signs by an index, which no extension of its own has; SQLite walks the newest messages."""
    if engine.dialect.name == "sqlite":
        return
    with engine.begin() as connection:
        connection.exec_driver_sql(_PAIRS)
        connection.exec_driver_sql("CREATE INDEX IF NOT EXISTS ix_message_pairs ON message USING gin (pairs(body))")
        connection.exec_driver_sql("ANALYZE message")


def tickets_holding(session: Session, word: str, most: int) -> list[int]:
    """The newest tickets with `word`, of two signs or more, in a message."""
    if session.get_bind().dialect.name == "sqlite":
        return [*session.scalars(text(_WALKED), {"like": f"%{word}%", "most": most})]
    pairs = [word[at : at + 2] for at in range(len(word) - 1)]
    return [*session.scalars(text(_FOUND), {"like": f"%{word}%", "most": most, "pairs": pairs})]


_WALKED = "SELECT DISTINCT ticket_id FROM message WHERE body LIKE :like ORDER BY id DESC LIMIT :most"
_FOUND = """
    SELECT ticket_id FROM message WHERE pairs(body) @> CAST(:pairs AS text[]) AND body LIKE :like
    GROUP BY ticket_id ORDER BY max(id) DESC LIMIT :most
"""
_PAIRS = """
    CREATE OR REPLACE FUNCTION pairs(body text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT coalesce(array_agg(DISTINCT substr(body, at, 2)), '{}') FROM generate_series(1, length(body) - 1) at $$
"""


def _ticket(one: Inquiry) -> tuple[Any, ...]:
    state = "open" if one.unresolved else "closed"
    return one.number, one.subject, one.product, state, one.at, one.updated_at, one.account + 1, one.staff + 1


def _messages(one: Inquiry) -> Iterator[tuple[int, int, str, datetime, str]]:
    for place, body in enumerate(one.messages):
        author = corpus.staff_name(one.staff) if place == 1 else corpus.customer_name(one.account)
        yield one.number * 3 - 2 + place, one.number, author, one.at, body
