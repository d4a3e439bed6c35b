"""The console's other door: the company's OpenID provider."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from starlette.responses import Response

from actions import staff_sign_in
from console.door import DOOR, local_path, open_door
from models.tokens import new_token
from rules.refusal import Refused
from web.access import STAFF_VISITOR
from web.call import Basis, Call
from web.endpoint import get
from web.errors import or_not_found
from web.forms import BadRequest
from web.oidc import ATTEMPT_MINUTES, CALLBACK, Identity, ProviderDown, Untrusted, provider_of, secrets_of

if TYPE_CHECKING:
    from web.oidc_provider import Provider

_ATTEMPT = "jtickets_attempt"
_TEMPLATE = "console/sign_in/problem.html"
_NAMES = ("state", "code", "iss", "error")


@dataclass(frozen=True)
class Begun:
    """A sign-in that goes on at the provider; `url` is "" when the provider does not answer."""

    state: str
    url: str


@dataclass(frozen=True)
class Returned:
    """What the provider's answer came to, before the browser's cookie was checked."""

    state: str = ""
    identity: Identity | None = None
    why: str = ""
    """Why it is refused, a word for the journal; "down" when the provider does not answer."""


def begin(call: Call) -> Response:
    """Send the browser to the provider."""
    begun: Begun = call.basis.prepared
    if not begun.url:
        return _problem(call, "down", 503)
    target = quote(local_path(call.query("next")), safe="")
    call.signed(_ATTEMPT, f"{begun.state}~{int(call.now.timestamp())}~{target}", minutes=ATTEMPT_MINUTES)
    return call.redirect(begun.url)


def finish(call: Call) -> Response:
    """Take the provider's answer: it counts only in the browser that began, once, and soon."""
    returned: Returned = call.basis.prepared
    state, began, target = _attempt(call)
    call.drop_signed(_ATTEMPT)
    if returned.why == "down":
        return _problem(call, "down", 503)
    if returned.identity is None or state != returned.state or not 0 <= call.now.timestamp() - began <= ATTEMPT_MINUTES * 60:
        return _refuse(call, returned.why or "state")
    return _admit(call, returned.identity, target)


def leave_provider(call: Call) -> Response:
    """Go on to the provider's own sign-out: without it the next click signs the same person in again."""
    return call.redirect(call.basis.prepared or f"{DOOR}?left=1")


def _admit(call: Call, who: Identity, target: str) -> Response:
    try:
        staff = staff_sign_in.admit_identity(
            call.session,
            issuer=who.issuer,
            subject=who.subject,
            email=who.email,
            email_verified=who.email_verified,
            client=call.client,
            now=call.now,
        )
    except Refused as refused:
        _note(call, refused.code, subject=who.subject)
        return _problem(call, "unknown", 403, email=who.email)
    return open_door(call, staff.id, how="openid", target=local_path(target))


def _refuse(call: Call, why: str) -> Response:
    _note(call, why)
    return _problem(call, "refused", 400)


def _note(call: Call, why: str, subject: str = "") -> None:
    call.afterwards.append(partial(staff_sign_in.note_refused_identity, why=why, client=call.client, now=call.now, subject=subject))


def _problem(call: Call, kind: str, status: int, **context: Any) -> Response:
    return call.page(_TEMPLATE, status=status, **{"kind": kind, "email": "", **context})


def _attempt(call: Call) -> tuple[str, int, str]:
    """The state, the second it began and the page to go on to, of the browser's cookie."""
    state, _, rest = call.read_signed(_ATTEMPT).partition("~")
    began, _, target = rest.partition("~")
    return state, int(began) if began.isdecimal() else 0, unquote(target)


def _ask_where(basis: Basis) -> Begun:
    state = new_token()
    try:
        return Begun(state, _provider(basis).begin(state, secrets_of(basis.wiring.settings.key, state), now=basis.now))
    except ProviderDown:
        return Begun(state, "")


def _ask_who(basis: Basis) -> Returned:
    """Exchange the code. The cookie's signature is checked by the handler; here its state only saves asking for nothing."""
    provider, answer = _provider(basis), _answer(basis)
    state = answer.get("state", "")
    if not state or basis.cookie(_ATTEMPT).partition("~")[0] != state:
        return Returned(why="state")
    try:
        return Returned(state, provider.finish(answer, secrets_of(basis.wiring.settings.key, state), now=basis.now))
    except Untrusted as untrusted:
        return Returned(state, why=untrusted.why)
    except ProviderDown:
        return Returned(state, why="down")


def _ask_sign_out(basis: Basis) -> str | None:
    try:
        return _provider(basis).sign_out_url(now=basis.now)
    except ProviderDown:
        return None


def _answer(basis: Basis) -> dict[str, str]:
    answer: dict[str, str] = {}
    for name in _NAMES:
        values = basis.request.query_params.getlist(name)
        if len(values) > 1:
            raise BadRequest(f"{name} came {len(values)} times")
        if values:
            answer[name] = values[0]
    return answer


def _provider(basis: Basis) -> Provider:
    return or_not_found(provider_of(basis.wiring.settings))


PAGES = [
    get(f"{DOOR}/provider", begin, STAFF_VISITOR, prepare=_ask_where),
    get(CALLBACK, finish, STAFF_VISITOR, prepare=_ask_who, writes=True),
    get(f"{DOOR}/provider/sign-out", leave_provider, STAFF_VISITOR, prepare=_ask_sign_out),
]
