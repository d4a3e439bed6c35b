"""Writing letters into the outbox, in the transaction of their cause."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from mail.compose import Text, sender_address
from mail.desk import Desk
from mail.rewritten import text_of
from models.base import AnyRow
from models.database import insert_on_conflict, is_sqlite
from models.kept import Kept, begun
from models.mail_templates import text_in_force
from models.outbox import Letter, Recipient, RecipientState


@dataclass(frozen=True)
class Draft:
    """A letter to write. `cause` is unique for ever; `leaves_at` holds it back until then; `held` are CC addresses it must not go to, with the reason."""

    kind: str
    cause: str
    text: Text
    to: Sequence[str]
    cc: Sequence[str] = ()
    held: Mapping[str, str] = field(default_factory=dict[str, str])
    ticket_id: int | None = None
    message_id: int | None = None
    account_id: int | None = None
    leaves_at: datetime | None = None


def worded(session: Session, notice: str, *, desk: Desk, **facts: object) -> Text:
    """The text of the letter `notice` for `facts`, as an administrator rewrote it or as it came."""
    return text_of(notice, text_in_force(session, notice), desk=desk, **facts)


def digest_of(causes: Iterable[str]) -> str:
    """A short name for a list of causes."""
    return hashlib.sha256("\n".join(causes).encode()).hexdigest()[:40]


def write_letters(session: Session, drafts: Iterable[Draft], *, desk: Desk, now: datetime) -> list[int]:
    """Add the letters of `drafts` that have a recipient and a cause of their own; the ids of those written. An erased person has no address."""
    wanted = {draft.cause: draft for draft in drafts if any(draft.to)}
    if not wanted:
        return []
    session.flush()
    inserting = _inserting(session)
    letters = [_letter(draft, desk, now) for draft in wanted.values()]
    written: Sequence[AnyRow] = inserting.rows(session, letters[0]) if len(letters) == 1 else begun(session).execute(inserting.statement, letters).all()
    if written:
        _RECIPIENTS.each(begun(session), [row for id_, cause in written for row in _recipients(id_, wanted[cause], now)])
    return [id_ for id_, _ in written]


def _inserting(session: Session) -> Kept:
    """The INSERT of new letters, put together once for each database."""
    embedded = is_sqlite(session)
    if embedded not in _kept:
        _kept[embedded] = Kept(insert_on_conflict(session, Letter).on_conflict_do_nothing(index_elements=["cause"]).returning(Letter.id, Letter.cause))
    return _kept[embedded]


_kept: dict[bool, Kept] = {}
_RECIPIENTS = Kept(insert(Recipient))


def thread_id(ticket_id: int, desk: Desk) -> str:
    """The id that all letters of a ticket refer to, so that mail programs keep them together."""
    return f"<ticket-{ticket_id}@{_host(desk)}>"


def _letter(draft: Draft, desk: Desk, now: datetime) -> dict[str, object]:
    return {
        "kind": draft.kind,
        "cause": draft.cause,
        "ticket_id": draft.ticket_id,
        "message_id": draft.message_id,
        "account_id": draft.account_id,
        "header_id": f"<{secrets.token_hex(16)}@{_host(desk)}>",
        "thread_ids": [thread_id(draft.ticket_id, desk)] if draft.ticket_id is not None else [],
        "subject": draft.text.subject,
        "body": draft.text.body,
        "text_version": draft.text.version,
        "created_at": now,
        "try_at": draft.leaves_at or now,
    }


def _recipients(letter_id: int, draft: Draft, now: datetime) -> list[dict[str, object]]:
    """A row an address; one that stands in both places keeps the first."""
    placed: dict[str, tuple[str, str]] = {}
    for place, addresses in (("to", draft.to), ("cc", draft.cc)):
        for address in filter(None, addresses):
            placed.setdefault(address.lower(), (place, address))
    return [
        {
            "letter_id": letter_id,
            "place": place,
            "address": address,
            "address_key": key,
            "state": RecipientState.SUPPRESSED if address in draft.held else RecipientState.WAITING,
            "answer": draft.held.get(address, ""),
            "updated_at": now,
        }
        for key, (place, address) in placed.items()
    ]


def _host(desk: Desk) -> str:
    return sender_address(desk.mail_from).rpartition("@")[2] or "localhost"
