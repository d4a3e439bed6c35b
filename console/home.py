"""The console's own address, as people type it: it leads to the first page, or to the sign-in."""

from __future__ import annotations

from starlette.responses import Response

from console.door import DOOR, HOME
from web.access import STAFF_VISITOR
from web.call import Call
from web.endpoint import Page, get


def show(call: Call) -> Response:
    """To the first page, or to the sign-in."""
    return call.redirect(HOME if call.actor else DOOR)


PAGES: list[Page] = [get("/console", show, STAFF_VISITOR)]
