"""CC recipients who want no more copies: honoured for that address on every ticket, until they take it back."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from actions.journal import record
from actions.letters import Draft, worded, write_letters
from mail.desk import Desk
from models.actors import Actor
from models.database import insert_on_conflict
from models.outbox import STOPPED, CopyStop, Letter, Recipient, RecipientState
from rules.addresses import parse_address
from rules.calendar import tokyo_date
from rules.refusal import Refused

_UNSENT = (RecipientState.WAITING, RecipientState.TEMPORARY)


def stop(session: Session, ticket_id: int, typed: str, *, by: Actor, now: datetime) -> str:
    """停止: send no more copies to the CC address `typed` of the ticket; waiting ones stay here. The address as we hold it.

    Refuses: what `rules.addresses.parse_address` refuses, and copy_not_here.
    """
    address = _copied(session, ticket_id, typed)
    key = address.lower()
    wanted = insert_on_conflict(session, CopyStop).values(address=address, address_key=key, ticket_id=ticket_id, at=now)
    if session.execute(wanted.on_conflict_do_nothing(index_elements=["address_key"]).returning(CopyStop.id)).first() is None:
        return address
    waiting = (Recipient.address_key == key, Recipient.place == "cc", Recipient.state.in_(_UNSENT))
    session.execute(update(Recipient).where(*waiting).values(state=RecipientState.SUPPRESSED, answer=STOPPED, updated_at=now))
    record(session, "stop_copies", "ticket", ticket_id, by=by, now=now, address=address)
    return address


def resume(session: Session, ticket_id: int, typed: str, *, by: Actor, now: datetime) -> str:
    """再開: send copies to the address again, from the next mail on. Refuses as `stop` does."""
    address = _copied(session, ticket_id, typed)
    gone = session.execute(delete(CopyStop).where(CopyStop.address_key == address.lower()).returning(CopyStop.id)).first()
    if gone is not None:
        record(session, "resume_copies", "ticket", ticket_id, by=by, now=now, address=address)
    return address


def offer(session: Session, letter_id: int, typed: str, *, by: Actor, desk: Desk, now: datetime) -> str:
    """再開のご案内: mail the link by which whoever stopped the copies may let them come again; nobody else lifts a stop. Their address.

    Refuses: copy_not_stopped (there is no stop, or the letter had no such copy), copy_offered (once a day and address).
    """
    letter = session.get_one(Letter, letter_id)
    key = parse_address(typed).key
    stopped = session.scalars(select(CopyStop).where(CopyStop.address_key == key)).one_or_none()
    copied = select(Recipient.id).where(Recipient.letter_id == letter_id, Recipient.place == "cc", Recipient.address_key == key)
    if stopped is None or letter.ticket_id is None or session.scalar(copied) is None:
        raise Refused("copy_not_stopped")
    today = tokyo_date(now).isoformat()
    text = worded(session, "copies_offer", desk=desk, token=desk.stop_token(letter.ticket_id))
    draft = Draft("copies_offer", f"copies_offer:{stopped.id}:{today}", text, [stopped.address], ticket_id=letter.ticket_id)
    if not write_letters(session, [draft], desk=desk, now=now):
        raise Refused("copy_offered")
    record(session, "offer_copies", "ticket", letter.ticket_id, by=by, now=now, address=stopped.address)
    return stopped.address


def stopped_among(session: Session, keys: Collection[str]) -> set[str]:
    """The addresses among `keys` whose reader wants no copies."""
    return set(session.scalars(select(CopyStop.address_key).where(CopyStop.address_key.in_(keys)))) if keys else set()


def _copied(session: Session, ticket_id: int, typed: str) -> str:
    """The address as a letter of the ticket went to it in Cc. Refuses copy_not_here."""
    key = parse_address(typed).key
    found = session.scalars(
        select(Recipient.address)
        .join(Letter, Letter.id == Recipient.letter_id)
        .where(Recipient.address_key == key, Recipient.place == "cc", Letter.ticket_id == ticket_id)
        .limit(1)
    ).first()
    if found is None:
        raise Refused("copy_not_here", "address")
    return found
