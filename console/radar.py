"""アカウントの点検: the center's worklist of accounts that would meet an error."""

from __future__ import annotations

from starlette.responses import Response

from actions.radar import mark_finding
from console.frame import frame
from console.paging import address, pager, place_of
from models.radar import finding_list
from rules.radar import Finding, Mark
from rules.refusal import Refused
from rules.rights import Area, Right
from web.access import staff
from web.call import Call
from web.endpoint import Page, get, post
from wording import center
from wording.catalog import N_

PATH = "/console/radar"
_QUERY_CHARACTERS = 200


def index(call: Call) -> Response:
    """The worklist; what nobody has marked comes first."""
    return _page(call)


def mark(call: Call) -> Response:
    """Say what was done about a finding."""
    chosen = next((one for one in Mark if one == call.form.value("mark")), Mark.OPEN)
    try:
        mark_finding(call.session, call.param("id"), chosen, note=call.form.value("note"), by=call.staff, now=call.now)
    except Refused as refused:
        call.take_back(refused)
        return _page(call, status=409 if refused.code == "finding_gone" else 422)
    told = call.say(N_("「{word}」にしました。"), word=center.finding_mark(chosen, call.basis.language))
    return call.redirect(PATH, flash=told)


def _page(call: Call, *, status: int = 200) -> Response:
    language = call.basis.language
    text = call.query("q").strip()[:_QUERY_CHARACTERS]
    kind = next((one for one in Finding if one == call.query("kind")), None)
    marked = call.query("mark") or Mark.OPEN.value
    shown = next((one for one in Mark if one == marked), None)
    sheet = finding_list(call.session, kind=kind, mark=shown, text=text, place=place_of(call), limit=call.limits.page_rows)
    kept = {"q": text, "kind": kind or "", "mark": marked}
    return call.page(
        "console/radar/index.html",
        status=status,
        **frame(call),
        rows=sheet.rows,
        page=pager(PATH, kept, sheet),
        text=text,
        kind=kind or "",
        mark=marked,
        kinds=[(one.value, center.finding(one, language)) for one in Finding],
        marks=[*((one.value, center.finding_mark(one, language)) for one in Mark), ("all", call.say(N_("すべて")))],
        conditions=[(call.say(N_("検索：{text}"), text=text), address(PATH, kept | {"q": ""}))] if text else [],
    )


PAGES: list[Page] = [
    get(PATH, index, staff(Area.ACCOUNTS, Right.READ)),
    post(f"{PATH}/{{id:int}}/mark", mark, staff(Area.CONTRACTS, Right.WRITE)),
]
