"""例外申請, the desk's side: approve, ask for more, decline. A decision binds the values it was made on, and is made once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from actions import journal, notices, notices_exceptions
from actions.decisions import judge_request
from actions.exception_requests import answer_until, new_link
from actions.links import kill_links
from actions.profiles import take_over
from actions.registrations import account_from, domain_of, search_text
from mail.desk import Desk
from models.actors import Actor, StaffMember
from models.admission import Consent
from models.journal import JournalEntry
from models.people import Account, AccountSession
from models.requests import ExceptionGrant, ExceptionRequest, RequestKind
from rules.calendar import tokyo_date
from rules.refusal import Refused
from rules.requests import DECIDABLE, Decision, RequestState, check_decision

REASON_CHARACTERS, MESSAGE_CHARACTERS = 2_000, 5_000


@dataclass(frozen=True)
class Judgement:
    """What a person of the desk decided, with the version of the request that they saw."""

    decision: Decision
    reason: str
    message: str
    ends_on: date | None
    version: int


def decide_request(session: Session, request: ExceptionRequest, judgement: Judgement, *, by: StaffMember, desk: Desk, now: datetime) -> None:
    """Decide the request; an approval completes the registration, or changes the profile, in the same transaction.

    Refuses: reason_empty, message_empty, text_long, ends_on_past; own_request; decided_already(name, at, decision) when somebody was quicker;
    request_over when the applicant was; request_changed when the request is not what the form showed;
    changed_meanwhile_why(why) when an approved pair fails another rule by now; user_id_taken.
    """
    _check(judgement, now)
    session.refresh(request, with_for_update=True)
    _check_open(session, request, judgement.version)
    if by.email.lower() == request.email_key:
        raise Refused("own_request")
    request.version += 1
    request.handler_id, request.handler_name = by.id, by.name
    request.decision, request.reason, request.message = judgement.decision, judgement.reason.strip(), judgement.message.strip()
    if judgement.decision is Decision.ASK:
        _ask(session, request, desk, now)
    elif judgement.decision is Decision.DECLINE:
        _decline(session, request, by, desk, now)
    else:
        _approve(session, request, judgement, by, desk, now)
    facts = {
        "decision": judgement.decision.value,
        "reason": request.reason,
        "message": request.message,
        "ends_on": judgement.ends_on and judgement.ends_on.isoformat(),
    }
    journal.record(session, "decide_exception", "exception_request", request.id, by=by, now=now, subject_name=request.number, **facts)


def take_request(session: Session, request: ExceptionRequest, *, by: StaffMember, now: datetime) -> None:
    """担当を引き継ぐ: let colleagues see who looks after the request. Refuses decided_already(name, at, decision), request_over."""
    session.refresh(request, with_for_update=True)
    _check_open(session, request, request.version)
    request.handler_id, request.handler_name = by.id, by.name
    journal.record(session, "take_exception", "exception_request", request.id, by=by, now=now, subject_name=request.number)


def revoke_grant(session: Session, grant: ExceptionGrant, *, reason: str, by: StaffMember, now: datetime) -> None:
    """Take a grant back: accounts stay, and meet the domain rule at their next change. Refuses: text_empty, text_long at reason; grant_revoked(name, day)."""
    text = reason.strip()
    if not text:
        raise Refused("text_empty", "reason")
    _check_length(text, "reason", REASON_CHARACTERS)
    session.refresh(grant, with_for_update=True)
    if grant.revoked_at is not None:
        raise Refused("grant_revoked", name=grant.revoked_by, day=tokyo_date(grant.revoked_at))
    grant.revoked_at, grant.revoked_by, grant.revoke_reason = now, by.name, text
    request = session.get_one(ExceptionRequest, grant.request_id)
    request.state = RequestState.VOID
    request.version += 1
    name = f"{grant.host} / {grant.maintenance_email}"
    journal.record(session, "revoke_grant", "exception_request", request.id, by=by, now=now, subject_name=name, reason=text)


def _check_open(session: Session, request: ExceptionRequest, version: int) -> None:
    """That the request can be decided and is what the form showed; who was quicker is named with what they decided."""
    decided = request.state not in DECIDABLE and request.decision and request.decided_by
    asked_meanwhile = request.state == RequestState.ASKED and request.version != version
    if decided or asked_meanwhile:
        last = select(JournalEntry.actor_name, JournalEntry.at).where(JournalEntry.subject_kind == "exception_request", JournalEntry.subject_id == request.id)
        row = session.execute(last.where(JournalEntry.act == "decide_exception").order_by(JournalEntry.id.desc()).limit(1)).one()
        raise Refused("decided_already", name=row.actor_name, at=row.at, decision=request.decision)
    if request.state not in DECIDABLE:
        raise Refused("request_over")
    if request.version != version:
        raise Refused("request_changed")


def _check(judgement: Judgement, now: datetime) -> None:
    for fault in check_decision(judgement.decision, judgement.reason, judgement.message):
        raise fault
    _check_length(judgement.reason, "reason", REASON_CHARACTERS)
    _check_length(judgement.message, "message", MESSAGE_CHARACTERS)
    if judgement.ends_on is not None and judgement.ends_on <= tokyo_date(now):
        raise Refused("ends_on_past", "ends_on")


def _check_length(text: str, field: str, most: int) -> None:
    if len(text) > most:
        raise Refused("text_long", field, max=most, n=len(text))


def _ask(session: Session, request: ExceptionRequest, desk: Desk, now: datetime) -> None:
    request.state, request.answer, request.expires_at = RequestState.ASKED, "", answer_until(now)
    notices_exceptions.exception_question(session, request, token=new_link(session, request, now=now), desk=desk, now=now)


def _decline(session: Session, request: ExceptionRequest, by: StaffMember, desk: Desk, now: datetime) -> None:
    request.state = RequestState.DECLINED
    _close(request, by, now)
    notices_exceptions.exception_declined(session, request, desk=desk, now=now)


def _approve(session: Session, request: ExceptionRequest, judgement: Judgement, by: StaffMember, desk: Desk, now: datetime) -> None:
    entries, trace = judge_request(session, request, granted=True, now=now)
    if not trace.passed:
        failed = next((result.code for result in trace.results if not result.passed and result.code), "")
        raise Refused("changed_meanwhile_why", why=failed)
    request.party_role = trace.matched_party or ""
    old_email = ""
    if request.kind == RequestKind.REGISTRATION:
        account = _register(session, request, now)
    else:
        account = session.get_one(Account, request.account_id)
        old_email = account.email if account.email_key != request.email_key else ""
        take_over(session, account, entries, trace, password_hash=request.password_hash, by=_holder(request), now=now)
        if old_email:
            _use_email(session, account, request, now)
    request.account_id = account.id
    request.state = RequestState.COMPLETED
    _close(request, by, now)
    session.add(
        ExceptionGrant(
            request_id=request.id,
            host=request.email_host,
            maintenance_email=request.maintenance_email,
            maintenance_email_key=request.maintenance_email_key,
            account_id=account.id if judgement.decision == Decision.GRANT_ACCOUNT else None,
            ends_on=judgement.ends_on,
            reason=request.reason,
            granted_by=by.name,
            granted_at=now,
            revoked_at=None,
        )
    )
    session.flush()
    notices_exceptions.exception_approved(session, request, account, desk=desk, now=now)
    if old_email:
        notices.email_changed(session, account, old_email=old_email, desk=desk, now=now)


def _register(session: Session, request: ExceptionRequest, now: datetime) -> Account:
    account = account_from(request, party_role=request.party_role, maintenance_key=request.maintenance_email_key, now=now)
    try:
        with session.begin_nested():
            session.add(account)
    except IntegrityError as fault:
        raise Refused("user_id_taken", "decision") from fault
    session.add(Consent(account_id=account.id, privacy_version=request.privacy_version, at=request.created_at))
    by = Actor(id=account.id, name=account.person_name, client=request.client, kind="customer")
    journal.record(session, "register", "account", account.id, by=by, now=now, subject_name=account.user_id, contract=account.contract_key)
    return account


def _use_email(session: Session, account: Account, request: ExceptionRequest, now: datetime) -> None:
    """The address was proved by the request's link; sessions and links got with the old one end."""
    account.email, account.email_key, account.email_domain = request.email, request.email_key, domain_of(request.email)
    account.search_text = search_text(account)
    session.execute(delete(AccountSession).where(AccountSession.account_id == account.id))
    kill_links(session, account.id, now=now)


def _close(request: ExceptionRequest, by: StaffMember, now: datetime) -> None:
    request.decided_by, request.decided_at = by.name, now


def _holder(request: ExceptionRequest) -> Actor:
    return Actor(id=request.account_id, name=request.person_name, client=request.client, kind="customer")
