"""Statements that a module keeps: put together once for each database, and then sent with the values alone.

Of a short select through SQLAlchemy's execution, the database's own work is a fifth; the rest finds the compiled text again, builds a context
for events and results, and looks at every type. Pages that everybody opens all day go past that. What is sent and what comes back is the same.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models.base import AnyRow

Values = Mapping[str, Any]


class Kept:
    """A select of Core whose values come by name (`bindparam`); none of them may be expanding. It flushes nothing before it reads."""

    def __init__(self, statement: Any) -> None:
        self.statement = statement
        self._ready: WeakKeyDictionary[Dialect, _Ready] = WeakKeyDictionary()

    def rows(self, session: Session, values: Values | None = None) -> Sequence[AnyRow]:
        """The rows, their columns by name or place."""
        connection = begun(session)
        if connection.dispatch.before_cursor_execute:
            # Somebody counts or shows what is sent (a test, the bench): they shall see it.
            return connection.execute(self.statement, values).all()
        ready = self._ready.get(connection.dialect)
        if ready is None:
            ready = self._ready[connection.dialect] = _Ready(self.statement, connection.dialect)
        return ready.rows(connection, values or {})

    def one(self, session: Session, values: Values | None = None) -> AnyRow | None:
        """The first row, None without any."""
        rows = self.rows(session, values)
        return rows[0] if rows else None


def begun(session: Session) -> Connection:
    """The connection of a `models.database.transaction`, in its transaction."""
    connection = session.bind if isinstance(session.bind, Connection) else session.connection()
    if not connection.in_transaction():
        connection.begin()
    return connection


class KeptChange:
    """An UPDATE or DELETE kept in the same way."""

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
        self.words: str = expanded.statement
        self._places: list[str] | None = [*expanded.positiontup] if compiled.positional else None
        self._given = {name: expanded.processors.get(name) for name in asked}
        self._fixed = {
            name: expanded.processors[name](value) if name in expanded.processors else value
            for name, value in expanded.parameters.items()
            if name not in self._given
        }

    def values(self, given: Values) -> Any:
        """`given` and what never changes, as the driver wants them."""
        found = {**self._fixed, **{name: process(given[name]) if process else given[name] for name, process in self._given.items()}}
        return found if self._places is None else [found[name] for name in self._places]


class _Ready:
    """A select's text for one database, with what its rows pass through."""

    def __init__(self, statement: Any, dialect: Dialect) -> None:
        self._text = _Text(statement, dialect)
        columns: list[Any] = [*statement.selected_columns]
        names: list[str] = [column.key for column in columns]
        self._row: Any = namedtuple("_Row", names, rename=True)  # pyright: ignore[reportUntypedNamedTuple] - its fields are the statement's
        read = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
        self._read: list[tuple[int, Callable[[Any], Any]]] = [(place, process) for place, process in enumerate(read) if process]

    def rows(self, connection: Connection, values: Values) -> list[AnyRow]:
        with _Cursor(connection, self._text.words) as cursor:
            cursor.execute(self._text.words, self._text.values(values))
            found = cursor.fetchall()
        if not self._read or not found:
            return [*map(self._row._make, found)]
        columns: list[Any] = [*zip(*found, strict=True)]
        for place, process in self._read:
            columns[place] = map(process, columns[place])
        return [*map(self._row._make, zip(*columns, strict=True))]


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
            raise _wrapped(fault, self._connection, self._cursor, self._words) from fault


def _wrapped(fault: Any, connection: Connection, cursor: Any, text: str) -> Any:
    """`fault` as SQLAlchemy tells it, without the values; a connection that is gone leaves the pool."""
    gone = connection.dialect.is_disconnect(fault, connection.connection, cursor)
    if gone:
        connection.invalidate(fault)
    wrapped: Any = cast("Any", DBAPIError).instance(
        text, None, fault, connection.dialect.loaded_dbapi.Error, hide_parameters=True, connection_invalidated=gone, dialect=connection.dialect
    )
    return wrapped
