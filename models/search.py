"""Full text of tickets: one document a post, found by its grams (rules.search), the same answers on both databases.

The second file that knows the dialects: SQLite keeps the grams in an FTS5 table without content, PostgreSQL in an int[] under a GIN index.
A document is the post with its files' names and what heads its ticket. Its id is made of both numbers, so that hits come in the order of
the tickets, and one ticket's documents lie together. Posts are put in by a job; until then they are compared one by one (`unindexed`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Index,
    Integer,
    SmallInteger,
    Text,
    bindparam,
    column,
    delete,
    func,
    insert,
    literal_column,
    select,
    table,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Session

from models.base import AnyRow, AnySelect, Base, mapped_column
from models.database import is_sqlite, lock
from models.tickets import Attachment, Message, MessageKind, Ticket
from rules.search import account_gram, grams, long_grams
from rules.text import fold_key, searchable

SHIFT = 2**31
"""Message numbers stay below this."""
HIGHEST_NUMBER = SHIFT - 1
EDITION = 2
"""What documents are put in with now; those of an older edition are put in anew, the highest ticket first."""
_AGAIN_AT_ONCE = 200
"""Posts that are put in again together."""
_POSTED_AS = column("id", BigInteger)
GRAMS = table("search_gram", _POSTED_AS, column("rowid", BigInteger), column("grams"))


class SearchDocument(Base):
    """A post in the form search compares."""

    __tablename__ = "search_document"
    # SQLite counts by it how many old ones are left only where it is asked for in the same words.
    __table_args__ = (Index("ix_search_document_old", "ticket_id", info={"where": "edition = 1"}),)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """The ticket's number times 2^31 plus the message's."""
    ticket_id: Mapped[int] = mapped_column(Integer, index=True)
    is_note: Mapped[bool]
    text: Mapped[str] = mapped_column(Text)
    edition: Mapped[int] = mapped_column(SmallInteger, default=1, server_default="1")
    """Which grams it was put in with. 1: its signs and pairs; 2: its fours and its account too."""
    account_id: Mapped[int | None]
    """The account whose gram it was put in with."""


def hold_index(session: Session) -> None:
    """Let nobody else change the index until this transaction ends. Tickets are held before it, never after: who holds one may wait here.

    Two that changed it at once would not see each other's documents: one would stay though its post is put in anew, or stay as its post was.
    """
    lock(session, "search")


def waiting_posts(session: Session, now: datetime, *, limit: int) -> Sequence[AnyRow]:
    """Published posts that are not in the index yet, oldest first: id, ticket_id, kind, text, in the columns of `POSTS`."""
    return session.execute(POSTS.where(Message.id.in_(waiting(Message.published_at <= now).limit(limit))).order_by(Message.id)).all()


def has_waiting_posts(session: Session, now: datetime) -> bool:
    """Whether a post waits for the index."""
    return session.scalar(waiting(Message.published_at <= now).limit(1)) is not None


def waiting(*conditions: ColumnElement[bool], newest: bool = False) -> AnySelect:
    """The posts that no job has put in, by the index of their moments alone: asked with other tables, SQLite looks through every post there is."""
    statement: AnySelect = select(Message.id).where(~Message.indexed, *conditions)
    return statement.order_by(Message.published_at.desc() if newest else Message.published_at)


def put_in(session: Session, posts: Sequence[AnyRow], *, edition: int = EDITION) -> None:
    """Make the documents of `posts` (rows of `waiting_posts`) and mark them as put in; of an older edition: as the version before does.

    Hold the index before `posts` are read. A document that such a post has all the same gives way to the new one.
    """
    if not posts:
        return
    names = file_names(session, [post.id for post in posts])
    documents = [
        {
            "id": document_number(post.ticket_id, post.id),
            "ticket_id": post.ticket_id,
            "is_note": post.kind == MessageKind.NOTE,
            "text": document_text(post, names.get(post.id, ())),
            "edition": edition,
            "account_id": post.account_id,
        }
        for post in posts
    ]
    numbers = [document["id"] for document in documents]
    _forget(session, SearchDocument.id.in_(numbers), _POSTED_AS.in_(numbers))
    session.execute(insert(SearchDocument), documents)
    _keep_grams(session, documents)
    session.execute(update(Message).where(Message.id.in_([post.id for post in posts])).values(indexed=True), execution_options=_QUIET)


def put_in_anew(session: Session, *, limit: int) -> int:
    """Give up to `limit` documents of an older edition the grams of this one, the highest tickets first; how many there were.

    Hold the index first. The desk may search meanwhile: `newest_old_ticket` says from which ticket on all documents are of this edition.
    """
    old = _old_documents().add_columns(SearchDocument.text, Ticket.account_id).join(Ticket, Ticket.id == SearchDocument.ticket_id)
    rows = session.execute(old.order_by(SearchDocument.ticket_id.desc()).limit(limit)).all()
    if rows:
        numbers = [row.id for row in rows]
        _forget_grams(session, SearchDocument.id.in_(numbers), _POSTED_AS.in_(numbers))
        documents = [{"id": row.id, "text": row.text, "edition": EDITION, "account_id": row.account_id} for row in rows]
        _keep_grams(session, documents)
        statement = update(SearchDocument.__table__).where(SearchDocument.id == bindparam("number"))
        statement = statement.values(edition=EDITION, account_id=bindparam("account"))
        session.execute(statement, [{"number": row.id, "account": row.account_id} for row in rows])
    return len(rows)


def newest_old_ticket(session: Session) -> int:
    """The highest ticket with a document of an older edition, -1 where there is none."""
    highest = func.coalesce(func.max(SearchDocument.ticket_id), -1)
    return session.execute(_old_documents().with_only_columns(highest)).scalar_one()


@contextmanager
def planned_each_time(session: Session) -> Iterator[None]:
    """Let PostgreSQL plan the block's statements for their words: one plan for all of them would look through every post for a rare one."""
    if is_sqlite(session):
        yield
        return
    # What is not prepared is planned for its values, and nothing needs to be said for that.
    driver: Any = session.connection().connection.driver_connection
    threshold, driver.prepare_threshold = driver.prepare_threshold, None
    try:
        yield
    finally:
        driver.prepare_threshold = threshold


