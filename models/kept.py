"""Statements that a module keeps: put together once for each database, and then sent with the values alone.

Of a short select through SQLAlchemy's execution, the database's own work is a fifth; the rest finds the compiled text again, builds a context
for events and results, and looks at every type. Pages that everybody opens all day go past that. What is sent and what comes back is the same.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from functools import partial
from typing import Any, cast
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Connection, Dialect, Insert, Integer, literal_column
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models.base import AnyRow, AnySelect

Values = Mapping[str, Any]
_NAMES = "kept names"
"""Where a connection keeps the names of the statements that it heard."""
_CURSORS, _MOST_CURSORS = "kept cursors", 64
"""Where a connection keeps its cursors, and how many of them."""


class Kept:
    """A statement of Core whose values come by name (`bindparam`); none of them may be expanding. It flushes nothing before it is sent.

    Of an INSERT the values are those of its columns, the same ones every time; the others get their default, which must be a plain one.
    """

    def __init__(self, statement: Any) -> None:
        self.statement = statement
        self._ready: WeakKeyDictionary[Dialect, _Ready] = WeakKeyDictionary()
        columns: Any = statement.table.columns if isinstance(statement, Insert) else ()
        self._defaults: Values = {column.key: column.default.arg for column in columns if column.default is not None}

    def rows(self, session: Session, values: Values | None = None) -> Sequence[AnyRow]:
        """The rows that are found or returned, their columns by name or place."""
        connection = begun(session)
        if connection.engine.dispatch.before_cursor_execute:
            # Somebody counts or shows what is sent (a test, the bench): they shall see it.
            seen: Any = connection.execute(self.statement, values)
            return seen.all() if seen.returns_rows else []
        given = {**self._defaults, **(values or {})}
        return self._made(connection, given).rows(connection, given)

    def walk(self, session: Session, values: Values | None = None) -> Generator[Any]:
        """The first column of each row. SQLite finds a row when it is asked for: who has enough closes this."""
        connection = begun(session)
        if connection.engine.dispatch.before_cursor_execute:
            return walk(session, self.statement, values)
        given = {**self._defaults, **(values or {})}
        return self._made(connection, given).walk(connection, given)

    def count(self, connection: Connection, values: Values) -> int:
        """How many rows an UPDATE or DELETE changed; `connection` stands in its transaction, or needs none."""
        if connection.engine.dispatch.before_cursor_execute:
            return connection.execute(self.statement, values).rowcount
        return self._made(connection, values).count(connection, values)

    def tell(self, connection: Connection, values: Values) -> Callable[[], int]:
        """As `count`, whose number is asked for later, for one of PostgreSQL's connections; nothing else is sent over it meanwhile."""
        if connection.engine.dispatch.before_cursor_execute:
            changed = self.count(connection, values)
            return lambda: changed
        return self._made(connection, values).tell(connection, values)

    def each(self, connection: Connection, many: Sequence[Values]) -> int:
        """Send it for each of `many`, at once; how many rows an UPDATE or DELETE changed in all. What it returns is left."""
        if not many:
            return 0
        if connection.engine.dispatch.before_cursor_execute:
            return connection.execute(self.statement, many).rowcount
        whole = [{**self._defaults, **values} for values in many] if self._defaults else many
        return self._made(connection, whole[0]).each(connection, whole)

    def one(self, session: Session, values: Values | None = None) -> AnyRow | None:
        """The first row, None without any."""
        rows = self.rows(session, values)
        return rows[0] if rows else None

    def _made(self, connection: Connection, given: Values) -> _Ready:
        ready = self._ready.get(connection.dialect)
        if ready is None:
            ready = self._ready[connection.dialect] = _Ready(self.statement, connection.dialect, [*given])
        return ready


def fixed(number: int) -> ColumnElement[int]:
    """A number that is a kept statement's own, as in LIMIT: PostgreSQL's plan for all values takes a tenth of the rows where it is not told."""
    return literal_column(str(number), Integer)


