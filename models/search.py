"""Full text of tickets: one document a post, found by its grams (rules.search), the same answers on both databases.

The second file that knows the dialects: SQLite keeps the grams in an FTS5 table without content, PostgreSQL in an int[] under a GIN index.
A document is the post with its files' names and what heads its ticket. Its id is made of both numbers, so that hits come in the order of
the tickets, and one ticket's documents lie together. Posts are put in by a job; until then they are compared one by one (`unindexed`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Integer, Text, cast, column, delete, func, insert, literal, select, table, text, update
from sqlalchemy.orm import Mapped, Session

from models.base import AnyRow, AnySelect, Base, mapped_column
from models.database import among_ids, is_sqlite
from models.tickets import Attachment, Message, MessageKind, Ticket
from rules.search import grams, grams_of_term, is_exact
from rules.text import fold_key, searchable

_SHIFT = 2**31
"""Message numbers stay below this."""
_HIGHEST_NUMBER = _SHIFT - 1
_AT_ONCE = 64
"""Hits fetched at a time where several may belong to one ticket."""
_NEAREST = 300
"""Tickets that are looked through first where conditions may leave few of them."""
_STEPS = (_NEAREST, 10_000)
"""PostgreSQL sorts what it found: it looks through so many tickets at a time, then through all others."""
_FEW = 2_000
_READ_AT_ONCE = 250
"""Tickets whose documents are read without the index when conditions leave no more than few."""
TAIL = 500
"""So many posts that no job has put in yet are compared one by one; more of them wait."""

_POSTED = column("id", BigInteger)
_GRAMS = table("search_gram", _POSTED, column("rowid", BigInteger), column("grams"))


class SearchDocument(Base):
    """A post in the form search compares."""

    __tablename__ = "search_document"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """The ticket's number times 2^31 plus the message's."""
    ticket_id: Mapped[int] = mapped_column(Integer, index=True)
    is_note: Mapped[bool]
    text: Mapped[str] = mapped_column(Text)


class Hit(NamedTuple):
    """A ticket that was found, and its newest post that holds the words (0: found by its number)."""

    ticket_id: int
    message_id: int


@dataclass(frozen=True)
class Sought:
    """What is looked for: words in the compared form, conditions on the ticket, and who looks."""

    terms: Sequence[str]
    conditions: Sequence[ColumnElement[bool]] = ()
    public_at: datetime | None = None
    """A customer's moment: no notes, and answers from their publication on. None: the staff, who see everything."""

    @property
    def number(self) -> int | None:
        """The ticket's number, where the only word is one."""
        digits = self.terms[0].removeprefix("#") if len(self.terms) == 1 else ""
        return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= 10 and int(digits) <= _HIGHEST_NUMBER else None


def find_tickets(session: Session, sought: Sought, *, beyond: int | None = None, backwards: bool = False, limit: int) -> list[Hit]:
    """Up to `limit` tickets that hold all words in one post, the highest number first; after (or, backwards, before) the number `beyond`."""
    hits: dict[int, int] = {}
    for hit in (
        *_by_number(session, sought, beyond, backwards),
        *_unindexed(session, sought, beyond, backwards),
        *_indexed(session, sought, beyond, backwards, limit),
    ):
        hits[hit.ticket_id] = max(hit.message_id, hits.get(hit.ticket_id, 0))
    nearest = sorted(hits, reverse=not backwards)[:limit]
    return [Hit(number, hits[number]) for number in sorted(nearest, reverse=True)]


def waiting_posts(session: Session, now: datetime, *, limit: int) -> Sequence[AnyRow]:
    """Published posts that are not in the index yet, oldest first: id, ticket_id, kind, text, in the columns of `_POSTS`."""
    return session.execute(_POSTS.where(Message.id.in_(_waiting(Message.published_at <= now).limit(limit))).order_by(Message.id)).all()


