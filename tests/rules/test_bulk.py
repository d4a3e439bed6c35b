"""What one act on many tickets would do to each."""

from __future__ import annotations

import pytest

from rules.bulk import BulkAct, Wish, check_reach, foresee
from rules.refusal import Refused
from rules.tickets import State


@pytest.mark.parametrize(
    ("wish", "state", "after"),
    [
        (Wish(BulkAct.ASSIGN, staff_id=3), State.NEW, State.OPEN),
        (Wish(BulkAct.ASSIGN, staff_id=3), State.RESOLVED, State.RESOLVED),
        (Wish(BulkAct.ASSIGN), State.NEW, State.NEW),
        (Wish(BulkAct.STATE, state=State.RESOLVED), State.NEW, State.RESOLVED),
        (Wish(BulkAct.STATE, state=State.OPEN), State.OPEN, State.OPEN),
        (Wish(BulkAct.REPLY, next_state=State.WAITING_CUSTOMER), State.NEW, State.WAITING_CUSTOMER),
        (Wish(BulkAct.REPLY), State.NEW, State.OPEN),
        (Wish(BulkAct.MACRO, staff_id=3, state=State.WAITING_VENDOR), State.NEW, State.WAITING_VENDOR),
        (Wish(BulkAct.MACRO, answers=True, state=State.RESOLVED), State.WAITING_CUSTOMER, State.RESOLVED),
        (Wish(BulkAct.MACRO), State.WAITING_CUSTOMER, State.WAITING_CUSTOMER),
    ],
)
def test_an_act_leaves_a_ticket_in_the_state_that_it_would_have_alone(wish: Wish, state: State, after: State) -> None:
    assert foresee(wish, state) is after


@pytest.mark.parametrize(
    ("wish", "state", "code"),
    [
        (Wish(BulkAct.STATE, state=State.WAITING_VENDOR), State.NEW, "state_move"),
        (Wish(BulkAct.STATE, state=State.OPEN), State.CLOSED, "state_move"),
        (Wish(BulkAct.REPLY), State.CLOSED, "answer_closed"),
        (Wish(BulkAct.MACRO, answers=True), State.CLOSED, "answer_closed"),
        (Wish(BulkAct.MACRO, staff_id=None, state=State.WAITING_VENDOR), State.NEW, "state_move"),
        (Wish(BulkAct.REPLY, next_state=State.WAITING_CUSTOMER), State.RESOLVED, "state_move"),
    ],
)
def test_what_the_act_would_refuse_is_foreseen(wish: Wish, state: State, code: str) -> None:
    with pytest.raises(Refused) as refused:
        foresee(wish, state)

    assert refused.value.code == code


@pytest.mark.parametrize(
    ("family", "assignee", "queues", "allowed"), [(1, None, {1}, True), (2, None, {1}, False), (2, 7, {1}, True), (2, 8, {1}, False), (2, 8, None, True)]
)
def test_ones_own_queues_and_ones_own_tickets_are_within_reach(family: int, assignee: int | None, queues: set[int] | None, allowed: bool) -> None:
    try:
        check_reach(family, assignee, by=7, queues=queues)
    except Refused as refused:
        assert not allowed and refused.code == "bulk_other_queue"
    else:
        assert allowed
