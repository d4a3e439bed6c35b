"""新規アカウント登録: trying, holding until the link is used, completing; nothing is an account before that."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Update, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from actions import journal, notices, notices_exceptions, rates
from actions.decisions import Judged, is_taken, judge_new, judge_pending, keep_refusal
from actions.sign_ins import client_key
from mail.desk import Desk
from models.actors import SYSTEM, Actor
from models.admission import Consent, PendingRegistration
from models.database import lock
from models.people import Account, AccountState
from models.requests import ExceptionRequest
from models.tokens import hash_token, new_token
from rules.addresses import parse_address, registrable
from rules.credentials import user_id_key
from rules.limits import Limits
from rules.refusal import Refused
from rules.registration import Applicant, Normalised, normalise
from rules.text import searchable

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


class LinkState(StrEnum):
    LIVING = "living"
    USED = "used"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


def try_registration(session: Session, applicant: Applicant, *, client: str, desk: Desk, limits: Limits, now: datetime) -> Judged:
    """Judge what was typed and keep a refusal. For a short transaction of its own: the count and the refusal outlive the answer.

    Refuses: too_many_tries(until) after `limits.registrations_per_hour` tries of one client that could learn something.
    """
    entries = normalise(applicant, password_required=True)
    if entries.contract_key is None or entries.maintenance_email is None:
        trace, told = judge_new(session, entries, now=now)
        return Judged(entries, told, keep_refusal(session, "registration", entries, trace, client=client, now=now))
    if rates.count_one(session, "registration_client", client_key(client), window=_HOUR, now=now) > limits.registrations_per_hour:
        raise Refused("too_many_tries", until=rates.window_start(now, _HOUR) + _HOUR)
    blind = _count_failure(session, entries.contract_key, desk=desk, limits=limits, now=now)
    trace, told = judge_new(session, entries, blind=blind, now=now)
    if not told.pair_refused:
        rates.give_back(session, "contract_failure", entries.contract_key, window=_DAY, now=now)
    if told.passed:
        return Judged(entries, told)
    return Judged(entries, told, keep_refusal(session, "registration", entries, trace, told=told, client=client, now=now, limited=blind))


def is_pressed_again(session: Session, judged: Judged, mark: str, *, now: datetime) -> bool:
    """Whether the very form that `mark` names (its browser and entries) was good enough before: a second press of one button.

    The second press finds the user ID taken, by the first one.
    """
    if judged.passed:
        return rates.count_one(session, "registration_form", mark, window=_DAY, now=now) > 1
    taken = [refused.code for refused in judged.refusals] == ["user_id_taken"]
    return taken and rates.counted(session, "registration_form", mark, window=_DAY, now=now) > 0


def is_doubled(session: Session, mark: str, *, now: datetime) -> bool:
    """Whether two presses of one form were on their way at once: whichever came first did its work."""
    return rates.counted(session, "registration_form", mark, window=_DAY, now=now) > 1


def find_same(session: Session, entries: Normalised, *, now: datetime) -> PendingRegistration | None:
    """The registration with these entries whose link lives."""
    if not (entries.user_id and entries.email and entries.maintenance_email and entries.contract_key):
        return None
    pending = PendingRegistration
    statement = select(pending).where(
        pending.user_id_key == user_id_key(entries.user_id),
        pending.email_key == entries.email.key,
        pending.maintenance_email == entries.maintenance_email.value,
        pending.contract_key == entries.contract_key,
        pending.completed_at.is_(None),
        pending.expires_at > now,
    )
    return session.scalars(statement.order_by(pending.id.desc()).limit(1)).one_or_none()


def _count_failure(session: Session, contract_key: str, *, desk: Desk, limits: Limits, now: datetime) -> bool:
    """Count one failure ahead (parallel tries must not slip through); True when the contract has had too many today."""
    failures = rates.count_one(session, "contract_failure", contract_key, window=_DAY, now=now)
    if failures == limits.contract_failures_per_day + 1:
        journal.record(session, "limit_reached", "contract", None, by=SYSTEM, now=now, subject_name=contract_key, failures=failures - 1)
        notices_exceptions.too_many_failures(session, contract_key, failures - 1, desk=desk, now=now)
    return failures > limits.contract_failures_per_day


def hold(session: Session, entries: Normalised, password_hash: str, *, privacy_version: int, desk: Desk, limits: Limits, now: datetime) -> int:
    """仮登録: keep what passed `try_registration` until its link is used, and mail the link to the new address.

    Returns the number of the pending registration, 0 when the address has had its letters: then nothing is kept and no mail leaves.
    Refuses: user_id_taken (somebody was quicker).
    """
    assert entries.user_id and entries.email and entries.maintenance_email and entries.contract_key
    key = user_id_key(entries.user_id)
    lock(session, f"user_id:{key}")
    if is_taken(session, key, now=now):
        raise Refused("user_id_taken", "user_id")
    if not may_mail(session, entries.email.key, limits=limits, now=now):
        return 0
    pending = PendingRegistration(
        user_id=entries.user_id,
        user_id_key=key,
        password_hash=password_hash,
        company_name=entries.company_name,
        person_name=entries.person_name,
        email=entries.email.value,
        email_key=entries.email.key,
        maintenance_email=entries.maintenance_email.value,
        contract_key=entries.contract_key,
        privacy_version=privacy_version,
    )
    return _send_link(session, pending, desk=desk, limits=limits, now=now)


def may_mail(session: Session, email_key: str, *, limits: Limits, now: datetime) -> bool:
    """Count one letter with a link to an address; False when it has had its number (limits.confirmation_mails)."""
    window = timedelta(hours=limits.confirmation_mail_hours)
    return rates.count_one(session, "confirmation_mail", email_key, window=window, now=now) <= limits.confirmation_mails


def _send_link(session: Session, pending: PendingRegistration, *, desk: Desk, limits: Limits, now: datetime) -> int:
    token = new_token()
    pending.token_hash = hash_token(token)
    pending.created_at = now
    pending.expires_at = now + timedelta(hours=limits.confirmation_link_hours)
    pending.completed_at = None
    pending.account_id = None
    session.add(pending)
    session.flush()
    notices.registration_link(session, pending, token=token, desk=desk, now=now)
    return pending.id


def find_pending(session: Session, token: str) -> PendingRegistration | None:
    """The registration behind a link's secret, whatever has become of it."""
    return session.scalars(select(PendingRegistration).where(PendingRegistration.token_hash == hash_token(token))).one_or_none()