def walk(session: Session, statement: AnySelect, values: Values | None = None) -> Generator[Any]:
    """As `Kept.walk`, of a statement that nobody keeps."""
    with begun(session).execute(statement, values) as found:
        yield from found.scalars()


def begun(session: Session) -> Connection:
    """The connection of a `models.database.transaction`, in its transaction, or in its savepoint, which SQLAlchemy makes when the session first asks."""
    if session.in_nested_transaction():
        return session.connection()
    connection = session.bind if isinstance(session.bind, Connection) else session.connection()
    if not connection.in_transaction():
        connection.begin()
    return connection


class Work(Session):
    """A session that ends its connection's transaction even where it sent nothing over it itself, and a kept statement did."""

    def rollback(self) -> None:
        """As Session's."""
        super().rollback()
        if isinstance(self.bind, Connection):
            self.bind.rollback()

    def commit(self) -> None:
        """As Session's."""
        super().commit()
        if isinstance(self.bind, Connection):
            self.bind.commit()


def forget_told(connection: Connection) -> None:
    """Have the connection forget the names that `tell` gave, before others get it: psycopg, told nothing of them, forgets all names when it rolls back."""
    for name in connection.info.pop(_NAMES, {}).values():
        connection.exec_driver_sql(f"DEALLOCATE {name.decode()}")


class _Ready:
    """A statement's text for one database, with what its values and its rows pass through."""

    def __init__(self, statement: Any, dialect: Dialect, names: Sequence[str]) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=names if isinstance(statement, Insert) else None)
        asked = {name for name, bind in compiled.binds.items() if bind.required}
        expanded = compiled.construct_expanded_state(dict.fromkeys(asked))
        # The expanded state knows only how the values of its lists are bound.
        bound = {name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in compiled.binds.items()} | {**expanded.processors}
        self._text: str = expanded.statement
        self._given: list[tuple[str, Callable[[Any], Any] | None]] = [(name, bound[name]) for name in asked]
        self._values = {name: value if name in asked else _processed(bound.get(name), value) for name, value in expanded.parameters.items()}
        places: list[str] | None = [*expanded.positiontup] if compiled.positional else None
        self._inserted = [(place, name) for place, name in enumerate(places or ()) if name in asked]
        self._order = [*self._values]
        self._sequence = [self._values[name] for name in places] if places is not None else None
        columns: list[Any] = [*statement.exported_columns]
        self._returns = bool(columns)
        keys: list[str] = [column.key for column in columns]
        row: Any = cast("Any", namedtuple("_Row", keys, rename=True))  # pyright: ignore[reportUntypedNamedTuple] - its fields are the statement's
        # As its own `_make`, without counting the fields of every row.
        self._row: Callable[[Any], AnyRow] = partial(cast("Any", tuple.__new__), row)
        read = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
        self._read: list[tuple[int, Callable[[Any], Any]]] = [(place, process) for place, process in enumerate(read) if process]

    def rows(self, connection: Connection, values: Values) -> list[AnyRow]:
        with self._sending(connection) as cursor:
            cursor.execute(self._text, self._parameters(values))
            found: list[Any] = cursor.fetchall() if self._returns else []
        if not self._read or not found:
            return [*map(self._row, found)]
        columns: list[Any] = [*zip(*found, strict=True)]
        for place, process in self._read:
            columns[place] = map(process, columns[place])
        return [*map(self._row, zip(*columns, strict=True))]

    def walk(self, connection: Connection, values: Values) -> Generator[Any]:
        # A cursor of its own: the kept one must not be asked anew meanwhile.
        driver: Any = connection.connection.driver_connection
        with closing(driver.cursor()) as cursor, Sending(connection, cursor, self._text):
            cursor.execute(self._text, self._parameters(values))
            process = self._read[0][1] if self._read else None
            for row in cursor:
                yield process(row[0]) if process else row[0]

    def count(self, connection: Connection, values: Values) -> int:
        with self._sending(connection) as cursor:
            cursor.execute(self._text, self._parameters(values))
            return cursor.rowcount

    def tell(self, connection: Connection, values: Values) -> Callable[[], int]:
        """What psycopg cannot do: send, do something else, and hear the answer."""
        from psycopg import generators

        driver: Any = connection.connection.driver_connection
        given = self._parameters(values)
        with self._sending(connection):
            name = self._prepared(connection, driver)
            driver.pgconn.send_query_prepared(name, [_spelled(given[one]) for one in self._order])
            driver.pgconn.flush()

        def heard() -> int:
            with self._sending(connection):
                return _checked(driver, driver.wait(generators.execute(driver.pgconn))[-1]).ntuples

        return heard

    def _prepared(self, connection: Connection, driver: Any) -> bytes:
        """The name of this statement over the connection, which has heard it now."""
        names = connection.info.setdefault(_NAMES, {})
        if self not in names:
            names[self] = f"kept_{len(names)}".encode()
            places = {name: f"${number}" for number, name in enumerate(self._order, 1)}
            _checked(driver, driver.pgconn.prepare(names[self], (self._text % places).encode()))
        return names[self]

    def each(self, connection: Connection, many: Sequence[Values]) -> int:
        with self._sending(connection) as cursor:
            if len(many) == 1:
                cursor.execute(self._text, self._parameters(many[0]))
            else:
                cursor.executemany(self._text, [self._parameters(values) for values in many])
            return cursor.rowcount

    def _parameters(self, values: Values) -> Any:
        given = {name: process(values[name]) if process else values[name] for name, process in self._given}
        if self._sequence is None:
            return {**self._values, **given}
        parameters = self._sequence.copy()
        for place, name in self._inserted:
            parameters[place] = given[name]
        return parameters

    def _sending(self, connection: Connection) -> Sending:
        return Sending(connection, self._cursor(connection), self._text)

    def _cursor(self, connection: Connection) -> Any:
        """The connection's own cursor for this statement: psycopg's knows how to read its columns after the first time."""
        cursors = connection.info.setdefault(_CURSORS, {})
        if self not in cursors:
            if len(cursors) >= _MOST_CURSORS:
                cursors.clear()
            cursors[self] = cast("Any", connection.connection.driver_connection).cursor()
        return cursors[self]


