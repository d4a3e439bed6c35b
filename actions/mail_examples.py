"""The newest real case of a letter: what its text looks like on data of the desk before it is published. Links that give a right are not made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from actions.digests import sections_for
from mail.compose import excerpt
from mail.facts import sample
from models.actors import StaffMember
from models.admission import PendingRegistration
from models.base import NEVER, AnyRow
from models.contracts import Certificate, ContractLine
from models.email_changes import EmailChange
from models.masters import Category, ProductFamily, company_days
from models.outbox import Letter, LetterState
from models.people import Account, Staff
from models.radar import AccountFinding
from models.requests import ExceptionRequest
from models.tickets import Attachment, Message, MessageKind, Ticket
from rules.calendar import BusinessCalendar, tokyo_date
from rules.limits import Limits
from rules.radar import Mark
from rules.reminders import calendar_known_until
from wording import dates

_MOST_LINES = 3


@dataclass(frozen=True)
class Looking:
    """Who looks, when, and by which calendar and limits."""

    staff: StaffMember
    calendar: BusinessCalendar
    limits: Limits
    now: datetime


@dataclass(frozen=True)
class Example:
    """The facts of a letter, and the case they are of; "" when there is none yet and they are a sample."""

    of: str
    facts: Mapping[str, Any]


def newest(session: Session, notice: str, looking: Looking) -> Example:
    """The facts of the newest real case of `notice`; what the case does not say (a colleague's name, a day) is the sample's."""
    found = next((find(session, notice, looking) for stem, find in _FINDERS if notice.startswith(stem)), None)
    plain = sample(notice)
    return Example("", plain) if found is None else Example(found.of, {**plain, **found.facts})


def _of_ticket(session: Session, notice: str, looking: Looking) -> Example | None:
    post = _newest_post(session, notice)
    if post is None:
        return None
    ticket, account = session.get_one(Ticket, post.ticket_id), session.get_one(Account, post.account_id)
    body, cut = excerpt(post.body, looking.limits.mail_body_characters)
    since = tokyo_date(post.published_at)
    facts = {
        "ticket": ticket,
        "ticket_id": ticket.id,
        "product": session.scalar(select(ProductFamily.name).where(ProductFamily.id == ticket.family_id)),
        "category": session.scalar(select(Category.name).where(Category.id == ticket.category_id)),
        "company": account.company_name,
        "person": account.person_name,
        "customer": f"{account.company_name} {account.person_name} 様",
        "post": body,
        "cut": cut,
        "files": session.execute(select(Attachment.name, Attachment.size).where(Attachment.message_id == post.id).order_by(Attachment.id)).all(),
        "stop_link": "",
        "opens": "",
        "due_at": ticket.due_at if ticket.due_at != NEVER else looking.now,
        "by": looking.staff.name,
        "since": dates.day(since),
        "closes_on": dates.day(looking.calendar.add_business_days(since, looking.limits.silent_close_days).day),
    }
    return Example(f"#{ticket.id}", facts)


def _newest_post(session: Session, notice: str) -> AnyRow | None:
    """The newest post of the kind the letter is about, on a ticket of somebody."""
    earlier = aliased(Message)
    first = select(func.min(earlier.id)).where(earlier.ticket_id == Ticket.id).scalar_subquery()
    posts = select(Message.id, Message.ticket_id, Message.body, Message.published_at, Ticket.account_id).join(Ticket, Ticket.id == Message.ticket_id)
    posts = posts.where(Ticket.account_id.is_not(None)).order_by(Message.id.desc()).limit(1)
    if notice == "answered" or notice.startswith("silent"):
        return session.execute(posts.where(Message.kind == MessageKind.ANSWER)).first()
    opened = Message.id != first if "updated" in notice else Message.id == first
    owed = [Ticket.due_at != NEVER] if "_answer_" in notice else []
    return session.execute(posts.where(Message.kind == MessageKind.CUSTOMER, opened, *owed)).first()


def _of_account(session: Session, _notice: str, looking: Looking) -> Example | None:
    account = session.scalars(select(Account).order_by(Account.id.desc()).limit(1)).first()
    if account is None:
        return None
    entries = [{"user_id": account.user_id, "token": "…"}]
    facts = {"company": account.company_name, "person": account.person_name, "user_id": account.user_id, "at": looking.now, "entries": entries}
    return Example(account.user_id, facts)


def _of_registration(session: Session, _notice: str, _looking: Looking) -> Example | None:
    pending = session.scalars(select(PendingRegistration).order_by(PendingRegistration.id.desc()).limit(1)).first()
    return Example(pending.user_id, {"expires_at": pending.expires_at}) if pending is not None else None


def _of_request(session: Session, _notice: str, _looking: Looking) -> Example | None:
    request = session.scalars(select(ExceptionRequest).order_by(ExceptionRequest.id.desc()).limit(1)).first()
    if request is None:
        return None
    facts = {
        "company": request.company_name,
        "person": request.person_name,
        "number": request.reference or request.number,
        "user_id": request.user_id,
        "kind": request.kind.value,
        "expires_at": request.expires_at,
    }
    return Example(request.number, facts | ({"message": request.message} if request.message else {}))


def _of_requests(session: Session, _notice: str, _looking: Looking) -> Example | None:
    rows = session.scalars(select(ExceptionRequest).order_by(ExceptionRequest.id.desc()).limit(_MOST_LINES)).all()
    shown = [{"id": row.id, "number": row.number, "company": row.company_name, "since": row.created_at} for row in rows]
    return _listed("requests", shown, ", ".join(row.number for row in rows))


def _of_change(session: Session, _notice: str, _looking: Looking) -> Example | None:
    change = session.scalars(select(EmailChange).order_by(EmailChange.id.desc()).limit(1)).first()
    if change is None:
        return None
    return Example(str(change.id), {"change": change, "company": change.requester_company, "person": change.requester_name})


def _of_changes(session: Session, _notice: str, _looking: Looking) -> Example | None:
    rows = session.scalars(select(EmailChange).order_by(EmailChange.id.desc()).limit(_MOST_LINES)).all()
    shown = [{"id": row.id, "due_on": dates.day(row.due_on), "company": row.requester_company, "old_email": row.old_email} for row in rows]
    return _listed("changes", shown, ", ".join(str(row.id) for row in rows))


def _of_endings(session: Session, _notice: str, looking: Looking) -> Example | None:
    rows = session.execute(
        select(Certificate.contract_key, ContractLine.ends_on, func.count().label("lines"))
        .join(Certificate, Certificate.id == ContractLine.certificate_id)
        .where(ContractLine.ends_on >= tokyo_date(looking.now))
        .group_by(Certificate.contract_key, ContractLine.ends_on)
        .order_by(ContractLine.ends_on, Certificate.contract_key)
        .limit(_MOST_LINES)
    ).all()
    shown = [{"contract": row.contract_key, "ends_on": dates.day(row.ends_on), "lines": row.lines, "company": ""} for row in rows]
    return _listed("endings", shown, ", ".join(row.contract_key for row in rows))


def _of_tickets(session: Session, _notice: str, looking: Looking) -> Example | None:
    rows = session.execute(select(Ticket.id, Ticket.subject).order_by(Ticket.id.desc()).limit(_MOST_LINES)).all()
    found = _listed("tickets", [{"id": row.id, "subject": row.subject} for row in rows], ", ".join(f"#{row.id}" for row in rows))
    return Example(found.of, {**found.facts, "by": looking.staff.name}) if found else None


def _of_letters(session: Session, _notice: str, _looking: Looking) -> Example | None:
    rows = session.execute(select(Letter.id, Letter.subject).where(Letter.state == LetterState.PARKED).order_by(Letter.id.desc()).limit(_MOST_LINES)).all()
    return _listed("letters", [{"id": row.id, "subject": row.subject} for row in rows], ", ".join(str(row.id) for row in rows))


def _of_findings(session: Session, _notice: str, _looking: Looking) -> Example | None:
    counted = select(AccountFinding.kind, func.count().label("accounts")).where(AccountFinding.mark == Mark.OPEN).group_by(AccountFinding.kind)
    rows = session.execute(counted.order_by(AccountFinding.kind)).all()
    found = _listed("found", [{"kind": row.kind.value, "count": row.accounts} for row in rows], dates.number(sum(row.accounts for row in rows)))
    return Example(found.of, {**found.facts, "count": sum(row.accounts for row in rows)}) if found else None


def _of_day(session: Session, _notice: str, looking: Looking) -> Example | None:
    staff = session.get_one(Staff, looking.staff.id)
    sections = sections_for(session, staff, calendar=looking.calendar, limits=looking.limits, now=looking.now)
    facts = {"name": staff.name, "today": dates.day_name(tokyo_date(looking.now)), "sections": sections}
    return Example(staff.name, facts) if sections else None


def _of_calendar(session: Session, _notice: str, _looking: Looking) -> Example | None:
    known = calendar_known_until(company_days(session))
    return Example(dates.day(known), {"known_until": dates.day(known), "year": known.year + 1})


def _none(_session: Session, _notice: str, _looking: Looking) -> Example | None:
    return None


def _listed(name: str, rows: list[dict[str, Any]], of: str) -> Example | None:
    return Example(of, {name: rows, "count": len(rows), "more": 0}) if rows else None


_FINDERS: tuple[tuple[str, Callable[[Session, str, Looking], Example | None]], ...] = (
    ("registration_", _of_registration),
    ("exception_", _of_request),
    ("explanation", _none),
    ("copies_offer", _none),
    ("email_change_tomorrow", _of_changes),
    ("email_change_due", _of_changes),
    ("email_change_overdue", _of_changes),
    ("email_change_", _of_change),
    ("contract_ending", _of_endings),
    ("accounts_found", _of_findings),
    ("staff_exception_waiting", _of_requests),
    ("staff_assigned_many", _of_tickets),
    ("staff_mails_failed", _of_letters),
    ("staff_digest", _of_day),
    ("staff_calendar_ending", _of_calendar),
    ("staff_quota", _none),
    ("staff_jobs_late", _none),
    ("staff_registration_limit", _none),
    *((stem, _of_ticket) for stem in ("ticket_", "answered", "silent_", "mail_not_taken", "staff_")),
    ("", _of_account),
)
"""By the beginning of a notice's name: the first that fits finds its case."""
