"""Posts never change hands between customers by way of a merge and of an account that is taken back or given anew."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from actions.merges import merge, undo_merge
from actions.phone_tickets import attach_account, detach_account
from actions.splits import Heading, split_off
from actions.ticket_facts import change_cc
from actions.tickets import NoTicket, reply
from models.actors import Customer, StaffMember
from models.outbox import Letter
from models.own_tickets import own_changes
from models.people import Account
from models.tickets import Message, Source, Ticket
from rules.calendar import BusinessCalendar
from rules.refusal import Refused
from rules.rights import Role
from tests import people
from tests.attacks.test_races import DESK, LIMITS
from tests.people import NOW

CALENDAR = BusinessCalendar()


@pytest.fixture
def member(session: Session) -> StaffMember:
    """佐藤 of the support."""
    row = people.add_staff(session, "sato", name="佐藤")
    return StaffMember(id=row.id, name=row.name, email=row.email, roles=frozenset({Role.SUPPORT}))


def customer_of(account: Account) -> Customer:
    return Customer(account.id, account.person_name, email=account.email, maintenance_email=account.maintenance_email)


def by_phone(session: Session, account: Account | None) -> Ticket:
    ticket = people.add_ticket(session, account)
    ticket.source = Source.PHONE
    session.execute(update(Message).where(Message.ticket_id == ticket.id).values(account_id=None))
    return ticket


def merged(session: Session, ticket: Ticket, into: Ticket, by: StaffMember) -> None:
    merge(session, ticket, into, by=by, limits=LIMITS, calendar=CALENDAR, now=NOW)
    session.flush()


def test_a_ticket_keeps_its_account_while_posts_are_merged_in_or_away(session: Session, member: StaffMember) -> None:
    account = people.add_account(session)
    ticket, into = by_phone(session, account), by_phone(session, account)
    merged(session, ticket, into, member)

    for one in (ticket, into):
        with pytest.raises(Refused) as refused:
            detach_account(session, one, by=member, now=NOW)
        assert (refused.value.code, refused.value.facts["n"]) == ("account_merged", ticket.id)

    undo_merge(session, ticket, into, by=member, now=NOW)
    detach_account(session, ticket, by=member, now=NOW)
    assert (ticket.account_id, into.account_id) == (None, account.id)


def test_a_merged_ticket_of_nobody_is_given_to_no_account(session: Session, member: StaffMember) -> None:
    account = people.add_account(session)
    ticket = by_phone(session, None)
    ticket.merged_into_id = people.add_ticket(session, account).id

    with pytest.raises(Refused) as refused:
        attach_account(session, ticket, account.id, by=member, now=NOW)

    assert refused.value.code == "merge_gone"


def test_a_reply_never_follows_a_merge_into_another_account_s_ticket(session: Session) -> None:
    account, other = people.add_account(session), people.add_account(session, "other")
    ticket = people.add_ticket(session, account)
    ticket.merged_into_id = people.add_ticket(session, other).id
    session.flush()

    with pytest.raises(NoTicket):
        reply(session, ticket, "秘密です", submission="", by=customer_of(account), desk=DESK, limits=LIMITS, calendar=CALENDAR, now=NOW)


def test_a_ticket_on_which_its_customer_acted_is_not_taken_back(session: Session, member: StaffMember) -> None:
    account = people.add_account(session)
    ticket = by_phone(session, account)
    change_cc(session, ticket, ["boss@osaka.tozai.example"], by=customer_of(account), now=NOW)

    with pytest.raises(Refused, match="account_bound"):
        detach_account(session, ticket, by=member, now=NOW)


def test_copies_set_for_one_account_are_not_told_to_the_next(session: Session, member: StaffMember) -> None:
    account, other = people.add_account(session), people.add_account(session, "other")
    ticket = by_phone(session, account)
    change_cc(session, ticket, ["boss@osaka.tozai.example"], by=member, now=NOW)
    detach_account(session, ticket, by=member, now=NOW)
    attach_account(session, ticket, other.id, by=member, now=NOW)
    assert not own_changes(session, ticket.id)

    change_cc(session, ticket, ["own@osaka.tozai.example"], by=member, now=NOW)

    assert [row.facts["cc"] for row in own_changes(session, ticket.id)] == [[[], ["own@osaka.tozai.example"]]]


def test_a_post_split_off_a_second_time_is_told_to_its_customer_again(session: Session, member: StaffMember) -> None:
    account = people.add_account(session)
    ticket = people.add_ticket(session, account)
    post = people.add_post(session, ticket, "別件です", account=account)
    heading = Heading("別件", ticket.family_id, ticket.category_id)

    made: list[Ticket] = []
    for _ in range(2):
        made.append(split_off(session, ticket, post.id, heading, by=member, desk=DESK, limits=LIMITS, calendar=CALENDAR, now=NOW))
        merged(session, made[-1], ticket, member)
        session.expire_all()

    told = session.scalars(select(Letter.ticket_id).where(Letter.kind == "ticket_opened").order_by(Letter.id)).all()
    assert list(told) == [one.id for one in made]
