"""The renewals around a ticket's contract: what came before and what carries it on. Asked for by a press on the ticket's page."""

from __future__ import annotations

from starlette.responses import Response

from console.frame import frame
from console.ticket import PATH, judge_row
from models.renewals import chain
from models.ticket_masters import ticket_masters
from models.ticket_page import ticket_row
from rules.rights import Area, Right
from rules.tickets import State
from web.access import staff
from web.call import Call
from web.endpoint import Page, get
from web.errors import NotFound

_TEMPLATE = "console/tickets/renewals.html"
_MOST_LINES = 3
"""Lines of the contract of which the ticket's page tells."""


def show(call: Call) -> Response:
    """The chain of each line that the verdict names; as a part for the ticket's page, as a page of its own without a script."""
    row = ticket_row(call.session, call.param("number"))
    if row is None or not (call.staff.may("tickets", "r") or row.state == State.WAITING_CENTER):
        raise NotFound
    _, judgement = judge_row(call, row, ticket_masters(call.session))
    own = judgement.line_ids[:_MOST_LINES]
    chains = [(line_id, links) for line_id in own if len(links := chain(call.session, line_id)) > 1]
    around = {} if call.basis.is_htmx else frame(call)
    return call.page(_TEMPLATE, block="renewals", ticket=row, chains=chains, **around)


PAGES: list[Page] = [get(f"{PATH}/renewals", show, staff(Area.TICKETS, Right.OWN))]