def state_of(pending: PendingRegistration | None, *, now: datetime) -> LinkState:
    """What the link of `pending` is good for now."""
    if pending is None:
        return LinkState.UNKNOWN
    if pending.completed_at is not None:
        return LinkState.USED
    return LinkState.LIVING if pending.expires_at > now else LinkState.EXPIRED


def recheck(session: Session, pending: PendingRegistration, *, client: str, now: datetime) -> Judged:
    """Judge a pending registration again before it is completed, and keep a refusal; for a short transaction of its own."""
    entries, trace = judge_pending(session, pending, now=now)
    return Judged(entries, trace, "" if trace.passed else keep_refusal(session, "confirmation", entries, trace, client=client, now=now))


def complete(session: Session, token: str, *, client: str, desk: Desk, now: datetime) -> Account | None:
    """Turn the pending registration behind a living link into an account; None when it was completed already or lives no more.

    Refuses: changed_meanwhile (a rule that held a moment ago does not any more), user_id_taken.
    """
    pending = find_pending(session, token)
    if pending is None:
        return None
    lock(session, f"user_id:{pending.user_id_key}")
    session.refresh(pending)
    if state_of(pending, now=now) is not LinkState.LIVING:
        return None
    entries, trace = judge_pending(session, pending, now=now)
    if not trace.passed:
        raise Refused("changed_meanwhile")
    maintenance_key = entries.maintenance_email.key if entries.maintenance_email else ""
    account = account_from(pending, party_role=trace.matched_party or "", maintenance_key=maintenance_key, now=now)
    try:
        with session.begin_nested():
            session.add(account)
    except IntegrityError as fault:
        raise Refused("user_id_taken", "user_id") from fault
    session.add(Consent(account_id=account.id, privacy_version=pending.privacy_version, at=pending.created_at))
    session.execute(_copies(pending).values(completed_at=now, account_id=account.id))
    by = Actor(id=account.id, name=account.person_name, client=client, kind="customer")
    journal.record(session, "register", "account", account.id, by=by, now=now, subject_name=account.user_id, contract=account.contract_key)
    notices.registered(session, account, desk=desk, now=now)
    return account


def account_from(pending: PendingRegistration | ExceptionRequest, *, party_role: str, maintenance_key: str, now: datetime) -> Account:
    """The account that a proved registration makes, not added yet."""
    return Account(
        user_id=pending.user_id,
        user_id_key=pending.user_id_key,
        password_hash=pending.password_hash,
        company_name=pending.company_name,
        person_name=pending.person_name,
        email=pending.email,
        email_key=pending.email_key,
        email_domain=domain_of(pending.email),
        maintenance_email=pending.maintenance_email,
        maintenance_email_key=maintenance_key,
        contract_key=pending.contract_key,
        party_role=party_role,
        search_text=search_text(pending),
        state=AccountState.ACTIVE,
        privacy_version=pending.privacy_version,
        created_at=now,
        updated_at=now,
    )


def domain_of(email: str) -> str:
    """The registrable domain of a checked address."""
    host = parse_address(email).host
    return registrable(host) or host


def search_text(person: PendingRegistration | ExceptionRequest | Account) -> str:
    """Company, person, user ID and e-mail in the form search compares."""
    return searchable(f"{person.company_name} {person.person_name} {person.user_id} {person.email}")[:700]


def send_again(session: Session, pending: PendingRegistration, *, desk: Desk, limits: Limits, now: datetime) -> int:
    """Mail a new link for the same registration; older ones die. Returns its number, 0 when the address has had its letters.

    Refuses: user_id_taken (the ID was given away after the link had ended).
    """
    lock(session, f"user_id:{pending.user_id_key}")
    session.refresh(pending)
    if pending.completed_at is not None:
        return pending.id
    if is_taken(session, pending.user_id_key, pending=pending, now=now):
        raise Refused("user_id_taken", "user_id")
    if not may_mail(session, pending.email_key, limits=limits, now=now):
        return 0
    session.execute(_copies(pending).where(PendingRegistration.expires_at > now).values(expires_at=now))
    names = ("user_id", "user_id_key", "password_hash", "company_name", "person_name", "email", "email_key", "maintenance_email", "contract_key")
    copy = PendingRegistration(**{name: getattr(pending, name) for name in (*names, "privacy_version")})
    return _send_link(session, copy, desk=desk, limits=limits, now=now)


def withdraw(session: Session, pending: PendingRegistration, *, now: datetime) -> None:
    """Give up a registration that waits for its link: the link dies and the user ID is free again."""
    session.execute(_copies(pending).where(PendingRegistration.expires_at > now).values(expires_at=now))


def _copies(pending: PendingRegistration) -> Update:
    """All rows of one registration: every letter sent again made one."""
    return update(PendingRegistration).where(
        PendingRegistration.user_id_key == pending.user_id_key,
        PendingRegistration.password_hash == pending.password_hash,
        PendingRegistration.completed_at.is_(None),
    )
