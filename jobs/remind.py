"""The reminders: each run in short transactions of its own, that begin by making sure that the run is still ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from actions import reminders_center, reminders_contracts, reminders_silent, reminders_staff
from actions.digests import write_digests
from actions.jobs import Counts, Run, confirm
from actions.lateness import late_jobs
from actions.reminders import remind_of_answers
from actions.reminders_registrations import remind_of_links
from actions.reminders_silent import Batch
from jobs.parts import Parts
from models.calendars import business_calendar
from models.database import transaction
from models.reminders import active_kinds
from rules.calendar import BusinessCalendar, tokyo_date
from rules.reminders import Kind, Outcome

_AT_ONCE = 200
_HOUR = timedelta(hours=1)
_COUNTED = {Outcome.TOLD: "reminded", Outcome.NOBODY: "nobody_to_tell", Outcome.DROPPED: "dropped", Outcome.EMPTY: "nothing_to_tell"}


def answers(parts: Parts, run: Run) -> Counts:
    """Tell staff of answers that are near their deadline or past it."""
    told: Counter[Outcome] = Counter()
    while True:
        with _ours(parts, run) as session:
            active, calendar = active_kinds(session), _calendar(session)
            some = remind_of_answers(session, active=active, calendar=calendar, desk=parts.desk, now=parts.clock(), limit=_AT_ONCE)
        told += some
        if some.total() < _AT_ONCE:
            return _counts(told)


def silent(parts: Parts, run: Run) -> Counts:
    """Remind customers who do not answer, end their tickets, and end those that stayed resolved."""
    now = parts.clock()

    def remind(session: Session, after: int) -> Batch:
        shared: dict[str, Any] = {"calendar": _calendar(session), "limits": parts.limits, "now": now, "limit": _AT_ONCE}
        return reminders_silent.remind_the_silent(session, after=after, active=active_kinds(session), desk=parts.desk, **shared)

    def close(session: Session, after: int) -> Batch:
        return reminders_silent.close_resolved(session, after=after, calendar=_calendar(session), limits=parts.limits, now=now, limit=_AT_ONCE)

    return dict(_walk(parts, run, remind) + _walk(parts, run, close))


def contracts(parts: Parts, run: Run) -> Counts:
    """Tell the center, and the accounts where that is switched on, of contract lines that end."""
    counts: Counter[str] = Counter()
    shared: dict[str, Any] = {"desk": parts.desk, "limits": parts.limits, "now": parts.clock()}
    with _ours(parts, run) as session:
        active, calendar = active_kinds(session), _calendar(session)
        if Kind.CONTRACT_ENDING in active:
            counts["contracts"] = reminders_contracts.tell_the_center(session, calendar=calendar, **shared)
    if Kind.CONTRACT_ENDING_ACCOUNT in active:
        with _ours(parts, run) as session:
            counts["accounts"] = reminders_contracts.tell_the_accounts(session, calendar=calendar, **shared)
    return {name: count for name, count in counts.items() if count}


def center(parts: Parts, run: Run) -> Counts:
    """Tell the center of changes of maintenance e-mails that are due, and once a week of accounts that were found."""
    counts: Counter[str] = Counter()
    shared: dict[str, Any] = {"desk": parts.desk, "now": parts.clock()}
    with _ours(parts, run) as session:
        active, calendar = active_kinds(session), _calendar(session)
        counts["email_changes"] = reminders_center.tell_of_email_changes(session, active=active, calendar=calendar, **shared)
        if Kind.ACCOUNTS_FOUND in active:
            counts["accounts"] = reminders_center.tell_of_findings(session, calendar=calendar, **shared)
    return {name: count for name, count in counts.items() if count}


def links(parts: Parts, run: Run) -> Counts:
    """Remind applicants whose link is about to end."""
    told: Counter[Outcome] = Counter()
    while True:
        with _ours(parts, run) as session:
            if Kind.REGISTRATION_ENDING not in active_kinds(session):
                return {}
            some = remind_of_links(session, desk=parts.desk, limits=parts.limits, now=parts.clock(), limit=_AT_ONCE)
        told += some
        if some.total() < _AT_ONCE:
            return _counts(told)


def digests(parts: Parts, run: Run) -> Counts:
    """Write the day's overviews."""
    with _ours(parts, run) as session:
        if Kind.DIGEST not in active_kinds(session):
            return {}
        return _counts(write_digests(session, calendar=_calendar(session), desk=parts.desk, limits=parts.limits, now=parts.clock()))


def staff(parts: Parts, run: Run) -> Counts:
    """Tell the staff of failed letters, limits that fill, exceptions that wait and a calendar that ends; in business time, when somebody reads it.

    Limits of a day are told of at any hour: in the morning that day is over, and nobody would hear of what filled up in the evening.
    """
    now, counts = parts.clock(), Counter[str]()
    shared: dict[str, Any] = {"desk": parts.desk, "now": now}
    with _ours(parts, run) as session:
        active, calendar = active_kinds(session), _calendar(session)
        if Kind.QUOTA in active:
            counts["quotas"] = sum(reminders_staff.tell_of_quotas(session, day=day, limits=parts.limits, **shared) for day in _days(now))
        if not calendar.is_open(now):
            return {name: count for name, count in counts.items() if count}
        if Kind.MAILS_FAILED in active:
            counts["mails"] = reminders_staff.tell_of_failed_mails(session, **shared)
        if Kind.QUOTA in active:
            counts["quotas"] += reminders_staff.tell_of_storage(session, limits=parts.limits, **shared)
        if Kind.EXCEPTION_WAITING in active:
            counts["exceptions"] = reminders_staff.tell_of_waiting_exceptions(session, calendar=calendar, limits=parts.limits, **shared)
        if Kind.CALENDAR_ENDING in active:
            counts["calendar"] = reminders_staff.tell_of_the_calendar(session, limits=parts.limits, **shared)
    return {name: count for name, count in counts.items() if count}


def _days(now: datetime) -> list[date]:
    """Today; in its first hour yesterday too, for what filled up after yesterday's last run."""
    return sorted({tokyo_date(now - _HOUR), tokyo_date(now)})


def late(parts: Parts, run: Run) -> Counts:
    """Tell administrators of jobs that are late or stuck."""
    now = parts.clock()
    with _ours(parts, run) as session:
        if Kind.JOBS_LATE not in active_kinds(session):
            return {}
        told = reminders_staff.tell_of_late_jobs(session, late_jobs(session, now=now), desk=parts.desk, now=now)
    return {"late": told} if told else {}


def _walk(parts: Parts, run: Run, look: Callable[[Session, int], Batch]) -> Counter[str]:
    """`look` at all tickets, a batch and a transaction after the other."""
    counts: Counter[str] = Counter()
    after: int | None = 0
    while after is not None:
        with _ours(parts, run) as session:
            batch = look(session, after)
        counts += batch.counts
        after = batch.last
    return counts


@contextmanager
def _ours(parts: Parts, run: Run) -> Iterator[Session]:
    """A writing transaction of a run that is still ours. Raises LeaseLost."""
    with transaction(parts.engine) as session:
        confirm(session, run)
        yield session


def _calendar(session: Session) -> BusinessCalendar:
    return business_calendar(session)


def _counts(told: Counter[Outcome]) -> Counts:
    return {_COUNTED[outcome]: count for outcome, count in told.items() if count}
