"""製品: the families with their aliases, intake hints and old mailboxes."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import select
from starlette.responses import Response

from actions import masters as acts
from console.frame import frame
from models.masters import FamilyAlias, FamilyMailbox, ProductFamily
from rules.refusal import Refused
from rules.rights import Area, Right
from web.access import staff
from web.call import Call
from web.endpoint import get, post
from web.errors import NotFound
from wording.catalog import N_

ADDED, CHANGED, REMOVED = N_("「{name}」を追加しました。"), N_("「{name}」を変更しました。"), N_("「{name}」を外しました。")

_PATH = "/console/masters/products"
_MAILBOXES = "/console/masters/mailboxes"
_INDEX, _SHOW, _BOXES = (f"console/masters/{name}.html" for name in ("products", "product", "mailboxes"))


def index(call: Call) -> Response:
    """All families, and the form for a new one."""
    return call.page(_INDEX, **_index(call))


def add(call: Call) -> Response:
    """Add a family."""
    form = call.form
    family = call.form.attempt(
        lambda: acts.add_family(
            call.session, name=form.value("name"), slug=form.value("slug"), intake_hint=form.value("intake_hint"), by=call.staff, now=call.now
        ),
    )
    if family is None:
        return call.invalid(_INDEX, **_index(call))
    return call.redirect(f"{_PATH}/{family.id}", flash=call.say(ADDED, name=family.name))


def show(call: Call) -> Response:
    """One family."""
    return call.page(_SHOW, **_show(call, call.named(ProductFamily)))


def change(call: Call) -> Response:
    """Change a family."""
    family, form = call.named(ProductFamily), call.form
    call.form.attempt(
        lambda: acts.change_family(
            call.session,
            family,
            name=form.value("name"),
            intake_hint=form.value("intake_hint"),
            position=form.value("position"),
            active=form.has("active"),
            by=call.staff,
            now=call.now,
        ),
    )
    return _answer(call, family, call.say(CHANGED, name=family.name))


def add_alias(call: Call) -> Response:
    """Add an alias."""
    family = call.named(ProductFamily)
    call.form.attempt(lambda: acts.add_alias(call.session, family, call.form.value("alias"), by=call.staff, now=call.now))
    return _answer(call, family, N_("別名を追加しました。"))


def remove_alias(call: Call) -> Response:
    """Take an alias back."""
    family, alias = call.named(ProductFamily), call.named(FamilyAlias, "alias")
    if alias.family_id != family.id:
        raise NotFound
    acts.remove_alias(call.session, family, alias, by=call.staff, now=call.now)
    return call.redirect(f"{_PATH}/{family.id}", flash=call.say(N_("別名「{name}」を外しました。"), name=alias.alias))


def mailboxes(call: Call) -> Response:
    """The table of old mailboxes."""
    return call.page(_BOXES, **_boxes(call))


def add_mailbox(call: Call) -> Response:
    """Add an old mailbox to a family."""
    family = call.session.get(ProductFamily, int(chosen)) if (chosen := call.form.value("family")).isdecimal() and len(chosen) < 10 else None
    if family is None:
        call.form.refuse(Refused("family_empty", "family"))
    mailbox = family and call.form.attempt(lambda: acts.add_mailbox(call.session, family, call.form.value("address"), by=call.staff, now=call.now))
    if mailbox is None:
        return call.invalid(_BOXES, **_boxes(call))
    return call.redirect(_MAILBOXES, flash=call.say(ADDED, name=mailbox.address))


def remove_mailbox(call: Call) -> Response:
    """Take an old mailbox back."""
    mailbox = call.named(FamilyMailbox)
    family = call.session.get_one(ProductFamily, mailbox.family_id)
    acts.remove_mailbox(call.session, family, mailbox, by=call.staff, now=call.now)
    return call.redirect(_MAILBOXES, flash=call.say(REMOVED, name=mailbox.address))


def _answer(call: Call, family: ProductFamily, told: str) -> Response:
    if call.form.failed:
        return call.invalid(_SHOW, **_show(call, family))
    return call.redirect(f"{_PATH}/{family.id}", flash=told)


def _index(call: Call) -> dict[str, Any]:
    families = call.session.scalars(select(ProductFamily).order_by(ProductFamily.active.desc(), ProductFamily.position, ProductFamily.id)).all()
    aliases: dict[int, list[str]] = defaultdict(list)
    for family_id, alias in call.session.execute(select(FamilyAlias.family_id, FamilyAlias.alias).order_by(FamilyAlias.id)):
        aliases[family_id].append(alias)
    boxes: dict[int, list[str]] = defaultdict(list)
    for family_id, address in call.session.execute(select(FamilyMailbox.family_id, FamilyMailbox.address).order_by(FamilyMailbox.id)):
        boxes[family_id].append(address)
    return {**frame(call), "families": families, "aliases": aliases, "boxes": boxes}


def _show(call: Call, family: ProductFamily) -> dict[str, Any]:
    aliases = call.session.execute(select(FamilyAlias.id, FamilyAlias.alias).where(FamilyAlias.family_id == family.id).order_by(FamilyAlias.id)).all()
    boxes = call.session.scalars(select(FamilyMailbox.address).where(FamilyMailbox.family_id == family.id).order_by(FamilyMailbox.id)).all()
    return {**frame(call), "family": family, "aliases": aliases, "boxes": boxes}


def _boxes(call: Call) -> dict[str, Any]:
    rows = call.session.execute(
        select(FamilyMailbox.id, FamilyMailbox.address, ProductFamily.name)
        .join(ProductFamily, ProductFamily.id == FamilyMailbox.family_id)
        .order_by(ProductFamily.position, FamilyMailbox.id)
    ).all()
    families = call.session.execute(select(ProductFamily.id, ProductFamily.name).order_by(ProductFamily.position, ProductFamily.id)).all()
    return {**frame(call), "rows": rows, "families": [(str(row.id), row.name) for row in families]}


_READ, _WRITE = staff(Area.MASTERS, Right.READ), staff(Area.MASTERS, Right.WRITE)
PAGES = [
    get(_PATH, index, _READ),
    post(_PATH, add, _WRITE),
    get(f"{_PATH}/{{id:int}}", show, _READ),
    post(f"{_PATH}/{{id:int}}", change, _WRITE),
    post(f"{_PATH}/{{id:int}}/aliases", add_alias, _WRITE),
    post(f"{_PATH}/{{id:int}}/aliases/{{alias:int}}/removal", remove_alias, _WRITE),
    get(_MAILBOXES, mailboxes, _READ),
    post(_MAILBOXES, add_mailbox, _WRITE),
    post(f"{_MAILBOXES}/{{id:int}}/removal", remove_mailbox, _WRITE),
]
