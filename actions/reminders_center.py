"""What the service management center is reminded of: changes of maintenance e-mails that are due, accounts that the nightly check found."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from actions import notices_center as notices
from actions.reminders import note
from mail.desk import Desk
from models.base import AnyRow
from models.email_changes import EmailChange
from models.radar import AccountFinding
from models.reminders import Reminder
from rules.calendar import BusinessCalendar, tokyo_date
from rules.email_changes import OPEN, ChangeState
from rules.radar import Mark
from rules.reminders import Kind, Outcome, change_step, week_of

_STEPS = (Kind.EMAIL_CHANGE_OVERDUE, Kind.EMAIL_CHANGE_DUE, Kind.EMAIL_CHANGE_TOMORROW)
_WAITING = sorted(OPEN - {ChangeState.RETURNED})
"""A request that was returned waits for whoever made it."""


def tell_of_email_changes(session: Session, *, active: Collection[Kind], calendar: BusinessCalendar, desk: Desk, now: datetime) -> int:
    """Tell the center of changes that are due tomorrow, due or overdue, each step once and in one letter; how many changes. On business days only.

    A step that was slept through is not told: the letter says what is so today.
    """
    today = tokyo_date(now)
    latest = calendar.add_business_days(today, 1).day
    statement = (
        select(EmailChange.id, EmailChange.due_on, EmailChange.requester_company, EmailChange.old_email)
        .where(EmailChange.pending, EmailChange.state.in_(_WAITING), EmailChange.due_on <= latest)
        .order_by(EmailChange.due_on, EmailChange.id)
    )
    due: dict[Kind, dict[str, AnyRow]] = {step: {} for step in _STEPS}
    for row in session.execute(statement):
        step = change_step(row.due_on, today, calendar)
        if step in active and step is not None:
            due[step][f"{step}:{row.id}:{row.due_on.isoformat()}"] = row
    told = 0
    for step, by_cause in due.items():
        fresh = note(session, step, list(by_cause), Outcome.TOLD, now=now)
        if fresh:
            notices.email_changes_due(session, step, {cause: row for cause, row in by_cause.items() if cause in fresh}, desk=desk, now=now)
            told += len(fresh)
    return told


def tell_of_findings(session: Session, *, calendar: BusinessCalendar, desk: Desk, now: datetime) -> int:
    """Tell the center, on the first business day of a week, of what the nightly check newly found; how many findings. No news, no letter.

    New is what was found since the last such look and that nobody has marked.
    """
    today = tokyo_date(now)
    if not calendar.is_business_day(today):
        return 0
    week = week_of(today)
    before = session.scalar(select(func.max(Reminder.at)).where(Reminder.kind == Kind.ACCOUNTS_FOUND.value))
    new = select(AccountFinding.kind, func.count().label("accounts")).where(AccountFinding.mark == Mark.OPEN, AccountFinding.found_at <= now)
    if before is not None:
        new = new.where(AccountFinding.found_at > before)
    found = {row.kind: row.accounts for row in session.execute(new.group_by(AccountFinding.kind).order_by(AccountFinding.kind))}
    outcome = Outcome.TOLD if found else Outcome.EMPTY
    if not note(session, Kind.ACCOUNTS_FOUND, [f"{Kind.ACCOUNTS_FOUND}:{week}"], outcome, now=now) or not found:
        return 0
    notices.accounts_found(session, found, week=week, desk=desk, now=now)
    return sum(found.values())
