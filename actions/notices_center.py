"""Letters that tell the service management center and the desk what waits for them; customers' addresses are never among the recipients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from actions.letters import Draft, digest_of, worded, write_letters
from mail.desk import Desk
from models.base import AnyRow
from rules.radar import Finding
from rules.reminders import Kind
from wording import dates

_MOST_LINES = 50


def email_changes_due(session: Session, step: Kind, by_cause: Mapping[str, AnyRow], *, desk: Desk, now: datetime) -> None:
    """保守登録メール変更の期限, to the center: what is due tomorrow, today, or was."""
    rows = list(by_cause.values())
    shown = [{"id": row.id, "due_on": dates.day(row.due_on), "company": row.requester_company, "old_email": row.old_email} for row in rows[:_MOST_LINES]]
    text = worded(session, step.value, desk=desk, changes=shown, count=len(rows), more=len(rows) - len(shown))
    write_letters(session, [Draft(step.value, f"{step}:{digest_of(by_cause)}", text, [desk.center_address])], desk=desk, now=now)


def accounts_found(session: Session, found: Mapping[Finding, int], *, week: str, desk: Desk, now: datetime) -> None:
    """アカウントの点検の結果, to the center: how many accounts of each kind are new since the week before."""
    text = worded(
        session, "accounts_found", desk=desk, found=[{"kind": Finding(kind).value, "count": count} for kind, count in found.items()], count=sum(found.values())
    )
    write_letters(session, [Draft("accounts_found", f"accounts_found:{week}", text, [desk.center_address])], desk=desk, now=now)


def exceptions_waiting(session: Session, requests: Sequence[AnyRow], to: Sequence[str], *, desk: Desk, now: datetime) -> bool:
    """判断を待つ例外申請, to the desk; False when nobody is there to tell."""
    shown = [{"id": row.id, "number": f"EX-{row.id:04}", "company": row.company_name, "since": row.since} for row in requests[:_MOST_LINES]]
    text = worded(session, "staff_exception_waiting", desk=desk, requests=shown, count=len(requests), more=len(requests) - len(shown))
    cause = f"staff_exception_waiting:{digest_of(f'{row.id}:{row.since.isoformat()}' for row in requests)}"
    return bool(write_letters(session, [Draft("staff_exception_waiting", cause, text, list(to))], desk=desk, now=now))
