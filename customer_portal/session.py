"""Signing in and out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy.orm import Session
from starlette.responses import Response

from actions import sign_ins, totp
from actions.sign_ins import Known
from customer_portal.registration import stop
from models.actors import Actor, Customer
from models.database import transaction
from models.masters import privacy_text
from models.people import Account, AccountState
from models.tokens import hash_token
from rules.credentials import user_id_key
from rules.refusal import Refused
from web.access import CUSTOMER, VISITOR
from web.call import Basis, Call
from web.endpoint import Page, get, post
from web.forms import Form
from web.sessions import close_session, open_customer_session
from wording.catalog import N_

HOME = "/tickets"
_FORM = "portal/session/login.html"
_CONSENT = "portal/session/consent.html"
_CODE = "portal/session/code.html"
_ASKED, _SECOND = "consent", "second_factor"
_CONSENT_MINUTES = 15
_ALLOWED = re.compile(r"/(?:tickets|profile|attachments|help)(?:/[A-Za-z0-9_-]+)*(?:\?[A-Za-z0-9_=&.~%-]*)?")
"""Where a sign-in may lead: a page of this portal, never another host (//…, /\\…, a scheme) and nothing that breaks a header."""


@dataclass(frozen=True)
class Checked:
    """What the preparing step found out of a user ID and a password."""

    key: str
    known: Known | None = None
    right: bool = False
    stopped: Refused | None = None


def new(call: Call) -> Response:
    return call.page(_FORM, next=call.query("next"), expired=call.query("expired") == "1")


def check(basis: Basis) -> Checked:
    """Count the try, then one Argon2 call and the same statements whether or not there is such an account."""
    form = Form(basis.fields)
    key = user_id_key(form.value("user_id"))
    try:
        with transaction(basis.wiring.engine) as session:
            sign_ins.count_try(session, key, client=basis.client, limits=basis.limits, now=basis.now)
            known = sign_ins.find_known(session, key)
    except Refused as stopped:
        return Checked(key, stopped=stopped)
    right = basis.wiring.passwords.matches(known.password_hash if known else None, form.value("password"))
    if not (right and known and known.active):
        with transaction(basis.wiring.engine) as session:
            sign_ins.record_failure(session, key, client=basis.client, now=basis.now)
    return Checked(key, known, right)


def create(call: Call) -> Response:
    checked: Checked = call.basis.prepared
    target = allowed(call.form.value("next"))
    again: dict[str, Any] = {"next": call.form.value("next"), "expired": False}
    if checked.stopped:
        return stop(call, checked.stopped, _FORM, **again)
    try:
        account, second = _admitted(call, checked)
    except Refused as refused:
        call.form.refuse(refused)
        return call.invalid(_FORM, **again)
    if second:
        call.signed(_SECOND, _ask(account, call.now), minutes=_CONSENT_MINUTES)
        return call.page(_CODE, next=target)
    return _ask_consent(call, account, target)


def _ask_consent(call: Call, account: Account, target: str) -> Response:
    """The session, or before it the privacy text where a newer one is in force."""
    privacy = privacy_text(call.session)
    if privacy is not None and privacy.id > account.privacy_version:
        call.signed(_ASKED, _ask(account, call.now), minutes=_CONSENT_MINUTES)
        return call.page(_CONSENT, privacy=privacy, next=target)
    return _begin(call, account.id, target)


def count_code(basis: Basis) -> Refused | None:
    """Count the try of a code against its account: six digits are guessed quickly. Only who typed the password comes so far."""
    number, _, _ = basis.read_signed(_SECOND).partition("-")
    if not number.isdecimal():
        return None
    try:
        with transaction(basis.wiring.engine) as session:
            sign_ins.count_try(session, _code_key(int(number)), client=basis.client, limits=basis.limits, now=basis.now)
    except Refused as stopped:
        return stopped
    return None


def enter_code(call: Call) -> Response:
    """The code of the authenticator or a recovery code, between the password and the session."""
    account, target = _asked(call, _SECOND), allowed(call.form.value("next"))
    if account is None:
        return call.redirect(f"/login?next={target}")
    if call.basis.prepared:
        return stop(call, call.basis.prepared, _CODE, next=target)
    by = Actor(id=account.id, name=account.person_name, client=call.client, kind="customer")
    try:
        totp.use_code(call.session, account, call.form.value("code"), key=call.wiring.settings.key, by=by, now=call.now)
    except Refused as refused:
        call.afterwards.append(partial(_note_code, account_id=account.id, client=call.client, now=call.now))
        call.form.refuse(refused)
        return call.invalid(_CODE, next=target)
    sign_ins.give_back_try(call.session, _code_key(account.id), client=call.client, limits=call.limits, now=call.now)
    sign_ins.note_sign_in(call.session, account.id, succeeded=True, how="code", client=call.client, now=call.now)
    call.drop_signed(_SECOND)
    return _ask_consent(call, account, target)


def _note_code(session: Session, *, account_id: int, client: str, now: datetime) -> None:
    sign_ins.note_sign_in(session, account_id, succeeded=False, how="code", client=client, now=now)


def _code_key(account_id: int) -> str:
    # A blank is in no user ID, so nobody can fill this count from the login page.
    return f"code of {account_id}"


def _admitted(call: Call, checked: Checked) -> tuple[Account, bool]:
    if not checked.right or checked.known is None:
        raise Refused("sign_in_wrong")
    if not checked.known.active:
        raise Refused("account_suspended")
    return sign_ins.admit(call.session, checked.known, checked.key, client=call.client, limits=call.limits, now=call.now)


def agree(call: Call) -> Response:
    """The consent to a new privacy text, between the password and the session."""
    account, privacy = _asked(call, _ASKED), privacy_text(call.session)
    target = allowed(call.form.value("next"))
    if account is None or privacy is None:
        return call.redirect(f"/login?next={target}")
    if not call.form.value("consent") or call.form.value("privacy_version", str(privacy.id)) != str(privacy.id):
        call.form.refuse(Refused("consent_old", "consent"))
        return call.invalid(_CONSENT, privacy=privacy, next=target)
    sign_ins.consent(call.session, account, privacy.id, client=call.client, now=call.now)
    call.drop_signed(_ASKED)
    return _begin(call, account.id, target)


def ask_again(call: Call) -> Response:
    return call.redirect("/login")


def delete(call: Call) -> Response:
    close_session(call.session, call.customer)
    call.end_session()
    return call.redirect("/", flash=N_("ログアウトしました。"))


def allowed(target: str) -> str:
    """Where to go after signing in: `target` if it is a page of this portal, else the tickets."""
    return target if _ALLOWED.fullmatch(target) else HOME


def start(call: Call, account_id: int) -> None:
    """A new session for the account in this browser; the one it had is dead from now on."""
    if isinstance(call.actor, Customer):
        close_session(call.session, call.actor)
    call.start_session(open_customer_session(call.session, account_id, client=call.client, limits=call.limits, now=call.now))


def _begin(call: Call, account_id: int, target: str) -> Response:
    start(call, account_id)
    return call.redirect(target)


def _ask(account: Account, now: datetime) -> str:
    """Whose consent or code is asked for and until when; a new password makes it worthless."""
    return f"{account.id}-{int((now + timedelta(minutes=_CONSENT_MINUTES)).timestamp())}-{hash_token(account.password_hash)[:16]}"


def _asked(call: Call, name: str) -> Account | None:
    number, _, rest = call.read_signed(name).partition("-")
    if not number.isdecimal():
        return None
    until, _, mark = rest.partition("-")
    account = call.session.get(Account, int(number))
    if account is None or call.now.timestamp() >= int(until) or hash_token(account.password_hash)[:16] != mark or account.state != AccountState.ACTIVE:
        return None
    return account


PAGES: list[Page] = [
    get("/login", new, VISITOR),
    post("/login", create, VISITOR, prepare=check),
    get("/login/code", ask_again, VISITOR),
    post("/login/code", enter_code, VISITOR, prepare=count_code),
    get("/login/consent", ask_again, VISITOR),
    post("/login/consent", agree, VISITOR),
    post("/logout", delete, CUSTOMER),
]
