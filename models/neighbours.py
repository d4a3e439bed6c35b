"""How tickets stand to each other: 関連, 分割, まとめ, 続き."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint, delete, insert, or_, select
from sqlalchemy.orm import Mapped, Session

from models.base import AnyRow, AnySelect, Base, mapped_column, words
from models.people import Account, QueueMember
from models.tickets import Message, MessageKind, Ticket


class LinkKind(StrEnum):
    """What the other ticket is to this one."""

    RELATED = "related"
    SPLIT_FROM = "split_from"
    """This one began with a post of the other."""
    SPLIT_OFF = "split_off"


class TicketLink(Base):
    """One direction of a link; the other direction is a row of its own, so that one index answers for both tickets."""

    __tablename__ = "ticket_link"
    __table_args__ = (UniqueConstraint("ticket_id", "other_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    other_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    kind: Mapped[LinkKind] = mapped_column(words(LinkKind, 12))


class TicketMerge(Base):
    """That a ticket was merged into another; `before` holds what undoing brings back: the posts that moved, states, clocks, CC."""

    __tablename__ = "ticket_merge"
    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    into_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    before: Mapped[dict[str, Any]]
    merged_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


_OTHER: AnySelect = (
    select(
        Ticket.id,
        Ticket.subject,
        Ticket.state,
        Ticket.created_at,
        Ticket.contract_text,
        Ticket.serial_text,
        Ticket.follows_id,
        Ticket.merged_into_id,
        Ticket.account_id,
        Account.company_name,
        Account.person_name,
    )
    .outerjoin(Account, Account.id == Ticket.account_id)
    .order_by(Ticket.id.desc())
)


def linked_tickets(session: Session, ticket_id: int) -> Sequence[AnyRow]:
    """Tickets that people linked with this one, or that were split off it, the newest first: as `other_ticket`, with `kind`."""
    statement = _OTHER.join(TicketLink, TicketLink.other_id == Ticket.id).where(TicketLink.ticket_id == ticket_id)
    return session.execute(statement.add_columns(TicketLink.kind)).all()


def following_tickets(session: Session, ticket_id: int) -> Sequence[AnyRow]:
    """Tickets that follow this one or were merged into it, the newest first: as `other_ticket`."""
    return session.execute(_OTHER.where(or_(Ticket.follows_id == ticket_id, Ticket.merged_into_id == ticket_id))).all()


def tickets_of_account(session: Session, account_id: int | None, *, besides: int, limit: int) -> Sequence[AnyRow]:
    """The account's other tickets, the newest first: as `other_ticket`."""
    return [] if account_id is None else session.execute(_OTHER.where(Ticket.account_id == account_id, Ticket.id != besides).limit(limit)).all()


def tickets_of_serial(session: Session, serial_key: str, *, besides: int, limit: int) -> Sequence[AnyRow]:
    """Other tickets about the same serial, the newest first: as `other_ticket`."""
    return [] if not serial_key else session.execute(_OTHER.where(Ticket.serial_key == serial_key, Ticket.id != besides).limit(limit)).all()


def other_ticket(session: Session, number: int) -> AnyRow | None:
    """What people see of another ticket before they link or merge it.

    id, subject, state, created_at, contract_text, serial_text, follows_id, merged_into_id, account_id, company_name, person_name.
    """
    return session.execute(_OTHER.where(Ticket.id == number)).one_or_none() if 0 < number < 2**31 else None


def join_tickets(session: Session, ticket_id: int, other_id: int, *, here: LinkKind, there: LinkKind) -> None:
    """Write both directions of a link: the other is `here` to the first, the first is `there` to the other."""
    rows = [{"ticket_id": ticket_id, "other_id": other_id, "kind": here}, {"ticket_id": other_id, "other_id": ticket_id, "kind": there}]
    session.execute(insert(TicketLink), rows)


def part_tickets(session: Session, ticket_id: int, other_id: int) -> bool:
    """Take both directions of a link away; whether there was one."""
    pair = or_((TicketLink.ticket_id == ticket_id) & (TicketLink.other_id == other_id), (TicketLink.ticket_id == other_id) & (TicketLink.other_id == ticket_id))
    return bool(session.execute(delete(TicketLink).where(pair).returning(TicketLink.id), execution_options={"synchronize_session": False}).all())


def link_kind(session: Session, ticket_id: int, other_id: int) -> LinkKind | None:
    """What the other ticket is to this one, None without a link."""
    return session.scalar(select(TicketLink.kind).where(TicketLink.ticket_id == ticket_id, TicketLink.other_id == other_id))


def merge_of(session: Session, ticket_id: int) -> TicketMerge | None:
    """The merge of a ticket that holds."""
    return session.scalars(
        select(TicketMerge).where(TicketMerge.ticket_id == ticket_id, TicketMerge.undone_at.is_(None)).order_by(TicketMerge.id.desc()).limit(1)
    ).one_or_none()


def posts_of(session: Session, ticket_id: int) -> Sequence[AnyRow]:
    """The posts of a ticket in the order they were written: id, kind, author_name, body, created_at, published_at."""
    statement = select(Message.id, Message.kind, Message.author_name, Message.body, Message.created_at, Message.published_at)
    return session.execute(statement.where(Message.ticket_id == ticket_id).order_by(Message.created_at, Message.id)).all()


def customers_posts(session: Session, ticket_id: int) -> Sequence[AnyRow]:
    """Of `posts_of` those of the customer."""
    return [post for post in posts_of(session, ticket_id) if post.kind == MessageKind.CUSTOMER]


def answers_for(session: Session, staff_id: int | None, families: Collection[int]) -> bool:
    """Whether a staff member belongs to the queue of each of `families`; a queue without members is everybody's, as with the letters."""
    members = session.execute(select(QueueMember.family_id, QueueMember.staff_id).where(QueueMember.family_id.in_(families))).all()
    served, own = {row.family_id for row in members}, {row.family_id for row in members if row.staff_id == staff_id}
    return served <= own
