"""Files of posts: held for a person while a form is filled in, then taken by one message; read only through it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from actions.quotas import check_files
from models.actors import Actor, Customer, StaffMember
from models.base import AnyRow
from models.tickets import Attachment, Message, MessageKind, Ticket, holder_of
from rules.limits import Limits
from rules.refusal import Refused


class FileFacts(NamedTuple):
    """What a letter says of a file: its name and size in bytes."""

    name: str
    size: int


def held_files(session: Session, tokens: Collection[str], *, by: Actor) -> Sequence[AnyRow]:
    """The files held for `by` among `tokens`: id, token, name, size, found, in the order they came. Others' tokens find nothing."""
    if not tokens:
        return []
    statement = select(Attachment.id, Attachment.token, Attachment.name, Attachment.size, Attachment.found).where(
        Attachment.token.in_(tokens), Attachment.holder == holder_of(by), Attachment.message_id.is_(None)
    )
    return session.execute(statement.order_by(Attachment.id)).all()


def take_files(session: Session, files: Sequence[int], message: Message, *, by: Actor, limits: Limits) -> list[FileFacts]:
    """Let `message` take the held files; their names and sizes.

    Refuses at files: files_gone (swept or another's), post_large(max, n), account_files_full(max).
    """
    if not files:
        return []
    statement = (
        update(Attachment)
        .where(Attachment.id.in_(files), Attachment.holder == holder_of(by), Attachment.message_id.is_(None))
        .values(message_id=message.id, holder="")
        .returning(Attachment.id, Attachment.name, Attachment.size)
    )
    taken = session.execute(statement, execution_options={"synchronize_session": False}).all()
    if len(taken) != len(set(files)):
        raise Refused("files_gone", "files")
    length = sum(file.size for file in taken)
    if length > limits.post_bytes:
        raise Refused("post_large", "files", max=limits.post_bytes // 1024**2, n=round(length / 1024**2, 1))
    check_files(session, by, limits=limits)
    return [FileFacts(file.name, file.size) for file in sorted(taken, key=lambda file: file.id)]


def give_back(session: Session, message: Message, *, by: Actor) -> None:
    """Hold the files of a withdrawn message for its author again."""
    session.execute(update(Attachment).where(Attachment.message_id == message.id).values(message_id=None, holder=holder_of(by)))


def drop_held(session: Session, token: str, *, by: Actor) -> str | None:
    """Forget one held file; returns the storage key whose bytes can go once this is committed."""
    statement = delete(Attachment).where(Attachment.token == token, Attachment.holder == holder_of(by), Attachment.message_id.is_(None))
    return session.execute(statement.returning(Attachment.storage_key)).scalar_one_or_none()


def names_of(session: Session, messages: Collection[int]) -> dict[int, list[AnyRow]]:
    """The files of `messages` by message: message_id, token, name, size."""
    found: dict[int, list[AnyRow]] = defaultdict(list)
    if not messages:
        return found
    statement = select(Attachment.message_id, Attachment.token, Attachment.name, Attachment.size).where(Attachment.message_id.in_(messages))
    for row in session.execute(statement.order_by(Attachment.id)):
        found[row.message_id].append(row)
    return found


def readable_by_staff(session: Session, token: str, *, by: StaffMember) -> Attachment | None:
    """The file behind `token` if a message has it, or it is held for `by`."""
    found = session.scalars(select(Attachment).where(Attachment.token == token)).one_or_none()
    return found if found and (found.message_id is not None or found.holder == holder_of(by)) else None


def readable_by_customer(session: Session, token: str, *, by: Customer, now: datetime) -> Attachment | None:
    """The file behind `token` if it stands on a published post of the account's own ticket, or is held for `by`."""
    found = session.scalars(select(Attachment).where(Attachment.token == token)).one_or_none()
    if found is None or found.holder:
        return found if found and found.holder == holder_of(by) else None
    own = (
        select(Message.id)
        .join(Ticket, Ticket.id == Message.ticket_id)
        .where(Message.id == found.message_id, Ticket.account_id == by.id, Message.kind != MessageKind.NOTE, Message.published_at <= now)
    )
    return found if session.scalar(own) else None
