"""Files that a form of the console sends ahead, one by one; what no post takes is swept."""

from __future__ import annotations

from starlette.responses import Response

from actions.attachments import drop_held
from rules.rights import Area, Right
from web.access import staff
from web.call import Call
from web.endpoint import Page, post
from web.hold import answer_held


def drop(call: Call) -> Response:
    """Forget a held file; one that is gone already is none of anybody's."""
    drop_held(call.session, call.param("token"), by=call.staff)
    return call.finish(Response(status_code=204))


_WRITE = staff(Area.TICKETS, Right.WRITE)
PAGES: list[Page] = [
    post("/console/uploads", answer_held, _WRITE, uploads=True),
    post("/console/uploads/{token}/removal", drop, _WRITE),
]
