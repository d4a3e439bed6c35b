"""The states of a ticket: which moves there are, and what people see of them."""

from __future__ import annotations

from itertools import product

import pytest

from rules.refusal import Refused
from rules.tickets import (
    CustomerState,
    State,
    after_answer,
    after_assignment,
    after_customer_post,
    check_move,
    clock_runs,
    customer_state,
    takes_posts,
)

NEW, OPEN, CUSTOMER, VENDOR, CENTER, RESOLVED, CLOSED = State
ALLOWED = {
    (NEW, OPEN),
    (NEW, RESOLVED),
    (NEW, CLOSED),
    (OPEN, CUSTOMER),
    (OPEN, VENDOR),
    (OPEN, CENTER),
    (OPEN, RESOLVED),
    (OPEN, CLOSED),
    (CUSTOMER, OPEN),
    (CUSTOMER, RESOLVED),
    (CUSTOMER, CLOSED),
    (VENDOR, OPEN),
    (VENDOR, CUSTOMER),
    (VENDOR, RESOLVED),
    (CENTER, OPEN),
    (CENTER, RESOLVED),
    (RESOLVED, OPEN),
    (RESOLVED, CLOSED),
}


@pytest.mark.parametrize(("frm", "to"), list(product(State, State)))
def test_a_ticket_moves_as_the_table_says_and_nowhere_else(frm: State, to: State) -> None:
    if (frm, to) in ALLOWED or frm is to:
        check_move(frm, to)
        return
    with pytest.raises(Refused) as refused:
        check_move(frm, to)
    assert (refused.value.code, refused.value.facts) == ("state_move", {"frm": frm, "to": to})


@pytest.mark.parametrize(
    ("state", "then"), [(NEW, NEW), (OPEN, OPEN), (CUSTOMER, OPEN), (VENDOR, VENDOR), (CENTER, CENTER), (RESOLVED, OPEN), (CLOSED, CLOSED)]
)
def test_a_customers_post_wakes_what_waited_for_them(state: State, then: State) -> None:
    assert after_customer_post(state) is then


def test_only_a_closed_ticket_takes_no_post() -> None:
    assert [state for state in State if not takes_posts(state)] == [CLOSED]


def test_an_answer_opens_a_new_ticket_and_sets_the_state_its_author_chose() -> None:
    assert after_answer(NEW) is OPEN
    assert after_answer(NEW, CUSTOMER) is CUSTOMER
    assert after_answer(NEW, NEW) is OPEN
    assert after_answer(VENDOR) is VENDOR
    assert after_answer(VENDOR, RESOLVED) is RESOLVED
    with pytest.raises(Refused, match="state_move"):
        after_answer(CENTER, CLOSED)


def test_taking_a_new_ticket_opens_it() -> None:
    assert after_assignment(NEW) is OPEN
    assert after_assignment(VENDOR) is VENDOR


def test_customers_see_five_states_and_nothing_of_who_works_on_it() -> None:
    assert [customer_state(state) for state in (OPEN, VENDOR, CENTER)] == [CustomerState.IN_PROGRESS] * 3
    assert customer_state(NEW) is CustomerState.RECEIVED
    assert customer_state(CUSTOMER) is CustomerState.WAITING_REPLY
    assert (customer_state(RESOLVED), customer_state(CLOSED)) == (CustomerState.RESOLVED, CustomerState.CLOSED)


def test_the_first_answer_is_due_whoever_is_asked_meanwhile() -> None:
    assert [state for state in State if clock_runs(state, answered=False)] == [NEW, OPEN, VENDOR, CENTER]
    assert [state for state in State if clock_runs(state, answered=True)] == [NEW, OPEN]
