"""保守登録メール変更: recorded with its evidence, moved by decisions that bind what was shown, and told to whoever asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session

from actions import journal
from actions import notices_email_changes as notices
from actions.email_change_apply import apply_change
from actions.email_change_impact import Impact, impact_of
from mail.desk import Desk
from models.actors import Actor, Customer, StaffMember
from models.email_changes import EmailChange, EmailChangeFile, is_known, pending_change
from models.masters import DomainKind, mail_domains
from models.tickets import Attachment, holder_of
from rules.addresses import is_under, parse_address
from rules.calendar import BusinessCalendar, tokyo_date
from rules.email_changes import OPEN, TARGETS, ChangeState, Choice, Decision, Received, decisions, wants_text
from rules.limits import Limits
from rules.refusal import Refused
from rules.text import one_line

TEXT_CHARACTERS = 4000
_BINDING = frozenset({Decision.REVIEW, Decision.APPROVE, Decision.APPLY})
_REVIEWED = (ChangeState.REVIEWED, ChangeState.APPROVED)


@dataclass(frozen=True)
class Request:
    """Who wants which address changed, as it was received."""

    old_email: str
    new_email: str
    received: Received
    received_on: date
    company: str = ""
    name: str = ""
    email: str = ""
    """Where answers go; "" for a call."""
    body: str = ""


@dataclass(frozen=True)
class Shown:
    """What the page showed when its button was pressed: the decision binds it."""

    version: int
    fingerprint: str = ""
    choices: Mapping[int, Choice] | None = None
    left_out: Sequence[int] | None = None


def record_change(
    session: Session, request: Request, *, files: Collection[int], by: Actor, calendar: BusinessCalendar, desk: Desk, limits: Limits, now: datetime
) -> EmailChange:
    """Keep a request with its evidence and tell whoever asked until when it will be done.

    Refuses what `parse_address` refuses, and own_domain(host), change_same_address, change_old_unknown, received_later, evidence_missing,
    text_empty, text_long, files_gone; of a customer change_open_already(n).
    """
    old, new = parse_address(request.old_email, "old_email"), parse_address(request.new_email, "new_email")
    _check(session, request, old.key, new.key, new.host, files, by=by, now=now)
    change = EmailChange(
        received=request.received,
        received_on=request.received_on,
        due_on=calendar.add_business_days(request.received_on, limits.email_change_days).day,
        account_id=by.id if isinstance(by, Customer) else None,
        requester_company=one_line(request.company),
        requester_name=one_line(request.name),
        requester_email=parse_address(request.email, "requester_email").value if request.email.strip() else "",
        old_email=old.value,
        old_key=old.key,
        new_email=new.value,
        new_key=new.key,
        body=request.body.strip(),
        left_out=[],
        choices={},
        before={},
        recorded_by_id=by.id if isinstance(by, StaffMember) else None,
        decided_by=by.name,
        created_at=now,
        updated_at=now,
    )
    session.add(change)
    session.flush()
    _take_evidence(session, change, files, by=by)
    facts = {"maintenance_email": [change.old_email, change.new_email], "received": change.received.value, "received_on": change.received_on.isoformat()}
    journal.record(session, "record_email_change", "email_change", change.id, by=by, now=now, subject_name=change.old_email, **facts)
    notices.received(session, change, desk=desk, now=now)
    return change


def decide_change(
    session: Session,
    change: EmailChange,
    decision: Decision,
    shown: Shown,
    *,
    reason: str = "",
    message: str = "",
    by: StaffMember,
    desk: Desk,
    now: datetime,
) -> Impact:
    """Move a request one step; with `Decision.APPLY` everything is done in this transaction.

    Refuses: decided_meanwhile(name, at, decision), change_not_now, second_approver, impact_outdated, text_empty at reason or message, text_long.
    """
    if change.version != shown.version:
        raise _decided(change)
    state = ChangeState(change.state)
    impact = impact_of(session, change, today=tokyo_date(now))
    step = standing_of(change, impact)
    if step is ChangeState.CHECKED and shown.choices is not None:
        # What was reviewed is chosen: an approver may refuse it, not change it.
        change.choices = {str(number): choice.value for number, choice in shown.choices.items()}
        change.left_out = list(shown.left_out or ())
        impact = impact_of(session, change, today=tokyo_date(now))
    if decision in _BINDING and shown.fingerprint != impact.fingerprint:
        with session.no_autoflush:
            session.refresh(change)  # who decided between the two looks changed both
        raise _decided(change) if change.version != shown.version else Refused("impact_outdated")
    if decision not in decisions(step, second_due=impact.second_due):
        raise Refused("change_not_now")
    reason, message = _text(reason, "reason"), _text(message, "message", needed=wants_text(decision))
    if impact.second_due and decision in (Decision.APPROVE, Decision.APPLY) and step is ChangeState.REVIEWED and change.reviewed_by_id == by.id:
        raise Refused("second_approver")
    if decision in _BINDING and step is ChangeState.CHECKED:
        change.seen, change.reviewed_by_id = impact.fingerprint, by.id
    _move(session, change, TARGETS[decision], shown.version, by=by, now=now)
    if decision is Decision.APPLY:
        apply_change(session, change, impact, reason=reason, by=by, desk=desk, now=now)
    facts: dict[str, Any] = {"change_state": [state.value, ChangeState(change.state).value], "reason": reason, "text": message}
    journal.record(session, f"{decision.value}_email_change", "email_change", change.id, by=by, now=now, subject_name=change.old_email, **facts)
    if wants_text(decision):
        notices.answered(session, change, message, desk=desk, now=now)
    return impact


def withdraw_change(session: Session, change: EmailChange, *, by: Customer, now: datetime) -> None:
    """Take an own request back. Refuses: change_not_now."""
    state = ChangeState(change.state)
    if state not in OPEN:
        raise Refused("change_not_now")
    _move(session, change, ChangeState.WITHDRAWN, change.version, by=by, now=now)
    facts = {"change_state": [state.value, ChangeState.WITHDRAWN.value]}
    journal.record(session, "withdraw_email_change", "email_change", change.id, by=by, now=now, subject_name=change.old_email, **facts)


def add_evidence(session: Session, change: EmailChange, files: Collection[int], *, by: Actor, now: datetime) -> None:
    """Add files to a request that is still open. Refuses: file_missing at files, files_gone, change_not_now."""
    if not files:
        raise Refused("file_missing", "files")
    if ChangeState(change.state) not in OPEN:
        raise Refused("change_not_now")
    _take_evidence(session, change, files, by=by)
    journal.record(session, "add_evidence", "email_change", change.id, by=by, now=now, subject_name=change.old_email, files=len(files))


def _check(session: Session, request: Request, old_key: str, new_key: str, host: str, files: Collection[int], *, by: Actor, now: datetime) -> None:
    if new_key == old_key:
        raise Refused("change_same_address", "new_email")
    if is_under(host, mail_domains(session, DomainKind.OWN)):
        raise Refused("own_domain", "new_email", host=host)
    if not is_known(session, old_key):
        raise Refused("change_old_unknown", "old_email")
    if request.received_on > tokyo_date(now):
        raise Refused("received_later", "received_on")
    _text(request.body, "body")
    if isinstance(by, Customer):
        number = pending_change(session, by.id or 0, old_key)
        if number is not None:
            raise Refused("change_open_already", n=str(number))
    elif request.received is Received.MAIL and not files:
        raise Refused("evidence_missing", "files")


def _take_evidence(session: Session, change: EmailChange, files: Collection[int], *, by: Actor) -> None:
    """Let the request take files that are held for `by`: they are no post's, and no longer swept."""
    if not files:
        return
    mine = (Attachment.id.in_(files), Attachment.holder == holder_of(by), Attachment.message_id.is_(None))
    taken = session.scalars(update(Attachment).where(*mine).values(holder="").returning(Attachment.id)).all()
    if len(taken) != len(set(files)):
        raise Refused("files_gone", "files")
    session.add_all(EmailChangeFile(change_id=change.id, attachment_id=number) for number in sorted(taken))


