"""Finding tickets by words: exactly those that a plain substring scan of every post would find, on both databases.

Tickets are looked through from the nearest on, in stretches, each by what has fewer there: by the words' grams, or ticket by ticket
where conditions leave few of them. Posts that no job has put in yet are compared one by one.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from models.base import AnyRow
from models.database import among_ids, given_ids, is_sqlite
from models.kept import Kept, walk
from models.search import (
    HIGHEST_NUMBER,
    POSTS,
    SHIFT,
    SearchDocument,
    document_text,
    file_names,
    newest_old_ticket,
    planned_each_time,
    shares_of,
    token,
    waiting,
)
from models.search_statements import (
    HIGHEST,
    LOWEST,
    Maker,
    Shape,
    candidates,
    counted,
    in_order,
    kept,
    nearest,
    nearest_candidates,
    newest_of,
    newest_of_stretch,
    newest_of_tickets,
)
from models.tickets import Message, MessageKind, Ticket
from rules.search import account_gram, grams_of_term, long_grams_of_term

_NEAREST, _NEAREST_READ = 300, 100
"""Tickets that are looked through first where conditions may leave few of them; on PostgreSQL by reading them."""
_NEAREST_POSTS = 150
"""Without conditions PostgreSQL reads so many documents first."""
_READ_IN_A_ROW = 4_000
"""As many in a row are read on PostgreSQL rather than looked up, where they fill the page."""
_RAREST = 3
"""So many grams are asked for on PostgreSQL."""
_OFTEN = 0.5
"""… but none that so many posts hold, where there is a rarer one."""
_CANDIDATES = 128
"""Documents that are compared at first."""
_FEW = 2_000
_READ_FIRST, _READ_AT_MOST = 64, 256
"""Tickets whose documents are read without the index, where conditions leave few: at first, and at a time."""
_READ_ON = 2_000
"""What conditions leave is read on while so many tickets like the last ones would fill the page."""
_HITS_A_TICKET = 6
"""Reading a ticket's documents costs as much as looking at so many hits of the index."""
_TAIL = 500
"""So many posts that no job has put in yet are compared one by one; more of them wait."""
_NEWEST = Kept(waiting(newest=True).limit(_TAIL))

Stretch = tuple[int, int]
"""Tickets from a number up to, not including, another."""


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
    account_id: int | None = None
    """The account whose tickets alone the conditions leave, where they do."""

    @property
    def number(self) -> int | None:
        """The ticket's number, where the only word is one."""
        digits = self.terms[0].removeprefix("#") if len(self.terms) == 1 else ""
        return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= 10 and int(digits) <= HIGHEST_NUMBER else None


def find_tickets(session: Session, sought: Sought, *, beyond: int | None = None, backwards: bool = False, limit: int) -> list[Hit]:
    """Up to `limit` tickets that hold all words in one post, the highest number first; after (or, backwards, before) the number `beyond`."""
    hits: dict[int, int] = {}
    known = [*_by_number(session, sought, beyond, backwards), *_unindexed(session, sought, beyond, backwards)]
    with planned_each_time(session):
        walked = _Walk(session, sought, backwards, limit).hits(beyond)
    for hit in (*known, *walked):
        hits[hit.ticket_id] = max(hit.message_id, hits.get(hit.ticket_id, 0))
    nearest = sorted(hits, reverse=not backwards)[:limit]
    return [Hit(number, hits[number]) for number in sorted(nearest, reverse=True)]


def _by_number(session: Session, sought: Sought, beyond: int | None, backwards: bool) -> Iterable[Hit]:
    if sought.number is None:
        return []
    statement = select(Ticket.id).where(Ticket.id == sought.number, *_side(Ticket.id, beyond, backwards), *sought.conditions)
    return [Hit(number, 0) for number in session.scalars(statement)]


