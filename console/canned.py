"""定型文 and 定型アクション as a master: what there is, and the forms of those who keep them."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session
from starlette.responses import Response

from actions import canned as acts
from actions.canned import SAMPLE, Typed, may_edit, may_write, stamp
from console.frame import frame
from console.paging import number
from models.canned import Canned, CannedKind, PostKind, canned_list, own_queues, staff_names
from models.masters import Category, ProductFamily, categories, families
from rules.canned import NAME_CHARACTERS
from rules.placeholders import Placeholder, fill, pieces
from rules.rights import Area, Right
from rules.tickets import Priority, State
from web.access import staff
from web.call import Call
from web.endpoint import Page, get, post
from web.errors import Forbidden, NotFound
from wording import labels
from wording.canned import assignee_choices, post_choices
from wording.catalog import N_

_PATH = "/console/canned"
_INDEX, _SHOW = "console/canned/index.html", "console/canned/show.html"
_STATES = [state for state in State if state not in (State.NEW, State.WAITING_CENTER)]
"""Asking the center takes a question of its own."""


def index(call: Call) -> Response:
    """The shared ones and one's own, with the form for a new one."""
    return call.page(_INDEX, **_index(call, _kind(call.query("kind"))))


def add(call: Call) -> Response:
    """Keep a new one."""
    _check_writer(call)
    kind = _kind(call.form.value("kind"))
    made = call.form.attempt(lambda: acts.add_canned(call.session, kind, _typed(call), by=call.staff, now=call.now))
    if made is None:
        return call.invalid(_INDEX, **_index(call, kind))
    return call.redirect(f"{_PATH}?kind={kind}", flash=call.say(N_("「{name}」を追加しました。"), name=made.name))


def show(call: Call) -> Response:
    """One of them: its form, or how it reads for who may only look."""
    return call.page(_SHOW, **_show(call, _load(call)))


def change(call: Call) -> Response:
    """Change one."""
    canned = _load(call, change=True)
    done = call.form.attempt(lambda: acts.change_canned(call.session, canned, _typed(call), by=call.staff, now=call.now) or canned)
    if done is None:
        call.session.rollback()
        return call.invalid(_SHOW, **_show(call, _load(call)))
    return call.redirect(f"{_PATH}?kind={canned.kind}", flash=call.say(N_("「{name}」を変更しました。"), name=canned.name))


def remove(call: Call) -> Response:
    """Take one away."""
    canned = _load(call, change=True)
    kind, name = canned.kind, canned.name
    acts.remove_canned(call.session, canned, by=call.staff, now=call.now)
    return call.redirect(f"{_PATH}?kind={kind}", flash=call.say(N_("「{name}」を削除しました。"), name=name))


def _typed(call: Call) -> Typed:
    form = call.form
    state, priority, kind = form.value("to_state"), form.value("to_priority"), form.value("post")
    assignee = form.value("to_assignee")
    return Typed(
        name=form.value("name"),
        body=form.value("body"),
        family_id=number(form.value("product")) or 0,
        category_id=number(form.value("category")) or 0,
        personal=form.value("whose") == "own",
        active=form.has("active") or not form.has("known"),
        seen=form.value("seen"),
        post=PostKind(kind) if kind in [*PostKind] else PostKind.ANSWER,
        to_state=State(state) if state in _STATES else None,
        to_priority=Priority(priority) if priority in [*Priority] else None,
        to_category_id=number(form.value("to_category")) or 0,
        to_assignee=assignee if assignee in ("me", "nobody", *map(str, staff_names(call.session))) else "",
    )


def _load(call: Call, *, change: bool = False) -> Canned:
    """What the path names, if it is shared or one's own; for a change only where one may."""
    canned = call.named(Canned)
    if canned.owner_id not in (None, call.staff.id):
        raise NotFound
    if change and not may_edit(call.session, canned, by=call.staff):
        raise Forbidden
    return canned


def _check_writer(call: Call) -> None:
    if not may_write(call.staff):
        raise Forbidden


def _kind(typed: str) -> CannedKind:
    return CannedKind.MACRO if typed == CannedKind.MACRO else CannedKind.TEXT


def _index(call: Call, kind: CannedKind) -> dict[str, Any]:
    rows = canned_list(call.session, kind, staff_id=call.staff.id)
    return {**frame(call), **_choices(call), "kind": kind, "rows": rows, "writer": may_write(call.staff), "canned": None}


def _show(call: Call, canned: Canned) -> dict[str, Any]:
    shown, choices = fill(canned.body, {**SAMPLE, Placeholder.ENGINEER: call.staff.name}), _choices(call, canned)
    return {
        **frame(call),
        **choices,
        "kind": canned.kind,
        "canned": canned,
        "writer": may_edit(call.session, canned, by=call.staff),
        "seen": stamp(canned),
        "shown": list(pieces(shown.text)),
        "sets": _sets(call, canned, choices) if canned.kind == CannedKind.MACRO else [],
    }


def _sets(call: Call, canned: Canned, choices: dict[str, Any]) -> list[tuple[str, str]]:
    """(what, value) of what a macro does, in words."""
    chosen = [
        (N_("本文"), "posts", canned.post.value),
        (N_("状態"), "states", canned.to_state),
        (N_("担当"), "assignees", canned.to_assignee),
        (N_("優先度"), "priorities", canned.to_priority),
        (N_("カテゴリ"), "to_categories", canned.to_category_id),
    ]
    return [(call.say(what), str(dict(choices[name]).get(value, value))) for what, name, value in chosen if value]


def _choices(call: Call, canned: Canned | None = None) -> dict[str, Any]:
    language, session = call.basis.language, call.session
    kinds = [(row.id, row.name) for row in categories(session)]
    people = [*assignee_choices(language), *((str(number), name) for number, name in staff_names(session).items())]
    return {
        "name_characters": NAME_CHARACTERS,
        "may_share": call.staff.may(Area.BULK, Right.WRITE) or bool(own_queues(session, call.staff.id)),
        "places": [place.value for place in Placeholder],
        "products": _with(session, [(row.id, row.name) for row in families(session)], ProductFamily, canned and canned.family_id),
        "categories": _with(session, kinds, Category, canned and canned.category_id),
        "to_categories": _with(session, kinds, Category, canned and canned.to_category_id),
        "posts": post_choices(language),
        "states": [(state.value, labels.state(state, language)) for state in _STATES],
        "priorities": [(priority.value, labels.priority(priority, language)) for priority in Priority],
        "assignees": people,
    }


def _with(session: Session, choices: list[tuple[int, str]], table: type[ProductFamily] | type[Category], chosen: int | None) -> list[tuple[int, str]]:
    """The choices with the one in force, which may have been switched off since: saving must not widen what a text is for."""
    if chosen is None or any(number == chosen for number, _ in choices):
        return choices
    return [*choices, (chosen, session.get_one(table, chosen).name)]


_OWN = staff(Area.BULK, Right.OWN)
PAGES: list[Page] = [
    get(_PATH, index, _OWN),
    post(_PATH, add, _OWN),
    get(f"{_PATH}/{{id:int}}", show, _OWN),
    post(f"{_PATH}/{{id:int}}", change, _OWN),
    post(f"{_PATH}/{{id:int}}/removal", remove, _OWN),
]
