"""プロフィール: the account with its 契約情報一覧, editing it, and the link that proves a new e-mail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlencode

from starlette.responses import Response

from actions import profiles, sign_ins
from actions.decisions import Judged, entries_of, judge_profile
from actions.exception_requests import hold_profile_change
from actions.links import find_link
from actions.profiles import GUARDED, Place
from actions.totp import totp_of
from customer_portal.registration import applicant_of, stop, tell
from customer_portal.session import start
from models.actors import Customer
from models.admission import LinkKind
from models.base import AnyRow
from models.database import transaction
from models.people import Account
from models.renewals import links_in_sight
from rules.calendar import tokyo_date
from rules.contracts import LineState, line_state
from rules.refusal import Refused
from rules.registration import normalise
from web.access import CUSTOMER, VISITOR
from web.call import Basis, Call, private
from web.endpoint import Page, find_actor, get, post
from web.forms import Form
from web.sessions import close_customer_sessions
from wording import labels
from wording.catalog import N_

_EDIT = "portal/profile/edit.html"
_CHECK = "portal/profile/check.html"
_EMAIL = "portal/profile/email.html"
_DIGITS = 9
"""An id with more would not fit the column."""
_FIELDS = ("company_name", "person_name", "user_id", "email", "maintenance_email", "contract_key")


@dataclass(frozen=True)
class Edited:
    """What the preparing step found out of a changed profile."""

    judged: Judged
    changes: dict[str, tuple[str, str]]
    new_password: bool
    stopped: Refused | None = None
    """Too many wrong passwords."""
    wrong: Refused | None = None
    """The present password is missing or wrong."""
    password_hash: str = ""
    held: str = ""
    """The secret of the press that turns a change which only the domain rule refuses into a request."""

    @property
    def guarded(self) -> bool:
        """Whether the change asks for the present password."""
        return self.new_password or bool(self.changes.keys() & GUARDED)


@dataclass(frozen=True)
class Links:
    """The neighbours of a page of contract lines."""

    previous_url: str | None
    next_url: str | None


def index(call: Call) -> Response:
    account = _account(call)
    text = call.query("q").strip()[:100]
    period = next((state for state in LineState if state == call.query("period")), None)
    today = tokyo_date(call.now)
    second = totp_of(call.session, account.id)
    after, before = _place(call.query("after")), _place(call.query("before"))
    kept = {name: value for name, value in (("q", text), ("period", period or "")) if value}
    lines, earlier, later = profiles.contract_lines(
        call.session, account.maintenance_email_key, text=text, period=period, today=today, after=after, before=before, rows=call.limits.page_rows
    )
    return call.page(
        "portal/profile/index.html",
        account=account,
        waiting=profiles.waiting_email(call.session, account.id, now=call.now),
        lines=[(line, line_state(line.starts_on, line.ends_on, today)) for line in lines],
        renewed=links_in_sight(call.session, [line.id for line in lines], account.maintenance_email_key),
        pages=Links(_url(kept, "before", lines[0]) if lines and earlier else None, _url(kept, "after", lines[-1]) if lines and later else None),
        q=text,
        period=period or "",
        periods=[(state.value, labels.line_state(state, call.basis.language)) for state in LineState],
        sign_ins=profiles.sign_ins(call.session, account.id),
        second_factor=second.enrolled_at if second else None,
    )


def _account(call: Call) -> Account:
    return call.session.get_one(Account, call.customer.id)


def _place(cursor: str) -> Place | None:
    parts = cursor.split("~")
    if len(parts) != 3 or not parts[2].isdecimal() or len(parts[2]) > _DIGITS:
        return None
    try:
        return Place(date.fromisoformat(parts[0]), parts[1], int(parts[2]))
    except ValueError:
        return None


def _url(kept: Mapping[str, str], way: str, line: AnyRow) -> str:
    return f"/profile?{urlencode({**kept, way: f'{line.ends_on.isoformat()}~{line.contract_key}~{line.id}'})}#contracts"


def edit(call: Call) -> Response:
    account = _account(call)
    held = judge_profile(call.session, account, entries_of(account), now=call.now)
    return _edit_page(call, account, form=Form({name: [getattr(account, name)] for name in _FIELDS}), gone=held.pair_refused)


def _edit_page(call: Call, account: Account, *, form: Form, gone: bool, held: Edited | None = None, status: int = 200) -> Response:
    offered: Sequence[str] = profiles.offered_contracts(call.session, account.maintenance_email_key) if gone else ()
    domain_refused = any(refused.code.startswith("domains_differ") for refused in form.refusals)
    return call.page(_EDIT, status=status, form=form, account=account, gone=gone, offered=offered, domain_refused=domain_refused, held=held)


def judge(basis: Basis) -> Edited | None:
    """Judge the changed profile, keep its refusal, and check the present password where it is asked for: all before the transaction."""
    form = Form(basis.fields)
    with transaction(basis.wiring.engine) as session:
        actor = find_actor(basis, session).actor
        account = session.get(Account, actor.id) if isinstance(actor, Customer) else None
        if account is None:
            return None
        new_password = bool(form.value("password")) or form.has("change_password")
        entries = normalise(applicant_of(form), password_required=new_password)
        judged = profiles.judge_edit(session, account, entries, client=basis.client, now=basis.now)
        edited = Edited(judged, profiles.changes_of(account, entries), new_password)
    if judged.trace.held:
        return replace(edited, held=_hold(basis, account, edited, form))
    if not judged.passed or not edited.guarded or not form.has("confirmed"):
        return edited
    return _check_password(basis, form, account, edited)


def _hold(basis: Basis, account: Account, edited: Edited, form: Form) -> str:
    """Keep what was typed, a new password as its hash, in case the holder asks for an exception."""
    hashed = basis.wiring.passwords.hash(form.value("password")) if edited.new_password else ""
    judged = edited.judged
    with transaction(basis.wiring.engine) as session:
        return hold_profile_change(session, account, judged.entries, judged.trace, hashed, reference=judged.reference, client=basis.client, now=basis.now)


def _check_password(basis: Basis, form: Form, account: Account, edited: Edited) -> Edited:
    stopped, wrong = present_password(basis, form, account)
    if stopped or wrong:
        return replace(edited, stopped=stopped, wrong=wrong)
    return replace(edited, password_hash=basis.wiring.passwords.hash(form.value("password")) if edited.new_password else "")


def present_password(basis: Basis, form: Form, account: Account) -> tuple[Refused | None, Refused | None]:
    """The present password, counted like a sign-in: who finds an open session may not try passwords in it. Too many tries, or a wrong one."""
    key = account.user_id_key
    try:
        with transaction(basis.wiring.engine) as session:
            sign_ins.count_try(session, key, client=basis.client, limits=basis.limits, now=basis.now)
    except Refused as stopped:
        return stopped, None
    right = basis.wiring.passwords.matches(account.password_hash, form.value("current_password"))
    with transaction(basis.wiring.engine) as session:
        if right:
            sign_ins.give_back_try(session, key, client=basis.client, limits=basis.limits, now=basis.now)
        else:
            sign_ins.record_failure(session, key, client=basis.client, now=basis.now)
    return None, None if right else Refused("password_wrong", "current_password")


def update(call: Call) -> Response:
    edited: Edited = call.basis.prepared
    account = _account(call)
    tell(call, edited.judged, askable=bool(edited.held))
    if call.form.failed:
        return _edit_page(call, account, form=call.form, gone=edited.judged.trace.pair_refused, held=edited, status=422)
    if call.form.has("edit"):
        return _edit_page(call, account, form=call.form, gone=False)
    if not edited.changes and not edited.new_password:
        return call.redirect("/profile", flash=N_("変更された項目はありません。"), kind="info")
    if edited.stopped:
        return stop(call, edited.stopped, _CHECK, account=account, edited=edited)
    if edited.wrong:
        call.form.refuse(edited.wrong)
        return call.invalid(_CHECK, account=account, edited=edited)
    if not call.form.has("confirmed"):
        return call.page(_CHECK, account=account, edited=edited)
    return _save(call, account, edited)


def _save(call: Call, account: Account, edited: Edited) -> Response:
    try:
        changes = profiles.edit(
            call.session,
            account,
            edited.judged.entries,
            password_hash=edited.password_hash,
            by=call.customer,
            desk=call.desk,
            limits=call.limits,
            now=call.now,
        )
    except Refused as refused:
        call.form.refuse(refused)
        return _edit_page(call, account, form=call.form, gone=False, status=422)
    if edited.password_hash:
        close_customer_sessions(call.session, account.id, but=call.customer.session_id)
    if edited.guarded:
        start(call, account.id)
    said = N_("プロフィールを変更しました。")
    if "email" in changes:
        said = N_("プロフィールを変更しました。新しいメールアドレスに確認メールをお送りしました。メールのリンクを開くまでは、これまでのアドレスを使います。")
    if "email" in changes and profiles.is_held(call.session, account.id, now=call.now):
        said = N_(
            "新しいメールアドレスに確認メールをお送りしました。保守登録メールまたはご契約番号も変わるため、メールのリンクを開いたときに、すべての変更をまとめて反映します。"
        )
    return call.redirect("/profile", flash=said)


def show_email(call: Call) -> Response:
    found = find_link(call.session, LinkKind.EMAIL_CHANGE, call.param("token"), now=call.now)
    return _email_page(call, found[0].email if found else "", held=found[0].held if found else None, status=200 if found else 410)


def judge_email(basis: Basis) -> Judged | None:
    """Judge the account with its new e-mail, and keep a refusal."""
    with transaction(basis.wiring.engine) as session:
        found = find_link(session, LinkKind.EMAIL_CHANGE, basis.request.path_params["token"], now=basis.now)
        if found is None:
            return None
        link, account = found
        return profiles.judge_edit(session, account, profiles.entries_of_link(account, link), client=basis.client, now=basis.now)


def prove_email(call: Call) -> Response:
    judged: Judged | None = call.basis.prepared
    if judged is None or judged.entries.email is None:
        return _email_page(call, "", status=410)
    tell(call, judged)
    if call.form.failed:
        return _email_page(call, judged.entries.email.value, status=422)
    account = profiles.prove_email(call.session, call.param("token"), judged.entries.email, client=call.client, desk=call.desk, now=call.now)
    if account is None:
        return _email_page(call, "", status=410)
    said = N_("メールアドレスを変更しました。")
    if isinstance(call.actor, Customer) and call.actor.id == account.id:
        start(call, account.id)
        return call.redirect("/profile", flash=said)
    return call.redirect("/login", flash=said)


def _email_page(call: Call, email: str, *, held: Mapping[str, str] | None = None, status: int) -> Response:
    return private(call.page(_EMAIL, status=status, email=email, held=held or {}, token=call.param("token")))


PAGES: list[Page] = [
    get("/profile", index, CUSTOMER),
    get("/profile/edit", edit, CUSTOMER),
    post("/profile/edit", update, CUSTOMER, prepare=judge),
    get("/profile/email/{token}", show_email, VISITOR),
    post("/profile/email/{token}", prove_email, VISITOR, prepare=judge_email),
]
