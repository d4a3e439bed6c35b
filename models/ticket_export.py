"""Tickets as they leave in a file: some at a time in short transactions, so that no list is held whole and a slow reader holds nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.base import AnyRow
from models.database import transaction
from models.masters import Category, ProductFamily
from models.people import Account, Staff
from models.queue import Wanted, conditions_of
from models.search_hits import Sought, find_tickets
from models.tickets import Ticket

TICKETS_AT_ONCE = 500
_COLUMNS: Any = (
    select(
        Ticket.id,
        Ticket.subject,
        Account.company_name,
        Account.person_name,
        ProductFamily.name.label("product"),
        Category.name.label("category"),
        Ticket.state,
        Ticket.priority,
        Staff.name.label("assignee"),
        Ticket.contract_text,
        Ticket.serial_text,
        Ticket.model,
        Ticket.os_version,
        Ticket.opening_verdict,
        Ticket.created_at,
        Ticket.updated_at,
        Ticket.due_at,
        Ticket.first_answer_at,
        Ticket.resolved_at,
    )
    .outerjoin(Account, Account.id == Ticket.account_id)
    .outerjoin(Staff, Staff.id == Ticket.assignee_id)
    .join(ProductFamily, ProductFamily.id == Ticket.family_id)
    .join(Category, Category.id == Ticket.category_id)
)


def exported_tickets(engine: Engine, wanted: Wanted, terms: tuple[str, ...], *, most: int) -> Iterator[AnyRow]:
    """Up to `most` tickets of a list, by their numbers: rising, or of a search the newest first. Nothing of the thread is among the columns.

    A ticket that changes meanwhile stands once, as it was at its portion's moment: by its deadline it could come twice, or not at all.
    """
    portion = _found(wanted, terms) if terms else _listed(wanted)
    last: int | None = None
    left = most
    while left > 0:
        with transaction(engine, readonly=True) as session:
            rows = portion(session, last, min(left, TICKETS_AT_ONCE))
        yield from rows
        if len(rows) < TICKETS_AT_ONCE:
            return
        left -= len(rows)
        last = rows[-1].id


Portion = Callable[[Session, int | None, int], Sequence[AnyRow]]


def _listed(wanted: Wanted) -> Portion:
    def portion(session: Session, last: int | None, limit: int) -> Sequence[AnyRow]:
        return session.execute(_COLUMNS.where(*conditions_of(wanted), Ticket.id > (last or 0)).order_by(Ticket.id).limit(limit)).all()

    return portion


def _found(wanted: Wanted, terms: tuple[str, ...]) -> Portion:
    def portion(session: Session, last: int | None, limit: int) -> Sequence[AnyRow]:
        hits = find_tickets(session, Sought(terms, conditions_of(wanted)), beyond=last, limit=limit)
        return session.execute(_COLUMNS.where(Ticket.id.in_([hit.ticket_id for hit in hits])).order_by(Ticket.id.desc())).all()

    return portion
