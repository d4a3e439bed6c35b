"""新規アカウント登録: the form, the letter, the link whose button completes."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from actions import exception_requests, registrations
from actions.decisions import Judged
from actions.registrations import LinkState
from models.admission import PendingRegistration
from models.database import transaction
from models.masters import privacy_text
from rules.refusal import Refused
from rules.registration import Applicant
from web.access import VISITOR
from web.call import Basis, Call, private
from web.endpoint import Page, get, post
from web.forms import Form
from wording.catalog import N_, translate
from wording.refusals import REPAIRED

_FORM = "portal/registration/form.html"
_LINK = "portal/registration/link.html"
_SENT = "registration"
_SENT_MINUTES = 24 * 60
_NOT_TICKED = frozenset({"", "0", "false", "no", "off"})
_ASKED_BY_MAIL = frozenset({"subdomains_differ", "shared_domain", "domains_differ"})
_STATUS = {LinkState.LIVING: 200, LinkState.USED: 200, LinkState.EXPIRED: 410, LinkState.UNKNOWN: 404}


@dataclass(frozen=True)
class Tried:
    """What the preparing step found out: the judged entries, or the refusal to look at them at all; the hash of what passed."""

    judged: Judged | None
    stopped: Refused | None = None
    password_hash: str = ""
    held: str = ""
    """The secret of the press that turns a form which only the domain rule refuses into a request."""
    again: bool = False
    """A second press of the same form: it sees the result of the first."""
    mark: str = ""
    """The name of the form, where it passed."""


def new(call: Call) -> Response:
    return call.page(_FORM, privacy=privacy_text(call.session), held="")


def try_form(basis: Basis) -> Tried:
    """Judge the form and keep a refusal before the transaction opens: both outlive the refused page."""
    applicant = applicant_of(Form(basis.fields))
    mark = _mark(basis, applicant)
    try:
        with transaction(basis.wiring.engine) as session:
            judged = registrations.try_registration(session, applicant, client=basis.client, desk=basis.wiring.desk, limits=basis.limits, now=basis.now)
            again = registrations.is_pressed_again(session, judged, mark, now=basis.now)
            same = registrations.find_same(session, judged.entries, now=basis.now) if again and not judged.passed else None
    except Refused as stopped:
        return Tried(None, stopped)
    if judged.trace.held:
        return Tried(judged, held=_hold(basis, judged, applicant))
    if same is not None:
        # The entries alone would let a stranger's registration pass for one's own.
        return Tried(judged, again=basis.wiring.passwords.matches(same.password_hash, applicant.password or ""))
    return Tried(judged, password_hash=basis.wiring.passwords.hash(applicant.password or ""), mark=mark) if judged.passed else Tried(judged)


def _mark(basis: Basis, applicant: Applicant) -> str:
    """A name for this browser's form, which tells neither its cookie nor its entries; the password is no part of it."""
    typed = [applicant.company_name, applicant.person_name, applicant.user_id, applicant.email, applicant.maintenance_email, applicant.contract_key]
    return hashlib.sha256(json.dumps([basis.visitor_cookie(), basis.session_cookie(), *typed]).encode()).hexdigest()


def _hold(basis: Basis, judged: Judged, applicant: Applicant) -> str:
    """Keep what was typed, the password as its hash, in case the applicant asks for an exception."""
    password_hash = basis.wiring.passwords.hash(applicant.password or "")
    with transaction(basis.wiring.engine) as session:
        privacy = privacy_text(session)
        return exception_requests.hold_registration(
            session,
            judged.entries,
            judged.trace,
            password_hash,
            reference=judged.reference,
            privacy_version=privacy.id if privacy else 0,
            client=basis.client,
            now=basis.now,
        )


def create(call: Call) -> Response:
    tried: Tried = call.basis.prepared
    privacy = privacy_text(call.session)
    if tried.judged is None:
        return stop(call, tried.stopped, _FORM, privacy=privacy, held="")
    if tried.again and _see_first(call, tried.judged):
        return call.redirect("/register/sent")
    tell(call, tried.judged, askable=bool(tried.held))
    if not call.form.failed:
        try:
            number = registrations.hold(
                call.session,
                tried.judged.entries,
                tried.password_hash,
                privacy_version=privacy.id if privacy else 0,
                desk=call.desk,
                limits=call.limits,
                now=call.now,
            )
        except Refused as refused:
            if registrations.is_doubled(call.session, tried.mark, now=call.now) and _see_first(call, tried.judged):
                return call.redirect("/register/sent")
            call.form.refuse(refused)
        else:
            _remember(call, number, call.form.value("email"))
            return call.redirect("/register/sent")
    return call.invalid(_FORM, privacy=privacy, held=tried.held)


def _see_first(call: Call, judged: Judged) -> bool:
    """Let a second press see what the first one did, as soon as that is there."""
    same = registrations.find_same(call.session, judged.entries, now=call.now)
    if same is not None:
        _remember(call, same.id, call.form.value("email"))
    return same is not None


def applicant_of(form: Form) -> Applicant:
    """What a form says of an applicant."""
    version = form.value("privacy_version")
    return Applicant(
        company_name=form.value("company_name"),
        person_name=form.value("person_name"),
        user_id=form.value("user_id"),
        email=form.value("email"),
        maintenance_email=form.value("maintenance_email"),
        contract_key=form.value("contract_key"),
        password=form.value("password"),
        password_confirmation=form.value("password_confirmation") if form.has("password_confirmation") else None,
        consent=form.value("consent").strip().lower() not in _NOT_TICKED,
        consent_version=int(version) if version.isascii() and version.isdecimal() and len(version) < 10 else None,
    )


