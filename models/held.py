"""Rows held for a change: read and written past the unit of work (`models.kept`), and objects of the session all the same.

Of a reply that the ORM reads and flushes, loading and flushing its one ticket are a sixth.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Generic, TypeVar

from sqlalchemy import bindparam, inspect, select, update
from sqlalchemy.orm import Session, make_transient, make_transient_to_detached
from sqlalchemy.orm.util import identity_key

from models.base import Base
from models.kept import Kept, begun

T = TypeVar("T", bound=Base)


class Held(Generic[T]):
    """The rows of one table, whose key is `id`."""

    def __init__(self, table: type[T]) -> None:
        self._table = table
        self._written = lru_cache(maxsize=64)(self._writing)

    def take(self, session: Session, number: int) -> T | None:
        """The object of a row that nobody else changes until the transaction ends; waits for who does. What the session had of it is read anew."""
        if identity_key(self._table, number) in session.identity_map:
            return session.get(self._table, number, populate_existing=True, with_for_update=True)
        names, read = self._reading
        row = read.one(session, {"held_id": number})
        if row is None:
            return None
        held: T = inspect(self._table).class_manager.new_instance()
        held.__dict__.update(zip(names, row, strict=True))
        make_transient_to_detached(held)
        session.add(held)
        return held

    def write(self, session: Session, held: T) -> None:
        """Write what was set of `held` since it was read or written, as a flush would."""
        if session.in_nested_transaction():
            session.flush()  # which knows how the object was, should the savepoint be rolled back to
            return
        values = held.__dict__
        changed = sorted(name for name, before in inspect(held).committed_state.items() if values[name] != before)
        if not changed:
            return
        self._written(*changed).count(begun(session), {"held_id": values["id"], **{name: values[name] for name in changed}})
        # So the session, too, knows it as written.
        make_transient(held)
        make_transient_to_detached(held)
        session.add(held)

    @cached_property
    def _reading(self) -> tuple[list[str], Kept]:
        columns = self._table.__table__.columns
        return columns.keys(), Kept(select(*columns).where(columns["id"] == bindparam("held_id")).with_for_update())

    def _writing(self, *names: str) -> Kept:
        table = self._table.__table__
        return Kept(update(table).where(table.columns["id"] == bindparam("held_id")).values({name: bindparam(name) for name in names}))
