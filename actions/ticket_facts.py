"""What a ticket says of itself besides its thread: product, category, CC; and the customer's word that it is solved, or is not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from actions import journal
from actions.clock import change_calendar, start_clock
from actions.tickets import move, shown_state, touch
from models.actors import Actor, Customer
from models.calendars import business_calendar
from models.masters import Category, ProductFamily
from models.tickets import Ticket
from rules.calendar import BusinessCalendar
from rules.refusal import Refused
from rules.tickets import ENDED, State, check_move


def change_cc(session: Session, ticket: Ticket, cc: Sequence[str], *, by: Actor, now: datetime) -> bool:
    """Set who gets copies of this ticket's letters from now on; whether that changed anything. Letters on their way keep theirs."""
    before = list(ticket.cc)
    if before == list(cc):
        return False
    ticket.cc = list(cc)
    touch(ticket, now)
    journal.record(session, "change_cc", "ticket", ticket.id, by=by, now=now, cc=[before, list(cc)], by_customer=isinstance(by, Customer))
    return True


def change_product(session: Session, ticket: Ticket, family_id: int, *, by: Actor, now: datetime) -> bool:
    """Move the ticket to another product's queue, and to its calendar; whether that changed anything. Refuses product_unknown."""
    if family_id == ticket.family_id:
        return False
    family = session.get(ProductFamily, family_id)
    if family is None:
        raise Refused("product_unknown", "product")
    before = session.get_one(ProductFamily, ticket.family_id).name
    ticket.family_id = family.id
    desk = business_calendar(session)
    change_calendar(ticket, desk.of(ticket.calendar_id), desk.for_family(family.id))
    touch(ticket, now)
    journal.record(session, "change_product", "ticket", ticket.id, by=by, now=now, product=[before, family.name])
    return True


def change_category(session: Session, ticket: Ticket, category_id: int, *, by: Actor, now: datetime) -> bool:
    """Set the category; whether that changed anything. Refuses category_unknown."""
    if category_id == ticket.category_id:
        return False
    category = session.get(Category, category_id)
    if category is None:
        raise Refused("category_unknown", "category")
    before = session.get_one(Category, ticket.category_id).name
    ticket.category_id = category.id
    touch(ticket, now)
    journal.record(session, "change_ticket_category", "ticket", ticket.id, by=by, now=now, category=[before, category.name])
    return True


def settle(session: Session, ticket: Ticket, *, by: Customer, calendar: BusinessCalendar, now: datetime) -> None:
    """The customer says it is solved. What they know as ended stays; what an answer that can still be undone ends is ended by them. Refuses state_move."""
    before, shown = State(ticket.state), shown_state(ticket, now)
    if before in ENDED and shown in ENDED:
        return
    known = shown if before in ENDED else before
    check_move(known, State.RESOLVED)
    move(ticket, State.RESOLVED, calendar=calendar, now=now)
    journal.record(session, "settle", "ticket", ticket.id, by=by, now=now, state=[known, State.RESOLVED])


def reopen(session: Session, ticket: Ticket, *, by: Customer, calendar: BusinessCalendar, now: datetime) -> None:
    """The customer says it is not solved after all: an answer is owed again. Refuses state_move of a closed ticket."""
    before, shown = State(ticket.state), shown_state(ticket, now)
    if before not in ENDED and shown not in ENDED:
        return
    check_move(before, State.OPEN)
    move(ticket, State.OPEN, calendar=calendar, now=now)
    start_clock(ticket, calendar, now)
    journal.record(session, "reopen_ticket", "ticket", ticket.id, by=by, now=now, state=[before if before in ENDED else shown, State.OPEN])
