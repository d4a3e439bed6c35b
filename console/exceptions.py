"""例外申請: the queue with the request that is looked at, and the decision on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from starlette.responses import Response

from actions.exception_decisions import Judgement, decide_request, take_request
from actions.notices_exceptions import previews
from console.frame import frame
from models.contract_lists import parties_of
from models.journal_lists import Sought, journal_list
from models.paging import Place
from models.requests import ExceptionRequest, certificate_behind, decided_requests, living_grants, neighbours, precedents, waiting_requests
from rules.addresses import host_of, mixes_scripts, parts, unicode_host
from rules.calendar import tokyo_date
from rules.refusal import Refused
from rules.requests import DECIDABLE, Decision, RequestState
from rules.rights import Area, Right
from rules.text import fold
from web.access import staff
from web.call import Call
from web.endpoint import Page, get, post
from web.errors import NotFound
from web.forms import number_of
from wording import acts
from wording.catalog import N_

_PATH = "/console/exceptions"
_PAGE = "console/exceptions/show.html"
_SHOWN = 100
_STALE = frozenset({"decided_already", "request_changed", "request_over"})
_DONE = {
    Decision.GRANT_ACCOUNT: N_("許可しました。手続きが完了し、お客様にメールをお送りします。"),
    Decision.GRANT_MAINTENANCE_EMAIL: N_("保守登録メールの方全員に許可しました。手続きが完了し、お客様にメールをお送りします。"),
    Decision.ASK: N_("確認のお願いをお送りします。お返事があると、この一覧に戻ります。"),
    Decision.DECLINE: N_("お断りのメールをお送りします。"),
}


@dataclass(frozen=True)
class Split:
    """An address in the parts that the domain rule looks at."""

    local: str
    sub: str
    registrable: str
    unicode: str
    """The host as people read it, where that differs from how it is written."""
    mixed: bool
    """Whether one label mixes writing systems: a name that only looks like another."""


def index(call: Call) -> Response:
    """The oldest request that waits, or the empty list with what was decided last."""
    rows = waiting_requests(call.session, limit=1, newest=call.query("sort") == "newest")
    if rows:
        return show_request(call, rows[0].id)
    return call.page("console/exceptions/index.html", decided=decided_requests(call.session, limit=20), **frame(call))


def show(call: Call) -> Response:
    """One request with its evidence and, for the desk, the decision."""
    return show_request(call, call.param("id"))


def show_request(call: Call, number: int, *, status: int = 200) -> Response:
    """The page of a request; HELD and unproved ones are not there for staff."""
    request = call.session.get(ExceptionRequest, number)
    if request is None or request.state in (RequestState.HELD, RequestState.UNPROVED) or (request.proved_at is None):
        raise NotFound
    newest = call.query("sort") == "newest"
    return call.page(
        _PAGE,
        status=status,
        request=request,
        waiting=waiting_requests(call.session, limit=_SHOWN, newest=newest),
        newest=newest,
        applied=_split(request.email),
        printed=_split(request.maintenance_email),
        decidable=request.state in DECIDABLE,
        **_evidence(call, request),
        **frame(call),
    )


def decide(call: Call) -> Response:
    """Take the decision; the next request opens. Somebody quicker, or other values than shown, answer 409 with the request as it is."""
    request = _load(call)
    if call.form.value("act") == "hand_over":
        return _take(call, request)
    form = call.form
    decision = next((decision for decision in Decision if decision == form.value("decision")), None)
    if decision is None:
        form.refuse(Refused("decision_empty", "decision"))
    ends_on = form.check("ends_on", _read_day)
    if form.failed or decision is None:
        return show_request(call, request.id, status=422)
    judgement = Judgement(decision, form.value("reason"), form.value("message"), ends_on, number_of(form.value("version")))
    try:
        decide_request(call.session, request, judgement, by=call.staff, desk=call.desk, now=call.now)
    except Refused as refused:
        return _again(call, refused)
    return call.redirect(_PATH, flash=_DONE[decision])


def _take(call: Call, request: ExceptionRequest) -> Response:
    try:
        take_request(call.session, request, by=call.staff, now=call.now)
    except Refused as refused:
        return _again(call, refused)
    return call.redirect(f"{_PATH}/{request.id}", flash=N_("この申請の担当になりました。"))


def _again(call: Call, refused: Refused) -> Response:
    number: int = call.param("id")
    call.session.rollback()
    call.session.expire_all()
    call.form.refuse(refused)
    return show_request(call, number, status=409 if refused.code in _STALE else 422)


def _load(call: Call) -> ExceptionRequest:
    request = call.named(ExceptionRequest)
    if request.proved_at is None:
        raise NotFound
    return request


def _evidence(call: Call, request: ExceptionRequest) -> dict[str, Any]:
    """The certificate with its parties and period, others around, earlier decisions, history, the letter of each decision."""
    certificate = certificate_behind(call.session, request.contract_key)
    history = journal_list(call.session, Sought(subject_kind="exception_request", subject_id=request.id), place=Place(), limit=_SHOWN).rows
    return {
        "certificate": certificate,
        "parties": parties_of(call.session, [certificate.id]) if certificate is not None else [],
        "today": tokyo_date(call.now),
        "grants": len(living_grants(call.session, request.maintenance_email_key, account_id=None)),
        "neighbours": neighbours(call.session, request),
        "precedents": precedents(call.session, request),
        "history": [(acts.sentence(entry.act, call.basis.language), entry.actor_name, entry.at, entry.facts) for entry in history],
        "mails": previews(call.session, request, call.desk, message=call.form.value("message")),
    }


def _split(address: str) -> Split:
    host = host_of(address)
    sub, registrable = parts(host)
    readable = unicode_host(host)
    return Split(address.rpartition("@")[0], sub, registrable or host, readable if readable != host else "", mixes_scripts(readable))


def _read_day(typed: str) -> date | None:
    text = fold(typed).replace("-", "/")
    if not text:
        return None
    try:
        year, month, day = (int(piece) for piece in text.split("/"))
        return date(year, month, day)
    except ValueError as fault:
        raise Refused("ends_on_form", "ends_on") from fault


_READ, _WRITE = staff(Area.EXCEPTIONS, Right.READ), staff(Area.EXCEPTIONS, Right.WRITE)
PAGES: list[Page] = [
    get(_PATH, index, _READ),
    get(f"{_PATH}/{{id:int}}", show, _READ),
    post(f"{_PATH}/{{id:int}}/decision", decide, _WRITE),
]
