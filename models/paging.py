"""Pages by key: page 400 costs what page 1 costs, and nothing is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import InstrumentedAttribute, Session

from models.base import AnyRow, AnySelect


@dataclass(frozen=True)
class Place:
    """Where a page begins: below the row `before`, or (going back) above the row `after`; neither: at the newest."""

    before: int | None = None
    after: int | None = None


@dataclass(frozen=True)
class Sheet:
    """The rows of one page, newest first, and whether there are newer and older ones."""

    rows: Sequence[AnyRow]
    newer: bool
    older: bool


def newest_first(session: Session, statement: AnySelect, key: InstrumentedAttribute[int], place: Place, *, limit: int) -> Sheet:
    """One page of `statement` by its rising `key`, which the rows must hold as `id`."""
    if place.after is not None and place.before is None:
        rows = session.execute(statement.where(key > place.after).order_by(key).limit(limit + 1)).all()
        return Sheet(rows[:limit][::-1], newer=len(rows) > limit, older=True)
    chosen = statement if place.before is None else statement.where(key < place.before)
    rows = session.execute(chosen.order_by(key.desc()).limit(limit + 1)).all()
    return Sheet(rows[:limit], newer=place.before is not None, older=len(rows) > limit)
