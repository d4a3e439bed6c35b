"""今日の一覧: what waits for each staff member, once a day at their own hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from actions import notices_reminders as notices
from actions.jobs import RunState
from actions.notices_reminders import Section
from actions.reminders import note
from mail.desk import Desk
from models.actors import StaffMember
from models.base import NEVER
from models.database import insert_on_conflict
from models.imports import BatchState, ImportBatch
from models.job_runs import JobRun
from models.outbox import Letter, LetterState
from models.people import QueueMember, Staff
from models.reminders import DigestHour, Reminder
from models.tickets import Ticket
from rules.calendar import TOKYO, BusinessCalendar, tokyo_date
from rules.limits import Limits
from rules.refusal import Refused
from rules.reminders import DIGEST_HOUR, DIGEST_HOURS, Kind, Outcome, digest_due
from rules.rights import Area, Right, Role, may, right
from rules.tickets import State
from wording import dates

_LINES = 5
_COUNTED = 100
_DAY = timedelta(days=1)


def write_digests(session: Session, *, calendar: BusinessCalendar, desk: Desk, limits: Limits, now: datetime) -> Counter[Outcome]:
    """Write the overviews that are due and were not written today; how many ended how. Whoever has nothing waiting gets no letter."""
    today = tokyo_date(now)
    rows = session.execute(select(Staff, DigestHour).outerjoin(DigestHour, DigestHour.staff_id == Staff.id).where(Staff.active).order_by(Staff.id)).all()
    due = [staff for staff, chosen in rows if digest_due(chosen.hour if chosen else DIGEST_HOUR, now, calendar)]
    causes = {f"{Kind.DIGEST}:{staff.id}:{today.isoformat()}": staff for staff in due}
    written = set(session.scalars(select(Reminder.cause).where(Reminder.cause.in_(causes))))
    told: Counter[Outcome] = Counter()
    for cause, staff in causes.items():
        if cause in written:
            continue
        sections = sections_for(session, staff, calendar=calendar, limits=limits, now=now)
        outcome = Outcome.TOLD if sections else Outcome.EMPTY
        if note(session, Kind.DIGEST, [cause], outcome, now=now):
            told[outcome] += 1
            if sections:
                notices.digest(session, staff, sections, today=today, desk=desk, now=now)
    return told


def choose_hour(session: Session, typed: str, *, by: StaffMember) -> int | None:
    """Read the overview at another hour, or ("") not at all. Refuses at digest_hour: digest_hour_form."""
    if typed and not (typed.isascii() and typed.isdecimal() and int(typed[:3]) in DIGEST_HOURS):
        raise Refused("digest_hour_form", "digest_hour", first=DIGEST_HOURS[0], last=DIGEST_HOURS[-1])
    hour = int(typed) if typed else None
    statement = insert_on_conflict(session, DigestHour).values(staff_id=by.id, hour=hour)
    session.execute(statement.on_conflict_do_update(index_elements=["staff_id"], set_={"hour": hour}))
    return hour


def sections_for(session: Session, staff: Staff, *, calendar: BusinessCalendar, limits: Limits, now: datetime) -> list[Section]:
    """What waits for one staff member, by what their roles let them do; headings with nothing below are left out."""
    roles = [Role(role) for role in staff.roles]
    found: list[Section | None] = []
    if may(roles, Area.TICKETS, Right.WRITE):
        found += _of_tickets(session, staff.id, calendar, limits, now)
    if right(roles, Area.TICKETS) is Right.OWN:
        found.append(_tickets(session, "契約の確認待ち", "/console/tickets?view=waiting_center", Ticket.state == State.WAITING_CENTER))
    if may(roles, Area.IMPORTS, Right.WRITE):
        found += _imports(session, staff.id)
    if may(roles, Area.DELIVERY, Right.WRITE):
        found += [_mails(session), _failed_runs(session, now)]
    return [section for section in found if section is not None]


def _of_tickets(session: Session, staff_id: int, calendar: BusinessCalendar, limits: Limits, now: datetime) -> list[Section | None]:
    mine = Ticket.assignee_id == staff_id
    queues = session.scalars(select(QueueMember.family_id).where(QueueMember.staff_id == staff_id)).all()
    free: ColumnElement[bool] = Ticket.assignee_id.is_(None)
    before = calendar.add_business_days(tokyo_date(now), 1 - limits.silent_reminder_days).day
    silent = mine & (Ticket.state == State.WAITING_CUSTOMER) & (Ticket.state_from < datetime.combine(before, time(), TOKYO))
    return [
        _tickets(session, "担当のチケット（回答の期限順）", "/console/tickets?view=mine", mine & (Ticket.due_at != NEVER)),
        _tickets(session, "未割り当て", "/console/tickets?view=unassigned", free & Ticket.family_id.in_(queues) if queues else free),
        _tickets(session, f"お客様確認待ち（{limits.silent_reminder_days}営業日以上）", "/console/tickets?view=mine", silent),
    ]


def _tickets(session: Session, title: str, path: str, wanted: ColumnElement[bool]) -> Section | None:
    """The unresolved tickets that `wanted` picks, what is due first on top."""
    statement = select(Ticket.id, Ticket.subject, Ticket.due_at).where(Ticket.unresolved, Ticket.merged_into_id.is_(None), wanted)
    rows = session.execute(statement.order_by(Ticket.due_at, Ticket.id).limit(_COUNTED)).all()
    lines = [f"#{row.id} {row.subject}" + (f"（期限 {dates.moment(row.due_at)}）" if row.due_at != NEVER else "") for row in rows[:_LINES]]
    return _section(title, path, len(rows), lines, "件")


def _imports(session: Session, staff_id: int) -> list[Section | None]:
    """The plans to look through, and those that wait for a second person: neither who uploaded one nor who asked."""
    second = and_(*(column.is_distinct_from(staff_id) for column in (ImportBatch.staff_id, ImportBatch.asked_id)))
    return [
        _batches(session, "確認を待つ取込", ImportBatch.state == BatchState.PLANNED),
        _batches(session, "承認を待つ取込（2 人目）", and_(ImportBatch.state == BatchState.WAITING, second)),
    ]


def _batches(session: Session, title: str, wanted: ColumnElement[bool]) -> Section | None:
    names = session.scalars(select(ImportBatch.file_name).where(wanted).order_by(ImportBatch.id).limit(_COUNTED)).all()
    return _section(title, "/console/imports", len(names), names[:_LINES], "件")


def _mails(session: Session) -> Section | None:
    subjects = session.scalars(select(Letter.subject).where(Letter.state == LetterState.PARKED).order_by(Letter.id.desc()).limit(_COUNTED)).all()
    return _section("送信を中止したメール", "/console/mails?state=parked", len(subjects), subjects[:_LINES], "通")


def _failed_runs(session: Session, now: datetime) -> Section | None:
    statement = select(JobRun.id).where(JobRun.state == RunState.FAILED, JobRun.slot >= now - _DAY).limit(_COUNTED)
    return _section("失敗したジョブ（1 日）", "/console/jobs?state=failed", len(session.scalars(statement).all()), (), "回")


def _section(title: str, path: str, count: int, lines: Sequence[Any], unit: str) -> Section | None:
    if not count:
        return None
    return Section(title, path, f"{count - 1}{unit}以上" if count == _COUNTED else f"{count}{unit}", tuple(lines))
