"""The staff list, for those who let people in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from starlette.responses import Response

from actions import staff as acts
from console.frame import frame
from console.paging import number
from models.masters import FAMILIES
from models.people import Staff
from models.people_lists import queues_by_staff, staff_list, staff_queues, staff_sessions, staff_sign_ins
from rules.addresses import parse_address
from rules.credentials import check_staff_password
from rules.refusal import Refused
from rules.rights import Area, Right, Role
from web.access import staff
from web.call import Basis, Call
from web.endpoint import get, post
from wording import labels
from wording.catalog import N_

_PATH = "/console/staff"
_INDEX, _SHOW = "console/staff/index.html", "console/staff/show.html"


@dataclass(frozen=True)
class Hashed:
    """A password of the form as its hash; "" where it was empty or no password for staff."""

    password: str = ""


def index(call: Call) -> Response:
    """The list, and the form that prepares a new member."""
    return call.page(_INDEX, **_index(call))


def add(call: Call) -> Response:
    """Prepare a new member."""
    form, hashed = call.form, cast("Hashed", call.basis.prepared)
    _check(call)
    form.check("user_id", acts.parse_staff_user_id)
    if not form.failed:
        try:
            staff = acts.add_staff(
                call.session,
                user_id=form.value("user_id"),
                name=form.value("name"),
                email=form.value("email"),
                roles=form.values("roles"),
                families=_families(call),
                password_hash=hashed.password or None,
                by=call.staff,
                now=call.now,
            )
            return call.redirect(f"{_PATH}/{staff.id}", flash=call.say(N_("{name}さんを登録しました。"), name=staff.name))
        except Refused as refused:
            form.refuse(refused)
    return call.invalid(_INDEX, **_index(call))


def show(call: Call) -> Response:
    """One member."""
    return call.page(_SHOW, **_show(call, call.named(Staff)))


def change(call: Call) -> Response:
    """Change who a member is and what they may do."""
    staff, form = call.named(Staff), call.form
    _check(call)
    if not form.failed:
        try:
            acts.change_staff(
                call.session,
                staff,
                name=form.value("name"),
                email=form.value("email"),
                roles=form.values("roles"),
                active=form.has("active"),
                families=_families(call),
                by=call.staff,
                now=call.now,
            )
            return call.redirect(f"{_PATH}/{staff.id}", flash=call.say(N_("{name}さんの登録を変更しました。"), name=staff.name))
        except Refused as refused:
            form.refuse(refused)
    return call.invalid(_SHOW, **_show(call, staff))


def set_password(call: Call) -> Response:
    """Give a member a new local password, to be told to them by another way."""
    staff, hashed = call.named(Staff), cast("Hashed", call.basis.prepared)
    call.form.check("password", lambda typed: check_staff_password(typed, user_id=staff.user_id, email=staff.email))
    if call.form.failed:
        return call.invalid(_SHOW, **_show(call, staff))
    acts.set_staff_password(call.session, staff, hashed.password, by=call.staff, now=call.now)
    told = call.say(N_("{name}さんのパスワードを設定しました。本人に伝え、個人設定で変更してもらってください。"), name=staff.name)
    return call.redirect(f"{_PATH}/{staff.id}", flash=told)


def reset_code(call: Call) -> Response:
    """Let a member enrol a new authenticator."""
    staff = call.named(Staff)
    acts.reset_totp(call.session, staff, by=call.staff, now=call.now)
    told = call.say(N_("{name}さんの確認コードを解除しました。次のサインインで登録し直します。"), name=staff.name)
    return call.redirect(f"{_PATH}/{staff.id}", flash=told)


def _check(call: Call) -> None:
    """Everything that can be said of the form without the database, all at once."""
    form = call.form
    form.check("name", acts.parse_staff_name)
    form.check("email", parse_address)
    try:
        acts.parse_roles(form.values("roles"))
    except Refused as refused:
        form.refuse(refused)
    if form.value("password"):
        form.check("password", lambda typed: check_staff_password(typed, user_id=form.value("user_id"), email=form.value("email")))


def _families(call: Call) -> set[int]:
    """The ticked queues; -1 stands for a number that is none, which the action refuses."""
    return {found if (found := number(value)) is not None else -1 for value in call.form.values("families")}


def _index(call: Call) -> dict[str, Any]:
    return {**frame(call), **_choices(call), "rows": staff_list(call.session), "queues": queues_by_staff(call.session)}


def _show(call: Call, staff: Staff) -> dict[str, Any]:
    return {
        **frame(call),
        **_choices(call),
        "staff": staff,
        "queue_ids": [str(row.id) for row in staff_queues(call.session, staff.id)],
        "sign_ins": staff_sign_ins(call.session, staff.id),
        "sessions": staff_sessions(call.session, staff.id, call.now),
    }


def _choices(call: Call) -> dict[str, Any]:
    families = call.session.execute(FAMILIES).all()
    return {
        "role_choices": [(role.value, labels.role(role, call.basis.language)) for role in Role],
        "family_choices": [(str(row.id), row.name) for row in families if row.active],
        "with_provider": bool(call.wiring.settings.oidc_issuer),
    }


def _hash_ahead(basis: Basis) -> Hashed:
    typed = (basis.fields.get("password") or [""])[0]
    try:
        check_staff_password(typed, user_id="", email="")
    except Refused:
        return Hashed()
    return Hashed(basis.wiring.passwords.hash(typed))


_READ, _WRITE = staff(Area.MASTERS, Right.READ), staff(Area.MASTERS, Right.WRITE)
PAGES = [
    get(_PATH, index, _READ),
    post(_PATH, add, _WRITE, prepare=_hash_ahead),
    get(f"{_PATH}/{{id:int}}", show, _READ),
    post(f"{_PATH}/{{id:int}}", change, _WRITE),
    post(f"{_PATH}/{{id:int}}/password", set_password, _WRITE, prepare=_hash_ahead),
    post(f"{_PATH}/{{id:int}}/totp-reset", reset_code, _WRITE),
]
