"""電話の受付: find the caller's account (or go without), write down what they say; attach an account to a ticket of nobody later."""

from __future__ import annotations

import secrets
from typing import Any

from starlette.responses import Response

from actions.attachments import held_files
from actions.openings import Caller, Opening
from actions.phone_tickets import attach_account, detach_account, open_phone_ticket
from console.cc import read_cc
from console.frame import frame
from console.replies import change_of, submission_of
from console.ticket import PATH
from models.base import AnyRow
from models.masters import categories, families
from models.neighbours import posts_of
from models.paging import Place
from models.people import Account, AccountState
from models.people_lists import account_certificates, account_list
from models.tickets import MessageKind, Ticket
from rules.refusal import Refused
from rules.rights import Area, Right
from rules.text import one_line
from rules.tickets import CcList, Priority, TicketText, check_ticket
from web.access import staff
from web.call import Call
from web.endpoint import Page, get, post
from web.errors import NotFound, or_not_found
from web.forms import number_of
from wording import labels
from wording.catalog import N_

NEW = "/console/tickets/new"
_QUERY_CHARACTERS = 200
_FOUND = 20
_CALLER = {"contact_company": 200, "contact_name": 200, "contact_phone": 40}
_NOBODY = "none"


def show(call: Call) -> Response:
    """First the customer, then the form; a follow-up has its customer already."""
    follows = _followed(call, call.query("follows"))
    chosen = call.query("account") or (str(follows.account_id or _NOBODY) if follows else "")
    if not chosen:
        return call.page("console/tickets/phone_account.html", **_search(call), action=NEW, **frame(call))
    return _form(call, chosen, follows)


def create(call: Call) -> Response:
    """Open the ticket; what is refused is shown at its field, with all that was typed."""
    form = call.form
    follows = _followed(call, form.value("follows"))
    account = _account(call, form.value("account"))
    masters = {row.name: row.id for row in categories(call.session)}
    text = TicketText(**{name: form.value(name) for name in ("subject", "contract_key", "serial", "model", "os_version", "category", "body")})
    family = next((row.id for row in families(call.session) if str(row.id) == form.value("product")), None)
    if family is None:
        form.refuse(Refused("product_unknown", "product"))
    for refused in check_ticket(text, categories=masters, body_characters=call.limits.body_characters):
        form.refuse(refused)
    cc = form.check("cc", lambda typed: read_cc(call, account, typed))
    if form.failed or cc is None or family is None:
        return _form(call, form.value("account"), follows, status=422)
    try:
        ticket = open_phone_ticket(
            call.session,
            _opening(call, text, family, masters[text.category], cc),
            account=account,
            caller=Caller(*(one_line(form.value(name))[:most] for name, most in _CALLER.items())),
            take=form.has("take"),
            files=[file.id for file in _held(call)],
            follows=follows,
            submission=submission_of(call),
            by=call.staff,
            desk=call.desk,
            limits=call.limits,
            calendar=call.calendar(),
            now=call.now,
        )
    except Refused as refused:
        call.take_back(refused)
        return _form(call, form.value("account"), follows, status=422)
    told = N_("チケット #{n} を作成しました。受付のメールを {email} へお送りします。") if account else N_("チケット #{n} を作成しました。メールは送りません。")
    return call.redirect(f"/console/tickets/{ticket.id}", call.say(told, n=ticket.id, email=account.email if account else ""))


def choose_account(call: Call) -> Response:
    """Accounts that a ticket of nobody may belong to, and what each of them would see."""
    return _accounts_page(call, call.named(Ticket, "number"))


def attach(call: Call) -> Response:
    """Give the ticket to an account."""
    ticket = change_of(call)
    try:
        account = attach_account(call.session, ticket, number_of(call.form.value("account")), by=call.staff, now=call.now)
    except Refused as refused:
        call.take_back(refused)
        return _accounts_page(call, call.named(Ticket, "number"), status=422)
    undo = {"action": f"/console/tickets/{ticket.id}/account/withdrawal", "label": call.say(N_("取り消す"))}
    return call.redirect(f"/console/tickets/{ticket.id}", call.say(N_("「{name}」のチケットにしました。"), name=account.company_name), kind="undo", **undo)


