"""The staff's way in: tries counted ahead, the second factor, and the identity of the OpenID provider bound once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, insert, literal, select, update
from sqlalchemy.orm import Session

from actions import journal, totp
from actions.rates import count_one, give_back, window_start
from actions.sign_ins import client_key
from models.actors import SYSTEM, Actor
from models.admission import SignIn
from models.base import Moment
from models.people import Staff
from models.sealing import is_sealed, open_secret, seal_secret
from rules.addresses import parse_address
from rules.limits import Limits
from rules.refusal import Refused


def count_try(session: Session, user_key: str, *, client: str, limits: Limits, now: datetime) -> None:
    """Count a try before it is checked, so that many at once count as many. Whether the user ID exists makes no difference.

    For a short transaction of its own, which the refusal undoes: a client past its limit does not use up what all others share.
    Refuses: too_many_tries(until).
    """
    window = _window(limits)
    for bucket, key, most in _counts(user_key, client, limits):
        if count_one(session, bucket, key, window=window, now=now) > most:
            raise Refused("too_many_tries", until=window_start(now, window) + window)


def forgive_try(session: Session, user_key: str, *, client: str, limits: Limits, now: datetime) -> None:
    """Take back a try that turned out to be right: only failures are limited."""
    for bucket, key, _ in _counts(user_key, client, limits):
        give_back(session, bucket, key, window=_window(limits), now=now)


def note_sign_in(session: Session, staff_id: int, *, succeeded: bool, how: str, client: str, now: datetime) -> None:
    """Add a line to the ログイン履歴; `how` is password, code or openid."""
    session.add(SignIn(staff_id=staff_id, succeeded=succeeded, how=how, client=client, at=now))


def note_failed_password(session: Session, user_key: str, *, client: str, now: datetime) -> None:
    """Add a failure to the ログイン履歴 of whoever has this user ID. One statement, the same whether or not there is anybody."""
    who = select(Staff.id, literal(False), literal("password"), literal(client), literal(now, Moment)).where(Staff.user_id_key == user_key)
    session.execute(insert(SignIn).from_select(["staff_id", "succeeded", "how", "client", "at"], who))


def offer_secret(staff: Staff, *, key: bytes) -> None:
    """A fresh TOTP secret for a staff member who has none enrolled: whoever saw an earlier one and left it has nothing."""
    if staff.totp_enrolled_at is None:
        staff.totp_secret = seal_secret(totp.new_secret(), _owner(staff), key)


def secret_of(staff: Staff, *, key: bytes) -> str:
    """The member's TOTP secret, "" without one or where JTICKETS_SECRET_KEY was another when it was kept."""
    return open_secret(staff.totp_secret, _owner(staff), key) if staff.totp_secret else ""


def use_code(session: Session, staff: Staff, typed: str, *, key: bytes, by: Actor, now: datetime) -> None:
    """Take a code of this or a neighbouring half minute, each once; the first right one completes the enrolment.

    Refuses: totp_wrong.
    """
    secret = secret_of(staff, key=key)
    step = totp.step_of(secret, typed, now)
    if step is None or not _take_step(session, staff, step):
        raise Refused("totp_wrong", "code")
    if not is_sealed(staff.totp_secret or ""):
        staff.totp_secret = seal_secret(secret, _owner(staff), key)
    if staff.totp_enrolled_at is None:
        staff.totp_enrolled_at = now
        journal.record(session, "enrol_totp", "staff", staff.id, by=by, now=now, subject_name=staff.name)


def admit_identity(session: Session, *, issuer: str, subject: str, email: str, email_verified: bool, client: str, now: datetime) -> Staff:
    """The staff member behind an OpenID identity; the first time a prepared row with that verified e-mail is bound to it for good.

    Refuses: oidc_unknown (nobody, or a disabled one: the same answer).
    """
    staff = session.scalars(select(Staff).where(Staff.oidc_issuer == issuer, Staff.oidc_subject == subject)).one_or_none()
    if staff is None and email_verified:
        staff = _bind(session, issuer, subject, email, client=client, now=now)
    if staff is None or not staff.active:
        raise Refused("oidc_unknown", email=email)
    return staff


def note_refused_identity(session: Session, why: str, *, client: str, now: datetime, subject: str = "") -> None:
    """Journal a sign-in through the provider that was refused; `why` is a word of ours, never the request's text."""
    visitor = Actor(id=None, name=SYSTEM.name, client=client)
    journal.record(session, "refuse_sign_in", "staff", None, by=visitor, now=now, why=why, subject=subject)


def _bind(session: Session, issuer: str, subject: str, email: str, *, client: str, now: datetime) -> Staff | None:
    try:
        key = parse_address(email).key
    except Refused:
        return None
    staff = session.scalars(select(Staff).where(Staff.email_key == key, Staff.oidc_subject.is_(None), Staff.active)).one_or_none()
    if staff is None:
        return None
    bound = _count(session, update(Staff).where(Staff.id == staff.id, Staff.oidc_subject.is_(None)).values(oidc_issuer=issuer, oidc_subject=subject))
    if not bound:
        return None
    actor = Actor(id=staff.id, name=staff.name, client=client, kind="staff")
    journal.record(session, "bind_identity", "staff", staff.id, by=actor, now=now, subject_name=staff.name, issuer=issuer, email=staff.email)
    return staff


def _take_step(session: Session, staff: Staff, step: int) -> bool:
    """Whether this code was not used before, nor one after it; of two at the same time one wins."""
    return _count(session, update(Staff).where(Staff.id == staff.id, Staff.totp_step < step).values(totp_step=step)) == 1


def _owner(staff: Staff) -> str:
    return f"staff:{staff.id}"


def _counts(user_key: str, client: str, limits: Limits) -> tuple[tuple[str, str, int], ...]:
    # In one order everywhere: two tries that lock the same rows must not wait for each other crosswise.
    return (
        ("staff_sign_in_client", client_key(client), limits.sign_in_failures),
        ("staff_sign_in_user", user_key, limits.sign_in_failures),
        ("staff_sign_in_all", "", limits.sign_in_failures_all),
    )


def _window(limits: Limits) -> timedelta:
    return timedelta(minutes=limits.sign_in_window_minutes)


def _count(session: Session, statement: Any) -> int:
    return cast("CursorResult[Any]", session.execute(statement)).rowcount
