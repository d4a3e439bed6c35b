"""Files of tickets for the staff."""

from __future__ import annotations

from starlette.responses import Response

from actions.attachments import readable_by_staff
from rules.rights import Area, Right
from web.access import staff
from web.call import Call
from web.downloads import download
from web.endpoint import Page, get
from web.errors import or_not_found


def fetch(call: Call) -> Response:
    """The file, always as a download; the service center, which sees no thread, gets none."""
    attachment = or_not_found(readable_by_staff(call.session, call.param("token"), by=call.staff))
    return call.finish(download(call.wiring.store, attachment))


PAGES: list[Page] = [get("/console/attachments/{token}", fetch, staff(Area.TICKETS, Right.READ))]