def has_waiting_posts(session: Session, now: datetime) -> bool:
    """Whether a post waits for the index."""
    return session.scalar(_waiting(Message.published_at <= now).limit(1)) is not None


def _waiting(*conditions: ColumnElement[bool], newest: bool = False) -> AnySelect:
    """The posts that no job has put in, by the index of their moments alone: asked with other tables, SQLite looks through every post there is."""
    statement: AnySelect = select(Message.id).where(~Message.indexed, *conditions)
    return statement.order_by(Message.published_at.desc() if newest else Message.published_at)


def put_in(session: Session, posts: Sequence[AnyRow]) -> None:
    """Make the documents of `posts` (rows of `waiting_posts`) and mark them as put in."""
    if not posts:
        return
    names = file_names(session, [post.id for post in posts])
    documents = [
        {
            "id": document_number(post.ticket_id, post.id),
            "ticket_id": post.ticket_id,
            "is_note": post.kind == MessageKind.NOTE,
            "text": document_text(post, names.get(post.id, ())),
        }
        for post in posts
    ]
    session.execute(insert(SearchDocument), documents)
    kept = [{"id": document["id"], "grams": stored_grams(grams(str(document["text"])), sqlite=is_sqlite(session))} for document in documents]
    session.execute(text(_INSERTS[is_sqlite(session)]), kept)
    session.execute(update(Message).where(Message.id.in_([post.id for post in posts])).values(indexed=True), execution_options=_QUIET)


def take_out(session: Session, ticket_id: int) -> None:
    """Forget the documents of a ticket whose head or posts changed: they are compared one by one until the job puts them in anew."""
    held = SearchDocument.id.between(ticket_id * _SHIFT, (ticket_id + 1) * _SHIFT - 1)
    if is_sqlite(session):
        # A table without content is told the old grams once more to forget them.
        rows = session.execute(select(SearchDocument.id, SearchDocument.text).where(held)).all()
        for row in rows:
            session.execute(text(_FORGET), {"id": row.id, "grams": stored_grams(grams(row.text), sqlite=True)})
    else:
        session.execute(delete(_GRAMS).where(_POSTED.between(ticket_id * _SHIFT, (ticket_id + 1) * _SHIFT - 1)))
    session.execute(delete(SearchDocument).where(held), execution_options=_QUIET)
    session.execute(update(Message).where(Message.ticket_id == ticket_id).values(indexed=False), execution_options=_QUIET)


def file_names(session: Session, messages: Sequence[int]) -> dict[int, list[str]]:
    """The names of the files of posts, by the post's number."""
    names: dict[int, list[str]] = {}
    for row in session.execute(select(Attachment.message_id, Attachment.name).where(Attachment.message_id.in_(messages)).order_by(Attachment.id)):
        names.setdefault(row.message_id, []).append(row.name)
    return names


