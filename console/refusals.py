"""断られた登録: found by its 受付番号, with every rule and what stands close to what was typed."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from actions.decisions import reference
from actions.rehearsals import near_misses
from console.frame import frame
from console.paging import pager, place_of
from models.admission import Refusal
from models.refusal_lists import refusal_list
from rules.rights import Area, Right
from rules.text import fold
from web.access import staff
from web.call import Call
from web.endpoint import Page, get

_PATH = "/console/refusals"


def index(call: Call) -> Response:
    """The list; a whole 受付番号 opens its refusal at once."""
    text = fold(call.query("q"))[:100]
    sheet = refusal_list(call.session, text=text, place=place_of(call), limit=call.limits.page_rows)
    rows = [(row, reference(row.id, row.at), _failed(row.trace)) for row in sheet.rows]
    exact = next((row.id for row, number, _ in rows if number == text), None)
    if exact is not None:
        return call.redirect(f"{_PATH}/{exact}")
    return call.page("console/refusals/index.html", rows=rows, text=text, page=pager(_PATH, {"q": text}, sheet), **frame(call))


def show(call: Call) -> Response:
    """One refusal: the trace as it was decided."""
    refusal = call.named(Refusal)
    inputs = {rule["rule"]: rule["inputs"] for rule in refusal.trace.get("rules", [])}
    pair = inputs.get("certificate", {})
    return call.page(
        "console/refusals/show.html",
        refusal=refusal,
        number=reference(refusal.id, refusal.at),
        rules=refusal.trace.get("rules", []),
        near=near_misses(call.session, pair.get("contract_key", ""), pair.get("maintenance_email", "").lower()),
        **frame(call),
    )


def _failed(trace: dict[str, Any]) -> list[tuple[str, str]]:
    """The rules that did not hold, with why."""
    return [(rule["rule"], rule["code"] or "") for rule in trace.get("rules", []) if not rule["passed"]]


_READ = staff(Area.EXCEPTIONS, Right.READ)
PAGES: list[Page] = [get(_PATH, index, _READ), get(f"{_PATH}/{{id:int}}", show, _READ)]
