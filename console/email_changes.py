"""保守登録メール変更: the queue by due date, recording a request, and the screen on which it is decided."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from starlette.responses import Response

from actions import email_changes as acts
from actions.attachments import held_files
from actions.email_change_apply import reversal_of, reverse_change
from actions.email_change_impact import Impact, impact_of
from actions.email_changes import Request, Shown, standing_of
from actions.notices_email_changes import reaches_requester
from console.frame import frame
from console.paging import Pager, address, number
from models.actors import StaffMember
from models.base import AnyRow
from models.email_changes import DuePlace, DueSheet, EmailChange, change_list, evidence, evidence_file, other_changes
from models.journal_lists import Sought, journal_list
from models.paging import Place
from models.people import Staff
from rules.addresses import parse_address, parts, unicode_host
from rules.calendar import holiday_name, tokyo_date
from rules.email_changes import DONE, ChangeState, Choice, Decision, Received, decisions, wants_text
from rules.refusal import Refused
from rules.rights import Area, Right
from rules.text import fold
from web.access import staff
from web.call import Call
from web.downloads import download
from web.endpoint import Page, get, post
from web.errors import NotFound, or_not_found
from wording import acts as words
from wording import center, labels
from wording.catalog import N_

PATH = "/console/email-changes"
_INDEX, _NEW, _SHOW, _REVERSAL = (f"console/email_changes/{name}.html" for name in ("index", "new", "show", "reversal"))
_VIEWS = {"open": N_("未完了"), "done": N_("完了・終了"), "all": N_("すべて")}
_PENDING = {"open": True, "done": False, "all": None}
_QUERY_CHARACTERS = 200
_MOST_TICKED = 200
"""Certificates that can be ticked one by one; an address on more of them changes wholly."""
_CONFLICTS = frozenset({"decided_meanwhile", "impact_outdated", "change_not_now"})


def index(call: Call) -> Response:
    """The queue, what is due first on top."""
    text = call.query("q").strip()[:_QUERY_CHARACTERS]
    view = call.query("view") if call.query("view") in _VIEWS else "open"
    sheet = change_list(
        call.session,
        pending=_PENDING[view],
        text=text,
        after=_place(call.query("after")),
        before=_place(call.query("before")),
        limit=call.limits.page_rows,
    )
    return call.page(
        _INDEX,
        **frame(call),
        rows=sheet.rows,
        page=_pager({"view": view, "q": text}, sheet),
        text=text,
        shown_view=view,
        views=[(code, call.say(word)) for code, word in _VIEWS.items()],
        conditions=[(call.say(N_("検索：{text}"), text=text), address(PATH, {"view": view}))] if text else [],
        today=tokyo_date(call.now),
    )


def new(call: Call) -> Response:
    """The form for a request that came by mail or call."""
    return _form(call)


def create(call: Call) -> Response:
    """Keep the request."""
    form = call.form
    held = _held(call)
    received_on = form.check("received_on", _parse_day)
    for name in ("old_email", "new_email"):
        form.check(name, lambda typed, field=name: parse_address(typed, field))
    if form.value("requester_email").strip():
        form.check("requester_email", lambda typed: parse_address(typed, "requester_email"))
    received = Received(form.value("received")) if form.value("received") in (Received.MAIL, Received.PHONE) else Received.MAIL
    if received_on is not None and not form.failed:
        request = Request(
            old_email=form.value("old_email"),
            new_email=form.value("new_email"),
            received=received,
            received_on=received_on,
            company=form.value("company_name")[:200],
            name=form.value("person_name")[:100],
            email=form.value("requester_email"),
            body=form.value("body"),
        )
        try:
            files = [file.id for file in held]
            change = acts.record_change(
                call.session, request, files=files, by=call.staff, calendar=call.calendar(), desk=call.desk, limits=call.limits, now=call.now
            )
            return call.redirect(f"{PATH}/{change.id}", flash=call.say(N_("変更の依頼 #{n} を記録しました。"), n=change.id))
        except Refused as refused:
            call.take_back(refused)
    return _form(call, held=held, status=422)


def show(call: Call) -> Response:
    """One request with everything it would do."""
    return _page(call, call.named(EmailChange))


def decide(call: Call) -> Response:
    """Take a decision on what the page showed."""
    change, form = call.named(EmailChange), call.form
    decision = next((one for one in Decision if one == form.value("decision") and one is not Decision.REVERSE), None)
    shown = _shown(call)
    if decision is None:
        form.refuse(Refused("decision_empty", "decision"))
        return _page(call, change, shown=shown, status=422)
    try:
        acts.decide_change(
            call.session,
            change,
            decision,
            shown,
            reason=form.value("reason"),
            message=form.value("message") if wants_text(decision) else "",
            by=call.staff,
            desk=call.desk,
            now=call.now,
        )
    except Refused as refused:
        call.take_back(refused)
        return _page(call, call.named(EmailChange), shown=shown, status=409 if refused.code in _CONFLICTS else 422)
    return call.redirect(f"{PATH}/{change.id}", flash=center.decided(decision))


def add_files(call: Call) -> Response:
    """More evidence."""
    change = call.named(EmailChange)
    try:
        acts.add_evidence(call.session, change, [file.id for file in _held(call)], by=call.staff, now=call.now)
    except Refused as refused:
        call.take_back(refused)
        return _page(call, call.named(EmailChange), status=422)
    return call.redirect(f"{PATH}/{change.id}#evidence", flash=N_("証拠を追加しました。"))


def show_reversal(call: Call) -> Response:
    """What taking the change back would do."""
    return _reversal(call, call.named(EmailChange))


def reverse(call: Call) -> Response:
    """Take the change back."""
    change = call.named(EmailChange)
    try:
        version = number(call.form.value("version")) or 0
        plan = reverse_change(call.session, change, version=version, reason=call.form.value("reason"), by=call.staff, desk=call.desk, now=call.now)
    except Refused as refused:
        call.take_back(refused)
        again = call.named(EmailChange)
        if ChangeState(again.state) not in DONE:
            return _page(call, again, status=409)
        return _reversal(call, again, status=422)
    told = call.say(N_("元に戻しました（証書の当事者 {n}件、アカウント {m}件）。"), n=len(plan.parties), m=len(plan.accounts))
    return call.redirect(f"{PATH}/{change.id}", flash=told)


def fetch(call: Call) -> Response:
    """A file of the evidence, as a download."""
    found = or_not_found(evidence_file(call.session, call.param("id"), call.param("token")))
    return call.finish(download(call.wiring.store, found))


def _form(call: Call, *, held: list[AnyRow] | None = None, status: int = 200) -> Response:
    return call.page(
        _NEW,
        status=status,
        **frame(call),
        held=held or [],
        kept=[(file.name, file.size) for file in held or []],
        today=tokyo_date(call.now),
        old=call.query("old")[:_QUERY_CHARACTERS],
        ways=[(code.value, center.change_received(code, call.basis.language)) for code in (Received.MAIL, Received.PHONE)],
    )


def _page(call: Call, change: EmailChange, *, shown: Shown | None = None, status: int = 200) -> Response:
    language = call.basis.language
    impact = impact_of(call.session, change, today=tokyo_date(call.now))
    step = standing_of(change, impact)
    may = call.staff.may("imports", "w")
    queue = change_list(call.session, pending=True, text="", after=None, before=None, limit=20) if change.pending else None
    return call.page(
        _SHOW,
        status=status,
        **frame(call),
        change=change,
        impact=impact,
        step=step,
        outdated=step is not ChangeState(change.state),
        due=_due(call, change),
        today=tokyo_date(call.now),
        compared=[_split(change.old_email), _split(change.new_email)],
        evidence=evidence(call.session, change.id),
        others=other_changes(call.session, change),
        history=_history(call, change),
        queue=queue.rows if queue else [],
        people=_people(call, change),
        decisions=[(code.value, *center.decision(code, language), wants_text(code)) for code in decisions(step, second_due=impact.second_due)] if may else [],
        blocked=impact.second_due and step is ChangeState.REVIEWED and change.reviewed_by_id == call.staff.id,
        choosing=may and step is ChangeState.CHECKED,
        choices=[(code.value, center.change_choice(code, language)) for code in Choice],
        chosen=_chosen(impact, shown),
        left_out=set(shown.left_out or ()) if shown else {row.id for row in impact.left_out},
        most_ticked=_MOST_TICKED,
        reversible=may and ChangeState(change.state) in DONE,
        reaches=reaches_requester(call.session, change),
    )


def _reversal(call: Call, change: EmailChange, *, status: int = 200) -> Response:
    try:
        plan = reversal_of(call.session, change)
    except Refused as refused:
        raise NotFound from refused
    return call.page(_REVERSAL, status=status, **frame(call), change=change, plan=plan)


def _shown(call: Call) -> Shown:
    """What stood on the page whose button was pressed; unticked certificates are those it showed and did not send."""
    form = call.form
    choices: dict[int, Choice] = {}
    for name in form.names("choice-"):
        account, chosen = number(name.removeprefix("choice-")), form.value(name)
        if account is not None and chosen in [*Choice]:
            choices[account] = Choice(chosen)
    ticked = {number(value) for value in form.values("party")}
    listed = [number(value) for value in form.value("listed").split()]
    left_out = [one for one in listed if one is not None and one not in ticked]
    if not form.has("listed") and not choices:
        return Shown(number(form.value("version")) or 0, form.value("fingerprint"))
    return Shown(number(form.value("version")) or 0, form.value("fingerprint"), choices, left_out)


def _chosen(impact: Impact, shown: Shown | None) -> dict[int, str]:
    typed: Mapping[int, Choice] = (shown.choices if shown else None) or {}
    return {each.account.id: typed.get(each.account.id, each.choice).value for each in impact.accounts}


def _due(call: Call, change: EmailChange) -> list[tuple[date, str, str]]:
    """Why the request is due when it is: each day with its holiday's name and what it counts as ("" where it counts)."""
    due = call.calendar().add_business_days(change.received_on, call.limits.email_change_days)
    language = call.basis.language
    days = [(change.received_on, call.say(N_("受付日（数えません）")))]
    days += [(day, "") for day in due.counted]
    days += [(skipped.day, labels.closed(skipped.reason, language)) for skipped in due.skipped]
    return [(day, holiday_name(day), why) for day, why in sorted(days)]


