"""ログイン情報を忘れた場合: two services by mail, one answer for everybody."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from actions import recoveries
from actions.links import find_link
from customer_portal.registration import stop
from models.admission import LinkKind
from models.database import transaction
from rules.addresses import parse_address
from rules.credentials import password_faults
from rules.refusal import Refused
from web.access import VISITOR
from web.call import Basis, Call, private
from web.endpoint import Page, get, post
from web.forms import Form
from wording.catalog import N_

_FORM = "portal/recovery/index.html"
_PASSWORD = "portal/recovery/password.html"  # noqa: S105 - a template's name


@dataclass(frozen=True)
class NewPassword:
    """What the preparing step found out: whose link it is, what is wrong with the password, or its hash."""

    user_id: str
    faults: tuple[Refused, ...]
    password_hash: str = ""


def new(call: Call) -> Response:
    return call.page(_FORM)


def count(basis: Basis) -> Refused | None:
    try:
        with transaction(basis.wiring.engine) as session:
            recoveries.count_request(session, client=basis.client, limits=basis.limits, now=basis.now)
    except Refused as stopped:
        return stopped
    return None


def create(call: Call) -> Response:
    if call.basis.prepared:
        return stop(call, call.basis.prepared, _FORM)
    email = call.form.check("email", parse_address)
    if email is None:
        return call.invalid(_FORM)
    recoveries.keep_request(call.session, email.value, email.key, now=call.now)
    return call.redirect("/recover/sent")


def sent(call: Call) -> Response:
    return call.page("portal/recovery/sent.html")


def edit(call: Call) -> Response:
    found = find_link(call.session, LinkKind.RESET, call.param("token"), now=call.now)
    return _page(call, found[1].user_id if found else "", status=200 if found else 410)


def hash_new(basis: Basis) -> NewPassword | None:
    """Check and hash the new password of a living link before the transaction opens."""
    form = Form(basis.fields)
    with transaction(basis.wiring.engine, readonly=True) as session:
        found = find_link(session, LinkKind.RESET, basis.request.path_params["token"], now=basis.now)
        if found is None:
            return None
        account = found[1]
    password = form.value("password")
    faults = password_faults(password, user_id=account.user_id, email=account.email, contract_key=account.contract_key)
    if password != form.value("password_confirmation"):
        faults.append(Refused("password_confirmation_differs", "password_confirmation"))
    return NewPassword(account.user_id, tuple(faults), "" if faults else basis.wiring.passwords.hash(password))


def update(call: Call) -> Response:
    prepared: NewPassword | None = call.basis.prepared
    if prepared is None:
        return _page(call, "", status=410)
    for fault in prepared.faults:
        call.form.refuse(fault)
    if call.form.failed:
        return _page(call, prepared.user_id, status=422)
    account = recoveries.set_password(call.session, call.param("token"), prepared.password_hash, client=call.client, desk=call.desk, now=call.now)
    if account is None:
        return _page(call, "", status=410)
    return call.redirect("/login", flash=N_("パスワードを変更しました。新しいパスワードでログインしてください。"))


def _page(call: Call, user_id: str, *, status: int) -> Response:
    return private(call.page(_PASSWORD, status=status, user_id=user_id, token=call.param("token")))


PAGES: list[Page] = [
    get("/recover", new, VISITOR),
    post("/recover", create, VISITOR, prepare=count),
    get("/recover/sent", sent, VISITOR),
    get("/recover/{token}", edit, VISITOR),
    post("/recover/{token}", update, VISITOR, prepare=hash_new),
]
