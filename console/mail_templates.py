"""メールの文面: an administrator rewrites the mails about tickets, sees them on real data first, and finds a way back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from starlette.responses import Response

from actions import mail_templates as acts
from console.frame import frame
from console.replies import number_of
from mail.compose import NOTICES, Text
from mail.rewritten import NAMES, REWRITABLE, DeskFacts, TicketFacts, check, render, samples, shipped
from models.contracts import Category, ProductFamily
from models.mail_templates import texts_in_force, versions_of
from models.people import Account
from models.tickets import Message, MessageKind, Ticket
from rules.refusal import Refused
from rules.rights import Area, Right
from web.access import staff
from web.call import Call
from web.endpoint import get, post
from web.errors import NotFound
from wording.catalog import N_, translate

_PATH = "/console/masters/mails"
_INDEX, _EDIT = "console/mail_templates/index.html", "console/mail_templates/edit.html"


def index(call: Call) -> Response:
    """The texts that may be rewritten, and which were."""
    rewritten = texts_in_force(call.session)
    rows = [(notice, translate(NOTICES[notice], call.basis.language), notice in rewritten, _latest(call, notice)) for notice in REWRITABLE]
    return call.page(_INDEX, **frame(call), rows=rows)


def edit(call: Call) -> Response:
    """The form with the text in force; `?version=` brings an earlier one back into it."""
    return call.page(_EDIT, **_context(call, _notice(call)))


def update(call: Call) -> Response:
    """Show the text on real data, publish it, or set it back."""
    notice, form = _notice(call), call.form
    subject, body = form.value("subject").strip(), form.value("body")
    present = number_of(form.value("present"))
    try:
        if form.has("restore"):
            acts.restore(call.session, notice, present=present, by=call.staff, now=call.now)
            return call.redirect(f"{_PATH}/{notice}", N_("初めの文面に戻しました。"))
        if form.has("confirmed"):
            acts.publish(call.session, notice, subject, body, present=present, by=call.staff, now=call.now)
            return call.redirect(f"{_PATH}/{notice}", N_("文面を公開しました。これから作るメールに使います。"))
        check(subject, body)
        shown = render(subject, body, _real_facts(call))
    except Refused as refused:
        form.refuse(refused)
        return call.invalid(_EDIT, **_context(call, notice))
    return call.page(_EDIT, **_context(call, notice, shown=shown))


def _notice(call: Call) -> str:
    notice = call.param("notice")
    if notice not in REWRITABLE:
        raise NotFound
    return notice


def _latest(call: Call, notice: str) -> Any:
    return next(iter(versions_of(call.session, notice, limit=1)), None)


def _context(call: Call, notice: str, *, shown: Text | None = None) -> dict[str, Any]:
    versions = versions_of(call.session, notice)
    asked = call.query("version")
    chosen = next((row for row in versions if str(row.id) == asked), versions[0] if versions else None)
    subject, body = (chosen.subject, chosen.body) if chosen is not None and chosen.body else shipped(notice)
    return {
        **frame(call),
        "notice": notice,
        "title": translate(NOTICES[notice], call.basis.language),
        "subject": call.form.value("subject") or subject,
        "body": call.form.value("body") or body,
        "versions": versions,
        "present": versions[0].id if versions else 0,
        "rewritten": bool(versions and versions[0].body),
        "names": NAMES,
        "shown": shown,
        "may_write": call.staff.may(Area.MASTERS, Right.WRITE),
    }


def _real_facts(call: Call) -> dict[str, object]:
    """Of the newest ticket with an account; without one believable facts."""
    facts = next(samples())
    row = call.session.execute(
        select(Ticket.id, Ticket.subject, ProductFamily.name, Category.name.label("category"), Account.company_name, Account.person_name, Message.body)
        .join(ProductFamily, ProductFamily.id == Ticket.family_id)
        .join(Category, Category.id == Ticket.category_id)
        .join(Account, Account.id == Ticket.account_id)
        .join(Message, (Message.ticket_id == Ticket.id) & (Message.kind == MessageKind.CUSTOMER))
        .order_by(Ticket.id.desc(), Message.id)
        .limit(1)
    ).first()
    if row is None:
        return facts
    desk = call.desk
    return {
        **facts,
        "ticket": TicketFacts(row.id, row.subject),
        "product": row.name,
        "category": row.category,
        "company": row.company_name,
        "person": row.person_name,
        "post": row.body[: call.limits.mail_body_characters],
        "link": desk.link(f"/tickets/{row.id}"),
        "desk": DeskFacts(desk.base_url, desk.desk_address),
    }


_READ, _WRITE = staff(Area.MASTERS, Right.READ), staff(Area.MASTERS, Right.WRITE)
PAGES = [
    get(_PATH, index, _READ),
    get(f"{_PATH}/{{notice:str}}", edit, _READ),
    post(f"{_PATH}/{{notice:str}}", update, _WRITE),
]
