"""Deleting what has run out: registrations that were never confirmed, links, sessions, counts, old runs, drafts and records, secrets in old letters.

Decisions and letters themselves are kept: staff must be able to prove what was sent when. docs/operating.md lists how long each class is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import ColumnElement, CursorResult, Delete, Select, and_, delete, exists, or_, select, update
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.orm import Session

from actions.exception_requests import lapse_requests
from actions.jobs import Broken, Counts, Run, RunState, confirm
from jobs.parts import Parts
from mail.compose import SECRET_NOTICES, mask_links
from models.admission import AccountLink, PendingRegistration, Refusal, SignIn
from models.bulk_changes import BulkChange, BulkChangeTicket
from models.database import transaction
from models.job_runs import JobRun
from models.outbox import Letter
from models.people import AccountSession, RateCount, StaffSession
from models.presence import LOOKING, Presence
from models.reading import Reading
from models.reminders import Reminder
from models.tickets import Draft, Ticket
from rules.limits import Limits
from rules.reminders import Kind
from rules.tickets import State

log = structlog.get_logger("jobs.expire")
_KEPT_REGISTRATION = timedelta(days=7)
"""So long a link that came too late still says so, and offers a new one."""
_KEPT_COMPLETED = timedelta(days=30)
_KEPT_COUNTS = timedelta(days=2)
"""Longer than the longest window that is counted."""
_KEPT_RUNS = timedelta(days=14)
_KEPT_FAILED_RUNS = timedelta(days=90)
_SECRETS_AT_ONCE = 500
_READINGS_AT_ONCE = 20_000


def expire(parts: Parts, run: Run) -> Counts:
    """Delete what has run out; how many rows of each kind. What cannot be deleted stands in the way of no other kind: Broken names it at the end."""
    now = parts.clock()
    work: dict[str, Callable[[Session], int]] = {name: partial(_rows, statement=statement) for name, statement in _statements(parts.limits, now).items()}
    work["exceptions"] = partial(lapse_requests, now=now)
    work["secrets"] = partial(_forget_secrets, limits=parts.limits, now=now)
    counts: dict[str, int] = {}
    faults: dict[str, DBAPIError] = {}
    for name, forget in work.items():
        try:
            with transaction(parts.engine) as session:
                confirm(session, run)
                counts[name] = forget(session)
        except DBAPIError as fault:
            log.warning("what has run out cannot be deleted", kind=name, fault=type(fault.orig).__name__)
            faults[name] = fault
    if faults:
        names = ", ".join(f"{name} ({type(fault.orig).__name__})" for name, fault in faults.items())
        raise Broken(f"not deleted: {names}", again=any(isinstance(fault, (OperationalError, InterfaceError)) for fault in faults.values()))
    return {name: count for name, count in counts.items() if count}


def _statements(limits: Limits, now: datetime) -> dict[str, Delete]:
    return {
        "registrations": delete(PendingRegistration).where(
            PendingRegistration.expires_at < now - _KEPT_REGISTRATION,
            or_(PendingRegistration.completed_at.is_(None), PendingRegistration.completed_at < now - _KEPT_COMPLETED),
        ),
        "links": delete(AccountLink).where(AccountLink.expires_at < now - _KEPT_REGISTRATION),
        "customer_sessions": delete(AccountSession).where(
            or_(AccountSession.expires_at < now, AccountSession.seen_at < now - timedelta(hours=limits.customer_idle_hours))
        ),
        "staff_sessions": delete(StaffSession).where(or_(StaffSession.expires_at < now, StaffSession.seen_at < now - timedelta(hours=limits.staff_idle_hours))),
        "presences": delete(Presence).where(Presence.seen_at < now - LOOKING),
        "counts": delete(RateCount).where(RateCount.began_at < now - _KEPT_COUNTS),
        "runs": delete(JobRun).where(
            or_(
                and_(JobRun.state.in_([RunState.DONE, RunState.SKIPPED]), JobRun.started_at < now - _KEPT_RUNS),
                and_(JobRun.state == RunState.FAILED, JobRun.started_at < now - _KEPT_FAILED_RUNS),
            )
        ),
        "drafts": delete(Draft).where(Draft.updated_at < now - timedelta(days=limits.kept_draft_days)),
        "readings": delete(Reading).where(Reading.id.in_(_old_readings(limits, now))),
        "bulk_tickets": delete(BulkChangeTicket).where(BulkChangeTicket.change_id.in_(_old_changes(limits, now))),
        "bulk_changes": delete(BulkChange).where(BulkChange.id.in_(_old_changes(limits, now))),
        "sign_ins": delete(SignIn).where(SignIn.at < now - timedelta(days=limits.kept_sign_in_days)),
        "refusals": delete(Refusal).where(Refusal.at < now - timedelta(days=limits.kept_refusal_days)),
        "reminders": delete(Reminder).where(Reminder.at < now - timedelta(days=limits.kept_reminder_days), ~_keeps_quiet()),
    }


def _keeps_quiet() -> ColumnElement[bool]:
    """Reminders whose cause is still there, which would be given a second time: of letters that failed, for those are kept, and of open tickets."""
    return or_(Reminder.kind == Kind.MAILS_FAILED, exists(select(Ticket.id).where(Ticket.id == Reminder.ticket_id, Ticket.unresolved)))


def _old_changes(limits: Limits, now: datetime) -> Select[int]:
    """The journal tells of them for good."""
    return select(BulkChange.id).where(BulkChange.at < now - timedelta(days=limits.kept_bulk_days))


def _old_readings(limits: Limits, now: datetime) -> Select[int]:
    """Nobody is led to what is unread of a ticket that was closed long ago. In portions: the first run of an old desk finds millions."""
    old = (Ticket.state == State.CLOSED, Ticket.updated_at < now - timedelta(days=limits.kept_draft_days))
    return select(Reading.id).join(Ticket, Ticket.id == Reading.ticket_id).where(*old).limit(_READINGS_AT_ONCE)


def _rows(session: Session, statement: Delete) -> int:
    result = session.execute(statement, execution_options={"synchronize_session": False})
    return result.rowcount if isinstance(result, CursorResult) else 0


def _forget_secrets(session: Session, limits: Limits, now: datetime) -> int:
    """Blot out links that give a right once they are over: nobody needs them in the ledger."""
    over = now - timedelta(hours=max(limits.confirmation_link_hours, limits.reset_link_hours) + 1)
    rows = session.execute(
        select(Letter.id, Letter.body)
        .where(Letter.kind.in_(SECRET_NOTICES), Letter.created_at < over, Letter.body.not_like("%/…%"))
        .order_by(Letter.id)
        .limit(_SECRETS_AT_ONCE)
    ).all()
    for row in rows:
        session.execute(update(Letter).where(Letter.id == row.id).values(body=mask_links(row.body)))
    return len(rows)