def shares_of(session: Session, wanted: set[int]) -> dict[int, float]:
    """In which share of the posts frequent ones of these grams stand, by PostgreSQL's statistics. Rare ones are not in them."""
    rows = session.execute(text(_SHARES), {"wanted": sorted(wanted)})
    return {row.gram: row.share for row in rows}


def _old_documents() -> AnySelect:
    return select(SearchDocument.id).where(SearchDocument.edition == literal_column("1"))


def take_out(session: Session, ticket_id: int) -> None:
    """Forget the documents of a ticket whose head or posts changed: they are compared one by one until the job puts them in anew."""
    hold_index(session)
    first, last = ticket_id * SHIFT, (ticket_id + 1) * SHIFT - 1
    _forget(session, SearchDocument.id.between(first, last), _POSTED_AS.between(first, last))
    session.execute(update(Message).where(Message.ticket_id == ticket_id).values(indexed=False), execution_options=_QUIET)


def put_in_again(session: Session, tickets: Sequence[int]) -> None:
    """Make the documents of tickets whose heads changed anew; of more posts than others may wait for, the job does."""
    hold_index(session)
    theirs = POSTS.where(Message.ticket_id.in_(tickets), Message.indexed)
    if session.execute(theirs.with_only_columns(Message.id).offset(_AGAIN_AT_ONCE).limit(1)).first() is None:
        put_in(session, session.execute(theirs.order_by(Message.id)).all())
        return
    for number in tickets:
        take_out(session, number)


