"""契約確認依頼: support asks the center from a ticket, the center answers without seeing the thread."""

from __future__ import annotations

from starlette.responses import Response

from actions.center_questions import answer_center, ask_center, asked_elsewhere
from actions.tickets import ticket_for_staff
from console.frame import frame
from console.replies import again, change_of, number_of
from console.ticket import PATH, show_asked
from models.questions import open_question, questions_of
from rules.refusal import Refused
from rules.rights import Area, Right
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
    seen = number_of(call.form.value("question"))
    try:
        answer_center(call.session, ticket, call.form.value("answer"), seen=seen, by=call.staff, limits=call.limits, calendar=call.calendar(), now=call.now)
    except Refused as refused:
        call.take_back(refused)
        if refused.code == "nothing_asked":
            return _too_late(call)
        return show_asked(call, status=409 if refused.code == "newer_question" else 422)
    return call.redirect("/console/tickets", flash=call.say(N_("チケット #{n} の契約の確認に回答しました。"), n=ticket.id))


def _too_late(call: Call) -> Response:
    """What became of the question meanwhile, with the text and the way to where it is asked now. Who was never asked learns nothing of the ticket."""
    number: int = call.param("number")
    ticket, asked = ticket_for_staff(call.session, number), questions_of(call.session, number)
    may_read = call.staff.may("tickets", "r")
    if not asked and not may_read:
        raise NotFound
    elsewhere = asked_elsewhere(call.session, ticket)
    return call.page(
        "console/tickets/asked_before.html",
        status=409,
        number=number,
        answered=asked[0] if asked and asked[0].answered_at else None,
        elsewhere=elsewhere,
        question=open_question(call.session, elsewhere.id) if elsewhere else None,
        may_read=may_read,
        **frame(call),
    )


PAGES: list[Page] = [
    post(f"{PATH}/questions", ask, staff(Area.TICKETS, Right.WRITE)),
    post(f"{PATH}/questions/answer", answer, staff(Area.CONTRACTS, Right.WRITE)),
]
