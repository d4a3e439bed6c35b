"""確認コード: turning the second factor on with an authenticator, and off with the password."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from actions import totp
from customer_portal.profile import present_password
from customer_portal.registration import stop
from models.actors import Customer
from models.database import transaction
from models.people import Account
from rules.refusal import Refused
from web.access import CUSTOMER
from web.call import Basis, Call
from web.endpoint import Page, find_actor, get, post
from web.enrolment import grouped, picture
from web.forms import Form
from wording.catalog import N_

_PATH = "/profile/totp"
_PAGE, _CODES = "portal/profile/totp.html", "portal/profile/recovery_codes.html"


@dataclass(frozen=True)
class Checked:
    """What the preparing step found out of the present password."""

    stopped: Refused | None = None
    wrong: Refused | None = None


def check(basis: Basis) -> Checked | None:
    with transaction(basis.wiring.engine, readonly=True) as session:
        actor = find_actor(basis, session).actor
        account = session.get(Account, actor.id) if isinstance(actor, Customer) else None
    return Checked(*present_password(basis, Form(basis.fields), account)) if account else None


def show(call: Call) -> Response:
    return _page(call)


def offer(call: Call) -> Response:
    refused = _refused(call)
    if refused is not None:
        return refused
    try:
        totp.offer(call.session, _account(call), key=call.wiring.settings.key, now=call.now)
    except Refused as fault:
        call.form.refuse(fault)
        return _page(call, status=409)
    return call.redirect(_PATH)


def enrol(call: Call) -> Response:
    try:
        codes = totp.enrol(call.session, _account(call), call.form.value("code"), key=call.wiring.settings.key, by=call.customer, desk=call.desk, now=call.now)
    except Refused as refused:
        call.form.refuse(refused)
        return _page(call, status=422)
    return call.page(_CODES, codes=[f"{code[:5]}-{code[5:]}" for code in codes])


def remove(call: Call) -> Response:
    refused = _refused(call)
    if refused is not None:
        return refused
    totp.remove(call.session, _account(call), by=call.customer, desk=call.desk, now=call.now)
    return call.redirect("/profile", flash=N_("確認コードの利用をやめました。"))


def _refused(call: Call) -> Response | None:
    checked: Checked = call.basis.prepared
    if checked.stopped:
        return stop(call, checked.stopped, _PAGE, **_context(call))
    if checked.wrong:
        call.form.refuse(checked.wrong)
        return _page(call, status=422)
    return None


def _account(call: Call) -> Account:
    return call.session.get_one(Account, call.customer.id)


def _context(call: Call) -> dict[str, Any]:
    account = _account(call)
    kept = totp.totp_of(call.session, account.id)
    secret = totp.offered_secret(call.session, account.id, key=call.wiring.settings.key)
    return {
        "enrolled_at": kept.enrolled_at if kept else None,
        "left": len(kept.recovery) if kept else 0,
        "secret": grouped(secret),
        "picture": picture(totp.uri_of(secret, account.user_id)) if secret else "",
    }


def _page(call: Call, *, status: int = 200) -> Response:
    return call.page(_PAGE, status=status, **_context(call))


PAGES: list[Page] = [
    get(_PATH, show, CUSTOMER),
    post(f"{_PATH}/offer", offer, CUSTOMER, prepare=check),
    post(_PATH, enrol, CUSTOMER),
    post(f"{_PATH}/removal", remove, CUSTOMER, prepare=check),
]
