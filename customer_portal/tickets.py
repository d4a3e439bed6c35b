"""The customer's tickets: list, page, reply, and their files. Opening one is `customer_portal.openings`."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from urllib.parse import urlencode

from starlette.responses import Response

from actions import attachments, tickets
from actions.tickets import NoTicket
from customer_portal import openings
from customer_portal.reception import reception
from models.base import AnyRow
from models.mail_lists import unreached_copies
from models.outbox import HELD, STOPPED
from models.own_tickets import awaited_tickets, follow_ups, own_changes, own_ticket, own_tickets, public_posts
from models.search import file_names
from models.tickets import Ticket
from rules.refusal import Refused
from rules.search import excerpt, marked, terms_of
from rules.tickets import State
from web.access import CUSTOMER
from web.call import Call
from web.downloads import download
from web.endpoint import Page, get, post
from web.errors import NotFound, or_not_found
from wording.catalog import N_, translate

Pieces = Sequence[tuple[str, bool]]
"""A text cut into pieces, each with whether it is a word that was looked for."""
_QUERY_CHARACTERS = 200
_AWAITED = 3
"""Tickets that wait for the customer, shown above the list by name."""
_GROUPS: dict[str, tuple[State, ...]] = {
    "received": (State.NEW,),
    "open": (State.OPEN, State.WAITING_VENDOR, State.WAITING_CENTER),
    "waiting_customer": (State.WAITING_CUSTOMER,),
    "resolved": (State.RESOLVED,),
    "closed": (State.CLOSED,),
}
"""What a customer can filter by: the words of their side of the state table."""


_UNREACHED = {
    HELD: N_("社外への写しが 1 日の上限に達したため、送っていません。"),
    STOPPED: N_("受取人のお申し出により、写しを止めています。"),
}
_NOT_ARRIVED = N_("届きませんでした。アドレスをお確かめください。")


def index(call: Call) -> Response:
    """サポートチケット参照: the account's tickets, newest first."""
    state, text = call.query("state"), call.query("q").strip()[:_QUERY_CHARACTERS]
    before = call.query("before")
    terms = terms_of(text)
    rows = own_tickets(
        call.session,
        call.customer.id or 0,
        now=call.now,
        states=_GROUPS.get(state, ()),
        terms=terms,
        before=int(before) if before.isdecimal() and len(before) < 10 else None,
        limit=call.limits.page_rows,
    )
    shown = rows[: call.limits.page_rows]
    kept = {name: value for name, value in (("state", state), ("q", text)) if value}
    next_url = f"/tickets?{urlencode({**kept, 'before': shown[-1].id})}" if len(rows) > len(shown) else None
    first_url = f"/tickets?{urlencode(kept)}" if before else None
    return call.page(
        "portal/tickets/index.html",
        rows=shown,
        found=_found(call, shown, terms) if terms else [],
        state=state if state in _GROUPS else "",
        q=text,
        pages={"next_url": next_url, "previous_url": first_url},
        awaited=[] if kept or before else awaited_tickets(call.session, call.customer.id or 0, now=call.now, limit=_AWAITED),
        most_awaited=_AWAITED,
    )


def _found(call: Call, rows: Sequence[AnyRow], terms: Sequence[str]) -> list[tuple[Pieces, Pieces, Pieces]]:
    """Of each hit the subject, the part of the post around the words, and the names of its files that hold one; in pieces, each with whether it is a hit."""
    names = file_names(call.session, [row.post_id for row in rows if row.post_id])
    return [(marked(row.subject, terms), excerpt(row.post_body or "", terms), _marked_names(names.get(row.post_id, ()), terms)) for row in rows]


def _marked_names(names: Sequence[str], terms: Sequence[str]) -> Pieces:
    hits = [pieces for pieces in (marked(name, terms) for name in names) if any(hit for _, hit in pieces)]
    return [piece for pieces in hits for piece in (*pieces, (" ", False))]


