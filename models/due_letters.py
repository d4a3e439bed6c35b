"""Letters that are due: found and taken by statements that are put together once, for there may be thousands of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from models.base import AnyRow
from models.database import among_given, given_ids, is_sqlite
from models.kept import Kept, begun
from models.outbox import Letter, LetterState, Recipient

_CLAIMED = (
    *(Letter.id, Letter.fence, Letter.state, Letter.try_at, Letter.attempts),
    *(Letter.header_id, Letter.thread_ids, Letter.subject, Letter.body, Letter.created_at),
)
_UNSENT = (LetterState.WAITING, LetterState.SENDING)
_letters, _recipients = Letter.__table__, Recipient.__table__


def is_due(session: Session, now: datetime) -> bool:
    """Whether any letter may be claimed at `now`."""
    return bool(_ANY_DUE.rows(session, {"now": now}))


def due_letters(session: Session, *, now: datetime, limit: int) -> Sequence[AnyRow]:
    """Up to `limit` letters that are due, the oldest first, locked: id, fence, state, try_at, attempts and what their message is made of.

    The first try of a ticket's letter waits for the first try of the ticket's earlier ones.
    """
    return _DUE.rows(session, {"now": now, "most": limit})


def take(session: Session, ids: Sequence[int], *, until: datetime) -> None:
    """Let the letters `ids` be somebody's until `until`."""
    changes = _changes(is_sqlite(session))
    changes.take.count(begun(session), {"ids": given_ids(session, ids), "until": until})


def places(session: Session, ids: Sequence[int]) -> dict[int, list[AnyRow]]:
    """The recipients of each of the letters `ids`, with id, place, address, state, answer and updated_at."""
    mine: dict[int, list[AnyRow]] = {id_: [] for id_ in ids}
    for row in _changes(is_sqlite(session)).places.rows(session, {"ids": given_ids(session, ids)}):
        mine[row.letter_id].append(row)
    return mine


def _due() -> ColumnElement[bool]:
    return and_(Letter.state.in_(_UNSENT), Letter.try_at <= bindparam("now"))


def _waits_for_another() -> ColumnElement[bool]:
    """Whether an earlier letter of the same ticket has not had its first try yet. One that may not leave yet holds up nobody."""
    earlier = aliased(Letter)
    untried = and_(
        earlier.ticket_id == Letter.ticket_id,
        earlier.id < Letter.id,
        # Spelled out as in the index of letters that have not left: a parameter would hide from SQLite that it holds them all.
        earlier.state.in_(bindparam("unsent", _UNSENT, expanding=True, literal_execute=True)),
        earlier.fault == "",
        or_(earlier.state == LetterState.SENDING, and_(earlier.state == LetterState.WAITING, earlier.try_at <= bindparam("now"))),
    )
    return and_(Letter.fault == "", Letter.ticket_id.is_not(None), exists(select(earlier.id).where(untried)))


_ANY_DUE = Kept(select(Letter.id).where(_due()).limit(1))
_DUE = Kept(
    select(*_CLAIMED)
    .where(_due(), ~_waits_for_another())
    .order_by(Letter.try_at, Letter.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True, of=Letter)
)


@dataclass(frozen=True)
class _Changes:
    take: Kept
    places: Kept


@cache
def _changes(embedded: bool) -> _Changes:
    taken: dict[str, Any] = {"state": LetterState.SENDING, "fence": _letters.c.fence + 1, "try_at": bindparam("until")}
    columns = (
        _recipients.c.letter_id,
        _recipients.c.id,
        _recipients.c.place,
        _recipients.c.address,
        _recipients.c.state,
        _recipients.c.answer,
        _recipients.c.updated_at,
    )
    return _Changes(
        Kept(update(_letters).where(among_given(embedded, _letters.c.id, "ids")).values(taken)),
        Kept(select(*columns).where(among_given(embedded, _recipients.c.letter_id, "ids")).order_by(_recipients.c.id)),
    )
