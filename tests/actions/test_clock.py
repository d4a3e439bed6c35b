"""The clock of a ticket: whatever it waited for, what counted up to its deadline is its target."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.clock import change_calendar, change_target, follow_state, is_owed, moved_clock, pauses_of, start_clock
from models.base import NEVER
from models.tickets import Ticket
from rules.calendar import BusinessCalendar, Hours, Targets
from rules.clock import Why, segments
from rules.tickets import CLOCK_STOPS, MOVES, Priority, State
from tests.people import NOW

HOUR = timedelta(hours=1)
ROUND: Hours = (((0, 1440),),) * 7
NIGHT_DESK = BusinessCalendar(
    hours=ROUND, rests_on_holidays=False, rests_at_year_end=False, number=7, targets=Targets(dict.fromkeys(Priority, 30), dict.fromkeys(Priority, 90))
)
DESK = BusinessCalendar(others={7: NIGHT_DESK})
STEPS = st.lists(st.tuples(st.integers(1, 900), st.sampled_from([*State])), max_size=8)


def _ticket(*, answered: bool = True, calendar: int | None = None) -> Ticket:
    return Ticket(
        state=State.OPEN, priority=Priority.NORMAL, due_at=NEVER, calendar_id=calendar, first_answer_at=NOW - 9 * HOUR if answered else None, clock_pauses=[]
    )


def _counted(ticket: Ticket, calendar: BusinessCalendar) -> int:
    assert ticket.owed_since
    found = segments(calendar, ticket.owed_since, ticket.due_at, pauses_of(ticket.clock_pauses))
    return sum(one.seconds for one in found if one.why is Why.COUNTED)


@given(STEPS, st.sampled_from([None, 7]), st.integers(0, 3 * 1440))
@settings(max_examples=80)
def test_after_any_waiting_the_deadline_is_where_single_minutes_put_it(steps: list[tuple[int, State]], calendar: int | None, begins: int) -> None:
    ticket, mine = _ticket(calendar=calendar), DESK.of(calendar)
    now = NOW + timedelta(minutes=begins)
    start_clock(ticket, DESK, now)
    left, missed = mine.target_seconds(Priority.NORMAL, answered=True) // 60, None
    for minutes, state in steps:
        if ticket.state not in CLOCK_STOPS and missed is None:
            spent = 0
            while spent < minutes:
                if left == 0:
                    missed = ticket.due_at
                    break
                left -= mine.is_open(now + timedelta(minutes=spent))
                spent += 1
            missed = ticket.due_at if left == 0 and missed is None else missed
        now += timedelta(minutes=minutes)
        if state in MOVES[State(ticket.state)]:
            ticket.state = state
            follow_state(ticket, DESK, now)

    if ticket.state in CLOCK_STOPS:
        assert (ticket.due_at, is_owed(ticket)) == (NEVER, True)
        assert missed is not None or ticket.clock_left == left * 60
    else:
        assert _counted(ticket, mine) == mine.target_seconds(Priority.NORMAL, answered=True)
        assert missed is None or ticket.due_at == missed


def test_a_second_and_its_parts_do_not_get_lost() -> None:
    ticket = _ticket()
    start_clock(ticket, DESK, NOW + timedelta(microseconds=987_654))
    ticket.state = State.WAITING_VENDOR
    follow_state(ticket, DESK, NOW + timedelta(minutes=10, microseconds=5))
    ticket.state = State.OPEN
    follow_state(ticket, DESK, NOW + timedelta(minutes=40, microseconds=999_999))

    assert (ticket.owed_since, ticket.due_at) == (NOW, NOW + 4 * HOUR + timedelta(minutes=30))
    assert [(one.state, one.since - NOW, (one.until or NOW) - NOW) for one in pauses_of(ticket.clock_pauses)] == [
        (State.WAITING_VENDOR, timedelta(minutes=10), timedelta(minutes=40))
    ]


def test_a_priority_raised_too_late_makes_the_answer_due_now() -> None:
    ticket = _ticket()
    start_clock(ticket, DESK, NOW)
    ticket.priority = Priority.URGENT

    change_target(ticket, DESK, Priority.NORMAL, NOW + 2 * HOUR)

    assert ticket.due_at == NOW + 2 * HOUR
    moved = moved_clock(ticket, DESK, NIGHT_DESK)
    assert moved and moved.due_at == NOW + HOUR + timedelta(minutes=90)


def test_another_calendar_counts_from_the_customers_post_and_tells_first_and_next_apart() -> None:
    friday = datetime(2026, 11, 20, 7, 30, tzinfo=UTC)
    for answered, minutes in ((False, 30), (True, 90)):
        ticket = _ticket(answered=answered)
        start_clock(ticket, DESK, friday)
        ticket.state = State.WAITING_CUSTOMER
        follow_state(ticket, DESK, friday + timedelta(minutes=10))

        change_calendar(ticket, DESK, NIGHT_DESK)

        assert (ticket.calendar_id, ticket.clock_left) == (7, (minutes - 10) * 60)
        ticket.state = State.OPEN
        follow_state(ticket, DESK, friday + HOUR)
        assert ticket.due_at == friday + HOUR + timedelta(minutes=minutes - 10)
        change_calendar(ticket, NIGHT_DESK, DESK)
        assert _counted(ticket, DESK) == 4 * 3600


def test_a_clock_that_stood_before_its_pauses_were_kept_goes_on_with_what_was_left() -> None:
    ticket = _ticket()
    ticket.state, ticket.clock_left, ticket.owed_since = State.WAITING_VENDOR, 1800, NOW - 9 * HOUR

    moved = moved_clock(ticket, DESK, NIGHT_DESK)
    assert moved and moved.left == 1800 - 150 * 60
    ticket.state = State.OPEN
    follow_state(ticket, DESK, NOW)
    assert ticket.due_at == NOW + timedelta(minutes=30)


@pytest.mark.parametrize(("answered", "stands"), [(True, True), (False, False)])
def test_a_post_that_comes_while_others_are_waited_for_starts_a_clock_that_stands_once_there_was_an_answer(answered: bool, stands: bool) -> None:
    ticket = _ticket(answered=answered)
    ticket.state = State.WAITING_VENDOR

    start_clock(ticket, DESK, NOW)

    assert is_owed(ticket)
    assert (ticket.due_at == NEVER) == stands
    ticket.state = State.OPEN
    follow_state(ticket, DESK, NOW + HOUR)
    assert ticket.due_at == NOW + (5 if stands else 4) * HOUR


def test_a_priority_that_was_raised_by_mistake_and_set_back_leaves_the_deadline_where_it_was() -> None:
    for state in (State.OPEN, State.WAITING_VENDOR):
        ticket = _ticket()
        start_clock(ticket, DESK, NOW)
        ticket.state = state
        follow_state(ticket, DESK, NOW + 3 * HOUR)

        for before, after in ((Priority.NORMAL, Priority.URGENT), (Priority.URGENT, Priority.NORMAL)):
            ticket.priority = after
            change_target(ticket, DESK, before, NOW + 3 * HOUR)

        assert (ticket.due_at, ticket.clock_left) == ((NOW + 4 * HOUR, None) if state is State.OPEN else (NEVER, 3600))


@pytest.mark.parametrize(("priority", "due"), [(Priority.URGENT, 4), (Priority.HIGH, 4), (Priority.LOW, 24)])
def test_no_priority_puts_a_missed_deadline_off_to_now(priority: Priority, due: int) -> None:
    ticket = _ticket()
    start_clock(ticket, DESK, NOW)
    ticket.priority = priority

    change_target(ticket, DESK, Priority.NORMAL, NOW + 26 * HOUR)

    assert ticket.due_at == NOW + due * HOUR
