"""ビューの管理: keeping a list under a name, for oneself or for all; their order, and the one to begin with."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode

from starlette.responses import Response

from actions.saved_views import begin_with, change_view, delete_view, move_view, save_view
from console.frame import frame
from console.queue import PATH as QUEUE
from console.queue import Choice, conditions_of, read_choice, sort_word
from models.queue import Masters, queue_masters
from models.saved_views import NAME_CHARACTERS, SavedView, saved_views
from rules.refusal import Refused
from rules.rights import Area, Right
from web.access import staff
from web.call import Call
from web.endpoint import Page, get, post
from web.errors import NotFound
from wording.catalog import N_

PATH = "/console/views"
_LIST, _NEW, _EDIT = "console/views/index.html", "console/views/new.html", "console/views/edit.html"


def index(call: Call) -> Response:
    """One's own views and the shared ones."""
    masters = queue_masters(call.session)
    rows = saved_views(call.session, call.staff.id or 0)
    groups = [(shared, [(row, _words(call, masters, row.query)) for row in rows if row.shared == shared]) for shared in (False, True)]
    return call.page(_LIST, groups=groups, may_share=_may_share(call), most=NAME_CHARACTERS, **frame(call))


def new(call: Call) -> Response:
    """The form for the conditions of the address."""
    return call.page(_NEW, **_new(call, urlencode(read_choice(call, queue_masters(call.session)).kept)))


def create(call: Call) -> Response:
    """Keep them; the list shows itself under its name."""
    query = urlencode(_choice_of(call, queue_masters(call.session), call.form.value("query")).kept)
    shared = call.form.has("shared") and _may_share(call)
    try:
        view = save_view(call.session, call.form.value("name"), query, shared=shared, by=call.staff, limits=call.limits, now=call.now)
        if call.form.has("starts"):
            begin_with(call.session, view, by=call.staff)
    except Refused as refused:
        call.take_back(refused)
        return call.invalid(_NEW, **_new(call, query))
    return call.redirect(f"{QUEUE}?{query}{'&' if query else ''}saved={view.id}", flash=N_("ビューを保存しました。左のメニューから開けます。"))


def save(call: Call) -> Response:
    """Rename it, share it or take it back."""
    view = _own(call)
    shared = call.form.has("shared") and _may_share(call)
    try:
        changed = change_view(call.session, view, call.form.value("name"), shared=shared, by=call.staff, limits=call.limits, now=call.now)
    except Refused as refused:
        call.take_back(refused)
        return call.invalid(_EDIT, view=_own(call), most=NAME_CHARACTERS, may_share=_may_share(call), **frame(call))
    return call.redirect(PATH, flash=N_("ビューを変更しました。") if changed else N_("変更はありませんでした。"))


def place(call: Call) -> Response:
    """Move it up or down among its kind."""
    move_view(call.session, _own(call), up=call.form.value("to") == "up", now=call.now)
    return call.redirect(PATH)


def delete(call: Call) -> Response:
    """Forget it."""
    delete_view(call.session, _own(call), by=call.staff, now=call.now)
    return call.redirect(PATH, flash=N_("ビューを削除しました。"))


def start(call: Call) -> Response:
    """Begin with it after the sign-in, or with the usual list again."""
    view = _seen(call)
    if call.form.value("start") == "no":
        begin_with(call.session, None, by=call.staff)
        return call.redirect(PATH, flash=N_("サインインのあとは、すべてのチケットを開きます。"))
    begin_with(call.session, view, by=call.staff)
    return call.redirect(PATH, flash=call.say(N_("サインインのあとは、「{name}」を開きます。"), name=view.name))


def _new(call: Call, query: str) -> dict[str, Any]:
    masters = queue_masters(call.session)
    back = f"{QUEUE}?{query}" if query else QUEUE
    return {"query": query, "words": _words(call, masters, query), "back": back, "most": NAME_CHARACTERS, "may_share": _may_share(call), **frame(call)}


def _choice_of(call: Call, masters: Masters, query: str) -> Choice:
    asked = parse_qs(query)
    return read_choice(call, masters, lambda name: asked.get(name, [""])[0])


def _words(call: Call, masters: Masters, query: str) -> list[str]:
    """What a view asks for, in words."""
    choice = _choice_of(call, masters, query)
    told = [f"{name}：{value}" for name, value, _ in conditions_of(choice, call, masters)]
    if choice.order is not choice.orders[0]:
        told.append(f"{call.say(N_('並べ替え'))}：{sort_word(choice.order, call.basis.language)}")
    return told


def _may_share(call: Call) -> bool:
    return call.staff.may("bulk", "w")


def _seen(call: Call) -> SavedView:
    view = call.named(SavedView)
    if not (view.shared or view.staff_id == call.staff.id):
        raise NotFound
    return view


def _own(call: Call) -> SavedView:
    """The view of the path for who may change it: one's own, and of the shared ones any for those who may share."""
    view = _seen(call)
    if view.shared and not _may_share(call):
        raise NotFound
    return view


_READ = staff(Area.TICKETS, Right.READ)
_ONE = f"{PATH}/{{id:int}}"
PAGES: list[Page] = [
    get(PATH, index, _READ),
    post(PATH, create, _READ),
    get(f"{PATH}/new", new, _READ),
    post(_ONE, save, _READ),
    post(f"{_ONE}/position", place, _READ),
    post(f"{_ONE}/deletion", delete, _READ),
    post(f"{_ONE}/start", start, _READ),
]
