"""つながり: the tickets around a ticket; linking, merging and splitting, each previewed and with a way back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.responses import Response

from actions.merges import check_merge, merge, merged_cc, undo_merge
from actions.splits import Heading, check_split, split_off
from actions.ticket_links import link, unlink
from actions.tickets import NoTicket, ticket_for_staff
from console.frame import frame
from console.replies import change_of
from console.ticket import PATH
from models.masters import categories, families
from models.neighbours import (
    LinkKind,
    answers_for,
    customers_posts,
    following_tickets,
    linked_tickets,
    merge_of,
    other_ticket,
    posts_of,
    tickets_of_account,
    tickets_of_serial,
)
from models.people import Account
from models.tickets import Ticket
from rules.refusal import Refused
from rules.rights import Area, Right, may_change
from rules.text import one_line
from web.access import staff
from web.call import Call
from web.endpoint import Page, get, post
from web.errors import Forbidden, NotFound
from web.forms import number_of
from wording.catalog import N_

_RELATED = "console/tickets/related.html"
_MERGE = "console/tickets/merge.html"
_SPLIT = "console/tickets/split.html"
_SHOWN = 50


def show(call: Call) -> Response:
    """All tickets around this one, and what may be done with them."""
    return _related(call)


def add_link(call: Call) -> Response:
    """Link another ticket by its number."""
    ticket = change_of(call)
    other = _typed(call, "other")
    try:
        link(call.session, ticket, other, by=call.staff, now=call.now)
    except Refused as refused:
        return _again(call, refused, _related)
    undo = {"action": f"/console/tickets/{ticket.id}/links/{other}/removal", "label": call.say(N_("取り消す"))}
    return call.redirect(f"/console/tickets/{ticket.id}/related", call.say(N_("#{n} と関連付けました。"), n=other), kind="undo", **undo)


def remove_link(call: Call) -> Response:
    """Take a link away."""
    ticket = change_of(call)
    other: int = call.param("other")
    try:
        unlink(call.session, ticket, other, by=call.staff, now=call.now)
    except Refused as refused:
        return _again(call, refused, _related)
    return call.redirect(f"/console/tickets/{ticket.id}/related", call.say(N_("#{n} との関連付けを外しました。"), n=other))


def preview_merge(call: Call) -> Response:
    """Both tickets beside each other, and what merging would do."""
    return _merge_page(call, _typed_number(call.query("into")))


def merge_tickets(call: Call) -> Response:
    """Merge this ticket into the other one."""
    ticket, into = _both(call, _typed(call, "into"))
    if into is None:
        return _again(call, Refused("other_unknown", "other"), _related)
    try:
        _check_right(call, ticket, into)
        merge(call.session, ticket, into, by=call.staff, limits=call.limits, calendar=call.calendar(), now=call.now)
    except Refused as refused:
        return _again(call, refused, partial(_merge_page, into_id=into.id))
    undo = {"action": f"/console/tickets/{ticket.id}/merge/withdrawal", "label": call.say(N_("取り消す"))}
    return call.redirect(f"/console/tickets/{into.id}", call.say(N_("#{n} をこのチケットにまとめました。"), n=ticket.id), kind="undo", **undo)


def withdraw_merge(call: Call) -> Response:
    """Bring the merged ticket back."""
    merged = merge_of(call.session, call.param("number"))
    ticket, into = _both(call, merged.into_id if merged else 0)
    try:
        if into is None:
            raise Refused("merge_not")
        _check_right(call, ticket, into)
        whole = undo_merge(call.session, ticket, into, by=call.staff, now=call.now)
    except Refused as refused:
        return _again(call, refused, _related)
    kept = N_("まとめを取り消しました。#{n} の状態は、まとめたあとに変更されたため、そのままにしました。")
    return call.redirect(f"/console/tickets/{ticket.id}", call.say(N_("まとめを取り消しました。") if whole else kept, n=into.id))


def preview_split(call: Call) -> Response:
    """The post, and the ticket it would become."""
    return _split_page(call)


def split(call: Call) -> Response:
    """Make a ticket of the post."""
    ticket = change_of(call)
    form = call.form
    heading = Heading(one_line(form.value("subject")), number_of(form.value("product")), number_of(form.value("category")))
    try:
        _check_right(call, ticket)
        made = split_off(
            call.session, ticket, call.param("message"), heading, by=call.staff, desk=call.desk, limits=call.limits, calendar=call.calendar(), now=call.now
        )
    except Refused as refused:
        return _again(call, refused, _split_page if refused.field else _related)
    undo = {"action": f"/console/tickets/{made.id}/split/withdrawal", "label": call.say(N_("元のチケットに戻す"))}
    return call.redirect(f"/console/tickets/{made.id}", call.say(N_("#{n} から、このチケットに分けました。"), n=ticket.id), kind="undo", **undo)


def withdraw_split(call: Call) -> Response:
    """Bring a split-off post back: its ticket is merged into the one it came from."""
    number: int = call.param("number")
    origin = next((row.id for row in linked_tickets(call.session, number) if row.kind == LinkKind.SPLIT_FROM), 0)
    ticket, into = _both(call, origin)
    try:
        if into is None:
            raise Refused("merge_not")
        _check_right(call, ticket, into)
        merge(call.session, ticket, into, by=call.staff, limits=call.limits, calendar=call.calendar(), now=call.now)
    except Refused as refused:
        return _again(call, refused, _related)
    return call.redirect(f"/console/tickets/{into.id}", call.say(N_("#{n} の書き込みを、このチケットに戻しました。"), n=ticket.id))


def _related(call: Call, *, status: int = 200) -> Response:
    ticket = call.named(Ticket, "number")
    session = call.session
    return call.page(
        _RELATED,
        status=status,
        ticket=ticket,
        linked=linked_tickets(session, ticket.id),
        following=following_tickets(session, ticket.id),
        before=[row for number in (ticket.follows_id, ticket.merged_into_id) if number and (row := other_ticket(session, number))],
        of_serial=tickets_of_serial(session, ticket.serial_key, besides=ticket.id, limit=_SHOWN),
        of_account=tickets_of_account(session, ticket.account_id, besides=ticket.id, limit=_SHOWN),
        posts=customers_posts(session, ticket.id)[1:],
        may_write=call.staff.may("tickets", "w"),
        may_merge=may_change(call.staff.roles, Area.BULK),
        **frame(call),
    )


def _check_right(call: Call, *tickets: Ticket) -> None:
    """Who may merge and split: all who may change many tickets at once, support those of their own queues. Refuses queue_not_own."""
    if not may_change(call.staff.roles, Area.BULK):
        raise Forbidden
    if not call.staff.may("bulk", "w") and not answers_for(call.session, call.staff.id, {ticket.family_id for ticket in tickets}):
        raise Refused("queue_not_own")


def _merge_page(call: Call, into_id: int, *, status: int = 200) -> Response:
    ticket = call.named(Ticket, "number")
    into = call.session.get(Ticket, into_id)
    try:
        if into is None:
            raise Refused("other_unknown", "other")
        check_merge(call.session, ticket, into, now=call.now)
    except Refused as refused:
        if not call.form.failed:
            call.form.refuse(refused)
        return _related(call, status=status)
    cc, left_out = merged_cc(ticket, into, call.limits)
    account = call.session.get(Account, ticket.account_id) if ticket.account_id else None
    context: dict[str, Any] = {"cc": cc, "left_out": left_out, "account": account, "posts": posts_of(call.session, ticket.id)}
    return call.page(_MERGE, status=status, ticket=ticket, into=into, **context, **frame(call))


def _split_page(call: Call, *, status: int = 200) -> Response:
    ticket = call.named(Ticket, "number")
    number: int = call.param("message")
    try:
        message = check_split(call.session, ticket, number)
    except Refused as refused:
        if not call.form.failed:
            call.form.refuse(refused)
        return _related(call, status=status)
    account = call.session.get(Account, ticket.account_id) if ticket.account_id else None
    return call.page(
        _SPLIT,
        status=status,
        ticket=ticket,
        message=message,
        account=account,
        families=[(family.id, family.name) for family in families(call.session, besides=ticket.family_id)],
        categories=[(category.id, category.name) for category in categories(call.session, besides=ticket.category_id)],
        **frame(call),
    )


def _again(call: Call, refused: Refused, page: Callable[..., Response]) -> Response:
    call.take_back(refused)
    return page(call, status=422)


def _both(call: Call, into_id: int) -> tuple[Ticket, Ticket | None]:
    """Both tickets held for a change, the lower number first, so that two merges never wait for each other."""
    number: int = call.param("number")
    held: dict[int, Ticket] = {}
    for one in sorted({number, into_id}):
        try:
            held[one] = ticket_for_staff(call.session, one, change=True)
        except NoTicket:
            continue
    if number not in held:
        raise NotFound
    return held[number], held.get(into_id)


def _typed(call: Call, name: str) -> int:
    return _typed_number(call.form.value(name))


def _typed_number(typed: str) -> int:
    """A ticket's number as people write it: 10482 or #10482, full-width too."""
    return number_of(one_line(typed).translate(_WIDE).removeprefix("#").strip())


_WIDE = str.maketrans("０１２３４５６７８９＃", "0123456789#")
_READ, _WRITE, _MERGE_OWN = staff(Area.TICKETS, Right.READ), staff(Area.TICKETS, Right.WRITE), staff(Area.BULK, Right.OWN)
PAGES: list[Page] = [
    get(f"{PATH}/related", show, _READ),
    post(f"{PATH}/links", add_link, _WRITE),
    post(f"{PATH}/links/{{other:int}}/removal", remove_link, _WRITE),
    get(f"{PATH}/merge", preview_merge, _MERGE_OWN),
    post(f"{PATH}/merge", merge_tickets, _MERGE_OWN),
    post(f"{PATH}/merge/withdrawal", withdraw_merge, _MERGE_OWN),
    get(f"{PATH}/messages/{{message:int}}/split", preview_split, _MERGE_OWN),
    post(f"{PATH}/messages/{{message:int}}/split", split, _MERGE_OWN),
    post(f"{PATH}/split/withdrawal", withdraw_split, _MERGE_OWN),
]
