"""取り消す after a change by hand: how the ticket was before stays with the browser that changed it, signed, for some minutes."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from starlette.responses import Response

from actions.undo_changes import undo_last
from console.replies import again, change_of
from console.ticket import PATH
from rules.refusal import Refused
from rules.rights import Area, Right
from web.access import staff
from web.call import Call
from web.endpoint import Page, post
from wording.catalog import N_

_COOKIE = "jtickets_change"


def keep(call: Call, ticket_id: int, before: Mapping[str, Any], version: int) -> dict[str, str]:
    """Keep how a ticket was before the change that made its `version`; what the notice of that change offers."""
    minutes = call.limits.undo_bulk_minutes
    until = call.now + timedelta(minutes=minutes)
    kept = {"ticket": ticket_id, "staff": call.staff.id, "version": version, "until": until.isoformat(), "before": before}
    call.signed(_COOKIE, base64.urlsafe_b64encode(json.dumps(kept).encode()).decode(), minutes=minutes)
    return {"action": f"/console/tickets/{ticket_id}/undo", "label": call.say(N_("取り消す"))}


def undo(call: Call) -> Response:
    """Undo the last change, unless somebody went on since."""
    ticket = change_of(call)
    kept = _kept(call, ticket.id)
    try:
        if kept is None:
            raise Refused("undo_change_late")
        undo_last(call.session, ticket, kept["before"], version=kept["version"], by=call.staff, now=call.now)
    except Refused as refused:
        return again(call, refused)
    call.drop_signed(_COOKIE)
    return call.redirect(f"/console/tickets/{ticket.id}", flash=N_("変更を取り消しました。"))


def _kept(call: Call, ticket_id: int) -> dict[str, Any] | None:
    value = call.read_signed(_COOKIE)
    if not value:
        return None
    kept: dict[str, Any] = json.loads(base64.urlsafe_b64decode(value))
    own = kept["ticket"] == ticket_id and kept["staff"] == call.staff.id
    return kept if own and call.now < datetime.fromisoformat(kept["until"]) else None


PAGES: list[Page] = [post(f"{PATH}/undo", undo, staff(Area.TICKETS, Right.WRITE))]
