"""Signing in: tries are counted ahead, so that parallel ones cannot slip through; known and unknown user IDs do the same work."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, literal, select
from sqlalchemy.orm import Session

from actions import journal, rates
from models.actors import Actor
from models.admission import AccountTotp, Consent, SignIn
from models.people import Account, AccountState
from rules.limits import Limits
from rules.refusal import Refused

_IPV6_NETWORK = 64


@dataclass(frozen=True)
class Known:
    """What checking a password needs of an account."""

    account_id: int
    password_hash: str
    active: bool


def count_try(session: Session, key: str, *, client: str, limits: Limits, now: datetime) -> None:
    """Count a try of the user ID `key` before its password is looked at. For a short transaction of its own, undone by the refusal.

    Refuses: too_many_tries(until).
    """
    window = timedelta(minutes=limits.sign_in_window_minutes)
    most = {"sign_in_client": limits.sign_in_failures, "sign_in_user": limits.sign_in_failures, "sign_in_all": limits.sign_in_failures_all}
    for bucket, counted in _buckets(key, client):
        if rates.count_one(session, bucket, counted, window=window, now=now) > most[bucket]:
            raise Refused("too_many_tries", until=rates.window_start(now, window) + window)


def give_back_try(session: Session, key: str, *, client: str, limits: Limits, now: datetime) -> None:
    """Take back what `count_try` counted: the password was right, and only failures are limited."""
    for bucket, counted in _buckets(key, client):
        rates.give_back(session, bucket, counted, window=timedelta(minutes=limits.sign_in_window_minutes), now=now)


def _buckets(key: str, client: str) -> tuple[tuple[str, str], ...]:
    # In one order everywhere: two tries that lock the same rows must not wait for each other crosswise.
    return ("sign_in_client", client_key(client)), ("sign_in_user", key), ("sign_in_all", "")


def client_key(client: str) -> str:
    """What limits per client count by: the address, of IPv6 the network, since one client owns a whole one."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, _IPV6_NETWORK), strict=False))
    return str(address)


def find_known(session: Session, key: str) -> Known | None:
    """The account of a user ID, as far as checking a password needs it."""
    row = session.execute(select(Account.id, Account.password_hash, Account.state).where(Account.user_id_key == key)).one_or_none()
    return Known(row.id, row.password_hash, row.state == AccountState.ACTIVE) if row else None


def record_failure(session: Session, key: str, *, client: str, now: datetime) -> None:
    """Add the failure to the ログイン履歴 of the account, if there is one: the same statement runs either way."""
    row = select(Account.id, literal(False), literal("password"), literal(client), literal(now, SignIn.at.type)).where(Account.user_id_key == key)
    session.execute(insert(SignIn).from_select(["account_id", "succeeded", "how", "client", "at"], row))


def admit(session: Session, known: Known, key: str, *, client: str, limits: Limits, now: datetime) -> tuple[Account, bool]:
    """Let in whoever's password was right a moment ago; the caller opens the session, or first asks for the code where one is due (True).

    The ログイン履歴 tells of it, of a sign-in with a code once that is right.

    Refuses: sign_in_wrong (suspended or changed since).
    """
    account = session.scalars(
        select(Account).where(Account.id == known.account_id, Account.password_hash == known.password_hash, Account.state == AccountState.ACTIVE)
    ).one_or_none()
    if account is None:
        raise Refused("sign_in_wrong")
    give_back_try(session, key, client=client, limits=limits, now=now)
    second = session.scalar(select(AccountTotp.id).where(AccountTotp.account_id == account.id, AccountTotp.enrolled_at.is_not(None))) is not None
    if not second:
        note_sign_in(session, account.id, succeeded=True, how="password", client=client, now=now)
    return account, second


def note_sign_in(session: Session, account_id: int, *, succeeded: bool, how: str, client: str, now: datetime) -> None:
    """Add a line to the ログイン履歴; `how` is password or code."""
    session.add(SignIn(account_id=account_id, staff_id=None, succeeded=succeeded, how=how, client=client, at=now))


def consent(session: Session, account: Account, version: int, *, client: str, now: datetime) -> None:
    """Keep that the account agreed to a newer version of the privacy text."""
    before, account.privacy_version = account.privacy_version, version
    session.add(Consent(account_id=account.id, privacy_version=version, at=now))
    by = Actor(id=account.id, name=account.person_name, client=client, kind="customer")
    journal.record(session, "consent", "account", account.id, by=by, now=now, subject_name=account.user_id, version=[before, version])
