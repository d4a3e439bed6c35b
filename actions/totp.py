"""The second factor: codes of an authenticator, and an account's own enrolment with its recovery codes (staff: `actions.staff_sign_in`)."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime
from typing import Any, cast

from pyotp import random_base32
from pyotp.totp import TOTP
from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session

from actions import journal, notices
from mail.desk import Desk
from models.actors import Actor
from models.admission import AccountTotp
from models.people import Account
from models.sealing import hash_code, open_secret, seal_secret
from rules.refusal import Refused
from rules.text import fold

RECOVERY_CODES = 10
_STEP_SECONDS = 30
_SIGNS = "23456789abcdefghjkmnpqrstuvwxyz"
"""No letters that are misread for digits."""
_CODE_SIGNS = 10


def new_secret() -> str:
    """A fresh secret of 20 bytes in base32."""
    return random_base32()


def step_of(secret: str, typed: str, now: datetime) -> int | None:
    """The time step whose code was typed: this half minute or a neighbouring one; None for any other text."""
    code = fold(typed).replace(" ", "")
    if not secret or not code.isascii():
        return None
    totp, current = TOTP(secret, interval=_STEP_SECONDS), int(now.timestamp()) // _STEP_SECONDS
    return next((step for step in (current, current - 1, current + 1) if hmac.compare_digest(totp.generate_otp(step), code)), None)


def uri_of(secret: str, user_id: str) -> str:
    """What the QR code of an enrolment says (otpauth)."""
    return TOTP(secret, interval=_STEP_SECONDS).provisioning_uri(name=user_id, issuer_name="J's チケットシステム")


def totp_of(session: Session, account_id: int) -> AccountTotp | None:
    """The account's second factor, offered or enrolled."""
    return session.scalars(select(AccountTotp).where(AccountTotp.account_id == account_id)).one_or_none()


def offer(session: Session, account: Account, *, key: bytes, now: datetime) -> str:
    """A fresh secret for an account without second factor: whoever saw an earlier one and left it has nothing. Refuses: change_not_now (enrolled)."""
    totp = totp_of(session, account.id)
    if totp is None:
        totp = AccountTotp(account_id=account.id, recovery=[], created_at=now)
        session.add(totp)
    elif totp.enrolled_at is not None:
        raise Refused("changed_meanwhile")
    secret = new_secret()
    totp.secret, totp.created_at = seal_secret(secret, _owner(account.id), key), now
    return secret


def offered_secret(session: Session, account_id: int, *, key: bytes) -> str:
    """The secret that waits for its first code, "" without one."""
    totp = totp_of(session, account_id)
    return open_secret(totp.secret, _owner(account_id), key) if totp is not None and totp.enrolled_at is None else ""


def enrol(session: Session, account: Account, typed: str, *, key: bytes, by: Actor, desk: Desk, now: datetime) -> list[str]:
    """Take the first code and tell the holder; returns the recovery codes, shown this once. Refuses: totp_wrong at code."""
    totp = totp_of(session, account.id)
    step = step_of(offered_secret(session, account.id, key=key), typed, now)
    if totp is None or step is None:
        raise Refused("totp_wrong", "code")
    codes = ["".join(secrets.choice(_SIGNS) for _ in range(_CODE_SIGNS)) for _ in range(RECOVERY_CODES)]
    totp.enrolled_at, totp.step = now, step
    totp.recovery = [hash_code(code, _owner(account.id), key) for code in codes]
    journal.record(session, "enrol_customer_totp", "account", account.id, by=by, now=now, subject_name=account.user_id)
    notices.totp_changed(session, account, enrolled=True, desk=desk, now=now)
    return codes


def use_code(session: Session, account: Account, typed: str, *, key: bytes, by: Actor, now: datetime) -> None:
    """Take a code or a recovery code, each once; of two at the same time one wins. Refuses: recovery_code_wrong at code."""
    totp = totp_of(session, account.id)
    if totp is None or totp.enrolled_at is None:
        return
    step = step_of(open_secret(totp.secret, _owner(account.id), key), typed, now)
    if step is not None and _changed(session, update(AccountTotp).where(AccountTotp.id == totp.id, AccountTotp.step < step).values(step=step)):
        return
    _use_recovery_code(session, account, totp, typed, key=key, by=by, now=now)


def remove(session: Session, account: Account, *, by: Actor, desk: Desk, now: datetime) -> None:
    """Turn the second factor off and tell the holder; nothing happens without one."""
    if not _changed(session, delete(AccountTotp).where(AccountTotp.account_id == account.id, AccountTotp.enrolled_at.is_not(None))):
        return
    journal.record(session, "remove_customer_totp", "account", account.id, by=by, now=now, subject_name=account.user_id)
    notices.totp_changed(session, account, enrolled=False, desk=desk, now=now)


def _use_recovery_code(session: Session, account: Account, totp: AccountTotp, typed: str, *, key: bytes, by: Actor, now: datetime) -> None:
    hashed = hash_code(fold(typed).replace(" ", "").replace("-", "").lower(), _owner(account.id), key)
    session.refresh(totp, with_for_update=True)
    if hashed not in totp.recovery:
        raise Refused("recovery_code_wrong", "code")
    totp.recovery = [kept for kept in totp.recovery if kept != hashed]
    journal.record(session, "use_recovery_code", "account", account.id, by=by, now=now, subject_name=account.user_id)


def _owner(account_id: int) -> str:
    return f"account:{account_id}"


def _changed(session: Session, statement: Any) -> bool:
    return cast("CursorResult[Any]", session.execute(statement, execution_options={"synchronize_session": False})).rowcount == 1
