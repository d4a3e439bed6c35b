"""例外申請, the applicant's pages: the press below a refused form, the link that proves the address, following and withdrawing."""

from __future__ import annotations

from starlette.responses import Response

from actions import exception_requests
from customer_portal.profile import present_password
from models.actors import Customer
from models.database import transaction
from models.people import Account
from models.requests import ExceptionRequest, request_of_link
from rules.refusal import Refused
from rules.requests import OPEN, RequestState
from web.access import CUSTOMER, VISITOR
from web.call import Basis, Call, private
from web.endpoint import Page, find_actor, get, post
from web.errors import NotFound
from web.forms import Form
from wording.catalog import N_

_SENT = "portal/exceptions/sent.html"
_FOLLOW = "portal/exceptions/show.html"
_AGAIN = "portal/exceptions/password.html"


def create(call: Call) -> Response:
    """担当者に確認を依頼する: what was held becomes a request. An old press says so and leads back to the form."""
    try:
        request = exception_requests.ask(call.session, call.form.value("held"), desk=call.desk, limits=call.limits, now=call.now)
    except Refused as refused:
        call.form.refuse(refused)
        return call.page(_SENT, status=409, request=None)
    if request is None:
        return call.page(_SENT, status=410, request=None)
    return call.page(_SENT, request=request)


def check_press(basis: Basis) -> tuple[Refused | None, Refused | None]:
    """The present password where the held change asks for it: before the transaction, counted like a sign-in."""
    form = Form(basis.fields)
    with transaction(basis.wiring.engine, readonly=True) as session:
        actor = find_actor(basis, session).actor
        account = session.get(Account, actor.id) if isinstance(actor, Customer) else None
        request = request_of_link(session, form.value("held"), press=True)
    if account is None or request is None or request.account_id != account.id or not _is_guarded(account, request):
        return None, None
    return present_password(basis, form, account)


def create_from_profile(call: Call) -> Response:
    """The same press below a refused change of the profile; with the present password where the change needs it."""
    request = request_of_link(call.session, call.form.value("held"), press=True)
    if request is None or request.account_id != call.customer.id:
        return call.page(_SENT, status=410, request=None)
    stopped, wrong = call.basis.prepared
    if stopped or wrong:
        call.form.refuse(stopped or wrong)
        return call.page(_AGAIN, status=429 if stopped else 422, held=call.form.value("held"))
    return create(call)


def _is_guarded(account: Account, request: ExceptionRequest) -> bool:
    return account.email_key != request.email_key or account.user_id != request.user_id or bool(request.password_hash)


def show(call: Call) -> Response:
    """The request behind a mailed link; looking changes nothing."""
    return _page(call, _request(call))


def prove(call: Call) -> Response:
    """The button of the letter's page: the address is proved, and the desk sees the request."""
    exception_requests.prove(call.session, _request(call), desk=call.desk, now=call.now)
    return _back(call)


def withdraw(call: Call) -> Response:
    """取下げ."""
    done = exception_requests.withdraw_request(call.session, _request(call), now=call.now)
    return _back(call, N_("依頼を取り下げました。") if done else "")


def answer(call: Call) -> Response:
    """The answer to what the desk asked; a refused one stays typed."""
    request = _request(call)
    try:
        exception_requests.answer_request(call.session, request, call.form.value("answer"), limits=call.limits, now=call.now)
    except Refused as refused:
        call.take_back(refused)
        return _page(call, _request(call), status=422)
    return _back(call, N_("お返事をお送りしました。担当者が確認し、結果をメールでお知らせします。"))


def _request(call: Call) -> ExceptionRequest:
    request = request_of_link(call.session, call.param("token"))
    if request is None or request.state == RequestState.HELD:
        raise NotFound
    return request


def _page(call: Call, request: ExceptionRequest, *, status: int = 200) -> Response:
    ended = request.state == RequestState.UNPROVED and request.expires_at <= call.now
    return private(call.page(_FOLLOW, status=410 if ended else status, request=request, ended=ended, token=call.param("token"), waits=request.state in OPEN))


def _back(call: Call, flash: str = "") -> Response:
    return private(call.redirect(f"/exceptions/{call.param('token')}", flash))


PAGES: list[Page] = [
    post("/exceptions", create, VISITOR),
    post("/profile/exceptions", create_from_profile, CUSTOMER, prepare=check_press),
    get("/exceptions/{token}", show, VISITOR),
    post("/exceptions/{token}/proof", prove, VISITOR),
    post("/exceptions/{token}/withdrawal", withdraw, VISITOR),
    post("/exceptions/{token}/answer", answer, VISITOR),
]
