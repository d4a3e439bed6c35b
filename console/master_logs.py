"""ログの読み取り: the patterns by which model, OS version and serial are found in logs, tried on a text before they are trusted."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from starlette.responses import Response

from actions import log_patterns as acts
from console.frame import frame
from console.master_products import ADDED, REMOVED
from models.log_patterns import LogPattern, log_patterns, pattern_rows
from models.masters import ProductFamily
from rules.logs import READ_BYTES, scan
from rules.rights import Area, Right
from web.access import staff
from web.call import Call
from web.endpoint import Page, get, post
from wording.catalog import N_, translate

_PATH = "/console/masters/logs"
_PAGE = "console/masters/logs.html"
FACTS = {"serial": N_("シリアル番号"), "model": N_("機種"), "os_version": N_("OS Ver.")}


def index(call: Call) -> Response:
    """All patterns, the form for another, and a text to try them on."""
    return call.page(_PAGE, **_context(call))


def add(call: Call) -> Response:
    """Add a pattern, or only try all of them on the text."""
    form = call.form
    if form.has("try"):
        return call.page(_PAGE, **_context(call))
    added = call.form.attempt(
        lambda: acts.add_pattern(
            call.session, family=form.value("family"), fact=form.value("fact"), pattern=form.value("pattern"), by=call.staff, now=call.now
        ),
    )
    if added is None:
        return call.invalid(_PAGE, **_context(call))
    return call.redirect(_PATH, flash=call.say(ADDED, name=added.pattern))


def remove(call: Call) -> Response:
    """Look for it no more."""
    pattern = call.named(LogPattern)
    acts.remove_pattern(call.session, pattern, by=call.staff, now=call.now)
    return call.redirect(_PATH, flash=call.say(REMOVED, name=pattern.pattern))


def _context(call: Call) -> dict[str, Any]:
    families = [(str(row.id), row.name) for row in call.session.scalars(select(ProductFamily).order_by(ProductFamily.position))]
    language = call.basis.language
    sample = call.form.value("sample")[:READ_BYTES]
    tried = scan(sample, log_patterns(call.session)) if sample else {}
    names = dict(families)
    return {
        **frame(call),
        "rows": pattern_rows(call.session),
        "families": families,
        "facts": [(fact, translate(word, language)) for fact, word in FACTS.items()],
        "words": {fact: translate(word, language) for fact, word in FACTS.items()},
        "sample": sample,
        "tried": [(names.get(key, ""), fact, "、".join(values)) for key, found in tried.items() for fact, values in found.items()],
    }


_READ, _WRITE = staff(Area.MASTERS, Right.READ), staff(Area.MASTERS, Right.WRITE)
PAGES: list[Page] = [get(_PATH, index, _READ), post(_PATH, add, _WRITE), post(f"{_PATH}/{{id:int}}/removal", remove, _WRITE)]
