"""What staff do to a ticket: answer, undo the answer, note."""

from __future__ import annotations

from starlette.responses import Response

from actions.attachments import held_files, names_of
from actions.tickets import NoTicket, answer, ticket_for_staff, withdraw_answer, write_note
from console.ticket import PATH, render
from models.tickets import Ticket
from models.tokens import hash_token
from rules.refusal import Refused
from rules.rights import Area, Right
from rules.tickets import State, takes_posts
from web.access import staff
from web.call import Call
from web.endpoint import Page, post
from web.errors import NotFound
from web.forms import BadRequest, number_of
from wording.catalog import N_


def reply(call: Call) -> Response:
    """Answer the customer; what a newer post stops stays typed."""
    ticket = change_of(call)
    chosen = state_of(call.form.value("next_state")) if call.form.has("next_state") else None
    try:
        if not takes_posts(State(ticket.state)):
            raise Refused("answer_closed", "body")
        check_cc_seen(call, ticket)
        message = answer(
            call.session,
            ticket,
            call.form.value("body"),
            files=_files(call),
            next_state=chosen,
            last_seen=number_of(call.form.value("last_seen")),
            submission=submission_of(call),
            by=call.staff,
            desk=call.desk,
            limits=call.limits,
            now=call.now,
        )
    except Refused as refused:
        return again(call, refused, "reply")
    undo = {"action": f"{_path(ticket)}/replies/{message.id}/withdrawal", "label": call.say(N_("取り消す")), "seconds": call.limits.undo_send_seconds}
    return call.redirect(f"{_path(ticket)}#m{message.id}", flash=N_("返信しました。"), kind="undo", **undo)


def withdraw(call: Call) -> Response:
    """Take an answer back while it is not published; its text is a draft again and its files are held."""
    ticket = change_of(call)
    number: int = call.param("message")
    tokens = ",".join(file.token for file in names_of(call.session, [number])[number])
    try:
        withdraw_answer(call.session, ticket, number, by=call.staff, limits=call.limits, now=call.now)
    except Refused as refused:
        return again(call, refused)
    held = f"?held={tokens}" if tokens else ""
    return call.redirect(f"{_path(ticket)}{held}#reply", flash=N_("返信を取り消しました。下書きに戻しています。"))


def note(call: Call) -> Response:
    """Write a note that never leaves the console."""
    ticket = change_of(call)
    try:
        message = write_note(
            call.session,
            ticket,
            call.form.value("body"),
            files=_files(call),
            submission=submission_of(call),
            by=call.staff,
            limits=call.limits,
            now=call.now,
        )
    except Refused as refused:
        return again(call, refused, "note")
    return call.redirect(f"{_path(ticket)}#m{message.id}", flash=N_("社内メモを書きました。"))


def check_cc_seen(call: Call, ticket: Ticket) -> None:
    """Refuse cc_changed at body where the page that was answered on showed others than who would get a copy now."""
    if call.form.has("cc_seen") and call.form.value("cc_seen") != ",".join(ticket.cc):
        raise Refused("cc_changed", "body")


def change_of(call: Call) -> Ticket:
    """The ticket of the path, held for a change."""
    try:
        return ticket_for_staff(call.session, call.param("number"), change=True)
    except NoTicket as missing:
        raise NotFound from missing


def again(call: Call, refused: Refused, writing: str = "") -> Response:
    """The page with what was typed and why it was not done: 409 where somebody was quicker, else 422."""
    call.take_back(refused)
    newer = refused.facts.get("id") if refused.code == "newer_reply" else 0
    return render(call, status=409 if newer else 422, writing=writing, newer=newer if isinstance(newer, int) else 0)


def _files(call: Call) -> list[int]:
    """The files of this post: those that came now and those held since an earlier try."""
    held = held_files(call.session, call.form.values("held"), by=call.staff)
    return [*(row.id for row in held), *(upload.id for upload in call.uploads)]


def submission_of(call: Call) -> str:
    """The form's own mark bound to its sender, so that nobody meets another's form by its mark."""
    typed = call.form.value("submission")
    return hash_token(f"staff:{call.staff.id}:{typed}") if typed else ""


def state_of(value: str) -> State:
    """A state that a form of ours carries; 400 for any other."""
    if value not in [*State]:
        raise BadRequest(f"there is no state {value!r}")
    return State(value)


def _path(ticket: Ticket) -> str:
    return f"/console/tickets/{ticket.id}"


_WRITE = staff(Area.TICKETS, Right.WRITE)
PAGES: list[Page] = [
    post(f"{PATH}/replies", reply, _WRITE, uploads=True),
    post(f"{PATH}/replies/{{message:int}}/withdrawal", withdraw, _WRITE),
    post(f"{PATH}/notes", note, _WRITE, uploads=True),
]
