"""メールの文面: an administrator rewrites a mail, sees it on real data first, and finds a way back."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff
from typing import Any, NamedTuple

from starlette.responses import Response

from actions import mail_templates as acts
from actions.mail_examples import Looking, newest
from console.frame import frame
from mail.compose import NOTICES, SECRET_NOTICES, Text
from mail.facts import AUDIENCES, CONTENTS, DESK, Fact, names, project
from mail.rewritten import check, render, shipped
from models.mail_templates import newest_versions, version_of, versions_of
from rules.refusal import Refused
from rules.rights import Area, Right
from web.access import staff
from web.call import Call
from web.endpoint import get, post
from web.errors import NotFound
from web.forms import number_of
from wording.catalog import N_, translate

_PATH = "/console/masters/mails"
_INDEX, _EDIT = "console/mail_templates/index.html", "console/mail_templates/edit.html"
_SHIPPED = "0"
"""The version that a notice came with."""


class Name(NamedTuple):
    """A name as one writes it, what it means, an example, and whether the body must have it."""

    written: str
    meaning: str
    example: str
    needed: bool


def index(call: Call) -> Response:
    """Every letter there is by whom it goes to, and which were rewritten."""
    latest = newest_versions(call.session)
    cards = [
        (audience, title, [(notice, NOTICES[notice], latest.get(notice)) for notice, content in CONTENTS.items() if content.audience == audience])
        for audience, title in AUDIENCES.items()
    ]
    return call.page(_INDEX, **frame(call), cards=cards)


def edit(call: Call) -> Response:
    """The form with the text in force; `?version=` brings an earlier one back into it."""
    return call.page(_EDIT, **_context(call, _notice(call)))


def update(call: Call) -> Response:
    """Show the text on real data, publish it, or set it back."""
    notice, form = _notice(call), call.form
    subject, body = form.value("subject").strip(), form.value("body")
    present = number_of(form.value("present"))
    try:
        if form.has("restore"):
            acts.restore(call.session, notice, present=present, by=call.staff, now=call.now)
            return call.redirect(f"{_PATH}/{notice}", N_("初めの文面に戻しました。"))
        if form.has("confirmed"):
            acts.publish(call.session, notice, subject, body, present=present, by=call.staff, now=call.now)
            return call.redirect(f"{_PATH}/{notice}", N_("文面を公開しました。これから作るメールに使います。"))
        check(notice, subject, body)
        example = newest(call.session, notice, Looking(call.staff, call.calendar(), call.limits, call.now))
        shown = render(subject, body, project(notice, example.facts, call.desk))
    except Refused as refused:
        form.refuse(refused)
        return call.invalid(_EDIT, **_context(call, notice))
    return call.page(_EDIT, **_context(call, notice, shown=shown, example=example.of))


def _notice(call: Call) -> str:
    notice = call.param("notice")
    if notice not in CONTENTS:
        raise NotFound
    return notice


def _context(call: Call, notice: str, *, shown: Text | None = None, example: str = "") -> dict[str, Any]:
    versions = versions_of(call.session, notice)
    present, came = versions[0] if versions else None, shipped(notice)
    in_force = (present.subject, present.body) if present and present.body else came
    asked = call.query("version")
    earlier = version_of(call.session, notice, number_of(asked)) if asked else None
    chosen = (earlier.subject, earlier.body) if earlier and earlier.body else came if asked == _SHIPPED else in_force
    subject, body = (call.form.value("subject"), call.form.value("body")) if call.form.has("body") else chosen
    return {
        **frame(call),
        "notice": notice,
        "title": translate(NOTICES[notice], call.basis.language),
        "subject": subject,
        "body": body,
        "versions": versions,
        "present": present.id if present else 0,
        "rewritten": bool(present and present.body),
        "names": [*_names(notice)],
        "differences": [*_differences(in_force, (subject, body))],
        "shown": shown,
        "example": example,
        "secret": notice in SECRET_NOTICES or notice.startswith("exception_"),
        "may_write": call.staff.may(Area.MASTERS, Right.WRITE),
    }


def _names(notice: str) -> Iterator[Name]:
    content = CONTENTS[notice]
    for name, fact in names((*content.facts, DESK)):
        yield Name(_written(name, fact), fact.meaning, "" if fact.parts or isinstance(fact.sample, bool) else str(fact.sample), name in content.needs)


def _written(name: str, fact: Fact) -> str:
    if fact.each:
        inner = "…" if fact.parts else f"{{{{ {fact.each} }}}}"
        return f"{{% for {fact.each} in {name} %}} {inner} {{% endfor %}}"
    if isinstance(fact.sample, bool):
        return f"{{% if {name} %}} … {{% endif %}}"
    return f"{{{{ {name}|{fact.show} }}}}" if fact.show else f"{{{{ {name} }}}}"


def _differences(old: tuple[str, str], new: tuple[str, str]) -> Iterator[tuple[str, str]]:
    """(sign, line) of what publishing would change: "-" goes, "+" comes, "" stays beside it; the subject is the first line."""
    before, after = (f"{subject.strip()}\n{body.replace(chr(13), '').strip(chr(10))}".split("\n") for subject, body in (old, new))
    for line in [*unified_diff(before, after, n=1, lineterm="")][3:]:
        yield (line[0].strip(), line[1:]) if line[0] in "+- " else ("", "…")


_READ, _WRITE = staff(Area.MASTERS, Right.READ), staff(Area.MASTERS, Right.WRITE)
PAGES = [
    get(_PATH, index, _READ),
    get(f"{_PATH}/{{notice:str}}", edit, _READ),
    post(f"{_PATH}/{{notice:str}}", update, _WRITE),
]
