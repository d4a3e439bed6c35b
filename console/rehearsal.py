"""登録の条件を確かめる: a would-be registration typed during a call, its trace, and the explanation as a letter."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from actions.rehearsals import near_misses, rehearse, send_explanation
from console.frame import frame
from rules.refusal import Refused
from rules.registration import Applicant, Trace
from rules.rights import Area, Right
from web.access import staff
from web.call import Call
from web.endpoint import Page, get, post
from wording.catalog import N_
from wording.refusals import say

_PATH = "/console/rehearsal"
_PAGE = "console/exceptions/rehearsal.html"
_STAND_IN = "-"
_ASIDE = frozenset({"company_name", "person_name"})
_GOOD = N_("入力された内容で登録できます。登録のページから、サポートサービス証書のとおりに入力してください。")


def index(call: Call) -> Response:
    """The empty form."""
    return call.page(_PAGE, **_context(call, None))


def try_out(call: Call) -> Response:
    """Judge what was typed; the rules that changed since the last try are marked."""
    return call.page(_PAGE, **_context(call, _judge(call)))


def send(call: Call) -> Response:
    """Mail the explanation to the address that was typed."""
    try:
        address = send_explanation(call.session, call.form.value("email"), call.form.value("text"), by=call.staff, desk=call.desk, now=call.now)
    except Refused as refused:
        call.take_back(refused)
        return call.invalid(_PAGE, **_context(call, _judge(call)))
    return call.redirect(_PATH, flash=call.say(N_("説明のメールを {email} へお送りします。"), email=address))


def _judge(call: Call) -> dict[str, Any]:
    form = call.form
    applicant = Applicant(
        company_name=_STAND_IN,
        person_name=_STAND_IN,
        user_id=form.value("user_id") or form.value("email"),
        email=form.value("email"),
        maintenance_email=form.value("maintenance_email"),
        contract_key=form.value("contract_key"),
        consent=True,
    )
    entries, trace = rehearse(call.session, applicant, now=call.now)
    said = [say(refused, call.basis.language) for refused in trace.refusals("–") if refused.field not in _ASIDE]
    return {
        "trace": trace,
        "entries": entries,
        "said": said,
        "flipped": _flipped(form.value("before"), trace),
        "before": " ".join(result.rule for result in trace.results if result.passed),
        "near": near_misses(call.session, entries.contract_key or "", entries.maintenance_email.key if entries.maintenance_email else ""),
        "explanation": form.value("text") or "\n\n".join(said or [call.say(_GOOD)]),
    }


def _flipped(before: str, trace: Trace) -> set[str]:
    """The rules whose result is another than at the last try; none at the first."""
    if not before:
        return set()
    held = set(before.split())
    return {result.rule.value for result in trace.results if result.passed != (result.rule.value in held)}


def _context(call: Call, judged: dict[str, Any] | None) -> dict[str, Any]:
    return {"judged": judged, **frame(call)}


_READ, _WRITE = staff(Area.EXCEPTIONS, Right.READ), staff(Area.EXCEPTIONS, Right.WRITE)
PAGES: list[Page] = [get(_PATH, index, _READ), post(_PATH, try_out, _READ), post(f"{_PATH}/letter", send, _WRITE)]
