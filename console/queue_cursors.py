"""Where a page of the queue begins, as its address says it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from models.queue import Cursor
from web.call import Call

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_cursor(call: Call) -> Cursor | None:
    """The cursor of the address; one that nobody wrote starts the list anew."""
    for name in ("before", "after"):
        at, _, number = call.query(name).partition("-")
        if number.isdecimal() and number.isascii() and len(number) < 10 and at.isdecimal() and at.isascii() and len(at) < 19:
            return _cursor(int(at), int(number), backwards=name == "before")
    return None


def _cursor(at: int, number: int, *, backwards: bool) -> Cursor | None:
    try:
        return Cursor(_EPOCH + timedelta(microseconds=at), number, backwards)
    except OverflowError:
        return None


def write_cursor(cursor: Cursor) -> str:
    """As an address carries it: microseconds and the number."""
    at = (cursor.at - _EPOCH) // timedelta(microseconds=1) if cursor.at else 0
    return f"{at}-{cursor.id}"
