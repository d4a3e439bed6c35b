"""Small changes of which there are very many, each kept and committed for itself: a row, and the rows below it if it was there to be changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import JSON, ColumnElement, Connection, Dialect, Engine, Text, Update, bindparam, cast, column, exists, func, literal, select
from sqlalchemy.types import TypeEngine

from models.database import is_embedded
from models.kept import Values, as_told


@contextmanager
def held_for_changes(engine: Engine) -> Iterator[Connection]:
    """A connection for very many `LinkedChange`s, each of them committed for itself; not to be used after a fault of the database.

    Their commits do not wait for the disk of a PostgreSQL server, as SQLite's do not either: everybody sees them at once, and the death of
    our own process takes nothing back; a crash of the server itself may, within some 0.2 s.
    """
    with engine.connect() as connection:
        if is_embedded(connection.engine):
            yield connection
            return
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.exec_driver_sql("SET synchronous_commit TO OFF")
        try:
            yield connection
        finally:
            if not connection.invalidated:
                connection.exec_driver_sql("RESET synchronous_commit")


Each = Mapping[str, ColumnElement[Any]]
"""What a `LinkedChange` knows of one row below: a parameter each, or a column of all of them."""


class LinkedChange:
    """A change of one row and, only if it was made, of rows below it: kept (`models.kept`), whole or not at all.

    `below` says for one row of the table below, by its fields, how it is changed; it should also name what the row above is known by, so that
    PostgreSQL, which cannot tell how many rows will come, finds them by that.
    It is one statement on PostgreSQL, where each would be a way to the server and back, and one short transaction on SQLite.
    """

    def __init__(self, head: Update, key: ColumnElement[Any], below: Callable[[Each], Update], fields: Mapping[str, TypeEngine[Any]]) -> None:
        self._head, self._key, self._below, self._fields = head, key, below, fields

    def make(self, connection: Connection, values: Values, rows: Sequence[Values]) -> bool:
        """Whether the row of `values` was there to be changed; then each of `rows` is changed too. Commits, unless a transaction is begun already."""
        if not is_embedded(connection.engine):
            told = json.dumps([{name: _told(value) for name, value in row.items()} for row in rows])
            return self._at_once.count(connection, {**values, "rows": told}) == 1
        if connection.in_transaction():
            return self._in_turn(connection, values, rows)
        with connection.begin():
            return self._in_turn(connection, values, rows)

    def _in_turn(self, connection: Connection, values: Values, rows: Sequence[Values]) -> bool:
        first, then = self._apart
        if first.count(connection, values) != 1:
            return False
        then.each(connection, [{**values, **row} for row in rows])
        return True

    @cached_property
    def _apart(self) -> tuple[KeptChange, KeptChange]:
        return KeptChange(self._head), KeptChange(self._below({name: bindparam(name) for name in self._fields}))

    @cached_property
    def _at_once(self) -> KeptChange:
        head = self._head.returning(self._key.label("head")).cte("head")
        fields = [column(name, kind) for name, kind in self._fields.items()]
        each = func.json_to_recordset(cast(bindparam("rows", type_=Text), JSON)).table_valued(*fields).render_derived(name="each", with_types=True)
        # Nothing of the head is asked for below, but that there is one.
        below = self._below({name: each.c[name] for name in self._fields}).where(exists(select(head.c.head))).returning(literal(1)).cte("below")
        return KeptChange(select(head.c.head).add_cte(below))


def _told(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


class KeptChange:
    """An UPDATE or DELETE kept as `models.kept.Kept` keeps a select."""

    def __init__(self, statement: Any) -> None:
        self.statement = statement
        self._ready: WeakKeyDictionary[Dialect, _Text] = WeakKeyDictionary()

    def count(self, connection: Connection, values: Values) -> int:
        """How many rows were changed; `connection` stands in its transaction."""
        if connection.dispatch.before_cursor_execute:
            return connection.execute(self.statement, values).rowcount
        text = self._text(connection)
        with _Cursor(connection, text.words) as cursor:
            cursor.execute(text.words, text.values(values))
            return cursor.rowcount

    def each(self, connection: Connection, rows: Sequence[Values]) -> None:
        """The same with the values of every row."""
        if connection.dispatch.before_cursor_execute:
            connection.execute(self.statement, rows)
            return
        text = self._text(connection)
        with _Cursor(connection, text.words) as cursor:
            cursor.executemany(text.words, [text.values(row) for row in rows])

    def _text(self, connection: Connection) -> _Text:
        ready = self._ready.get(connection.dialect)
        if ready is None:
            ready = self._ready[connection.dialect] = _Text(self.statement, connection.dialect)
        return ready


class _Text:
    """A statement's words for one database, with what its values pass through."""

    def __init__(self, statement: Any, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        asked = [name for name, bind in compiled.binds.items() if bind.required]
        expanded = compiled.construct_expanded_state(dict.fromkeys(asked))
        # The expanded state knows only how the values of its lists are bound.
        bound = {name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in compiled.binds.items()} | {**expanded.processors}
        self.words: str = expanded.statement
        self._places: list[str] | None = [*expanded.positiontup] if compiled.positional else None
        self._given: dict[str, Callable[[Any], Any] | None] = {name: bound[name] for name in asked}
        self._fixed: dict[str, Any] = {name: _processed(bound.get(name), value) for name, value in expanded.parameters.items() if name not in asked}

    def values(self, given: Values) -> Any:
        """`given` and what never changes, as the driver wants them."""
        found = {**self._fixed, **{name: process(given[name]) if process else given[name] for name, process in self._given.items()}}
        return found if self._places is None else [found[name] for name in self._places]


class _Cursor:
    """A cursor of `connection`; what the driver says of its failure is told as SQLAlchemy tells it."""

    def __init__(self, connection: Connection, words: str) -> None:
        self._connection = connection
        self._words = words

    def __enter__(self) -> Any:
        self._cursor: Any = self._connection.connection.cursor()
        return self._cursor

    def __exit__(self, kind: object, fault: BaseException | None, _trace: object) -> None:
        self._cursor.close()
        if isinstance(fault, self._connection.dialect.loaded_dbapi.Error):
            raise as_told(fault, self._connection, self._cursor, self._words) from fault


def _processed(process: Callable[[Any], Any] | None, value: Any) -> Any:
    return value if process is None else process(value)
