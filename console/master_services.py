"""サービス種類: how the words on certificates are read, and what an administrator says where they do not tell their hours."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from actions import service_types as acts
from console.frame import frame
from console.master_products import REMOVED
from models.calendars import business_calendar
from models.service_types import ServiceType, service_rows
from rules.coverage import read_coverage
from rules.refusal import Refused
from rules.rights import Area, Right
from web.access import staff
from web.call import Call
from web.endpoint import Page, get, post
from wording import contracts
from wording.catalog import N_

_PATH = "/console/masters/services"
_PAGE = "console/masters/services.html"


def index(call: Call) -> Response:
    """Every service type on a certificate, those that nobody can read first."""
    return call.page(_PAGE, **_context(call))


def read_as(call: Call) -> Response:
    """Say what a service type means."""
    form = call.form
    try:
        acts.read_service_as(call.session, form.value("service"), form.value("reads_as"), by=call.staff, now=call.now)
    except Refused as refused:
        form.refuse(refused)
        return call.invalid(_PAGE, **_context(call))
    return call.redirect(_PATH, flash=call.say(N_("「{name}」の読み方を決めました。"), name=form.value("service")))


def remove(call: Call) -> Response:
    """Read its own words again."""
    kept = call.named(ServiceType)
    acts.read_service_itself(call.session, kept, by=call.staff, now=call.now)
    return call.redirect(_PATH, flash=call.say(REMOVED, name=kept.reads_as))


def _context(call: Call) -> dict[str, Any]:
    calendar = business_calendar(call.session)
    rows = [
        (row, read_coverage(row.reads_as or row.service).is_known, contracts.coverage(row.reads_as or row.service, calendar, call.now, call.basis.language))
        for row in service_rows(call.session)
    ]
    rows.sort(key=lambda row: row[1])
    return {**frame(call), "rows": rows, "services": [(row.service, row.service) for row, _, _ in rows]}


_READ, _WRITE = staff(Area.MASTERS, Right.READ), staff(Area.MASTERS, Right.WRITE)
PAGES: list[Page] = [get(_PATH, index, _READ), post(_PATH, read_as, _WRITE), post(f"{_PATH}/{{id:int}}/removal", remove, _WRITE)]
