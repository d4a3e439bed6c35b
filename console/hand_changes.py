"""Assignee, state and priority of a ticket, each changed by one press and undone by another."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from starlette.responses import Response

from actions.ticket_snapshots import snapshot
from actions.tickets import assign, change_priority, change_state
from console.last_change import keep
from console.replies import again, change_of, state_of
from console.ticket import PATH
from rules.refusal import Refused
from rules.rights import Area, Right
from rules.tickets import Priority
from web.access import staff
from web.call import Call
from web.endpoint import Page, post
from web.forms import BadRequest, number_of
from wording import labels
from wording.catalog import N_


def set_assignee(call: Call) -> Response:
    """Give the ticket to somebody, to oneself, or back to the queue."""
    typed = call.form.value("staff_id")
    act = partial(assign, staff_id=number_of(typed) if typed else None, by=call.staff, desk=call.desk, limits=call.limits, now=call.now)
    if not typed:
        return _change(call, act, N_("担当を外しました。"))
    own = typed == str(call.staff.id)
    return _change(call, act, N_("自分の担当にしました。") if own else N_("担当を変更しました。"))


def set_status(call: Call) -> Response:
    """Move the ticket by hand."""
    state = state_of(call.form.value("state"))
    act = partial(change_state, state=state, by=call.staff, calendar=call.calendar(), now=call.now)
    return _change(call, act, N_("状態を「{word}」にしました。"), labels.state(state, call.basis.language))


def set_priority(call: Call) -> Response:
    """Set the priority, and with it the deadline."""
    value = call.form.value("priority")
    if value not in [*Priority]:
        raise BadRequest(f"there is no priority {value!r}")
    act = partial(change_priority, priority=Priority(value), by=call.staff, calendar=call.calendar(), now=call.now)
    return _change(call, act, N_("優先度を「{word}」にしました。"), labels.priority(value, call.basis.language))


def _change(call: Call, act: Callable[..., None], done: str, word: str = "") -> Response:
    ticket = change_of(call)
    before, version = snapshot(ticket), ticket.version
    try:
        act(call.session, ticket)
    except Refused as refused:
        return again(call, refused)
    path, told = f"/console/tickets/{ticket.id}", call.say(done, word=word)
    if ticket.version == version:
        return call.redirect(path, flash=told)
    return call.redirect(path, flash=told, kind="undo", **keep(call, ticket.id, before, ticket.version))


_WRITE = staff(Area.TICKETS, Right.WRITE)
PAGES: list[Page] = [
    post(f"{PATH}/assignee", set_assignee, _WRITE),
    post(f"{PATH}/status", set_status, _WRITE),
    post(f"{PATH}/priority", set_priority, _WRITE),
]
