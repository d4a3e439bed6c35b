"""What a ticket's page does by itself: it keeps the text that is being typed, and tells who else is there."""

from __future__ import annotations

from sqlalchemy import select
from starlette.responses import Response

from actions.drafts import keep_draft, show_up
from console.replies import submission_of
from console.ticket import PATH
from models.presence import LOOKING, around
from models.reading import note_reading
from models.tickets import MessageKind, Ticket
from rules.refusal import Refused
from rules.rights import Area, Right
from web.access import staff
from web.call import Call
from web.endpoint import Page, post
from web.errors import NotFound
from web.forms import number_of


def save_answer(call: Call) -> Response:
    """Keep the answer as far as it is typed; nothing of the page changes (204)."""
    return _save(call, MessageKind.ANSWER)


def save_note(call: Call) -> Response:
    """Keep the note as far as it is typed."""
    return _save(call, MessageKind.NOTE)


def beat(call: Call) -> Response:
    """Note that the page is open and how far it shows the thread, and say who else is there, what they write, and what came meanwhile."""
    number = _number(call)
    # A page that asks by itself is no sign that somebody is there: the session idles on.
    call.afterwards.clear()
    last_seen = number_of(call.form.value("last_seen"))
    show_up(call.session, number, by=call.staff, now=call.now)
    note_reading(call.session, number, staff_id=call.staff.id or 0, last_seen=last_seen)
    found = around(call.session, number, staff_id=call.staff.id or 0, last_seen=last_seen, now=call.now)
    return call.page("console/tickets/presence.html", around=found, number=number, looking_for=LOOKING)


def _save(call: Call, kind: MessageKind) -> Response:
    number = _number(call)
    try:
        keep_draft(call.session, number, kind, call.form.value("body"), submission=submission_of(call), by=call.staff, limits=call.limits, now=call.now)
    except Refused:
        return call.finish(Response(status_code=413))
    return call.finish(Response(status_code=204))


def _number(call: Call) -> int:
    number: int = call.param("number")
    if call.session.scalar(select(Ticket.id).where(Ticket.id == number)) is None:
        raise NotFound
    return number


_WRITE = staff(Area.TICKETS, Right.WRITE)
PAGES: list[Page] = [
    post(f"{PATH}/drafts/answer", save_answer, _WRITE),
    post(f"{PATH}/drafts/note", save_note, _WRITE),
    post(f"{PATH}/presence", beat, _WRITE),
]
