"""まとめて操作: what one act on many tickets wants, and what it would do to each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from rules.canned import outcome
from rules.placeholders import Filled
from rules.refusal import Refused
from rules.tickets import State, after_answer, after_assignment, check_move, takes_posts


class BulkAct(StrEnum):
    """What may be done to many tickets at once."""

    ASSIGN = "assign"
    STATE = "state"
    REPLY = "reply"
    MACRO = "macro"


@dataclass(frozen=True)
class Wish:
    """What is wanted of every chosen ticket; the parts of other acts stay empty."""

    act: BulkAct
    staff_id: int | None = None
    """None: back to the queue; of a macro: nobody is given the tickets."""
    state: State | None = None
    body: str = ""
    next_state: State | None = None
    """In which state the reply leaves the tickets; None: an answer's usual one."""
    macro_id: int = 0
    answers: bool = False
    """Whether the macro writes to the customer."""


def foresee(wish: Wish, state: State, *, assignee_id: int | None = None) -> State:
    """The state of a ticket of `assignee_id` after the wish. Refuses what the act itself will refuse: state_move(frm, to), answer_closed."""
    if wish.act is BulkAct.MACRO:
        return outcome(state, assigns=wish.staff_id not in (None, assignee_id), answers=wish.answers, wanted=wish.state)
    if wish.act is BulkAct.ASSIGN:
        return state if wish.staff_id is None else after_assignment(state)
    if wish.act is BulkAct.REPLY:
        if not takes_posts(state):
            raise Refused("answer_closed", "body")
        return after_answer(state, wish.next_state)
    if wish.state is None:
        return state
    check_move(state, wish.state)
    return wish.state


def check_complete(filled: Filled) -> None:
    """No place may stay open in a text that nobody sees before it leaves. Refuses: macro_place_left(name)."""
    if filled.missing:
        raise Refused("macro_place_left", name="、".join(filled.missing))


def check_reach(family_id: int, assignee_id: int | None, *, by: int | None, queues: Collection[int] | None) -> None:
    """Whether `by` may change a ticket in bulk: those of one's own queues, and one's own; `queues` None: all. Refuses: bulk_other_queue."""
    if queues is not None and family_id not in queues and (assignee_id is None or assignee_id != by):
        raise Refused("bulk_other_queue")
