"""保守登録メールの変更の依頼: a signed-in customer asks the center, follows the request and takes it back."""

from __future__ import annotations

from starlette.responses import Response

from actions import attachments, email_changes
from actions.email_changes import Request
from models.base import AnyRow
from models.email_changes import EmailChange, changes_of_account
from models.people import Account
from rules.addresses import parse_address
from rules.calendar import tokyo_date
from rules.email_changes import Received
from rules.refusal import Refused
from web.access import CUSTOMER
from web.call import Call
from web.endpoint import Page, get, post
from web.errors import NotFound
from wording.catalog import N_

PATH = "/profile/maintenance-email"
_PAGE = "portal/profile/maintenance_email.html"


def index(call: Call) -> Response:
    return _page(call)


def create(call: Call) -> Response:
    account = call.session.get_one(Account, call.customer.id)
    call.form.check("new_email", lambda typed: parse_address(typed, "new_email"))
    held = _held(call)
    if not call.form.failed:
        request = Request(
            old_email=account.maintenance_email,
            new_email=call.form.value("new_email"),
            received=Received.PORTAL,
            received_on=tokyo_date(call.now),
            company=account.company_name,
            name=account.person_name,
            email=account.email,
            body=call.form.value("body"),
        )
        try:
            files = [file.id for file in held]
            change = email_changes.record_change(
                call.session, request, files=files, by=call.customer, calendar=call.calendar(), desk=call.desk, limits=call.limits, now=call.now
            )
        except Refused as refused:
            call.take_back(refused)
        else:
            said = call.say(N_("変更の依頼を受け付けました（受付番号 {n}）。{day} までに対応します。"), n=change.id, day=f"{change.due_on:%Y/%m/%d}")
            return call.redirect(PATH, flash=said)
    return _page(call, held=held, status=422)


def withdraw(call: Call) -> Response:
    change = call.named(EmailChange)
    if change.account_id != call.customer.id:
        raise NotFound
    try:
        email_changes.withdraw_change(call.session, change, by=call.customer, now=call.now)
    except Refused as refused:
        call.take_back(refused)
        return _page(call, status=409)
    return call.redirect(PATH, flash=N_("変更の依頼を取り下げました。"))


def _page(call: Call, *, held: list[AnyRow] | None = None, status: int = 200) -> Response:
    return call.page(
        _PAGE,
        status=status,
        account=call.session.get_one(Account, call.customer.id),
        rows=changes_of_account(call.session, call.customer.id or 0),
        held=held or [],
        kept=[(file.name, file.size) for file in held or []],
    )


def _held(call: Call) -> list[AnyRow]:
    tokens = [*call.form.values("held"), *(upload.token for upload in call.uploads)]
    return list(attachments.held_files(call.session, tokens, by=call.customer))


PAGES: list[Page] = [
    get(PATH, index, CUSTOMER),
    post(PATH, create, CUSTOMER, uploads=True),
    post(f"{PATH}/{{id:int}}/withdrawal", withdraw, CUSTOMER),
]