def tell(call: Call, judged: Judged, *, askable: bool = False) -> None:
    """Put everything that was refused, and what was repaired, where the page shows it; `askable` when the page offers to ask for an exception."""
    applicant_of(call.form)  # reading refuses what no field may hold: the preparing step read a form of its own
    for refused in judged.refusals:
        call.form.refuse(refused if askable else _with_contact(call, refused, judged.reference))
    for name in judged.entries.repaired:
        call.form.notes[name] = translate(REPAIRED, call.basis.language)


def _with_contact(call: Call, refused: Refused, reference: str) -> Refused:
    """Refusals of the domain rule name whom to ask."""
    if refused.code not in _ASKED_BY_MAIL:
        return refused
    contacts = {"desk": call.desk.desk_address, "center": call.desk.center_address, "n": reference}
    return Refused(f"{refused.code}_ask", refused.field, **refused.facts, **contacts)


def stop(call: Call, stopped: Refused | None, template: str, **context: Any) -> Response:
    """The waiting text (429) on the page that was sent, with what was typed."""
    call.form.refuse(stopped or Refused("too_many_tries", until=call.now))
    return call.page(template, status=429, **context)


def sent(call: Call) -> Response:
    return call.page("portal/registration/sent.html", email=_remembered(call)[1])


def confirm(call: Call) -> Response:
    pending = registrations.find_pending(call.session, call.param("token"))
    return _link_page(call, pending)


def recheck(basis: Basis) -> Judged | None:
    """Judge a living registration again before it is completed; its refusal outlives the refused page."""
    with transaction(basis.wiring.engine) as session:
        pending = registrations.find_pending(session, basis.request.path_params["token"])
        if pending is None or registrations.state_of(pending, now=basis.now) is not LinkState.LIVING:
            return None
        return registrations.recheck(session, pending, client=basis.client, now=basis.now)


def complete(call: Call) -> Response:
    judged: Judged | None = call.basis.prepared
    pending = registrations.find_pending(call.session, call.param("token"))
    # Another browser may have completed while this one was being judged: then "taken" would mean by oneself.
    if judged is None or pending is None or registrations.state_of(pending, now=call.now) is not LinkState.LIVING:
        return _link_page(call, pending)
    if not judged.passed:
        tell(call, judged)
        return private(call.invalid(_LINK, pending=pending, state=LinkState.LIVING, token=""))
    try:
        account = registrations.complete(call.session, call.param("token"), client=call.client, desk=call.desk, now=call.now)
    except Refused as refused:
        call.form.refuse(refused)
        return private(call.invalid(_LINK, pending=pending, state=LinkState.LIVING, token=""))
    return call.redirect("/register/completed") if account else _link_page(call, pending)


def completed(call: Call) -> Response:
    return call.page("portal/registration/completed.html")


def send_again(call: Call) -> Response:
    """A new letter, for who holds an ended link or just filled in the form; everybody else gets the same page and no letter."""
    pending = registrations.find_pending(call.session, call.form.value("token")) if call.form.value("token") else _remembered_pending(call)
    if pending is None:
        return call.redirect("/register/sent")
    try:
        number = registrations.send_again(call.session, pending, desk=call.desk, limits=call.limits, now=call.now)
    except Refused as refused:
        call.form.refuse(refused)
        return call.invalid(_LINK, pending=pending, state=LinkState.EXPIRED, token="")
    _remember(call, number or pending.id, pending.email)
    return call.redirect("/register/sent", flash=N_("確認メールをもう一度お送りしました。"))


def withdraw(call: Call) -> Response:
    """Start over: the user ID of the registration that this browser sent is free again."""
    pending = _remembered_pending(call)
    if pending is not None:
        registrations.withdraw(call.session, pending, now=call.now)
    call.drop_signed(_SENT)
    return call.redirect("/register")


def _link_page(call: Call, pending: PendingRegistration | None) -> Response:
    state = registrations.state_of(pending, now=call.now)
    return private(call.page(_LINK, status=_STATUS[state], pending=pending, state=state, token=call.param("token")))


def _remember(call: Call, number: int, email: str) -> None:
    """Let this browser, and only it, send the letter again or start over."""
    value = base64.urlsafe_b64encode(json.dumps([number, email]).encode()).decode()
    call.signed(_SENT, value, minutes=_SENT_MINUTES)


def _remembered(call: Call) -> tuple[int, str]:
    try:
        number, email = json.loads(base64.urlsafe_b64decode(call.read_signed(_SENT)))
    except (ValueError, binascii.Error):
        return 0, ""
    return number, email


def _remembered_pending(call: Call) -> PendingRegistration | None:
    return call.session.get(PendingRegistration, _remembered(call)[0])


PAGES: list[Page] = [
    get("/register", new, VISITOR),
    post("/register", create, VISITOR, prepare=try_form),
    get("/register/sent", sent, VISITOR),
    post("/register/resend", send_again, VISITOR),
    post("/register/withdrawal", withdraw, VISITOR),
    get("/register/completed", completed, VISITOR),
    get("/register/confirm/{token}", confirm, VISITOR),
    post("/register/confirm/{token}", complete, VISITOR, prepare=recheck),
]
