"""訂正: a certificate's head or one of its lines set right by hand, with a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from actions import contracts as acts
from actions.contracts import LINE_FIELDS
from console.contract_search import PATH
from console.frame import frame
from models.contracts import Certificate, ContractLine
from models.masters import families
from rules.contracts import CONTACT, LAST_NUMBERED_DAY
from rules.lines import CERTIFICATE_FIELDS, DATE_FIELDS, EMAIL_FIELDS
from rules.rights import Area, Right
from web.access import staff
from web.call import Call
from web.endpoint import Page, get, post
from web.errors import NotFound
from wording.catalog import N_

_HEAD_PAGE, _LINE_PAGE = "console/contracts/correct.html", "console/contracts/correct_line.html"


def head(call: Call) -> Response:
    """The form of issue date and parties."""
    certificate = call.named(Certificate)
    return call.page(_HEAD_PAGE, **_head_context(call, certificate, acts.head_of(call.session, certificate), acts.seal(certificate)))


def correct_head(call: Call) -> Response:
    """Set them right."""
    certificate = call.named(Certificate)
    values, reason = _parsed(call, CERTIFICATE_FIELDS)
    if values:
        call.form.attempt(lambda: acts.check_head(values))
    done = None
    if not call.form.failed:
        done = call.form.attempt(
            lambda: acts.correct_certificate(call.session, certificate, values, reason=reason, seen=call.form.value("seen"), by=call.staff, now=call.now),
        )
    if done is None:
        call.session.rollback()
        context = _head_context(call, call.named(Certificate), _typed(call, CERTIFICATE_FIELDS), _seal_again(call))
        return call.invalid(_HEAD_PAGE, **context)
    return _back(call, certificate, changed=done)


def line(call: Call) -> Response:
    """The form of one line."""
    certificate, held = _line(call)
    return call.page(_LINE_PAGE, **_line_context(call, certificate, held, acts.line_of(call.session, held), acts.seal(certificate)))


def correct_line(call: Call) -> Response:
    """Set it right."""
    certificate, held = _line(call)
    values, reason = _parsed(call, LINE_FIELDS)
    done = None
    if not call.form.failed:
        done = call.form.attempt(
            lambda: acts.correct_line(call.session, certificate, held, values, reason=reason, seen=call.form.value("seen"), by=call.staff, now=call.now),
        )
    if done is None:
        call.session.rollback()
        return call.invalid(_LINE_PAGE, **_line_context(call, *_line(call), _typed(call, LINE_FIELDS), _seal_again(call)))
    return _back(call, certificate, changed=done)


def _parsed(call: Call, names: Sequence[str]) -> tuple[dict[str, str], str]:
    """The typed values as an import would read them, and the reason; {} where any is refused."""
    found = {name: call.form.check(name, lambda typed, name=name: acts.parse_field(call.session, name, typed)) for name in names}
    reason = call.form.check("reason", acts.parse_reason)
    return ({} if call.form.failed else {name: value or "" for name, value in found.items()}), reason or ""


def _typed(call: Call, names: Sequence[str]) -> dict[str, str]:
    return {name: call.form.value(name) for name in names}


def _seal_again(call: Call) -> str:
    """The seal that goes back with a refused form: the old one, or where somebody was quicker, and this was told, the new one."""
    if any(refused.code == "certificate_changed" for refused in call.form.refusals):
        return acts.seal(call.named(Certificate))
    return call.form.value("seen")


def _back(call: Call, certificate: Certificate, *, changed: bool) -> Response:
    path = f"{PATH}/{certificate.id}"
    if not changed:
        return call.redirect(path, flash=N_("変わるところがなかったため、何も変更していません。"), kind="info")
    return call.redirect(path, flash=N_("証書を訂正しました。次の取込で値が異なるときは、競合として確認します。"))


def _head_context(call: Call, certificate: Certificate, values: Mapping[str, str], seen: str) -> dict[str, Any]:
    now = acts.head_of(call.session, certificate)
    return {
        **frame(call),
        "certificate": certificate,
        "numbered": certificate.issued_on <= LAST_NUMBERED_DAY,
        "values": _shown(values),
        "seen": seen,
        "accounts": acts.accounts_by_email(call.session, {name: now[name] for name in EMAIL_FIELDS}),
    }


def _line_context(call: Call, certificate: Certificate, held: ContractLine, values: Mapping[str, str], seen: str) -> dict[str, Any]:
    return {
        **frame(call),
        "certificate": certificate,
        "line": held,
        "values": _shown(values),
        "seen": seen,
        "families": [(row.name, row.name) for row in families(call.session)],
        "contact": CONTACT,
    }


def _shown(values: Mapping[str, str]) -> dict[str, str]:
    """Days as people write them."""
    return {name: value.replace("-", "/") if name in DATE_FIELDS else value for name, value in values.items()}


def _line(call: Call) -> tuple[Certificate, ContractLine]:
    certificate, held = call.named(Certificate), call.named(ContractLine, "line")
    if held.certificate_id != certificate.id:
        raise NotFound
    return certificate, held


_WRITE = staff(Area.CONTRACTS, Right.WRITE)
PAGES: list[Page] = [
    get(f"{PATH}/{{id:int}}/correction", head, _WRITE),
    post(f"{PATH}/{{id:int}}/correction", correct_head, _WRITE),
    get(f"{PATH}/{{id:int}}/lines/{{line:int}}/correction", line, _WRITE),
    post(f"{PATH}/{{id:int}}/lines/{{line:int}}/correction", correct_line, _WRITE),
]
