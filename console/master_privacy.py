"""個人情報の取り扱い: its versions; a new one is seen as customers will see it before it is published."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from starlette.responses import Response

from actions import masters as acts
from console.frame import frame
from models.masters import PrivacyText, privacy_text
from rules.refusal import Refused
from rules.rights import Area, Right
from web.access import staff
from web.call import Call
from web.endpoint import get, post
from wording.catalog import N_

_PATH = "/console/masters/privacy-text"
_INDEX, _SHOW, _PREVIEW = (f"console/masters/{name}.html" for name in ("privacy_texts", "privacy_text", "privacy_preview"))


def index(call: Call) -> Response:
    """The version in force, the earlier ones, and the form for a new one."""
    return call.page(_INDEX, **_index(call))


def show(call: Call) -> Response:
    """One version as it was published."""
    text = call.named(PrivacyText, "version")
    present = privacy_text(call.session)
    return call.page(_SHOW, **frame(call), text=text, in_force=present is not None and present.id == text.id)


def publish(call: Call) -> Response:
    """Show the new version first; publish it when the page that showed it says so."""
    form, present = call.form, privacy_text(call.session)
    shown = form.value("present")
    if present is not None and shown != str(present.id):
        form.refuse(Refused("privacy_outdated"))
    body = form.check("body", lambda typed: acts.parse_privacy_text(typed, present.body if present else ""))
    if body is None or form.failed or form.has("edit"):
        return call.page(_INDEX, status=422 if form.failed else 200, **_index(call))
    if not form.has("confirmed"):
        return call.page(_PREVIEW, **frame(call), body=body, present=present, next_version=(present.id if present else 0) + 1)
    text = call.form.attempt(lambda: acts.publish_privacy_text(call.session, body, present=present, by=call.staff, now=call.now))
    if text is None:
        return call.invalid(_INDEX, **_index(call))
    return call.redirect(_PATH, flash=call.say(N_("第 {n} 版を公開しました。お客様には、次のログインで同意をお願いします。"), n=text.id))


def _index(call: Call) -> dict[str, Any]:
    versions = call.session.execute(select(PrivacyText.id, PrivacyText.published_at).order_by(PrivacyText.id.desc())).all()
    return {**frame(call), "versions": versions, "present": privacy_text(call.session)}


_READ, _WRITE = staff(Area.MASTERS, Right.READ), staff(Area.MASTERS, Right.WRITE)
PAGES = [
    get(_PATH, index, _READ),
    post(_PATH, publish, _WRITE),
    get(f"{_PATH}/{{version:int}}", show, _READ),
]
