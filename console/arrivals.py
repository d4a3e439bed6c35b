"""新着: what a list that stands on somebody's screen lacks by now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from starlette.responses import Response

from console.paging import number
from console.queue import PATH, News, read_choice, wanted_of
from models.arrivals import count_arrivals
from models.queue import queue_masters
from rules.rights import Area, Right
from web.access import staff
from web.call import Call
from web.endpoint import Page, get

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = timedelta(days=7)
"""A list that stands longer is drawn anew by its next link anyway."""


def arrivals(call: Call) -> Response:
    """The link that draws the list anew; nothing (204) while the page knows the number already, and for a search, whose hits nobody counts."""
    masters = queue_masters(call.session)
    choice = read_choice(call, masters)
    since, known = _moment(call), number(call.query("n")) or 0
    if since is None or choice.q:
        return call.finish(Response(status_code=204))
    wanted = wanted_of(choice, call, masters, masters.calendar)
    count = count_arrivals(call.session, wanted, since)
    if count == known:
        return call.finish(Response(status_code=204))
    return call.page("console/tickets/arrivals.html", choice=choice, news=News.of(choice, since, count))


def _moment(call: Call) -> datetime | None:
    """When the list was drawn, in the seconds of the address; None for what no list of ours says."""
    seconds = number(call.query("since"))
    since = _EPOCH + timedelta(seconds=seconds) if seconds else None
    return since if since and call.now - _LONGEST < since <= call.now else None


PAGES: list[Page] = [get(f"{PATH}/arrivals", arrivals, staff(Area.TICKETS, Right.READ))]
