"""What every way into the console shares: where people go, and the session they get."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, cast

from starlette.responses import Response

from actions import staff_sign_in
from models.actors import StaffMember
from models.database import transaction
from models.saved_views import start_view
from rules.refusal import Refused
from web.call import Basis, Call
from web.sessions import close_session, open_staff_session

HOME = "/console/tickets"
DOOR = "/console/sign-in"
_LOCAL = re.compile(r"/console(?:/[\w~-][\w.~-]*)*(?:\?[\w=&%.~+:-]*)?", re.ASCII)


def local_path(target: str) -> str:
    """`target` where it is a page of the console, else the first page: nobody is sent to a place that a link made up."""
    return target if _LOCAL.fullmatch(target) and not target.startswith(DOOR) else HOME


def open_door(call: Call, staff_id: int, *, how: str, target: str) -> Response:
    """Start a new session in the place of whatever session this browser had, and go to `target`."""
    start_session(call, staff_id, totp_passed=True)
    staff_sign_in.note_sign_in(call.session, staff_id, succeeded=True, how=how, client=call.client, now=call.now)
    return call.redirect(_beginning(call, staff_id) if target == HOME else target)


def _beginning(call: Call, staff_id: int) -> str:
    """The list with which a staff member chose to begin, else the first page."""
    view = start_view(call.session, staff_id)
    return f"{HOME}?{view.query}{'&' if view.query else ''}saved={view.id}" if view else HOME


def start_session(call: Call, staff_id: int, *, totp_passed: bool) -> None:
    """A new session; the one this browser had, anybody's, ends."""
    for before in (call.actor, call.half_signed_in):
        if isinstance(before, StaffMember):
            close_session(call.session, before)
    call.start_session(
        open_staff_session(call.session, staff_id, totp_passed=totp_passed, client=call.client, limits=call.limits, now=call.now),
    )


def try_again_at(basis: Basis, key: str) -> datetime | None:
    """Count a try under `key` in a short transaction of its own; the moment to try again when a limit is passed."""
    try:
        with transaction(basis.wiring.engine) as session:
            staff_sign_in.count_try(session, key, client=basis.client, limits=basis.limits, now=basis.now)
    except Refused as refused:
        return cast("datetime", refused.facts["until"])
    return None


def forgive_try(call: Call, key: str) -> None:
    """The try counted under `key` was right."""
    staff_sign_in.forgive_try(call.session, key, client=call.client, limits=call.limits, now=call.now)


def too_many(call: Call, template: str, until: datetime, **context: Any) -> Response:
    """The page again: no more tries until `until`, whoever this is."""
    call.form.refuse(Refused("too_many_tries", until=until))
    return call.page(template, status=429, **context)