def detach(call: Call) -> Response:
    """Take it back."""
    ticket = change_of(call)
    try:
        detach_account(call.session, ticket, by=call.staff, now=call.now)
    except Refused as refused:
        call.take_back(refused)
        return _accounts_page(call, call.named(Ticket, "number"), status=422)
    return call.redirect(f"/console/tickets/{ticket.id}", N_("アカウントを外しました。お客様には、もう表示されません。"))


def _form(call: Call, chosen: str, follows: Ticket | None, *, status: int = 200) -> Response:
    account = _account(call, chosen)
    return call.page(
        "console/tickets/phone.html",
        status=status,
        account=account,
        chosen=str(account.id) if account else _NOBODY,
        follows=follows,
        certificates=account_certificates(call.session, account.maintenance_email_key) if account else [],
        families=[(family.id, family.name) for family in families(call.session)],
        categories=[(category.name, category.name) for category in categories(call.session)],
        category=next((row.name for row in categories(call.session) if follows and row.id == follows.category_id), ""),
        priorities=[(one.value, labels.priority(one, call.basis.language)) for one in Priority],
        held=_held(call),
        submission=call.form.value("submission") or secrets.token_urlsafe(16),
        **frame(call),
    )


def _held(call: Call) -> list[Any]:
    """The files of this form: those that came now and those held since an earlier try."""
    return [*held_files(call.session, call.form.values("held"), by=call.staff), *call.uploads]


def _opening(call: Call, text: TicketText, family: int, category: int, cc: CcList) -> Opening:
    typed = call.form.value("priority")
    return Opening(
        family_id=family,
        category_id=category,
        subject=text.subject.strip(),
        contract_text=text.contract_key.strip(),
        serial_text=text.serial.strip(),
        body=text.body,
        model=text.model.strip(),
        os_version=text.os_version.strip(),
        cc=cc.values,
        priority=Priority(typed) if typed in [*Priority] else Priority.NORMAL,
    )


def _accounts_page(call: Call, ticket: Ticket, *, status: int = 200) -> Response:
    shown = [post for post in posts_of(call.session, ticket.id) if post.kind != MessageKind.NOTE]
    return call.page(
        "console/tickets/account.html",
        status=status,
        ticket=ticket,
        account=call.session.get(Account, ticket.account_id) if ticket.account_id else None,
        shown=len(shown),
        action=f"/console/tickets/{ticket.id}/account",
        **_search(call, ticket.contact_company),
        **frame(call),
    )


def _search(call: Call, suggested: str = "") -> dict[str, Any]:
    """The accounts of the words in the address, the newest twenty; nothing before anything is asked."""
    text = call.query("q", suggested).strip()[:_QUERY_CHARACTERS]
    rows: list[AnyRow] = []
    if text:
        sheet = account_list(call.session, text=text, state=None, place=Place(), limit=_FOUND)
        rows = [row for row in sheet.rows if row.state != AccountState.ERASED]
    return {"q": text, "rows": rows}


def _account(call: Call, chosen: str) -> Account | None:
    """The account that was chosen, None for nobody's ticket."""
    if chosen == _NOBODY:
        return None
    account = call.session.get(Account, number_of(chosen))
    if account is None or account.state == AccountState.ERASED:
        raise NotFound
    return account


def _followed(call: Call, typed: str) -> Ticket | None:
    """The ticket that this one carries on."""
    if not typed:
        return None
    return or_not_found(call.session.get(Ticket, number_of(typed)))


_WRITE = staff(Area.TICKETS, Right.WRITE)
PAGES: list[Page] = [
    get(NEW, show, _WRITE),
    post(NEW, create, _WRITE, uploads=True),
    get(f"{PATH}/account", choose_account, _WRITE),
    post(f"{PATH}/account", attach, _WRITE),
    post(f"{PATH}/account/withdrawal", detach, _WRITE),
]
