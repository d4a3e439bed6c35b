"""Files that a form of the portal sends ahead, one by one; what no post takes is swept."""

from __future__ import annotations

from starlette.responses import Response

from actions.attachments import drop_held
from web.access import CUSTOMER
from web.call import Call
from web.endpoint import Page, post
from web.hold import answer_held


def drop(call: Call) -> Response:
    """Forget a held file; one that is gone already is none of anybody's."""
    drop_held(call.session, call.param("token"), by=call.customer)
    return call.finish(Response(status_code=204))


PAGES: list[Page] = [
    post("/uploads", answer_held, CUSTOMER, uploads=True),
    post("/uploads/{token}/removal", drop, CUSTOMER),
]
