"""Whatever two engineers, a customer and the jobs do in any order: no post is lost, clocks and waits add up, search finds what a scan finds."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from actions.clock import is_owed, pauses_of
from actions.figures import waits_of
from actions.merges import merge, undo_merge
from actions.openings import Opening
from actions.splits import Heading, split_off
from actions.ticket_facts import change_product, reopen, settle
from actions.tickets import answer, change_priority, change_state, open_ticket, reply, ticket_for_staff, withdraw_answer, write_note
from mail.desk import Desk
from models.actors import Customer, StaffMember
from models.base import NEVER, AnyRow
from models.database import transaction
from models.figures import state_changes
from models.neighbours import customers_posts, merge_of
from models.search import POSTS, document_text, put_in, waiting_posts
from models.search_hits import Hit, Sought, find_tickets
from models.tickets import Message, MessageKind, Ticket
from rules.calendar import BusinessCalendar
from rules.clock import counted_seconds
from rules.limits import Limits
from rules.refusal import Refused
from rules.search import terms_of
from rules.tickets import Priority, State
from tests.people import NOW, add_account, add_certificate, add_staff

LIMITS, CALENDAR = Limits(), BusinessCalendar()
DESK = Desk("https://tickets.example.jp", "desk@jscom.example", "tickets-admin@jscom.example", "center@jscom.example")
STEPS = 25
WAITS = {State.WAITING_CUSTOMER, State.WAITING_VENDOR, State.WAITING_CENTER}
_ALWAYS = 6
PLACES = [*range(_ALWAYS), *(pytest.param(place, marks=pytest.mark.proof) for place in range(_ALWAYS, 100))]
"""Each with chances of its own: those of the short form are the same every time."""


@dataclass
class House:
    """Who acts, on which tickets, and what time it is."""

    chance: random.Random
    customer: Customer
    staff: Sequence[StaffMember]
    now: datetime = NOW
    submissions: int = 0
    posts: set[int] = field(default_factory=set[int])
    reopened: set[int] = field(default_factory=set[int])
    told: list[str] = field(default_factory=list[str])

    @property
    def submission(self) -> str:
        """The mark of the next form."""
        self.submissions += 1
        return f"form-{self.submissions}"

    @property
    def by(self) -> StaffMember:
        """One of the engineers."""
        return self.chance.choice(self.staff)

    def other(self, session: Session, besides: Ticket) -> Ticket:
        """Some ticket."""
        numbers = session.scalars(select(Ticket.id).where(Ticket.id != besides.id).order_by(Ticket.id)).all()
        return ticket_for_staff(session, self.chance.choice(numbers), change=True)


def _open(house: House, session: Session, number: int) -> None:
    opening = Opening(5, 1, f"件名{number}", "不明", "不明", f"本文{number}甲", cc=(f"c{number}@osaka.tozai.example",))
    open_ticket(session, opening, submission=house.submission, by=house.customer, desk=DESK, limits=LIMITS, calendar=CALENDAR, now=house.now)


def _reply(house: House, session: Session, ticket: Ticket) -> None:
    reply(session, ticket, "追記乙", submission=house.submission, by=house.customer, desk=DESK, limits=LIMITS, calendar=CALENDAR, now=house.now)


def _answer(house: House, session: Session, ticket: Ticket) -> None:
    if ticket.state == State.CLOSED:
        return
    state, by = house.chance.choice([None, State.OPEN, State.WAITING_CUSTOMER, State.RESOLVED]), house.by
    made = answer(session, ticket, "回答丙", next_state=state, last_seen=2**31, submission=house.submission, by=by, desk=DESK, limits=LIMITS, now=house.now)
    if house.chance.random() < 0.3:
        session.flush()
        withdraw_answer(session, ticket, made.id, by=by, limits=LIMITS, now=house.now + timedelta(seconds=5))


def _note(house: House, session: Session, ticket: Ticket) -> None:
    write_note(session, ticket, "覚え丁", submission=house.submission, by=house.by, limits=LIMITS, now=house.now)


def _state(house: House, session: Session, ticket: Ticket) -> None:
    change_state(session, ticket, house.chance.choice([*State]), by=house.by, calendar=CALENDAR, now=house.now)


def _priority(house: House, session: Session, ticket: Ticket) -> None:
    change_priority(session, ticket, house.chance.choice([*Priority]), by=house.by, calendar=CALENDAR, now=house.now)


def _product(house: House, session: Session, ticket: Ticket) -> None:
    change_product(session, ticket, house.chance.randint(1, 8), by=house.by, now=house.now)


def _merge(house: House, session: Session, ticket: Ticket) -> None:
    merge(session, ticket, house.other(session, ticket), by=house.by, limits=LIMITS, calendar=CALENDAR, now=house.now)


def _undo_merge(house: House, session: Session, ticket: Ticket) -> None:
    made = merge_of(session, ticket.id)
    if made is not None:
        undo_merge(session, ticket, ticket_for_staff(session, made.into_id, change=True), by=house.by, now=house.now)


def _split(house: House, session: Session, ticket: Ticket) -> None:
    later = customers_posts(session, ticket.id)[1:]
    if later:
        split_off(
            session, ticket, house.chance.choice(later).id, Heading("分けた件", 5, 1), by=house.by, desk=DESK, limits=LIMITS, calendar=CALENDAR, now=house.now
        )


def _settle(house: House, session: Session, ticket: Ticket) -> None:
    settle(session, ticket, by=house.customer, calendar=CALENDAR, now=house.now)


def _reopen(house: House, session: Session, ticket: Ticket) -> None:
    if ticket.state == State.RESOLVED:
        house.reopened.add(ticket.id)
        reopen(session, ticket, by=house.customer, calendar=CALENDAR, now=house.now)


def _index(house: House, session: Session, _: Ticket) -> None:
    put_in(session, waiting_posts(session, house.now, limit=100))


Act = Callable[[House, Session, Ticket], None]
ACTS: Sequence[Act] = (_reply, _answer, _note, _state, _priority, _product, _merge, _merge, _undo_merge, _undo_merge, _split, _settle, _reopen, _index)


def _check(house: House, session: Session) -> None:
    posts = session.execute(POSTS.order_by(Message.id)).all()
    assert house.posts <= {post.id for post in posts}
    house.posts = {post.id for post in posts if post.published_at <= house.now}
    merged = {row.id: row.merged_into_id for row in session.execute(select(Ticket.id, Ticket.merged_into_id))}
    for ticket in session.scalars(select(Ticket)):
        kinds = {post.kind for post in posts if post.ticket_id == ticket.id}
        assert (MessageKind.CUSTOMER in kinds) == (ticket.merged_into_id is None), ticket.id
        assert is_owed(ticket) == (ticket.owed_since is not None), ticket.id
        among = _with_merged(ticket.id, merged)
        opened = session.scalars(select(Ticket.created_at).where(Ticket.id.in_(among))).all()
        _check_clock(house, ticket, among, [*opened, *(post.created_at for post in customers_posts(session, ticket.id))])
        waits = waits_of(state_changes(session, [ticket.id]))
        assert (waits[-1].state if waits and waits[-1].until is None else None) == (ticket.state if ticket.state in WAITS else None), ticket.id
        if ticket.id < min(merged) + 3 and ticket.id not in merged.values():
            assert len(ticket.cc) == 1, f"#{ticket.id} still has others' copies: {ticket.cc}"
    for typed in ("乙", "本文1甲", "丁", "件名0", "分けた", "回答"):
        for public_at in (None, house.now):
            _check_search(session, posts, typed, public_at, house.customer.id)


def _with_merged(number: int, merged: Mapping[int, int | None]) -> set[int]:
    """A ticket with those that were merged into it: what is owed on them is owed on it."""
    return {number}.union(*(_with_merged(one, merged) for one, into in merged.items() if into == number))


def _check_clock(house: House, ticket: Ticket, among: set[int], begun: Sequence[datetime]) -> None:
    if ticket.owed_since is None:
        return
    known = {at.replace(microsecond=0) for at in begun}
    assert ticket.owed_since in known or among & house.reopened, f"#{ticket.id} owes an answer to nothing"
    if ticket.due_at != NEVER:
        mine = CALENDAR.of(ticket.calendar_id)
        target = mine.target_seconds(Priority(ticket.priority), answered=ticket.first_answer_at is not None)
        # A priority that was raised late makes an answer due now: later than its target, never sooner.
        assert counted_seconds(mine, ticket.owed_since, ticket.due_at, pauses_of(ticket.clock_pauses)) >= target, ticket.id


def _check_search(session: Session, posts: Sequence[AnyRow], typed: str, public_at: datetime | None, account_id: int | None) -> None:
    found: dict[int, int] = {}
    for post in posts:
        hidden = public_at is not None and (post.kind == MessageKind.NOTE or post.published_at > public_at)
        if not hidden and all(term in document_text(post, ()) for term in terms_of(typed)):
            found[post.ticket_id] = max(post.id, found.get(post.ticket_id, 0))
    own = [] if public_at is None else [Ticket.account_id == account_id]
    sought = Sought(terms_of(typed), own, public_at=public_at, account_id=None if public_at is None else account_id)
    assert find_tickets(session, sought, limit=1000) == [Hit(number, found[number]) for number in sorted(found, reverse=True)], typed


@pytest.mark.parametrize("place", PLACES)
def test_any_sequence_of_acts_leaves_tickets_that_add_up(engine: Engine, place: int) -> None:
    seed = place if place < _ALWAYS else random.randrange(10**6)
    with transaction(engine) as session:
        add_certificate(session)
        account = add_account(session)
        staff = [StaffMember(row.id, row.name) for row in (add_staff(session, "sato", name="佐藤"), add_staff(session, "ito", name="伊藤"))]
        house = House(random.Random(seed), Customer(account.id, account.person_name), staff)
        for number in range(3):
            _open(house, session, number)
            house.now += timedelta(minutes=house.chance.randint(1, 200))

    for _ in range(STEPS):
        _act(engine, house)
        house.now += timedelta(seconds=house.chance.choice([15, 60, 600, 3_600, 7_200, 86_400]))
        with transaction(engine, readonly=True) as session:
            try:
                _check(house, session)
            except AssertionError as fault:
                fault.add_note(f"seed {seed}, place {place}: {', '.join(house.told)}")
                raise


def _act(engine: Engine, house: House) -> None:
    act = house.chance.choice(ACTS)
    try:
        with transaction(engine) as session:
            numbers = session.scalars(select(Ticket.id).order_by(Ticket.id)).all()
            ticket = ticket_for_staff(session, house.chance.choice(numbers), change=True)
            if ticket.merged_into_id is None or act in (_reply, _merge, _undo_merge, _index):
                house.told.append(f"{act.__name__} #{ticket.id}")
                act(house, session, ticket)
    except Refused as refused:
        house.told[-1] += f" ({refused.code})"
