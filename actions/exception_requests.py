"""例外申請, the applicant's side: one press turns a held form into a request; the link proves the address, follows it, and withdraws it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from actions import journal, notices_exceptions
from actions.decisions import entries_of
from actions.registrations import domain_of, may_mail
from mail.desk import Desk
from models.actors import SYSTEM, Actor
from models.database import lock
from models.people import Account
from models.requests import ExceptionRequest, RequestKind, RequestLink, open_request, request_of_link
from models.tokens import hash_token, new_token
from rules.credentials import user_id_key
from rules.limits import Limits
from rules.refusal import Refused
from rules.registration import Normalised, Trace
from rules.requests import OPEN, RequestState

_HELD_FOR = timedelta(hours=2)
"""So long the press may follow the refused form."""
_ANSWER_WITHIN = timedelta(days=30)
_AT_ONCE = 500
_QUIET = {"synchronize_session": False}


def hold_registration(
    session: Session, entries: Normalised, trace: Trace, password_hash: str, *, reference: str, privacy_version: int, client: str, now: datetime
) -> str:
    """Keep a registration that only the domain rule refuses, so that one press can ask for an exception. Returns the secret of that press."""
    return _hold(session, RequestKind.REGISTRATION, entries, trace, password_hash, None, reference, privacy_version, client, now)


def hold_profile_change(
    session: Session, account: Account, entries: Normalised, trace: Trace, password_hash: str = "", *, reference: str, client: str, now: datetime
) -> str:
    """The same for a change of an account's profile; `password_hash` "" keeps the password."""
    return _hold(session, RequestKind.PROFILE, entries, trace, password_hash, account.id, reference, account.privacy_version, client, now)


def ask(session: Session, token: str, *, desk: Desk, limits: Limits, now: datetime) -> ExceptionRequest | None:
    """Turn what is held behind the press into a request; None when it lies too long ago. Pressed twice it is asked for once.

    A letter with a link goes to the address, which staff see only once it is proved; a change of an account whose address stays is proved already.
    Refuses: exception_asked(n) while a request for the same pair waits.
    """
    request = request_of_link(session, token, press=True)
    if request is None:
        return None
    lock(session, f"exception:{request.maintenance_email_key}")
    session.refresh(request)
    if request.state != RequestState.HELD or request.expires_at <= now:
        return request if request.state in OPEN else None
    waiting = open_request(session, email_key=request.email_key, maintenance_key=request.maintenance_email_key, now=now)
    if waiting is not None:
        raise Refused("exception_asked", n=waiting.reference or waiting.number)
    request.created_at = now
    if _is_own_address(session, request):
        _enter_queue(session, request, desk=desk, now=now)
        return request
    request.state = RequestState.UNPROVED
    request.expires_at = now + timedelta(hours=limits.confirmation_link_hours)
    if may_mail(session, request.email_key, limits=limits, now=now):
        notices_exceptions.exception_link(session, request, token=new_link(session, request, now=now), desk=desk, now=now)
    return request


def prove(session: Session, request: ExceptionRequest, *, desk: Desk, now: datetime) -> bool:
    """The holder of the address pressed the link's button: from now on staff see the request. False when it was done already or lapsed."""
    session.refresh(request, with_for_update=True)
    if request.state != RequestState.UNPROVED or request.expires_at <= now:
        return False
    _enter_queue(session, request, desk=desk, now=now)
    return True


def withdraw_request(session: Session, request: ExceptionRequest, *, now: datetime) -> bool:
    """取下げ by the applicant; False when it is over already."""
    session.refresh(request, with_for_update=True)
    if request.state not in OPEN:
        return False
    _turn(request, RequestState.WITHDRAWN)
    request.decided_at = now
    journal.record(session, "withdraw_exception", "exception_request", request.id, by=_applicant(request), now=now, subject_name=request.number)
    return True


def answer_request(session: Session, request: ExceptionRequest, text: str, *, limits: Limits, now: datetime) -> None:
    """The applicant's answer to the desk's question: the request waits for the desk again.

    Refuses: answer_empty, text_long(max, n) at answer; nothing_asked_here when no question is open.
    """
    answer = text.strip()
    if not answer:
        raise Refused("answer_empty", "answer")
    if len(answer) > limits.body_characters:
        raise Refused("text_long", "answer", max=limits.body_characters, n=len(answer))
    session.refresh(request, with_for_update=True)
    if request.state != RequestState.ASKED:
        raise Refused("nothing_asked_here")
    request.answer = answer
    _turn(request, RequestState.PENDING)
    journal.record(session, "answer_exception", "exception_request", request.id, by=_applicant(request), now=now, subject_name=request.number, answer=answer)


