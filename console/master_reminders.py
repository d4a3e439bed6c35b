"""督促とお知らせ: every kind of reminder, when it is due, whom it tells, how often it was given, and its switch."""

from __future__ import annotations

from datetime import timedelta

from starlette.responses import Response

from actions.reminder_switches import switch
from console.frame import frame
from models.reminders import active_kinds, reminder_counts
from rules.reminders import Kind
from rules.rights import Area, Right
from web.access import staff
from web.call import Call
from web.endpoint import get, post
from web.errors import NotFound
from wording import reminders
from wording.catalog import N_

_PATH = "/console/masters/reminders"
_COUNTED = timedelta(days=30)


def index(call: Call) -> Response:
    """All kinds."""
    language, active = call.basis.language, active_kinds(call.session)
    counts = reminder_counts(call.session, since=call.now - _COUNTED)
    rows = [
        {
            "kind": kind.value,
            "title": reminders.title(kind, language),
            "when": reminders.when(kind, call.limits, language),
            "whom": reminders.whom(kind, language),
            "active": kind in active,
            "counts": counts.get(kind.value),
        }
        for kind in Kind
    ]
    return call.page("console/masters/reminders.html", **frame(call), rows=rows)


def turn(call: Call) -> Response:
    """Switch one kind on or off."""
    name = call.param("kind")
    if name not in set(Kind):
        raise NotFound
    kind, active = Kind(name), call.form.value("active") == "1"
    switch(call.session, kind, active=active, by=call.staff, now=call.now)
    told = N_("「{title}」を送るようにしました。") if active else N_("「{title}」を送らないようにしました。")
    return call.redirect(_PATH, flash=call.say(told, title=reminders.title(kind, call.basis.language)))


PAGES = [
    get(_PATH, index, staff(Area.MASTERS, Right.READ)),
    post(f"{_PATH}/{{kind:str}}", turn, staff(Area.MASTERS, Right.WRITE)),
]