def _unindexed(session: Session, sought: Sought, beyond: int | None, backwards: bool) -> Iterator[Hit]:
    """The newest posts that no job has put in yet, compared as a person would."""
    newest = _NEWEST.rows(session)
    if not newest:
        return
    statement = POSTS.where(
        among_ids(session, Message.__table__.c.id, [row.id for row in newest]), *_side(Message.ticket_id, beyond, backwards), *sought.conditions
    )
    if sought.public_at is not None:
        statement = statement.where(Message.kind != MessageKind.NOTE, Message.published_at <= sought.public_at)
    posts = session.execute(statement).all()
    names = file_names(session, [post.id for post in posts]) if posts else {}
    for post in posts:
        document = document_text(post, names.get(post.id, ()))
        if all(term in document for term in sought.terms):
            yield Hit(post.ticket_id, post.id)


def _side(number: Any, beyond: int | None, backwards: bool) -> list[ColumnElement[bool]]:
    return [] if beyond is None else [number > beyond if backwards else number < beyond]


@dataclass
class _Walk:
    """One search among the documents: what was found so far, by ticket."""

    session: Session
    sought: Sought
    backwards: bool
    limit: int
    found: dict[int, int] = field(default_factory=dict[int, int])
    old: int = -1
    """Documents of this ticket and those below may be without long grams: they are looked for by pairs."""

    def hits(self, beyond: int | None) -> list[Hit]:
        """The nearest tickets beyond a number, at least as many as are wanted where there are."""
        long = {gram for term in self.sought.terms for gram in long_grams_of_term(term)}
        if self.sought.account_id is not None or long != {gram for term in self.sought.terms for gram in grams_of_term(term)}:
            self.old = newest_old_ticket(self.session)
        rest = (0, beyond) if beyond is not None and not self.backwards else (beyond + 1 if beyond is not None else 0, HIGHEST_NUMBER)
        # SQLite finds hits in their order: with nothing but an account to be mindful of, which is a gram too, it needs no stretches.
        if is_sqlite(self.session) and (not self.sought.conditions or (self.sought.account_id is not None and self.old < 0)):
            self._by_words(rest)
        elif self.sought.conditions:
            self._in_stretches(rest)
        else:
            self._by_words(self._while_frequent(rest))
        return [Hit(*pair) for pair in self.found.items()]

    @property
    def _lacking(self) -> int:
        return self.limit - len(self.found)

    def _ended(self, stretch: Stretch) -> Stretch:
        """The open end of a stretch made that of the documents."""
        low, high = stretch
        if self.backwards:
            return max(low, LOWEST.rows(self.session)[0][0] or 0), high
        return low, min(high, (HIGHEST.rows(self.session)[0][0] or 0) + 1)

    def _parted(self, stretch: Stretch, tickets: int) -> tuple[Stretch, Stretch]:
        """The nearest `tickets` of a stretch, and what is beyond them."""
        low, high = stretch
        at = min(low + tickets, high) if self.backwards else max(high - tickets, low)
        return ((low, at), (at, high)) if self.backwards else ((at, high), (low, at))

    def _in_stretches(self, rest: Stretch) -> None:
        """Among many: the nearest, then what the conditions leave, then all others."""
        rest = self._ended(rest)
        if self.sought.account_id is None:
            sqlite = is_sqlite(self.session)
            here, rest = self._parted(rest, _NEAREST if sqlite else _NEAREST_READ)
            self._by_words(here) if sqlite else self._by_reading(here)
        self._by_words(self._by_tickets(rest))

    def _while_frequent(self, rest: Stretch) -> Stretch:
        """Read the nearest documents, and more while that fills the page soon: PostgreSQL would first find all hits there are."""
        near = self._told(nearest, self.sought.terms, most=_NEAREST_POSTS, **_bounds(rest))
        if near.lowest is None:
            return rest[0], rest[0]
        first, last = near.lowest // SHIFT, near.highest // SHIFT
        # The ticket in which they end may have more: it is read again.
        edge, rest = (last, (last, rest[1])) if self.backwards else (first, (rest[0], first + 1))
        self._keep(number for number in near.held if number // SHIFT != edge)
        looked = last - first + 1
        while self.found and self._lacking > 0 and rest[0] < rest[1]:
            wanted = int(1.3 * self._lacking * looked / len(self.found)) + 1
            if wanted > _READ_IN_A_ROW:
                break
            here, rest = self._parted(rest, wanted)
            self._by_reading(here)
            looked += wanted
        return rest

    def _by_reading(self, stretch: Stretch) -> None:
        """Compare all documents of a stretch."""
        self._keep(self._documents(newest_of_stretch, self.sought.terms, **_bounds(stretch)))

    def _by_tickets(self, rest: Stretch) -> Stretch:
        """Read what the conditions leave of a stretch, while that is little or holds the words often; what is still to be looked through."""
        low, high = rest
        if self._lacking <= 0 or low >= high:
            return rest
        numbers = self.session.scalars(select(Ticket.id).where(*self.sought.conditions).limit(_FEW + 1)).all()
        few = sorted((number for number in numbers if low <= number < high), reverse=not self.backwards) if len(numbers) <= _FEW else None
        if (few is None or len(few) > _READ_AT_MOST) and self._has_fewer_hits(rest, _HITS_A_TICKET * _READ_AT_MOST):
            return rest
        size = _READ_FIRST
        while self._lacking > 0 and low < high:
            here = few[:size] if few is not None else self._next_tickets(low, high, size)
            before = len(self.found)
            self._read(here)
            if len(here) < size:
                return low, low
            low, high = (here[-1] + 1, high) if self.backwards else (low, here[-1])
            few = few[size:] if few is not None else None
            often = self._lacking * size <= _READ_ON * (len(self.found) - before)
            if not often and (few is None or self._has_fewer_hits((low, high), _HITS_A_TICKET * len(few))):
                break
            size = min(2 * size, _READ_AT_MOST)
        return low, high

    def _next_tickets(self, low: int, high: int, most: int) -> Sequence[int]:
        statement = select(Ticket.id).where(*self.sought.conditions, Ticket.id >= low, Ticket.id < high).limit(most)
        return self.session.scalars(statement.order_by(Ticket.id.asc() if self.backwards else Ticket.id.desc())).all()

    def _read(self, numbers: Sequence[int]) -> None:
        """Compare the documents of these tickets."""
        self._keep(self._documents(newest_of_tickets, self.sought.terms, numbers=given_ids(self.session, numbers)))

    def _has_fewer_hits(self, stretch: Stretch, most: int) -> bool:
        """Whether the words' grams are in fewer than `most` documents of a stretch; on PostgreSQL: whether one is not among the frequent."""
        if not is_sqlite(self.session):
            wanted = self._wanted(stretch)
            return not self.found and len(shares_of(self.session, wanted)) < len(wanted)
        return self._told(counted, most=most, **self._held(stretch))[0] < most

    def _by_words(self, stretch: Stretch) -> None:
        """Read the hits of a stretch in the order of the tickets, and no more than are wanted."""
        low, high = stretch
        edge = min(max(self.old + 1, low), high)
        older, newer = (low, edge), (edge, high)
        for part in (older, newer) if self.backwards else (newer, older):
            if self._lacking > 0 and part[0] < part[1]:
                self._read_hits(part)

    def _read_hits(self, stretch: Stretch) -> None:
        if not is_sqlite(self.session):
            self._read_candidates(stretch)
            return
        with closing(self._documents(in_order, self.sought.terms, **self._held(stretch))) as numbers:
            for number in numbers:
                ticket_id, message_id = divmod(number, SHIFT)
                if self._lacking <= 0 and ticket_id not in self.found:
                    break
                self.found[ticket_id] = max(message_id, self.found.get(ticket_id, 0))

    def _read_candidates(self, stretch: Stretch) -> None:
        """PostgreSQL finds all that may be hits, by the rarest of the grams; they are compared from the nearest on."""
        if self._are_hits_mostly() and not self.backwards:
            self._read_likely(stretch)
            return
        numbers: Sequence[int] = self._told(candidates, **self._held(stretch))[0]
        start, size = 0, _CANDIDATES
        while start < len(numbers) and self._lacking > 0:
            end = start + size
            while end < len(numbers) and numbers[end] // SHIFT == numbers[end - 1] // SHIFT:
                end += 1  # a ticket's documents are compared together
            self._keep(self._documents(newest_of, self.sought.terms, numbers=numbers[start:end]))
            start, size = end, min(2 * size, _CANDIDATES * 16)

    def _read_likely(self, stretch: Stretch) -> None:
        """Candidates that are hits but for a few: found and compared at once, as many as fill the page. Of a ticket cut off the newest is known."""
        held, most = self._held(stretch), self._lacking + self._lacking // 4 + 1
        while self._lacking > 0:
            near = self._told(nearest_candidates, self.sought.terms, most=most, **held)
            self._keep(near.held)
            if near.counted < most:
                break
            held["behind"], most = near.lowest, 4 * most

    def _are_hits_mostly(self) -> bool:
        """Whether who holds the grams holds the words, but for letters that share one: of a word of one or two signs, for the staff, without conditions."""
        terms = self.sought.terms
        return len(terms) == 1 and len(terms[0]) <= 2 and not self.sought.conditions and self.sought.public_at is None

    def _keep(self, numbers: Iterable[int]) -> None:
        """That these documents are hits; of a ticket the newest one counts."""
        for ticket_id, message_id in (divmod(number, SHIFT) for number in numbers):
            self.found[ticket_id] = max(message_id, self.found.get(ticket_id, 0))

    def _documents(self, maker: Maker, terms: Sequence[str], **values: Any) -> Generator[int]:
        """The documents that are found, of tickets that the conditions leave, as they are read."""
        kept, values = self._kept(maker, terms), {**values, **_named(terms)}
        if not self.sought.conditions:
            return kept.walk(self.session, values)
        narrowed = kept.statement.join(Ticket, Ticket.id == SearchDocument.ticket_id).where(*self.sought.conditions)
        return walk(self.session, narrowed, values)

    def _told(self, maker: Maker, terms: Sequence[str] = (), **values: Any) -> AnyRow:
        """The only row of a statement."""
        return self._kept(maker, terms).rows(self.session, {**values, **_named(terms)})[0]

    def _kept(self, maker: Maker, terms: Sequence[str]) -> Kept:
        return kept(maker, Shape(is_sqlite(self.session), len(terms), self.sought.public_at is not None, self.backwards))

    def _held(self, stretch: Stretch) -> dict[str, Any]:
        """The bounds of a stretch, which lies on one side of `old`, and the grams of the words as its documents hold them."""
        wanted = self._wanted(stretch)
        grams = " AND ".join(token(gram) for gram in sorted(wanted)) if is_sqlite(self.session) else self._rarest(wanted)
        return {"grams": grams, **_bounds(stretch)}

    def _wanted(self, stretch: Stretch) -> set[int]:
        new = stretch[0] > self.old
        wanted = {gram for term in self.sought.terms for gram in (long_grams_of_term(term) if new else grams_of_term(term))}
        return wanted | {account_gram(self.sought.account_id)} if new and self.sought.account_id is not None else wanted

    def _rarest(self, wanted: set[int]) -> list[int]:
        """What PostgreSQL is asked for: what is compared anyway need not be found by all its grams, and long lists cost more than they leave out."""
        if len(wanted) == 1:
            return [*wanted]
        shares = shares_of(self.session, wanted)
        first, *others = sorted(wanted, key=lambda gram: (shares.get(gram, 0.0), gram))[:_RAREST]
        return sorted([first, *(gram for gram in others if shares.get(gram, 0.0) < _OFTEN)])


def _named(terms: Sequence[str]) -> dict[str, str]:
    return {f"term_{number}": term for number, term in enumerate(terms)}


def _bounds(stretch: Stretch) -> dict[str, int]:
    low, high = stretch
    return {"first": low * SHIFT, "behind": high * SHIFT}
