"""The letters of an exception request: to the applicant's own address, never to the maintenance e-mail."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from actions.letters import Draft, worded, write_letters
from actions.recipients import staff_with
from mail.compose import Text
from mail.desk import Desk
from models.people import Account
from models.requests import ExceptionRequest
from rules.calendar import tokyo_date
from rules.rights import Role


def exception_link(session: Session, request: ExceptionRequest, *, token: str, desk: Desk, now: datetime) -> None:
    """The link that proves the address. Nothing the applicant typed stands in it: it may go to a stranger."""
    text = worded(session, "exception_link", desk=desk, token=token, expires_at=request.expires_at)
    _write(session, "exception_link", f"exception_link:{request.id}", request, text, desk=desk, now=now)


def exception_received(session: Session, request: ExceptionRequest, *, token: str, desk: Desk, now: datetime) -> None:
    """受付: the desk has it now; with the link to follow it."""
    text = _text(session, "exception_received", request, desk, token=token)
    _write(session, "exception_received", f"exception_received:{request.id}", request, text, desk=desk, now=now)


def exception_question(session: Session, request: ExceptionRequest, *, token: str, desk: Desk, now: datetime) -> None:
    """確認のお願い: what the desk asks; answered by the link."""
    text = _text(session, "exception_question", request, desk, token=token, message=request.message)
    _write(session, "exception_question", f"exception_question:{request.id}:{request.version}", request, text, desk=desk, now=now)


def exception_declined(session: Session, request: ExceptionRequest, *, desk: Desk, now: datetime) -> None:
    """お断り, in the decider's words."""
    text = _text(session, "exception_declined", request, desk, message=request.message)
    _write(session, "exception_declined", f"exception_declined:{request.id}", request, text, desk=desk, now=now)


def exception_approved(session: Session, request: ExceptionRequest, account: Account, *, desk: Desk, now: datetime) -> None:
    """承認: the registration is complete, or the profile is changed."""
    text = approved_text(session, request, desk, user_id=account.user_id)
    _write(session, "exception_approved", f"exception_approved:{request.id}", request, text, desk=desk, now=now)


def too_many_failures(session: Session, contract_key: str, failures: int, *, desk: Desk, now: datetime) -> None:
    """Tell the desk's staff that somebody tries out one contract: once a contract and day, in Japan."""
    day = tokyo_date(now).isoformat()
    text = worded(session, "staff_registration_limit", desk=desk, contract_key=contract_key, failures=failures)
    to = staff_with(session, [Role.DESK])
    write_letters(session, [Draft("staff_registration_limit", f"staff_registration_limit:{contract_key}:{day}", text, to)], desk=desk, now=now)


def approved_text(session: Session, request: ExceptionRequest, desk: Desk, *, user_id: str, message: str | None = None) -> Text:
    """The letter of an approval; `message` shows it before it is decided."""
    return _text(
        session, "exception_approved", request, desk, user_id=user_id, message=request.message if message is None else message, kind=request.kind.value
    )


def previews(session: Session, request: ExceptionRequest, desk: Desk, *, message: str) -> dict[str, Text]:
    """The letter of each decision as it would leave with `message`, by its notice; the link of a question is made when it is sent."""
    return {
        "approved": approved_text(session, request, desk, user_id=request.user_id, message=message),
        "question": _text(session, "exception_question", request, desk, token="…", message=message),  # noqa: S106 - stands for the link
        "declined": _text(session, "exception_declined", request, desk, message=message),
    }


def _text(session: Session, notice: str, request: ExceptionRequest, desk: Desk, **more: object) -> Text:
    return worded(session, notice, desk=desk, company=request.company_name, person=request.person_name, number=request.reference or request.number, **more)


def _write(session: Session, kind: str, cause: str, request: ExceptionRequest, text: Text, *, desk: Desk, now: datetime) -> None:
    write_letters(session, [Draft(kind, cause, text, [request.email], account_id=request.account_id)], desk=desk, now=now)
