"""A staff member's own page: who one is here, one's password, where one is signed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from starlette.responses import Response

from actions import staff_sign_in
from actions.digests import choose_hour
from actions.staff import set_staff_password
from console.door import forgive_try, try_again_at
from console.frame import frame
from models.database import transaction
from models.people import Staff
from models.people_lists import staff_queues, staff_sessions, staff_sign_ins
from models.reminders import digest_hour
from rules.credentials import check_staff_password, user_id_key
from rules.refusal import Refused
from rules.reminders import DIGEST_HOURS
from web.access import STAFF_MEMBER
from web.call import Basis, Call
from web.endpoint import find_actor, get, post
from wording.catalog import N_

_TEMPLATE = "console/staff/profile.html"
_PATH = "/console/profile"


@dataclass(frozen=True)
class Typed:
    """The passwords of the form, checked and hashed before the transaction opened."""

    matched: bool = False
    kept: str | None = None
    new_hash: str = ""
    wait_until: datetime | None = None


def show(call: Call) -> Response:
    """The page."""
    return call.page(_TEMPLATE, **_profile(call))


def change_password(call: Call) -> Response:
    """Set a new password of one's own; the old one is asked, and every other session ends."""
    typed: Typed = call.basis.prepared
    staff = call.session.get_one(Staff, call.staff.id)
    _check(call, staff, typed)
    if call.form.failed:
        return call.page(_TEMPLATE, status=429 if typed.wait_until else 422, **_profile(call))
    forgive_try(call, user_id_key(staff.user_id))
    set_staff_password(call.session, staff, typed.new_hash, keep_session=call.staff.session_id, by=call.staff, now=call.now)
    return call.redirect(_PATH, flash=N_("パスワードを変更しました。ほかの画面のサインインは終了しました。"))


def choose_digest_hour(call: Call) -> Response:
    """Read the day's overview at another hour, or not at all."""
    try:
        hour = choose_hour(call.session, call.form.value("digest_hour"), by=call.staff)
    except Refused as refused:
        call.form.refuse(refused)
        return call.invalid(_TEMPLATE, **_profile(call))
    told = N_("今日の一覧を {hour}時に送ります。") if hour is not None else N_("今日の一覧を送らないようにしました。")
    return call.redirect(_PATH, flash=call.say(told, hour=hour))


def _check(call: Call, staff: Staff, typed: Typed) -> None:
    form, new = call.form, call.form.value("new_password")
    form.value("password")  # refuses a field that came twice
    if typed.wait_until:
        form.refuse(Refused("too_many_tries", until=typed.wait_until))
        return
    if not typed.matched or typed.kept != staff.password_hash:
        call.afterwards.append(partial(staff_sign_in.note_sign_in, staff_id=staff.id, succeeded=False, how="password", client=call.client, now=call.now))
        form.refuse(Refused("password_wrong", "password"))
    form.check("new_password", lambda _: check_staff_password(new, user_id=staff.user_id, email=staff.email, field="new_password"))
    if new != form.value("new_password_confirmation"):
        form.refuse(Refused("password_confirmation_differs", "new_password_confirmation"))


def _profile(call: Call) -> dict[str, Any]:
    staff = call.session.get_one(Staff, call.staff.id)
    return {
        **frame(call),
        "staff": staff,
        "queues": staff_queues(call.session, staff.id),
        "sign_ins": staff_sign_ins(call.session, staff.id),
        "sessions": staff_sessions(call.session, staff.id, call.now),
        "own_session": call.staff.session_id,
        "digest_hour": digest_hour(call.session, staff.id),
        "digest_hours": [("", call.say(N_("送らない"))), *((hour, call.say(N_("{hour}時"), hour=hour)) for hour in DIGEST_HOURS)],
    }


def _hash_ahead(basis: Basis) -> Typed:
    """Check the old password, counted like a try at the door, and hash the new one."""
    old, new = ((basis.fields.get(name) or [""])[0] for name in ("password", "new_password"))
    with transaction(basis.wiring.engine, readonly=True) as session:
        actor = find_actor(basis, session).actor
        staff = session.get(Staff, actor.id) if actor else None
        if staff is None:
            return Typed()
        kept, user_id, email = staff.password_hash, staff.user_id, staff.email
    wait_until = try_again_at(basis, user_id_key(user_id))
    if wait_until:
        return Typed(wait_until=wait_until)
    try:
        check_staff_password(new, user_id=user_id, email=email)
    except Refused:
        return Typed(basis.wiring.passwords.matches(kept, old), kept)
    return Typed(basis.wiring.passwords.matches(kept, old), kept, basis.wiring.passwords.hash(new))


PAGES = [
    get(_PATH, show, STAFF_MEMBER),
    post(f"{_PATH}/digest", choose_digest_hour, STAFF_MEMBER),
    post(f"{_PATH}/password", change_password, STAFF_MEMBER, prepare=_hash_ahead),
]
