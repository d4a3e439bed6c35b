"""What everybody's pages share, such as the counts of the side menu: read again only when the database was written to in the meantime."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from models.kept import begun

T = TypeVar("T")
_STATE, _KEPT, _MOST_KEPT = "state of the database", "unchanged", 64


def note_state(session: Session, state: str) -> None:
    """Tell what `models.database.StateOfDatabase` was when this session began to read."""
    session.info[_STATE] = state


def unchanged(session: Session, key: Hashable, read: Callable[[], T]) -> T:
    """What `read` gives, kept by its connection until anybody writes to the database. `key` holds all that it depends on besides the database.

    Only where nothing can be written and the state was told; where somebody counts what is sent (a test, the bench) it is always read.
    """
    connection = begun(session)
    state = session.info.get(_STATE)
    if state is None or not connection.get_execution_options().get("readonly") or connection.engine.dispatch.before_cursor_execute:
        return read()
    before: str
    kept: dict[Hashable, Any]
    before, kept = connection.info.get(_KEPT, ("", {}))
    if state != before or len(kept) >= _MOST_KEPT:
        kept = {}
        connection.info[_KEPT] = state, kept
    if key not in kept:
        kept[key] = read()
    return kept[key]
