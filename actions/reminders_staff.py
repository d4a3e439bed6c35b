"""What the staff themselves are reminded of: letters that failed, limits that fill, a calendar that ends, jobs that are late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import TypeVar

from sqlalchemy import ColumnElement, String, and_, case, cast, exists, func, or_, select
from sqlalchemy.orm import Session

from actions import notices_center
from actions import notices_reminders as notices
from actions.lateness import Late
from actions.outside_mails import outside_counts
from actions.recipients import staff_with
from actions.reminders import note
from mail.desk import Desk
from models.base import AnyRow
from models.database import among
from models.masters import company_days
from models.outbox import Letter, LetterState, Recipient, RecipientState
from models.people import Account
from models.reminders import Reminder
from models.requests import requests_with_desk
from models.tickets import Attachment, Message, Ticket
from rules.calendar import TOKYO, BusinessCalendar, tokyo_date
from rules.limits import Limits
from rules.reminders import Kind, Outcome, calendar_known_until, is_ending_soon, is_nearly_full, waits_too_long
from rules.rights import Role

T = TypeVar("T")

_MOST_MAILS = 500
_DAY = timedelta(days=1)
_DELIVERY = (Role.LEAD, Role.ADMIN)
_ACCOUNTS = (Role.DESK, Role.ADMIN)


def tell_of_failed_mails(session: Session, *, desk: Desk, now: datetime) -> int:
    """One letter to leads and administrators about all letters that were given up or refused since the last one; how many they are.

    A letter that was sent again and failed again is told again, and one that turns out to have reached fewer than was told. This letter's own
    failures are told by the console alone. Of very many the newest come first, and the others with the next letter.
    """
    refused = exists(select(Recipient.id).where(Recipient.letter_id == Letter.id, Recipient.state.in_([RecipientState.PERMANENT, RecipientState.UNKNOWN])))
    failed = and_(Letter.fault != "", or_(Letter.state == LetterState.PARKED, and_(Letter.state == LetterState.DONE, refused)))
    cause = _failure()
    told = exists(select(Reminder.id).where(Reminder.cause == f"{Kind.MAILS_FAILED}:" + cause).correlate(Letter))
    statement = select(Letter.id, Letter.subject, cause.label("cause")).where(failed, Letter.kind != notices.MAILS_FAILED, ~told)
    fresh = session.execute(statement.order_by(Letter.id.desc()).limit(_MOST_MAILS)).all()
    if fresh:
        reached = notices.mails_failed(session, fresh, staff_with(session, _DELIVERY), desk=desk, now=now)
        _settle(session, Kind.MAILS_FAILED, [row.cause for row in fresh], reached, now)
    return len(fresh)


def tell_of_quotas(session: Session, *, day: date, desk: Desk, limits: Limits, now: datetime) -> int:
    """Tell desk and administrators of accounts whose tickets or outside CC mails of a day in Tokyo near their limit; how many limits they are."""
    began = datetime.combine(day, time(), TOKYO)
    # `updated_at` is indexed, and no ticket of the day was last changed before.
    opened = select(Ticket.account_id, func.count().label("used")).where(Ticket.updated_at >= began, Ticket.created_at >= began)
    opened = opened.where(Ticket.created_at < began + _DAY)
    opened = opened.where(Ticket.account_id.is_not(None)).group_by(Ticket.account_id)
    found = [notices.Quota("tickets", row.account_id, row.used, limits.account_tickets_per_day) for row in session.execute(opened)]
    found += [notices.Quota("cc", account, used, limits.outside_cc_mails_per_day) for account, used in outside_counts(session, now=began)]
    return _tell_of_quotas(session, found, day.isoformat(), desk=desk, limits=limits, now=now)


def tell_of_storage(session: Session, *, desk: Desk, limits: Limits, now: datetime) -> int:
    """Tell of accounts whose files near their limit, and of the storage as a whole, once a month while it lasts; how many limits they are."""
    month = tokyo_date(now).strftime("%Y-%m")
    used = (
        select(Ticket.account_id, func.sum(Attachment.size).label("used"))
        .join(Message, Message.id == Attachment.message_id)
        .join(Ticket, Ticket.id == Message.ticket_id)
        .where(Ticket.account_id.is_not(None))
        .group_by(Ticket.account_id)
    )
    found = [notices.Quota("account_bytes", row.account_id, row.used, limits.account_bytes) for row in session.execute(used)]
    total = session.scalar(select(func.coalesce(func.sum(Attachment.size), 0))) or 0
    found.append(notices.Quota("storage", None, total, limits.storage_bytes))
    return _tell_of_quotas(session, found, month, desk=desk, limits=limits, now=now)


def tell_of_waiting_exceptions(session: Session, *, calendar: BusinessCalendar, desk: Desk, limits: Limits, now: datetime) -> int:
    """One letter to desk and administrators about requests for an exception that wait too long for their decision; how many they are.

    A request waits since its address was proved, or since its applicant answered last: an answer begins another wait.
    """
    long: dict[str, AnyRow] = {}
    for row in requests_with_desk(session):
        if waits_too_long(row.since, now, calendar=calendar, limits=limits):
            long[f"{row.id}:{row.since.isoformat()}"] = row
    fresh = _fresh(session, Kind.EXCEPTION_WAITING, long)
    if fresh:
        reached = notices_center.exceptions_waiting(session, fresh, staff_with(session, _ACCOUNTS), desk=desk, now=now)
        _settle(session, Kind.EXCEPTION_WAITING, [f"{row.id}:{row.since.isoformat()}" for row in fresh], reached, now)
    return len(fresh)


def tell_of_the_calendar(session: Session, *, desk: Desk, limits: Limits, now: datetime) -> int:
    """Tell administrators, once, that the calendar's known days end within `limits.calendar_months`; 1 when they were told."""
    known = calendar_known_until(company_days(session))
    cause = known.isoformat()
    if not is_ending_soon(known, tokyo_date(now), limits) or not _fresh(session, Kind.CALENDAR_ENDING, {cause: known}):
        return 0
    reached = notices.calendar_ending(session, known, staff_with(session, [Role.ADMIN]), desk=desk, now=now)
    _settle(session, Kind.CALENDAR_ENDING, [cause], reached, now)
    return 1


