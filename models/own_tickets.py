"""What a customer sees of tickets: their own account's, without notes, and answers from their publication on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, and_, case, func, select
from sqlalchemy.orm import Session

from models.base import AnyRow, AnySelect
from models.contracts import Certificate, ContractLine, Party
from models.journal import JournalEntry
from models.masters import Category, ProductFamily
from models.search_hits import Sought, find_tickets
from models.tickets import Message, MessageKind, Ticket
from rules.tickets import State


def own_tickets(
    session: Session, account_id: int, *, now: datetime, states: Sequence[State] = (), terms: Sequence[str] = (), before: int | None = None, limit: int
) -> Sequence[AnyRow]:
    """The account's tickets, newest number first: id, subject, family, contract_text, created_at, posted_at, shown (the state the customer is told).

    With `terms` those that hold all of them in one post, and post_id and post_body of it (None where the number was meant).
    `before` pages by number; one row more than `limit` says that there is a next page.
    """
    shown = _shown(now)
    statement: AnySelect = (
        select(
            Ticket.id,
            Ticket.subject,
            ProductFamily.name.label("family"),
            Ticket.contract_text,
            Ticket.created_at,
            func.coalesce(_last_post(now), Ticket.created_at).label("posted_at"),
            shown.label("shown"),
        )
        .join(ProductFamily, ProductFamily.id == Ticket.family_id)
        .where(Ticket.account_id == account_id)
        .order_by(Ticket.id.desc())
        .limit(limit + 1)
    )
    if states:
        statement = statement.where(shown.in_(states))
    if terms:
        own = [Ticket.account_id == account_id, *([shown.in_(states)] if states else [])]
        hits = find_tickets(session, Sought(terms, own, public_at=now, account_id=account_id), beyond=before, limit=limit + 1)
        post = and_(Message.ticket_id == Ticket.id, Message.id.in_([hit.message_id for hit in hits]))
        statement = statement.add_columns(Message.id.label("post_id"), Message.body.label("post_body")).outerjoin(Message, post)
        statement = statement.where(Ticket.id.in_([hit.ticket_id for hit in hits]))
    if before is not None:
        statement = statement.where(Ticket.id < before)
    return session.execute(statement).all()


def awaited_tickets(session: Session, account_id: int, *, now: datetime, limit: int) -> Sequence[AnyRow]:
    """The account's tickets that wait for the customer's reply, newest number first: id, subject. One row more than `limit` says that there are more."""
    statement = (
        select(Ticket.id, Ticket.subject)
        .where(Ticket.account_id == account_id, _shown(now) == State.WAITING_CUSTOMER)
        .order_by(Ticket.id.desc())
        .limit(limit + 1)
    )
    return session.execute(statement).all()


def _shown(now: datetime) -> Any:
    """The state the customer is told."""
    return case((Ticket.state_from <= now, Ticket.state), else_=Ticket.state_before)


def own_ticket(session: Session, number: int, account_id: int) -> AnyRow | None:
    """The head of one of the account's tickets, with family, slug and category by name; None for another's as for none."""
    statement = (
        select(
            Ticket.id,
            Ticket.subject,
            Ticket.state,
            Ticket.state_before,
            Ticket.state_from,
            Ticket.contract_text,
            Ticket.serial_text,
            Ticket.model,
            Ticket.os_version,
            Ticket.cc,
            Ticket.created_at,
            Ticket.follows_id,
            Ticket.merged_into_id,
            Ticket.calendar_id,
            ProductFamily.name.label("family"),
            Category.name.label("category"),
        )
        .join(ProductFamily, ProductFamily.id == Ticket.family_id)
        .join(Category, Category.id == Ticket.category_id)
        .where(Ticket.id == number, Ticket.account_id == account_id)
    )
    return session.execute(statement).one_or_none()


def public_posts(session: Session, ticket_id: int, *, now: datetime) -> Sequence[AnyRow]:
    """The posts a customer sees, oldest first: id, kind, author_name, body, published_at."""
    statement = (
        select(Message.id, Message.kind, Message.author_name, Message.body, Message.published_at)
        .where(Message.ticket_id == ticket_id, Message.kind != MessageKind.NOTE, Message.published_at <= now)
        .order_by(Message.id)
    )
    return session.execute(statement).all()


_TOLD = ("change_cc", "settle", "reopen_ticket")


def own_changes(session: Session, ticket_id: int) -> Sequence[AnyRow]:
    """The changes of a ticket that its customer is told, oldest first: act, by_staff, actor_name, facts, published_at.

    Those from before it was given to its account are not theirs: they may name addresses of another one.
    """
    by_staff, at = (JournalEntry.actor_kind == "staff").label("by_staff"), JournalEntry.at.label("published_at")
    same = (JournalEntry.subject_kind == "ticket", JournalEntry.subject_id == ticket_id)
    given = select(func.coalesce(func.max(JournalEntry.id), 0)).where(*same, JournalEntry.act == "attach_account")
    statement = (
        select(JournalEntry.act, by_staff, JournalEntry.actor_name, JournalEntry.facts, at)
        .where(*same, JournalEntry.act.in_(_TOLD), JournalEntry.id > given.correlate(None).scalar_subquery())
        .order_by(JournalEntry.id)
    )
    return session.execute(statement).all()


def follow_ups(session: Session, ticket_id: int, account_id: int) -> Sequence[int]:
    """The numbers of the tickets that follow this one."""
    return session.scalars(select(Ticket.id).where(Ticket.follows_id == ticket_id, Ticket.account_id == account_id).order_by(Ticket.id)).all()


def own_families(session: Session, maintenance_key: str, *, today: date) -> Sequence[AnyRow]:
    """Families on the account's own contracts that have not ended: family_id, contracts, products (numbers of them), product (one of them)."""
    statement = (
        select(
            ContractLine.family_id,
            func.count(func.distinct(ContractLine.certificate_id)).label("contracts"),
            func.count(func.distinct(ContractLine.product_number)).label("products"),
            func.min(ContractLine.product_number).label("product"),
        )
        .where(ContractLine.certificate_id.in_(_own_certificates(maintenance_key)), ContractLine.ends_on >= today)
        .group_by(ContractLine.family_id)
    )
    return session.execute(statement).all()


def own_lines(session: Session, maintenance_key: str, family_id: int, *, today: date, limit: int = 200) -> Sequence[AnyRow]:
    """Lines of one family on the account's own certificates that have not ended: contract_key, serial, product_number, service, ends_on."""
    statement = (
        select(Certificate.contract_key, ContractLine.serial, ContractLine.product_number, ContractLine.service, ContractLine.ends_on)
        .join(Certificate, Certificate.id == ContractLine.certificate_id)
        .where(Certificate.id.in_(_own_certificates(maintenance_key)), ContractLine.family_id == family_id, ContractLine.ends_on >= today)
        .order_by(ContractLine.id)
        .limit(limit)
    )
    return session.execute(statement).all()


def _own_certificates(maintenance_key: str) -> Select[int]:
    return select(Party.certificate_id).where(Party.email_key == maintenance_key, Party.email_key != "")


def _last_post(now: datetime) -> Any:
    return (
        select(func.max(Message.published_at))
        .where(Message.ticket_id == Ticket.id, Message.kind != MessageKind.NOTE, Message.published_at <= now)
        .correlate(Ticket)
        .scalar_subquery()
    )
