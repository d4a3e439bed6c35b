"""定型文 and 定型アクション on a ticket: chosen with the ticket's own words in them, inserted, or run after a look at what they do."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Row
from starlette.responses import Response

from actions.attachments import held_files
from actions.canned import words_of
from actions.drafts import draft_of, keep_draft
from actions.macros import assignee_of, run_macro
from console.frame import frame
from console.replies import change_of, check_cc_seen, submission_of
from console.ticket import PATH
from models.canned import Canned, CannedKind, PostKind, canned_for, staff_names
from models.masters import Category
from models.presence import newest_post
from models.ticket_page import ticket_row
from models.tickets import Message, MessageKind, Ticket
from rules.canned import outcome
from rules.placeholders import Filled, fill, pieces
from rules.refusal import Refused
from rules.rights import Area, Right
from rules.tickets import State
from web.access import staff
from web.call import Call
from web.endpoint import Page, get, post
from web.errors import NotFound, or_not_found
from web.forms import number_of
from wording import labels
from wording.catalog import N_

_CHOOSE, _MACRO = "console/tickets/canned.html", "console/tickets/macro.html"


@dataclass(frozen=True)
class Offer:
    """A canned text or macro as it reads on this ticket."""

    id: int
    macro: bool
    name: str
    personal: bool
    text: str
    parts: list[tuple[str, bool]]
    missing: tuple[str, ...]


def leave(call: Call) -> Response:
    """From the composer to the choice: what is typed is kept as a draft, what was attached is held."""
    kind = _kind(call.form.value("to"))
    number = call.named(Ticket, "number").id
    try:
        keep_draft(call.session, number, kind, call.form.value("body"), submission=submission_of(call), by=call.staff, limits=call.limits, now=call.now)
    except Refused:
        return call.redirect(f"{_path(call)}#reply", flash=N_("本文が長すぎるため、定型文を選べません。"), kind="warn")
    held = [*call.form.values("held"), *(upload.token for upload in call.uploads)]
    macro = "#macros" if call.query("choose") == "macro" else ""
    return call.redirect(f"{_path(call)}/canned?{urlencode({'to': kind.value, 'held': ','.join(held)})}{macro}")


def choose(call: Call) -> Response:
    """Everything that fits this ticket, as it would read; for a script only the list."""
    row, ticket = _row(call), call.named(Ticket, "number")
    found = canned_for(call.session, family_id=ticket.family_id, category_id=ticket.category_id, staff_id=call.staff.id)
    words = words_of(row, by=call.staff, desk=call.desk)
    offers = [_offer(one.id, one.kind == CannedKind.MACRO, one.name, one.owner_id is not None, fill(one.body, words)) for one in found]
    to = _kind(call.query("to"))
    if call.basis.is_htmx:
        return call.page(_CHOOSE, block="options", offers=[offer for offer in offers if not offer.macro])
    held = call.query("held")
    return call.page(_CHOOSE, ticket=row, offers=offers, to=to.value, held=held, back=_back(call, held, to), **frame(call))


def insert(call: Call) -> Response:
    """Put a text at the end of what is typed already; the draft shows in the composer."""
    row, canned = _row(call), _load(call, CannedKind.TEXT)
    kind = _kind(call.form.value("to"))
    text = fill(canned.body, words_of(row, by=call.staff, desk=call.desk)).text
    typed = draft_of(call.session, row.id, kind, by=call.staff)
    try:
        keep_draft(call.session, row.id, kind, _joined(typed, text), by=call.staff, limits=call.limits, now=call.now)
    except Refused as refused:
        call.form.refuse(refused)
        return call.redirect(_path(call), flash=call.form.errors[0][1], kind="warn")
    back = _back(call, call.form.value("held"), kind)
    return call.redirect(back, flash=call.say(N_("定型文「{name}」を入れました。"), name=canned.name))


def _back(call: Call, held: str, kind: MessageKind) -> str:
    """The composer that one came from, with the files it held."""
    note = kind is MessageKind.NOTE
    query = urlencode({name: value for name, value in (("held", held), ("to", "note" if note else "")) if value})
    return f"{_path(call)}{'?' if query else ''}{query}#{'note' if note else 'reply'}"


def preview(call: Call) -> Response:
    """What a macro would do to this ticket, its text ready to be edited."""
    return _preview(call, _load(call, CannedKind.MACRO))


def run(call: Call) -> Response:
    """Do all of it, or show why not."""
    macro, ticket = _load(call, CannedKind.MACRO), change_of(call)
    files = [row.id for row in held_files(call.session, call.form.values("held"), by=call.staff)]
    try:
        if macro.post is PostKind.ANSWER:
            check_cc_seen(call, ticket)
        posted = run_macro(
            call.session,
            ticket,
            macro,
            body=call.form.value("body"),
            files=files,
            last_seen=number_of(call.form.value("last_seen")),
            submission=submission_of(call),
            by=call.staff,
            desk=call.desk,
            limits=call.limits,
            calendar=call.calendar(),
            now=call.now,
        )
    except Refused as refused:
        call.take_back(refused)
        newer = refused.facts.get("id") if refused.code == "newer_reply" else None
        return _preview(call, _load(call, CannedKind.MACRO), status=409 if newer else 422, newer=newer)
    done = call.say(N_("定型アクション「{name}」を実行しました。"), name=macro.name)
    if posted is None or macro.post is not PostKind.ANSWER:
        return call.redirect(_path(call), flash=done)
    undo = {"action": f"{_path(call)}/replies/{posted.id}/withdrawal", "label": call.say(N_("返信を取り消す")), "seconds": call.limits.undo_send_seconds}
    return call.redirect(f"{_path(call)}#m{posted.id}", flash=done, kind="undo", **undo)


def _preview(call: Call, macro: Canned, *, status: int = 200, newer: object = None) -> Response:
    row = _row(call)
    filled = fill(macro.body, words_of(row, by=call.staff, desk=call.desk))
    kind = MessageKind.NOTE if macro.post is PostKind.NOTE else MessageKind.ANSWER
    typed = draft_of(call.session, row.id, kind, by=call.staff)
    tokens = call.form.values("held") if status != 200 else [token for token in call.query("held").split(",") if token]
    return call.page(
        _MACRO,
        status=status,
        ticket=row,
        macro=macro,
        text=call.form.value("body") if call.form.has("body") else _joined(typed, filled.text),
        back=_back(call, ",".join(tokens), kind),
        missing=filled.missing,
        changes=_changes(call, row, macro),
        runs=_after(row, macro, call) is not None,
        held=held_files(call.session, tokens, by=call.staff) if tokens else [],
        newer=call.session.get(Message, newer) if newer else None,
        last_seen=newest_post(call.session, row.id),
        submission=call.form.value("submission") or secrets.token_urlsafe(16),
        **frame(call),
    )


def _joined(typed: str, text: str) -> str:
    """What is typed already stays above what is inserted."""
    return f"{typed.rstrip()}\n\n{text}" if typed.strip() else text


def _changes(call: Call, row: Row[Any], macro: Canned) -> list[tuple[str, str, str]]:
    """(what, now, then) of everything the macro sets."""
    language, names = call.basis.language, staff_names(call.session)
    nobody = call.say(N_("未割り当て"))
    found: list[tuple[str, str, str]] = []
    if macro.to_assignee:
        then = assignee_of(macro, row.assignee_id, call.staff)
        found.append((call.say(N_("担当")), row.assignee or nobody, names.get(then or 0, nobody)))
    wanted = _after(row, macro, call)
    if wanted is not None and wanted != row.state:
        found.append((call.say(N_("状態")), labels.state(row.state, language), labels.state(wanted, language)))
    if macro.to_priority:
        found.append((call.say(N_("優先度")), labels.priority(row.priority, language), labels.priority(macro.to_priority, language)))
    if macro.to_category_id:
        category = call.session.get(Category, macro.to_category_id)
        found.append((call.say(N_("カテゴリ")), row.category, category.name if category else ""))
    return found


def _after(row: Row[Any], macro: Canned, call: Call) -> State | None:
    """The ticket's state after the macro, None where it cannot be run."""
    then = assignee_of(macro, row.assignee_id, call.staff)
    assigns = then not in (None, row.assignee_id)
    try:
        return outcome(State(row.state), assigns=assigns, answers=macro.post is PostKind.ANSWER, wanted=macro.to_state)
    except Refused:
        return None