def standing_of(change: EmailChange, impact: Impact) -> ChangeState:
    """Where the request stands for its next decision: what was reviewed and is something else by now must be reviewed again."""
    state = ChangeState(change.state)
    return ChangeState.CHECKED if state in _REVIEWED and change.seen != impact.fingerprint else state


def _decided(change: EmailChange) -> Refused:
    return Refused("decided_meanwhile", name=change.decided_by, at=change.updated_at, decision=ChangeState(change.state))


def _move(session: Session, change: EmailChange, state: ChangeState, version: int, *, by: Actor, now: datetime) -> None:
    """The step itself: of two at once one finds the version it read."""
    values = {"state": state, "pending": state in OPEN, "decided_by": by.name, "updated_at": now, "version": version + 1}
    session.flush()
    moved = session.execute(update(EmailChange).where(EmailChange.id == change.id, EmailChange.version == version).values(**values))
    if cast("CursorResult[Any]", moved).rowcount != 1:
        session.refresh(change)
        raise _decided(change)
    session.refresh(change)


def _text(typed: str, field: str, *, needed: bool = True) -> str:
    text = typed.strip()
    if needed and not text:
        raise Refused("text_empty", field)
    if len(text) > TEXT_CHARACTERS:
        raise Refused("text_long", field, max=TEXT_CHARACTERS, n=len(text))
    return text
