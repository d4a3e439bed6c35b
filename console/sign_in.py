"""The console's door: local accounts with a password and a code."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from actions import staff_sign_in
from actions.totp import uri_of
from console import profile, sign_in_provider
from console.door import DOOR, forgive_try, local_path, open_door, start_session, too_many, try_again_at
from models.actors import StaffMember
from models.database import transaction
from models.people import Staff, staff_by_user_id
from rules.credentials import PASSWORD_MOST, user_id_key
from rules.refusal import Refused
from web.access import STAFF_MEMBER, STAFF_VISITOR
from web.call import Basis, Call
from web.endpoint import find_actor, get, post
from web.enrolment import grouped, picture
from web.sessions import close_session

CODE = "/console/sign-in/code"


@dataclass(frozen=True)
class Tried:
    """A password that was checked before the transaction opened."""

    user_key: str
    staff_id: int | None
    password_hash: str | None
    """The hash that matched: another one by now means the password was changed meanwhile."""
    matched: bool
    wait_until: datetime | None


def door(call: Call) -> Response:
    """The sign-in page."""
    if call.actor:
        return call.redirect(local_path(call.query("next")))
    return call.page("console/sign_in/door.html", **_door(call))


def enter(call: Call) -> Response:
    """Take the user ID and the password."""
    tried: Tried = call.basis.prepared
    for name in ("user_id", "password"):
        call.form.value(name)  # refuses a field that came twice
    if tried.wait_until:
        return too_many(call, "console/sign_in/door.html", tried.wait_until, **_door(call))
    staff = call.session.get(Staff, tried.staff_id) if tried.matched else None
    if staff is None or not staff.active or staff.password_hash != tried.password_hash:
        call.afterwards.append(partial(staff_sign_in.note_failed_password, user_key=tried.user_key, client=call.client, now=call.now))
        call.form.refuse(Refused("sign_in_wrong"))
        return call.invalid("console/sign_in/door.html", **_door(call))
    forgive_try(call, tried.user_key)
    target = local_path(call.form.value("next"))
    if staff.totp_enrolled_at is None and call.wiring.settings.staff_totp == "optional":
        return open_door(call, staff.id, how="password", target=target)
    staff_sign_in.offer_secret(staff, key=call.wiring.settings.key)
    start_session(call, staff.id, totp_passed=False)
    return call.redirect(f"{CODE}?next={quote(target, safe='')}")


def code(call: Call) -> Response:
    """Ask for the code, or first let the person enrol."""
    if call.half_signed_in is None:
        return call.redirect(DOOR)
    return call.page("console/sign_in/code.html", **_code(call, call.half_signed_in))


def enter_code(call: Call) -> Response:
    """Take the code."""
    half, wait_until = call.half_signed_in, call.basis.prepared
    if half is None or half.id is None:
        return call.redirect(DOOR)
    if wait_until:
        return too_many(call, "console/sign_in/code.html", wait_until, **_code(call, half))
    staff = call.session.get_one(Staff, half.id)
    try:
        staff_sign_in.use_code(call.session, staff, call.form.value("code"), key=call.wiring.settings.key, by=half, now=call.now)
    except Refused as refused:
        call.afterwards.append(partial(staff_sign_in.note_sign_in, staff_id=half.id, succeeded=False, how="code", client=call.client, now=call.now))
        call.form.refuse(refused)
        return call.invalid("console/sign_in/code.html", **_code(call, half))
    forgive_try(call, _code_key(half))
    return open_door(call, half.id, how="code", target=local_path(call.form.value("next")))


def leave(call: Call) -> Response:
    """Sign out."""
    close_session(call.session, call.staff)
    call.end_session()
    return call.redirect(f"{DOOR}?left=1")


def _try_password(basis: Basis) -> Tried:
    """Count the try, then do the same work for whoever it names: one look-up, one hash."""
    key = user_id_key((basis.fields.get("user_id") or [""])[0].replace("\x00", "\ufffd"))
    password = (basis.fields.get("password") or [""])[0]
    wait_until = try_again_at(basis, key)
    if wait_until:
        return Tried(key, None, None, matched=False, wait_until=wait_until)
    with transaction(basis.wiring.engine, readonly=True) as session:
        staff = staff_by_user_id(session, key)
        staff_id, kept = (staff.id, staff.password_hash if staff.active else None) if staff else (None, None)
    return Tried(key, staff_id, kept, matched=basis.wiring.passwords.matches(kept, password[: PASSWORD_MOST + 1]), wait_until=None)


def _count_code(basis: Basis) -> datetime | None:
    """Count the try against the person between password and code: six digits are guessed quickly."""
    with transaction(basis.wiring.engine, readonly=True) as session:
        half = find_actor(basis, session).half_signed_in
    return try_again_at(basis, _code_key(half)) if half else None


def _code_key(half: StaffMember) -> str:
    # A blank is in no user ID, so nobody can fill this count from the door.
    return f"code of {half.id}"


def _door(call: Call) -> dict[str, Any]:
    return {
        "next": call.form.value("next") or call.query("next"),
        "expired": call.query("expired") == "1",
        "left": call.query("left") == "1",
        "with_provider": bool(call.wiring.settings.oidc_issuer),
    }


def _code(call: Call, half: StaffMember) -> dict[str, Any]:
    staff = call.session.get_one(Staff, half.id)
    secret = staff_sign_in.secret_of(staff, key=call.wiring.settings.key)
    enrolling = staff.totp_enrolled_at is None and bool(secret)
    return {
        "half": half,
        "next": call.form.value("next") or call.query("next"),
        "enrolling": enrolling,
        "secret": grouped(secret) if enrolling else "",
        "picture": picture(uri_of(secret, staff.user_id)) if enrolling else "",
    }


PAGES = [
    get(DOOR, door, STAFF_VISITOR),
    post(DOOR, enter, STAFF_VISITOR, prepare=_try_password),
    get(CODE, code, STAFF_VISITOR),
    post(CODE, enter_code, STAFF_VISITOR, prepare=_count_code),
    post("/console/sign-out", leave, STAFF_MEMBER),
    *sign_in_provider.PAGES,
    *profile.PAGES,
]
