"""One person's data: who saw or received it, handing it out, taking it away."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date, datetime, time, timedelta

from starlette.responses import Response

from actions.personal_data import erase_person, export_person
from console.frame import frame
from models.disclosure import where_signed_in, who_acted, who_may_look, who_received
from models.people import Account, AccountState
from rules.calendar import TOKYO, tokyo_date
from rules.refusal import Refused
from rules.rights import Area, Right, Role, may
from rules.text import fold
from web.access import staff
from web.call import Call
from web.downloads import disposition
from web.endpoint import Page, get, post
from web.errors import NotFound
from wording import labels
from wording.catalog import N_

_PATH = "/console/accounts/{id:int}"
_DAYS = 90


def disclosure(call: Call) -> Response:
    """Who could see or received data of this person between two days."""
    account = call.named(Account)
    today = tokyo_date(call.now)
    since, until = _day(call.query("since"), today - timedelta(days=_DAYS)), _day(call.query("until"), today)
    between = {"since": _midnight(since), "until": _midnight(until + timedelta(days=1))}
    return call.page(
        "console/accounts/disclosure.html",
        **frame(call),
        account=account,
        since=since,
        until=until,
        received=who_received(call.session, account.id, **between),
        acted=who_acted(call.session, account.id, **between),
        entered=where_signed_in(call.session, account.id, **between),
        looking=_looking(call),
    )


def export(call: Call) -> Response:
    """Everything kept of the person, as one file."""
    account = call.named(Account)
    try:
        told = export_person(call.session, account, by=call.staff, now=call.now)
    except Refused as refused:
        raise NotFound from refused
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("account.json", json.dumps(told, ensure_ascii=False, indent=1))
    headers = {"content-disposition": disposition(f"account-{account.id}.zip"), "x-content-type-options": "nosniff", "cache-control": "private, no-store"}
    return call.finish(Response(packed.getvalue(), media_type="application/zip", headers=headers))


def confirm_erasure(call: Call) -> Response:
    """What erasing takes and what it leaves."""
    return _erasure(call, call.named(Account))


def erase(call: Call) -> Response:
    """Take the person out of everything."""
    account = call.named(Account)
    try:
        form = call.form
        erase_person(call.session, account, confirmation=form.value("confirmation"), reason=form.value("reason"), by=call.staff, now=call.now)
    except Refused as refused:
        call.take_back(refused)
        return _erasure(call, call.named(Account), status=422)
    return call.redirect(f"/console/accounts/{account.id}", flash=N_("個人情報を削除しました。"))


def _erasure(call: Call, account: Account, *, status: int = 200) -> Response:
    if account.state == AccountState.ERASED:
        raise NotFound
    return call.page("console/accounts/erasure.html", status=status, **frame(call), account=account)


def _looking(call: Call) -> list[tuple[str, str]]:
    """The staff whose roles open accounts or tickets now."""
    language = call.basis.language
    found: list[tuple[str, str]] = []
    for row in who_may_look(call.session):
        roles = [Role(role) for role in row.roles]
        if may(roles, Area.ACCOUNTS, Right.READ) or may(roles, Area.TICKETS, Right.OWN):
            found.append((row.name, "、".join(labels.role(role, language) for role in roles)))
    return found


def _day(typed: str, otherwise: date) -> date:
    try:
        found = date.fromisoformat(fold(typed).replace("/", "-"))
    except ValueError:
        return otherwise
    return found if date(2000, 1, 1) <= found <= date(2100, 1, 1) else otherwise


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), TOKYO)


_READ, _WRITE = staff(Area.ACCOUNTS, Right.READ), staff(Area.ACCOUNTS, Right.WRITE)
PAGES: list[Page] = [
    get(f"{_PATH}/disclosure", disclosure, _READ),
    post(f"{_PATH}/export", export, _WRITE),
    get(f"{_PATH}/erasure", confirm_erasure, _WRITE),
    post(f"{_PATH}/erasure", erase, _WRITE),
]