def lapse_requests(session: Session, *, now: datetime) -> int:
    """期限切れ: requests whose address nobody proved, or whose question nobody answered, and held forms that nobody pressed; how many."""
    held = select(ExceptionRequest.id).where(ExceptionRequest.state == RequestState.HELD, ExceptionRequest.expires_at <= now).limit(_AT_ONCE)
    forgotten = session.scalars(held).all()
    session.execute(delete(RequestLink).where(RequestLink.request_id.in_(forgotten)), execution_options=_QUIET)
    session.execute(delete(ExceptionRequest).where(ExceptionRequest.id.in_(forgotten)), execution_options=_QUIET)
    waiting = ExceptionRequest.state.in_([RequestState.UNPROVED, RequestState.ASKED])
    over = update(ExceptionRequest).where(waiting, ExceptionRequest.expires_at <= now).values(state=RequestState.EXPIRED, decided_at=now)
    lapsed = session.scalars(over.returning(ExceptionRequest.id), execution_options=_QUIET).all()
    for number in lapsed:
        journal.record(session, "lapse_exception", "exception_request", number, by=SYSTEM, now=now)
    return len(forgotten) + len(lapsed)


def new_link(session: Session, request: ExceptionRequest, *, press: bool = False, now: datetime) -> str:
    """A link to follow the request, for a letter, or the secret of the `press`; earlier ones go on living."""
    token = new_token()
    session.add(RequestLink(token_hash=hash_token(token), request_id=request.id, press=press, created_at=now))
    return token


def answer_until(now: datetime) -> datetime:
    """Until when an asked applicant may answer."""
    return now + _ANSWER_WITHIN


def _hold(
    session: Session,
    kind: RequestKind,
    entries: Normalised,
    trace: Trace,
    password_hash: str,
    account_id: int | None,
    reference: str,
    privacy_version: int,
    client: str,
    now: datetime,
) -> str:
    assert entries.user_id and entries.email and entries.maintenance_email and entries.contract_key and trace.verdict
    request = ExceptionRequest(
        kind=kind,
        state=RequestState.HELD,
        account_id=account_id,
        user_id=entries.user_id,
        user_id_key=user_id_key(entries.user_id),
        password_hash=password_hash,
        company_name=entries.company_name,
        person_name=entries.person_name,
        email=entries.email.value,
        email_key=entries.email.key,
        email_host=entries.email.host,
        email_domain=domain_of(entries.email.value),
        maintenance_email=entries.maintenance_email.value,
        maintenance_email_key=entries.maintenance_email.key,
        contract_key=entries.contract_key,
        party_role=trace.matched_party or "",
        verdict=trace.verdict.value,
        trace=trace.as_json(),
        reference=reference,
        privacy_version=privacy_version,
        client=client,
        created_at=now,
        expires_at=now + _HELD_FOR,
        proved_at=None,
        handler_id=None,
        decided_at=None,
    )
    session.add(request)
    session.flush()
    return new_link(session, request, press=True, now=now)


def _is_own_address(session: Session, request: ExceptionRequest) -> bool:
    account = session.get(Account, request.account_id) if request.account_id else None
    return account is not None and entries_of(account).email is not None and account.email_key == request.email_key


def _enter_queue(session: Session, request: ExceptionRequest, *, desk: Desk, now: datetime) -> None:
    request.proved_at = now
    _turn(request, RequestState.PENDING)
    session.flush()
    journal.record(
        session, "ask_exception", "exception_request", request.id, by=_applicant(request), now=now, subject_name=request.number, verdict=request.verdict
    )
    notices_exceptions.exception_received(session, request, token=new_link(session, request, now=now), desk=desk, now=now)


def _turn(request: ExceptionRequest, state: RequestState) -> None:
    request.state = state
    request.version += 1


def _applicant(request: ExceptionRequest) -> Actor:
    return Actor(id=request.account_id, name=request.person_name, client=request.client, kind="customer") if request.account_id else SYSTEM