def _keep_grams(session: Session, documents: Iterable[dict[str, Any]]) -> None:
    sqlite = is_sqlite(session)
    rows = [{"id": document["id"], "grams": stored_grams(document_grams(**document), sqlite=sqlite)} for document in documents]
    session.execute(text(_INSERTS[sqlite]), rows)


def _forget(session: Session, held: ColumnElement[bool], posted: ColumnElement[bool]) -> None:
    _forget_grams(session, held, posted)
    session.execute(delete(SearchDocument).where(held), execution_options=_QUIET)


def _forget_grams(session: Session, held: ColumnElement[bool], posted: ColumnElement[bool]) -> None:
    if not is_sqlite(session):
        session.execute(delete(GRAMS).where(posted))
        return
    # A table without content is told the old grams once more to forget them.
    columns = (SearchDocument.id, SearchDocument.text, SearchDocument.edition, SearchDocument.account_id)
    rows = session.execute(select(*columns).where(held)).all()
    kept = [document_grams(text=row.text, edition=row.edition, account_id=row.account_id) for row in rows]
    if rows:
        session.execute(text(_FORGET), [{"id": row.id, "grams": stored_grams(found, sqlite=True)} for row, found in zip(rows, kept, strict=True)])


def file_names(session: Session, messages: Sequence[int]) -> dict[int, list[str]]:
    """The names of the files of posts, by the post's number."""
    names: dict[int, list[str]] = {}
    for row in session.execute(select(Attachment.message_id, Attachment.name).where(Attachment.message_id.in_(messages)).order_by(Attachment.id)):
        names.setdefault(row.message_id, []).append(row.name)
    return names


_QUIET = {"synchronize_session": False}
_INSERTS = {True: "INSERT INTO search_gram (rowid, grams) VALUES (:id, :grams)", False: "INSERT INTO search_gram (id, grams) VALUES (:id, :grams)"}
_SHARES = """
    SELECT gram, share FROM pg_stats, unnest(most_common_elems::text::integer[], most_common_elem_freqs) AS known (gram, share)
    WHERE schemaname = current_schema() AND tablename = 'search_gram' AND attname = 'grams' AND gram = ANY(:wanted)
"""
_FORGET = "INSERT INTO search_gram (search_gram, rowid, grams) VALUES ('delete', :id, :grams)"
POSTS: AnySelect = select(
    Message.id,
    Message.ticket_id,
    Ticket.account_id,
    Message.kind,
    Message.body,
    Message.published_at,
    Ticket.search_text,
    Ticket.contract_text,
    Ticket.serial_text,
    Ticket.contract_key,
    Ticket.serial_key,
).join(Ticket, Ticket.id == Message.ticket_id)


def document_number(ticket_id: int, message_id: int) -> int:
    """The id of a post's document."""
    return ticket_id * SHIFT + message_id


def document_text(post: Any, names: Sequence[str]) -> str:
    """What of a post is compared: the head of its ticket, itself, and its files' `names`; `post` has the columns of `POSTS`.

    Keys also as they are compared elsewhere: a serial typed full-width is found by its plain form, a contract that staff set by its own.
    """
    keys = " ".join(dict.fromkeys((fold_key(post.contract_text), fold_key(post.serial_text), post.contract_key, post.serial_key)))
    return "\n".join((post.search_text, searchable("\n".join((keys, post.contract_text, post.serial_text, post.body, *names)))))


def document_grams(*, text: str, edition: int, account_id: int | None, **_others: object) -> set[int]:
    """The grams that a document of this edition is kept with."""
    found = grams(text)
    if edition > 1:
        found |= long_grams(text)
    if edition > 1 and account_id is not None:
        found.add(account_gram(account_id))
    return found


def stored_grams(found: set[int], *, sqlite: bool) -> Any:
    """The grams of a text as their table takes them."""
    return " ".join(map(token, sorted(found))) if sqlite else sorted(found)


def token(gram: int) -> str:
    """A gram as SQLite's table knows it."""
    return f"{gram & 0xFFFFFFFF:x}"
