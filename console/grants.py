"""許可: what the desk allowed, and taking it back with its consequences in view."""

from __future__ import annotations

from starlette.responses import Response

from actions.exception_decisions import revoke_grant
from actions.grant_impact import leaning_on
from console.frame import frame
from console.paging import pager, place_of
from models.requests import ExceptionGrant, grant_list
from rules.calendar import tokyo_date
from rules.refusal import Refused
from rules.rights import Area, Right
from web.access import staff
from web.call import Call
from web.endpoint import Page, get, post
from wording.catalog import N_

_PATH = "/console/grants"


def index(call: Call) -> Response:
    """The list: living grants unless all are asked for; searched by host or maintenance e-mail."""
    text, everything = call.query("q").strip()[:200], call.query("all") == "1"
    sheet = grant_list(call.session, text=text, living=not everything, place=place_of(call), limit=call.limits.page_rows)
    kept = {"q": text, "all": "1" if everything else ""}
    return call.page(
        "console/grants/index.html",
        rows=sheet.rows,
        text=text,
        everything=everything,
        today=tokyo_date(call.now),
        page=pager(_PATH, kept, sheet),
        **frame(call),
    )


def show(call: Call) -> Response:
    """One grant, and who would be refused at the next change of the profile without it."""
    return _page(call, call.named(ExceptionGrant))


def revoke(call: Call) -> Response:
    """Take the grant back; its reason stays in the journal."""
    grant = call.named(ExceptionGrant)
    try:
        revoke_grant(call.session, grant, reason=call.form.value("reason"), by=call.staff, now=call.now)
    except Refused as refused:
        call.take_back(refused)
        return _page(call, call.named(ExceptionGrant), status=409 if refused.code == "grant_revoked" else 422)
    return call.redirect(_PATH, flash=N_("許可を取り消しました。今後のお申し込みとプロフィールの変更には使われません。"))


def _page(call: Call, grant: ExceptionGrant, *, status: int = 200) -> Response:
    today = tokyo_date(call.now)
    return call.page("console/grants/show.html", status=status, grant=grant, accounts=leaning_on(call.session, grant, today=today), today=today, **frame(call))


_READ, _WRITE = staff(Area.EXCEPTIONS, Right.READ), staff(Area.EXCEPTIONS, Right.WRITE)
PAGES: list[Page] = [get(_PATH, index, _READ), get(f"{_PATH}/{{id:int}}", show, _READ), post(f"{_PATH}/{{id:int}}/revocation", revoke, _WRITE)]