def _split(email: str) -> tuple[str, str, str, str]:
    """An address as the page draws it: name, subdomain, registrable domain, and the domain in letters where it is written in A-labels."""
    address = parse_address(email)
    sub, owned = parts(address.host)
    read = unicode_host(address.host)
    return address.local, sub, owned or address.host, read if read != address.host else ""


def _history(call: Call, change: EmailChange) -> list[tuple[str, list[words.Fact], AnyRow]]:
    sought = Sought(subject_kind="email_change", subject_id=change.id)
    entries = journal_list(call.session, sought, place=Place(), limit=50).rows
    language = call.basis.language
    return [(words.sentence(row.act, language), words.facts(row.facts, language), row) for row in entries]


def _people(call: Call, change: EmailChange) -> dict[str, str]:
    """The names of who recorded and who reviewed."""
    found: dict[str, str] = {}
    for role, number_ in (("recorded", change.recorded_by_id), ("reviewed", change.reviewed_by_id)):
        member = call.session.get(Staff, number_) if number_ else None
        found[role] = member.name if member else ""
    return found


def _held(call: Call) -> list[AnyRow]:
    by: StaffMember = call.staff
    tokens = [*call.form.values("held"), *(upload.token for upload in call.uploads)]
    return list(held_files(call.session, tokens, by=by))