def tell_of_late_jobs(session: Session, late: Sequence[Late], *, desk: Desk, now: datetime) -> int:
    """Tell administrators of jobs that are late or stuck, each once for the slot it stands at; how many they are."""
    fresh = _fresh(session, Kind.JOBS_LATE, {f"{one.line.name}:{one.since.isoformat()}": one for one in late})
    if fresh:
        reached = notices.jobs_late(session, fresh, staff_with(session, [Role.ADMIN]), desk=desk, now=now)
        _settle(session, Kind.JOBS_LATE, [f"{one.line.name}:{one.since.isoformat()}" for one in fresh], reached, now)
    return len(fresh)


def _failure() -> ColumnElement[str]:
    """By what a letter's failure is known: which of its claims ended so, and how many recipients it has not reached, if more than one."""
    unreached = Recipient.state.not_in([RecipientState.ACCEPTED, RecipientState.SUPPRESSED])
    count = select(func.count(Recipient.id)).where(Recipient.letter_id == Letter.id, unreached).correlate(Letter).scalar_subquery()
    many = case((count > 1, ":" + cast(count, String)), else_="")
    return cast(Letter.id, String) + ":" + cast(Letter.fence, String) + many


def _tell_of_quotas(session: Session, found: Sequence[notices.Quota], period: str, *, desk: Desk, limits: Limits, now: datetime) -> int:
    full = {f"{one.what}:{one.account_id or 0}:{period}": one for one in found if is_nearly_full(one.used, one.limit, limits)}
    fresh = _fresh(session, Kind.QUOTA, full)
    if fresh:
        names = _names(session, fresh)
        reached = notices.quotas(session, fresh, names, staff_with(session, _ACCOUNTS), desk=desk, now=now)
        _settle(session, Kind.QUOTA, [f"{one.what}:{one.account_id or 0}:{period}" for one in fresh], reached, now)
    return len(fresh)


def _names(session: Session, quotas: Sequence[notices.Quota]) -> dict[int, AnyRow]:
    numbers = [one.account_id for one in quotas if one.account_id is not None]
    return {row.id: row for row in session.execute(select(Account.id, Account.user_id, Account.company_name).where(Account.id.in_(numbers)))}


def _fresh(session: Session, kind: Kind, wanted: Mapping[str, T]) -> list[T]:
    """What of `wanted` nobody was reminded of by its cause."""
    causes = [f"{kind}:{cause}" for cause in wanted]
    known = set(session.scalars(select(Reminder.cause).where(among(session, Reminder.__table__.c.cause, causes)))) if causes else set[str]()
    return [one for cause, one in wanted.items() if f"{kind}:{cause}" not in known]


def _settle(session: Session, kind: Kind, causes: Sequence[str], reached: bool, now: datetime) -> None:
    note(session, kind, [f"{kind}:{cause}" for cause in causes], Outcome.TOLD if reached else Outcome.NOBODY, now=now)
