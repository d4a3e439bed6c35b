"""契約確認依頼: support asks the center from a ticket, the center answers without seeing the thread."""

from __future__ import annotations

from starlette.responses import Response

from actions.center_questions import answer_center, ask_center
from console.replies import again, change_of
from console.ticket import PATH, show_asked
from rules.refusal import Refused
from rules.rights import Area, Right
from rules.tickets import State
from web.access import staff
from web.call import Call
from web.endpoint import Page, post
from web.errors import NotFound
from wording.catalog import N_


def ask(call: Call) -> Response:
    """Ask about the contract; a refused question stays in its form."""
    ticket = change_of(call)
    try:
        ask_center(call.session, ticket, call.form.value("question"), by=call.staff, limits=call.limits, calendar=call.calendar(), now=call.now)
    except Refused as refused:
        return again(call, refused, "question")
    return call.redirect(f"/console/tickets/{ticket.id}", flash=N_("サービス管理センターに契約の確認を依頼しました。"))


def answer(call: Call) -> Response:
    """The center's answer; the ticket leaves its list."""
    ticket = change_of(call)
    if ticket.state != State.WAITING_CENTER and not call.staff.may("tickets", "r"):
        raise NotFound
    try:
        answer_center(call.session, ticket, call.form.value("answer"), by=call.staff, limits=call.limits, calendar=call.calendar(), now=call.now)
    except Refused as refused:
        call.take_back(refused)
        return show_asked(call, status=422)
    return call.redirect("/console/tickets", flash=call.say(N_("チケット #{n} の契約の確認に回答しました。"), n=ticket.id))


PAGES: list[Page] = [
    post(f"{PATH}/questions", ask, staff(Area.TICKETS, Right.WRITE)),
    post(f"{PATH}/questions/answer", answer, staff(Area.CONTRACTS, Right.WRITE)),
]
