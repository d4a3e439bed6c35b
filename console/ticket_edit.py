"""Product, category and CC of a ticket on a page of their own: one save, one line of history each."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from actions.ticket_facts import change_category, change_cc, change_product
from console.cc import read_cc
from console.frame import frame
from console.replies import change_of
from console.ticket import PATH
from models.masters import categories, families
from models.people import Account
from models.tickets import Ticket
from rules.refusal import Refused
from rules.rights import Area, Right
from web.access import staff
from web.call import Call
from web.cc import cc_in_form
from web.endpoint import Page, get, post
from web.forms import number_of
from wording.catalog import N_

_TEMPLATE = "console/tickets/edit.html"


def edit(call: Call) -> Response:
    """The form, filled with what holds now."""
    ticket = call.named(Ticket, "number")
    return call.page(_TEMPLATE, **_context(call, ticket))


def save(call: Call) -> Response:
    """Change what was changed on the page, and leave to others what they changed since; a CC that cannot be mailed to changes nothing."""
    ticket = change_of(call)
    cc = cc_in_form(call, ticket, lambda typed: read_cc(call, _account(call, ticket), typed))
    if call.form.failed or cc is None:
        return call.invalid(_TEMPLATE, **_context(call, ticket))
    product, category = _chosen(call, "product", ticket.family_id), _chosen(call, "category", ticket.category_id)
    try:
        changed = [
            change_product(call.session, ticket, product, by=call.staff, now=call.now),
            change_category(call.session, ticket, category, by=call.staff, now=call.now),
            change_cc(call.session, ticket, cc.values, by=call.staff, now=call.now),
        ]
    except Refused as refused:
        call.take_back(refused)
        return call.invalid(_TEMPLATE, **_context(call, ticket))
    return call.redirect(f"/console/tickets/{ticket.id}", flash=N_("チケットの情報を変更しました。") if any(changed) else N_("変更はありませんでした。"))


def _chosen(call: Call, name: str, present: int) -> int:
    """What was chosen; what stands as the page showed it was not."""
    chosen = call.form.value(name)
    return present if chosen and chosen == call.form.value(f"{name}_seen") else number_of(chosen)


def _account(call: Call, ticket: Ticket) -> Account | None:
    return call.session.get(Account, ticket.account_id) if ticket.account_id else None


def _context(call: Call, ticket: Ticket) -> dict[str, Any]:
    return {
        "ticket": ticket,
        "families": [(family.id, family.name) for family in families(call.session, besides=ticket.family_id)],
        "categories": [(category.id, category.name) for category in categories(call.session, besides=ticket.category_id)],
        **frame(call),
    }


_WRITE = staff(Area.TICKETS, Right.WRITE)
PAGES: list[Page] = [get(f"{PATH}/edit", edit, _WRITE), post(f"{PATH}/edit", save, _WRITE)]
