"""写しの停止: the page behind the link in mails with CC recipients. Opening it changes nothing."""

from __future__ import annotations

from starlette.responses import Response

from actions import copies
from models.actors import Actor
from rules.refusal import Refused
from web.access import VISITOR
from web.call import Call, private
from web.endpoint import Page, get, post
from web.errors import or_not_found
from wording.catalog import N_

_PAGE = "portal/copies/show.html"


def show(call: Call) -> Response:
    """The form: whoever holds a mail with the link says which of its CC addresses is theirs."""
    return _page(call, _ticket(call))


def update(call: Call) -> Response:
    """Stop the copies, or let them come again."""
    ticket_id = _ticket(call)
    act, told = (
        (copies.resume, N_("{address} への写しを再開します。次の通知から届きます。"))
        if call.form.value("wish") == "resume"
        else (copies.stop, N_("{address} への写しを止めました。"))
    )
    by = Actor(None, N_("CC の受取人"), call.client, "visitor")
    try:
        address = act(call.session, ticket_id, call.form.value("address"), by=by, now=call.now)
    except Refused as refused:
        call.form.refuse(refused.at("address"))
        return _page(call, ticket_id, status=422)
    return call.redirect(f"/copies/{call.param('token')}", flash=call.say(told, address=address))


def _ticket(call: Call) -> int:
    return or_not_found(call.desk.ticket_of_stop_token(call.param("token")))


def _page(call: Call, ticket_id: int, *, status: int = 200) -> Response:
    return private(call.page(_PAGE, status=status, token=call.param("token"), ticket_id=ticket_id))


PAGES: list[Page] = [
    get("/copies/{token}", show, VISITOR),
    post("/copies/{token}", update, VISITOR),
]