def show(call: Call) -> Response:
    """A ticket with its published posts; 返信 opens the form. One that was merged leads to the ticket that has its posts."""
    head = own_ticket(call.session, call.param("number"), call.customer.id or 0)
    if head is not None and head.merged_into_id:
        return call.redirect(f"/tickets/{head.merged_into_id}", call.say(N_("お問合せ #{n} は、#{into} にまとめました。"), n=head.id, into=head.merged_into_id))
    return page_of(call, replying=bool(call.query("reply")))


def reply(call: Call) -> Response:
    """Take the customer's post; a closed ticket answers with the follow-up it opened."""
    try:
        ticket = tickets.ticket_for_customer(call.session, call.param("number"), by=call.customer, change=True)
    except NoTicket as none:
        raise NotFound from none
    held = openings.held_files(call)
    try:
        taken = tickets.reply(
            call.session,
            ticket,
            call.form.value("body"),
            files=[file.id for file in held],
            submission=openings.mark_of(call),
            by=openings.writer_of(call),
            desk=call.desk,
            limits=call.limits,
            calendar=call.calendar(),
            now=call.now,
        )
    except Refused as refused:
        call.take_back(refused)
        return page_of(call, replying=True, held=held, status=422)
    while ticket.merged_into_id is not None:
        ticket = call.session.get_one(Ticket, ticket.merged_into_id)
    if taken.id == ticket.id:
        return call.redirect(f"/tickets/{taken.id}#reply", N_("返信しました。"))
    return call.redirect(f"/tickets/{taken.id}", call.say(N_("続きのチケット #{n} を作成しました。"), n=taken.id))


def attachment(call: Call) -> Response:
    """A file of one's own ticket, as a download."""
    found = or_not_found(attachments.readable_by_customer(call.session, call.param("token"), by=call.customer, now=call.now))
    return download(call.wiring.store, found)


def page_of(call: Call, *, replying: bool = False, changing_cc: bool = False, held: list[AnyRow] | None = None, status: int = 200) -> Response:
    """The ticket's page, with the form that is open."""
    head = or_not_found(own_ticket(call.session, call.param("number"), call.customer.id or 0))
    posts = public_posts(call.session, head.id, now=call.now)
    call.expect(sum(len(post.body) for post in posts))
    return call.page(
        "portal/tickets/show.html",
        status=status,
        ticket=head,
        state=tickets.shown_state(head, call.now),
        posts=posts,
        items=_in_order(posts, own_changes(call.session, head.id)),
        outside=openings.outside_of(call, head.cc),
        changing_cc=changing_cc or bool(call.query("cc")),
        **reception(call, call.calendar().of(head.calendar_id)),
        files=_links(attachments.names_of(call.session, [row.id for row in posts]), posts),
        unreached=[(row.address, translate(_UNREACHED.get(row.answer, _NOT_ARRIVED), call.basis.language)) for row in _unreached(call, head)],
        follow_ups=follow_ups(call.session, head.id, call.customer.id or 0),
        replying=replying,
        held=held or [],
        kept=[(file.name, file.size) for file in held or []],
        submission=call.form.value("submission") or secrets.token_urlsafe(16),
    )


def _in_order(posts: Sequence[AnyRow], changes: Sequence[AnyRow]) -> list[AnyRow]:
    """Posts and changes as they happened."""
    return sorted([*posts, *changes], key=lambda row: row.published_at)


def _unreached(call: Call, head: AnyRow) -> Sequence[AnyRow]:
    return [row for row in unreached_copies(call.session, head.id) if row.address in head.cc] if head.cc else []


def _links(files: dict[int, list[AnyRow]], posts: Sequence[AnyRow]) -> dict[int, list[tuple[str, str, int]]]:
    """(path, name, size) of the files of each post."""
    return {post.id: [(f"/attachments/{file.token}", file.name, file.size) for file in files[post.id]] for post in posts}


PAGES: list[Page] = [
    get("/tickets", index, CUSTOMER),
    *openings.PAGES,
    get("/tickets/{number:int}", show, CUSTOMER, quick=True),
    post("/tickets/{number:int}/replies", reply, CUSTOMER, uploads=True),
    get("/attachments/{token}", attachment, CUSTOMER),
]