def _offer(number: int, macro: bool, name: str, personal: bool, filled: Filled) -> Offer:
    return Offer(number, macro, name, personal, filled.text, list(pieces(filled.text)), filled.missing)


def _load(call: Call, kind: CannedKind) -> Canned:
    ticket, canned = call.named(Ticket, "number"), call.named(Canned, "canned")
    if canned.kind != kind or not canned.suits(family_id=ticket.family_id, category_id=ticket.category_id, staff_id=call.staff.id):
        raise NotFound
    return canned


def _row(call: Call) -> Row[Any]:
    return or_not_found(ticket_row(call.session, call.param("number")))


def _kind(typed: str) -> MessageKind:
    return MessageKind.NOTE if typed == MessageKind.NOTE else MessageKind.ANSWER


def _path(call: Call) -> str:
    return f"/console/tickets/{call.param('number')}"


_WRITE = staff(Area.TICKETS, Right.WRITE)
PAGES: list[Page] = [
    get(f"{PATH}/canned", choose, _WRITE),
    post(f"{PATH}/canned", leave, _WRITE, uploads=True),
    post(f"{PATH}/canned/{{canned:int}}", insert, _WRITE),
    get(f"{PATH}/macros/{{canned:int}}", preview, _WRITE),
    post(f"{PATH}/macros/{{canned:int}}", run, _WRITE),
]
