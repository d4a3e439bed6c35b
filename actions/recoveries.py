"""ログイン情報を忘れた場合: the user IDs of an address by mail, each with a link that sets a new password."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from actions import journal, notices, rates
from actions.links import find_link, issue_link, kill_links, use_link
from actions.sign_ins import client_key
from mail.desk import Desk
from models.actors import Actor
from models.admission import LinkKind, RecoveryRequest
from models.people import Account, AccountSession, AccountState
from rules.limits import Limits
from rules.refusal import Refused

_HOUR = timedelta(hours=1)
_MOST_ACCOUNTS = 50
"""A mailing list may hold several accounts; a letter names no more than these."""


def count_request(session: Session, *, client: str, limits: Limits, now: datetime) -> None:
    """Count a request for help of one client, limited as registrations are.

    Refuses: too_many_tries(until).
    """
    if rates.count_one(session, "recovery_client", client_key(client), window=_HOUR, now=now) > limits.registrations_per_hour:
        raise Refused("too_many_tries", until=rates.window_start(now, _HOUR) + _HOUR)


def keep_request(session: Session, email: str, email_key: str, *, now: datetime) -> None:
    """Keep that help was asked for at an address: one row, whoever lives there. The letters are the job's, so the answer's time tells nothing."""
    session.add(RecoveryRequest(email=email, email_key=email_key, asked_at=now))


def answer_request(session: Session, *, desk: Desk, limits: Limits, now: datetime) -> bool:
    """Write the letters of the oldest kept request and let it go; False when nobody waits."""
    asked = session.scalars(select(RecoveryRequest).order_by(RecoveryRequest.id).limit(1)).one_or_none()
    if asked is None:
        return False
    session.delete(asked)
    send_login_ids(session, asked.email, asked.email_key, desk=desk, limits=limits, now=now)
    return True


def send_login_ids(session: Session, email: str, email_key: str, *, desk: Desk, limits: Limits, now: datetime) -> None:
    """Mail all user IDs of an address, each with a reset link; nothing for an address without account or with its letters sent."""
    window = timedelta(hours=limits.confirmation_mail_hours)
    if rates.count_one(session, "recovery_mail", email_key, window=window, now=now) > limits.confirmation_mails:
        return
    accounts = session.scalars(
        select(Account).where(Account.email_key == email_key, Account.state == AccountState.ACTIVE).order_by(Account.id).limit(_MOST_ACCOUNTS)
    ).all()
    expires_at = now + timedelta(hours=limits.reset_link_hours)
    named = [(account, issue_link(session, account.id, LinkKind.RESET, expires_at=expires_at, now=now)) for account in accounts]
    if named:
        # To the address as the account keeps it: what was typed may differ in case, and only the proved one is mailed to.
        notices.login_ids(session, accounts[0].email if len(accounts) == 1 else email, named, desk=desk, limits=limits, now=now)


def set_password(session: Session, token: str, password_hash: str, *, client: str, desk: Desk, now: datetime) -> Account | None:
    """Set the new password of a living reset link, end all sessions and links of the account; None when the link lives no more."""
    found = find_link(session, LinkKind.RESET, token, now=now)
    if found is None or not use_link(session, found[0], now=now):
        return None
    account = found[1]
    account.password_hash = password_hash
    account.updated_at = now
    session.execute(delete(AccountSession).where(AccountSession.account_id == account.id))
    kill_links(session, account.id, now=now)
    by = Actor(id=account.id, name=account.person_name, client=client, kind="customer")
    journal.record(session, "reset_password", "account", account.id, by=by, now=now, subject_name=account.user_id)
    notices.password_changed(session, account, desk=desk, now=now)
    return account
