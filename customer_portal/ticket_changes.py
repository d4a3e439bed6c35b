"""What a customer changes on a ticket without writing: its CC, that it is solved, that it is not."""

from __future__ import annotations

from starlette.responses import Response

from actions.ticket_facts import change_cc, reopen, settle
from actions.tickets import NoTicket, ticket_for_customer
from customer_portal.openings import read_cc
from customer_portal.tickets import page_of
from models.tickets import Ticket
from rules.refusal import Refused
from web.access import CUSTOMER
from web.call import Call
from web.cc import cc_in_form
from web.endpoint import Page, post
from web.errors import NotFound
from wording.catalog import N_


def save_cc(call: Call) -> Response:
    """Set the ticket's CC; one that cannot be mailed to changes nothing, and stays typed."""
    ticket = _ticket(call)
    if ticket.merged_into_id is not None:
        return _elsewhere(call, ticket)
    cc = cc_in_form(call, ticket, lambda typed: read_cc(call, typed))
    if call.form.failed or cc is None:
        return page_of(call, changing_cc=True, status=422)
    changed = change_cc(call.session, ticket, cc.values, by=call.customer, now=call.now)
    if not changed:
        return call.redirect(_path(ticket), flash=N_("メールCC に変更はありませんでした。"))
    if cc.outside:
        said = N_("メールCC を変更しました。「{x}」は貴社のドメインではありません。宛先をお確かめください。")
        return call.redirect(_path(ticket), flash=call.say(said, x=", ".join(cc.outside)), kind="warn")
    return call.redirect(_path(ticket), flash=N_("メールCC を変更しました。"))


def close(call: Call) -> Response:
    """解決しました: the ticket is resolved; a reply or 再開する takes that back."""
    ticket = _ticket(call)
    if ticket.merged_into_id is not None:
        return _elsewhere(call, ticket)
    settle(call.session, ticket, by=call.customer, calendar=call.calendar(), now=call.now)
    return call.redirect(_path(ticket), flash=N_("解決済みにしました。ご連絡ありがとうございました。"))


def open_again(call: Call) -> Response:
    """再開する: the desk owes an answer again."""
    ticket = _ticket(call)
    if ticket.merged_into_id is not None:
        return _elsewhere(call, ticket)
    try:
        reopen(call.session, ticket, by=call.customer, calendar=call.calendar(), now=call.now)
    except Refused as refused:
        call.take_back(refused)
        return page_of(call, status=422)
    return call.redirect(_path(ticket), flash=N_("お問合せを再開しました。状況を「返信」でお知らせください。"))


def _elsewhere(call: Call, ticket: Ticket) -> Response:
    """From an old page of a ticket that was merged: its own page leads to the other one, of which nothing was said yet."""
    return call.redirect(_path(ticket))


def _ticket(call: Call) -> Ticket:
    try:
        return ticket_for_customer(call.session, call.param("number"), by=call.customer, change=True)
    except NoTicket as none:
        raise NotFound from none


def _path(ticket: Ticket) -> str:
    return f"/tickets/{ticket.id}"


_TICKET = "/tickets/{number:int}"
PAGES: list[Page] = [
    post(f"{_TICKET}/cc", save_cc, CUSTOMER),
    post(f"{_TICKET}/resolution", close, CUSTOMER),
    post(f"{_TICKET}/reopening", open_again, CUSTOMER),
]