_QUIET = {"synchronize_session": False}
_INSERTS = {True: "INSERT INTO search_gram (rowid, grams) VALUES (:id, :grams)", False: "INSERT INTO search_gram (id, grams) VALUES (:id, :grams)"}
_FORGET = "INSERT INTO search_gram (search_gram, rowid, grams) VALUES ('delete', :id, :grams)"
_POSTS: AnySelect = select(
    Message.id,
    Message.ticket_id,
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
    return ticket_id * _SHIFT + message_id


def document_text(post: Any, names: Sequence[str]) -> str:
    """What of a post is compared: the head of its ticket, itself, and its files' `names`; `post` has the columns of `_POSTS`.

    Keys also as they are compared elsewhere: a serial typed full-width is found by its plain form, a contract that staff set by its own.
    """
    keys = " ".join(dict.fromkeys((fold_key(post.contract_text), fold_key(post.serial_text), post.contract_key, post.serial_key)))
    return "\n".join((post.search_text, searchable("\n".join((keys, post.contract_text, post.serial_text, post.body, *names)))))


def _by_number(session: Session, sought: Sought, beyond: int | None, backwards: bool) -> Iterable[Hit]:
    if sought.number is None:
        return []
    statement = select(Ticket.id).where(Ticket.id == sought.number, *_side(Ticket.id, beyond, backwards), *sought.conditions)
    return [Hit(number, 0) for number in session.scalars(statement)]


def _unindexed(session: Session, sought: Sought, beyond: int | None, backwards: bool) -> Iterator[Hit]:
    """The newest posts that no job has put in yet, compared as a person would."""
    newest = session.scalars(_waiting(newest=True).limit(TAIL)).all()
    if not newest:
        return
    statement = _POSTS.where(Message.id.in_(newest), *_side(Message.ticket_id, beyond, backwards), *sought.conditions)
    if sought.public_at is not None:
        statement = statement.where(Message.kind != MessageKind.NOTE, Message.published_at <= sought.public_at)
    posts = session.execute(statement).all()
    names = file_names(session, [post.id for post in posts]) if posts else {}
    for post in posts:
        document = document_text(post, names.get(post.id, ()))
        if all(term in document for term in sought.terms):
            yield Hit(post.ticket_id, post.id)


def _indexed(session: Session, sought: Sought, beyond: int | None, backwards: bool, limit: int) -> list[Hit]:
    """Looked for in stretches of tickets, the nearest first, until enough are found: a frequent word costs what its first page costs.

    Where conditions leave only few tickets, those are read through after the first stretch instead: most hits would be others'.
    """
    found: dict[int, int] = {}
    few: list[int] | None = None
    for place, stretch in enumerate(_stretches(session, sought, beyond, backwards)):
        if place == 1 and sought.conditions:
            few = _few_tickets(session, sought, stretch)
        if few is not None:
            _read_through(session, sought, sorted(few, reverse=not backwards), limit, found)
            break
        _look_through(session, _in_stretch(session, sought, stretch, backwards=backwards), backwards, limit, found)
        if len(found) >= limit:
            break
    return [Hit(*pair) for pair in found.items()]


Stretch = tuple[int, int]
"""Tickets from a number up to, not including, another."""


def _stretches(session: Session, sought: Sought, beyond: int | None, backwards: bool) -> Iterator[Stretch]:
    """All tickets on the wanted side of `beyond`: the nearest few, then ever more. SQLite finds hits in their order: it needs no more than two."""
    everything = (0, beyond) if beyond is not None and not backwards else (beyond + 1 if beyond is not None else 0, _HIGHEST_NUMBER)
    steps = () if is_sqlite(session) and not sought.conditions else (_NEAREST,) if is_sqlite(session) else _STEPS
    low, high = everything
    if steps and backwards:
        low = max(low, session.scalar(select(func.min(SearchDocument.ticket_id))) or 0)
    elif steps:
        high = min(high, (session.scalar(select(func.max(SearchDocument.ticket_id))) or 0) + 1)
    for step in steps:
        if high - low > step:
            yield (low, low + step) if backwards else (high - step, high)
            low, high = (low + step, high) if backwards else (low, high - step)
    if low < high:
        yield low, high


def _look_through(session: Session, statement: AnySelect, backwards: bool, limit: int, found: dict[int, int]) -> None:
    """Read hits in the order of the tickets, and no more than are wanted."""
    options: dict[str, Any] = {"yield_per": _AT_ONCE}
    if not is_sqlite(session):
        # All at once: a cursor of its own would be planned for its first rows, and a rare word has few.
        statement, options = _nearest_tickets(statement, backwards, limit - len(found)), {}
    with session.connection().execute(statement, execution_options=options) as rows:
        for (number,) in rows:
            ticket_id, message_id = divmod(number, _SHIFT)
            if len(found) == limit and ticket_id not in found:
                break
            found[ticket_id] = max(message_id, found.get(ticket_id, 0))


def _few_tickets(session: Session, sought: Sought, stretch: Stretch) -> list[int] | None:
    """The tickets of a stretch that fulfil the conditions, None where they are more than few."""
    low, high = stretch
    numbers = session.scalars(select(Ticket.id).where(*sought.conditions).limit(_FEW + 1)).all()
    return None if len(numbers) > _FEW else [number for number in numbers if low <= number < high]


def _read_through(session: Session, sought: Sought, numbers: Sequence[int], limit: int, found: dict[int, int]) -> None:
    """Compare the documents of these tickets, some at a time, until enough are found."""
    for start in range(0, len(numbers), _READ_AT_ONCE):
        if len(found) >= limit:
            return
        here = numbers[start : start + _READ_AT_ONCE]
        statement = select(func.max(SearchDocument.id)).where(among_ids(session, SearchDocument.__table__.c.ticket_id, here), *_compared(sought, sought.terms))
        for number in session.scalars(statement.group_by(SearchDocument.ticket_id)):
            ticket_id, message_id = divmod(number, _SHIFT)
            found[ticket_id] = message_id


def _in_stretch(session: Session, sought: Sought, stretch: Stretch, *, backwards: bool) -> AnySelect:
    """The documents of a stretch that hold the words, with the conditions on their tickets."""
    key = _GRAMS.c.rowid if is_sqlite(session) else _POSTED
    low, high = stretch
    lowest = [key >= low * _SHIFT] if low > 0 else []
    highest = [key < high * _SHIFT] if high < _HIGHEST_NUMBER else []
    holding = (_holds(session, sought.terms), *lowest, *highest)
    if is_sqlite(session):
        statement: AnySelect = select(SearchDocument.id).join(_GRAMS, key == SearchDocument.id).where(*holding)
        statement = statement.order_by(key.asc() if backwards else key.desc())
    else:
        # Found first, whatever is done with them: who is told that few are wanted believes that a walk along the documents meets them soon.
        found = select(_POSTED.label("id")).where(*holding).cte("hit").prefix_with("MATERIALIZED")
        statement = select(SearchDocument.id).join(found, found.c.id == SearchDocument.id)
    statement = statement.where(*_compared(sought, [term for term in sought.terms if not is_exact(term)]))
    return statement.join(Ticket, Ticket.id == SearchDocument.ticket_id).where(*sought.conditions) if sought.conditions else statement


def _compared(sought: Sought, terms: Sequence[str]) -> list[ColumnElement[bool]]:
    """That a document holds `terms`, and may be seen. Only published posts are put in."""
    compared = [SearchDocument.text.contains(term, autoescape=True) for term in terms]
    return compared if sought.public_at is None else [*compared, ~SearchDocument.is_note]


def _nearest_tickets(statement: AnySelect, backwards: bool, limit: int) -> AnySelect:
    """PostgreSQL has all hits before it sorts them: it may as well choose the tickets."""
    hits = statement.with_only_columns(SearchDocument.id, SearchDocument.ticket_id).subquery()
    chosen = select(func.max(hits.c.id)).group_by(hits.c.ticket_id)
    return chosen.order_by(hits.c.ticket_id.asc() if backwards else hits.c.ticket_id.desc()).limit(limit)


def _holds(session: Session, terms: Sequence[str]) -> ColumnElement[bool]:
    wanted = {gram for term in terms for gram in grams_of_term(term)}
    if is_sqlite(session):
        return column("search_gram").op("MATCH")(" AND ".join(_token(gram) for gram in sorted(wanted)))
    return _GRAMS.c.grams.op("@>")(cast(literal(sorted(wanted), ARRAY(Integer)), ARRAY(Integer)))


def stored_grams(found: set[int], *, sqlite: bool) -> Any:
    """The grams of a text as their table takes them."""
    return " ".join(map(_token, sorted(found))) if sqlite else sorted(found)


def _token(gram: int) -> str:
    return f"{gram & 0xFFFFFFFF:x}"


def _side(number: Any, beyond: int | None, backwards: bool) -> list[ColumnElement[bool]]:
    return [] if beyond is None else [number > beyond if backwards else number < beyond]
