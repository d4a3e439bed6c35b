"""The top page, the privacy text, the accessibility statement and the choice of language."""

from __future__ import annotations

import re

from starlette.responses import Response

from customer_portal.reception import reception
from models.masters import privacy_text
from web.access import VISITOR
from web.call import Call
from web.endpoint import Page, get, post
from web.render import LANGUAGES

_LOCAL = re.compile(r"/(?!/)[A-Za-z0-9/_.~-]*")


def index(call: Call) -> Response:
    return call.page("portal/home/index.html", privacy=privacy_text(call.session), next="", **reception(call, call.calendar()))


def privacy(call: Call) -> Response:
    return call.page("portal/privacy/index.html", privacy=privacy_text(call.session))


def accessibility(call: Call) -> Response:
    return call.page("portal/home/accessibility.html")


def choose_language(call: Call) -> Response:
    chosen = call.form.value("language")
    if chosen in LANGUAGES:
        call.set_language(chosen)
    back = call.form.value("next")
    return call.redirect(back if _LOCAL.fullmatch(back) else "/")


PAGES: list[Page] = [
    get("/", index, VISITOR),
    get("/privacy", privacy, VISITOR),
    get("/accessibility", accessibility, VISITOR),
    post("/language", choose_language, VISITOR),
]