def _parse_day(typed: str) -> date:
    try:
        return date.fromisoformat(fold(typed).replace("/", "-"))
    except ValueError as fault:
        raise Refused("day_form", "received_on") from fault


def _place(cursor: str) -> DuePlace | None:
    day, _, tail = cursor.partition("~")
    key = number(tail)
    try:
        return DuePlace(date.fromisoformat(day), key) if key is not None else None
    except ValueError:
        return None


def _pager(kept: dict[str, str], sheet: DueSheet) -> Pager:
    if not sheet.rows:
        return Pager(None, None)
    first, last = sheet.rows[0], sheet.rows[-1]
    return Pager(
        address(PATH, kept | {"before": f"{first.due_on.isoformat()}~{first.id}"}) if sheet.earlier else None,
        address(PATH, kept | {"after": f"{last.due_on.isoformat()}~{last.id}"}) if sheet.later else None,
    )


_READ, _WRITE = staff(Area.IMPORTS, Right.READ), staff(Area.IMPORTS, Right.WRITE)
PAGES: list[Page] = [
    get(PATH, index, _READ),
    post(PATH, create, _WRITE, uploads=True),
    get(f"{PATH}/new", new, _WRITE),
    get(f"{PATH}/{{id:int}}", show, _READ),
    post(f"{PATH}/{{id:int}}/decision", decide, _WRITE),
    post(f"{PATH}/{{id:int}}/evidence", add_files, _WRITE, uploads=True),
    get(f"{PATH}/{{id:int}}/reversal", show_reversal, _WRITE),
    post(f"{PATH}/{{id:int}}/reversal", reverse, _WRITE),
    get(f"{PATH}/{{id:int}}/files/{{token}}", fetch, _READ),
]
