"""Small changes of which there are very many, each kept and committed for itself: a row, and the rows below it if it was there to be changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import JSON, ColumnElement, Connection, Engine, Text, Update, bindparam, cast, column, exists, func, literal, select
from sqlalchemy.types import TypeEngine

from models.database import is_embedded
from models.kept import Kept, Values, forget_told


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
                forget_told(connection)
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
        self._head, self._below, self._fields = head, below, fields
        # Made at once: a statement that was asked for its columns tells those made from it that there are none.
        self._telling = head.returning(key.label("head"))

    def make(self, connection: Connection, values: Values, rows: Sequence[Values]) -> bool:
        """Whether the row of `values` was there to be changed; then each of `rows` is changed too. Commits, unless a transaction is begun already."""
        if not is_embedded(connection.engine):
            return self._at_once.count(connection, {**values, "rows": _listed(rows)}) == 1
        if connection.in_transaction():
            return self._in_turn(connection, values, rows)
        with connection.begin():
            return self._in_turn(connection, values, rows)

    def make_all(self, connection: Connection, changes: Sequence[tuple[Values, Sequence[Values]]]) -> bool:
        """As `make` for each of `changes`, in a transaction that is begun: False when one of the rows was not there, and it is to be rolled back."""
        first, then = self._apart
        if first.each(connection, [values for values, _ in changes]) != len(changes):
            return False
        then.each(connection, [{**values, **row} for values, rows in changes for row in rows])
        return True

    def tell(self, connection: Connection, values: Values, rows: Sequence[Values]) -> Callable[[], bool]:
        """As `make`, whose result is asked for later; nothing else is asked over `connection` meanwhile."""
        if is_embedded(connection.engine):
            made = self.make(connection, values, rows)
            return lambda: made
        heard = self._at_once.tell(connection, {**values, "rows": _listed(rows)})
        return lambda: heard() == 1

    def _in_turn(self, connection: Connection, values: Values, rows: Sequence[Values]) -> bool:
        first, then = self._apart
        if first.count(connection, values) != 1:
            return False
        then.each(connection, [{**values, **row} for row in rows])
        return True

    @cached_property
    def _apart(self) -> tuple[Kept, Kept]:
        return Kept(self._head), Kept(self._below({name: bindparam(name) for name in self._fields}))

    @cached_property
    def _at_once(self) -> Kept:
        head = self._telling.cte("head")
        fields = [column(name, kind) for name, kind in self._fields.items()]
        each = func.json_to_recordset(cast(bindparam("rows", type_=Text), JSON)).table_valued(*fields).render_derived(name="each", with_types=True)
        # Nothing of the head is asked for below, but that there is one.
        below = self._below({name: each.c[name] for name in self._fields}).where(exists(select(head.c.head))).returning(literal(1)).cte("below")
        return Kept(select(head.c.head).add_cte(below))


def _listed(rows: Sequence[Values]) -> str:
    return json.dumps([{name: _told(value) for name, value in row.items()} for row in rows])


def _told(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