class Sending:
    """A driver's cursor at work; what the driver says of a failure is told as SQLAlchemy tells it."""

    def __init__(self, connection: Connection, cursor: Any, text: str) -> None:
        self._connection, self._cursor, self._text = connection, cursor, text

    def __enter__(self) -> Any:
        return self._cursor

    def __exit__(self, _kind: object, fault: BaseException | None, _trace: object) -> None:
        if isinstance(fault, self._connection.dialect.loaded_dbapi.Error):
            self._connection.info.pop(_CURSORS, None)
            raise _wrapped(fault, self._connection, self._cursor, self._text) from fault


def _processed(process: Callable[[Any], Any] | None, value: Any) -> Any:
    return process(value) if process else value


def _spelled(value: Any) -> bytes | None:
    return None if value is None else (value.isoformat() if isinstance(value, datetime) else str(value)).encode()


def _checked(driver: Any, result: Any) -> Any:
    """`result`, or the failure that it is."""
    from psycopg import errors, pq

    if result.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
        raise errors.error_from_result(result, driver.info.encoding)
    return result


def _wrapped(fault: Any, connection: Connection, cursor: Any, text: str) -> Any:
    """`fault` as SQLAlchemy tells it, without the values; a connection that is gone leaves the pool."""
    gone = connection.dialect.is_disconnect(fault, connection.connection, cursor)
    if gone:
        connection.invalidate(fault)
    wrapped: Any = cast("Any", DBAPIError).instance(
        text, None, fault, connection.dialect.loaded_dbapi.Error, hide_parameters=True, connection_invalidated=gone, dialect=connection.dialect
    )
    return wrapped
