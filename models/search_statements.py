"""The statements that look through the documents of search: each put together once for its shape, and then sent with values.

Values go by name: `first` and `behind` bound the documents' numbers, `grams` are what they must be kept with, `term_0` and on the words that
their texts are compared with. What is asked of the tickets beside that is joined by who sends them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, CTE, BigInteger, ColumnElement, Integer, and_, any_, bindparam, column, func, select

from models.base import AnySelect
from models.database import among_given
from models.kept import Kept
from models.search import GRAMS, SearchDocument


class Shape(NamedTuple):
    """What changes a statement itself."""

    embedded: bool
    """Whether it is for SQLite."""
    terms: int
    """How many words are compared."""
    public: bool
    """Whether notes are left out. Only published posts are put in."""
    backwards: bool
    """Whether the lowest numbers come first."""


Maker = Callable[[Shape], AnySelect]


@lru_cache(maxsize=128)
def kept(maker: Maker, shape: Shape) -> Kept:
    """The statement of `maker`."""
    return Kept(maker(shape))


def newest_of_stretch(shape: Shape) -> AnySelect:
    """Of each ticket the newest document that holds the words, by reading all of a stretch."""
    return _newest(shape, *_within(SearchDocument.id))


def nearest(shape: Shape) -> AnySelect:
    """PostgreSQL's first `most` documents of a stretch: the first and the last of them, and those that hold the words, in one row."""
    key = SearchDocument.id
    some = select(key, and_(*_comparing(shape)).label("held")).where(*_within(key)).order_by(_ordered(shape, key))
    read = some.limit(bindparam("most", type_=Integer)).cte("read").prefix_with("MATERIALIZED")
    held = _array(select(read.c.id).where(read.c.held))
    return select(func.max(read.c.id).label("highest"), func.min(read.c.id).label("lowest"), held.label("held"))


def newest_of(shape: Shape) -> AnySelect:
    """The same of the documents in `numbers`, on PostgreSQL."""
    return _newest(shape, SearchDocument.id == any_(bindparam("numbers", type_=ARRAY(BigInteger))))


def newest_of_tickets(shape: Shape) -> AnySelect:
    """The same of the tickets in `numbers` (`models.database.given_ids`)."""
    return _newest(shape, among_given(shape.embedded, SearchDocument.__table__.c.ticket_id, "numbers"))


def in_order(shape: Shape) -> AnySelect:
    """SQLite's documents of a stretch that hold grams and words; it makes them while they are read."""
    key = GRAMS.c.rowid
    statement: AnySelect = select(SearchDocument.id).join(GRAMS, key == SearchDocument.id).where(*_holding(shape), *_comparing(shape))
    return statement.order_by(_ordered(shape, key))


def counted(shape: Shape) -> AnySelect:
    """How many documents of a stretch hold the grams, counted up to `most`."""
    some = select(_key(shape)).where(*_holding(shape)).limit(bindparam("most", type_=Integer)).subquery()
    return select(func.count()).select_from(some)


def candidates(shape: Shape) -> AnySelect:
    """PostgreSQL's documents of a stretch that hold the grams, as one array."""
    found = _found(shape)
    return select(_array(select(found.c.id).order_by(_ordered(shape, found.c.id))))


def nearest_candidates(shape: Shape) -> AnySelect:
    """PostgreSQL's first `most` of them: how many there are, the lowest, and those that hold the words, in one row."""
    found = _found(shape)
    near = select(found.c.id).order_by(_ordered(shape, found.c.id)).limit(bindparam("most", type_=Integer)).cte("near")
    held = select(SearchDocument.id).join(near, near.c.id == SearchDocument.id).where(*_comparing(shape))
    return select(func.count().label("counted"), func.min(near.c.id).label("lowest"), _array(held).label("held"))


HIGHEST, LOWEST = Kept(select(func.max(SearchDocument.ticket_id))), Kept(select(func.min(SearchDocument.ticket_id)))
"""Where the documents end."""


def _newest(shape: Shape, *held: ColumnElement[bool]) -> AnySelect:
    return select(func.max(SearchDocument.id)).where(*held, *_comparing(shape)).group_by(SearchDocument.ticket_id)


def _found(shape: Shape) -> CTE:
    # Found first, whatever is done with them: who is told an order may walk all documents in it.
    return select(_key(shape)).where(*_holding(shape)).cte("found").prefix_with("MATERIALIZED")


def _array(documents: AnySelect) -> Any:
    return func.array(documents.scalar_subquery(), type_=ARRAY(BigInteger))


def _ordered(shape: Shape, key: Any) -> Any:
    return key.asc() if shape.backwards else key.desc()


def _comparing(shape: Shape) -> list[ColumnElement[bool]]:
    place = func.instr if shape.embedded else func.strpos
    compared = [place(SearchDocument.text, bindparam(f"term_{number}")) > 0 for number in range(shape.terms)]
    return [*compared, ~SearchDocument.is_note] if shape.public else compared


def _holding(shape: Shape) -> list[ColumnElement[bool]]:
    if shape.embedded:
        holding = column("search_gram").op("MATCH")(bindparam("grams"))
    else:
        holding = GRAMS.c.grams.op("@>")(bindparam("grams", type_=ARRAY(Integer)))
    return [holding, *_within(_key(shape))]


def _within(key: Any) -> list[ColumnElement[bool]]:
    return [key >= bindparam("first", type_=BigInteger), key < bindparam("behind", type_=BigInteger)]


def _key(shape: Shape) -> Any:
    return GRAMS.c.rowid if shape.embedded else GRAMS.c.id
