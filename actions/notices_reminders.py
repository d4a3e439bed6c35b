"""One function per mail of a reminder: who gets it, what it says, and the outbox row in the transaction of its cause.

Recipients are staff, the center's own mailbox, or an account's `email`. A maintenance e-mail is never one, and neither is a ticket's CC:
what reminds one person is nobody else's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.letters import Draft, digest_of, worded, write_letters
from actions.recipients import queue_staff, staff_with
from mail.desk import Desk
from models.admission import PendingRegistration
from models.base import AnyRow
from models.masters import Category, ProductFamily
from models.people import Account, Staff
from models.tickets import Ticket
from rules.reminders import Kind
from rules.rights import Role
from wording import dates

MOST_CONTRACTS = 50
_MOST_LINES = 20
_OVERDUE = frozenset({Kind.FIRST_ANSWER_OVERDUE, Kind.NEXT_ANSWER_OVERDUE})
MAILS_FAILED = "staff_mails_failed"


@dataclass(frozen=True)
class Quota:
    """How much of a limit is used: of an account's, or (without one) of all together."""

    what: str
    account_id: int | None
    used: int
    limit: int


@dataclass(frozen=True)
class Section:
    """One heading of the day's overview: where the whole list stands, how many there are, the first of them."""

    title: str
    path: str
    count: str
    lines: tuple[str, ...] = ()


def answer_due(session: Session, kind: Kind, ticket: Ticket, *, cause: str, desk: Desk, now: datetime) -> bool:
    """Tell staff that the answer a ticket owes is near its deadline or past it; False when nobody is there to tell.

    Near: the assignee, without one the queue's staff. Past: the leads too.
    """
    row = _about(session, ticket)
    staff = [row.assignee_email] if row.assignee_active else queue_staff(session, ticket.family_id)
    if kind in _OVERDUE:
        staff += staff_with(session, [Role.LEAD])
    customer = f"{row.company_name} {row.person_name} 様" if row.account_id is not None else "（お客様は未登録です）"
    text = worded(
        session,
        f"staff_{kind}",
        desk=desk,
        ticket=ticket,
        product=row.product,
        category=row.category,
        customer=customer,
        due_at=ticket.due_at,
    )
    draft = Draft(f"staff_{kind}", f"staff_{cause}", text, list(dict.fromkeys(staff)), ticket_id=ticket.id)
    return bool(write_letters(session, [draft], desk=desk, now=now))


def silent(session: Session, kind: Kind, ticket: Ticket, *, since: date, closes_on: date, desk: Desk, now: datetime) -> None:
    """ご返信のお願い・終了の予告・終了のお知らせ, to the account's own address."""
    row = _about(session, ticket)
    text = worded(
        session,
        kind.value,
        desk=desk,
        ticket=ticket,
        product=row.product,
        company=row.company_name,
        person=row.person_name,
        since=dates.day(since),
        closes_on=dates.day(closes_on),
    )
    cause = f"{kind}:{ticket.id}:{since.isoformat()}:{now.isoformat()}"
    write_letters(session, [Draft(kind.value, cause, text, [row.email], ticket_id=ticket.id, account_id=row.account_id)], desk=desk, now=now)


def contracts_ending(session: Session, endings: Sequence[Any], *, companies: Mapping[int, str], desk: Desk, now: datetime) -> None:
    """契約終了の予告, to the center: which certificates have lines that end, when, how many."""
    shown = [
        {"contract": one.contract_key, "company": companies.get(one.certificate_id, ""), "ends_on": dates.day(one.ends_on), "lines": one.lines}
        for one in endings[:MOST_CONTRACTS]
    ]
    text = worded(session, "contract_ending", desk=desk, endings=shown, count=len(endings), more=len(endings) - len(shown))
    cause = f"contract_ending:{digest_of(one.cause for one in endings)}"
    write_letters(session, [Draft("contract_ending", cause, text, [desk.center_address])], desk=desk, now=now)


def contracts_ending_account(session: Session, account: Account, endings: Sequence[Any], *, desk: Desk, now: datetime) -> None:
    """契約終了のお知らせ, to the account's own address."""
    shown = [{"contract": one.contract_key, "ends_on": dates.day(one.ends_on), "lines": one.lines} for one in endings[:MOST_CONTRACTS]]
    more = len(endings) - len(shown)
    text = worded(session, "contract_ending_account", desk=desk, company=account.company_name, person=account.person_name, endings=shown, more=more)
    cause = f"contract_ending_account:{account.id}:{digest_of(one.cause for one in endings)}"
    write_letters(session, [Draft("contract_ending_account", cause, text, [account.email], account_id=account.id)], desk=desk, now=now)


def registration_ending(session: Session, pending: PendingRegistration, *, cause: str, desk: Desk, now: datetime) -> None:
    """本登録のお願い: the link that was sent ends soon. Nothing the applicant typed stands in it, and no link: only its hash is kept."""
    text = worded(session, "registration_ending", desk=desk, expires_at=pending.expires_at)
    write_letters(session, [Draft("registration_ending", cause, text, [pending.email])], desk=desk, now=now)


def digest(session: Session, staff: Staff, sections: Sequence[Section], *, today: date, desk: Desk, now: datetime) -> None:
    """今日の一覧: what waits for one staff member."""
    text = worded(session, "staff_digest", desk=desk, name=staff.name, today=dates.day_name(today), sections=sections)
    write_letters(session, [Draft("staff_digest", f"staff_digest:{staff.id}:{today.isoformat()}", text, [staff.email])], desk=desk, now=now)


def calendar_ending(session: Session, known_until: date, to: Sequence[str], *, desk: Desk, now: datetime) -> bool:
    """営業日カレンダーの残り; False when nobody is there to tell."""
    text = worded(session, "staff_calendar_ending", desk=desk, known_until=dates.day(known_until), year=known_until.year + 1)
    return _to_staff(session, "staff_calendar_ending", f"staff_calendar_ending:{known_until.isoformat()}", text, to, desk, now)


def mails_failed(session: Session, letters: Sequence[AnyRow], to: Sequence[str], *, desk: Desk, now: datetime) -> bool:
    """送れなかったメール (id, subject, and the `cause` by which a failure is known); False when nobody is there to tell."""
    shown = [{"id": row.id, "subject": row.subject} for row in letters[:_MOST_LINES]]
    text = worded(session, MAILS_FAILED, desk=desk, letters=shown, count=len(letters), more=len(letters) - len(shown))
    return _to_staff(session, MAILS_FAILED, f"{MAILS_FAILED}:{digest_of(row.cause for row in letters)}", text, to, desk, now)


def quotas(session: Session, found: Sequence[Quota], names: Mapping[int, AnyRow], to: Sequence[str], *, desk: Desk, now: datetime) -> bool:
    """上限が近づいています; False when nobody is there to tell."""
    shown = [_quota_line(one, names) for one in found[:_MOST_LINES]]
    text = worded(session, "staff_quota", desk=desk, quotas=shown, count=len(found), more=len(found) - len(shown))
    cause = f"staff_quota:{now.isoformat()}:{digest_of(f'{one.what}:{one.account_id}' for one in found)}"
    return _to_staff(session, "staff_quota", cause, text, to, desk, now)


def jobs_late(session: Session, late: Sequence[Any], to: Sequence[str], *, desk: Desk, now: datetime) -> bool:
    """遅れているジョブ; False when nobody is there to tell."""
    lines = [{"title": one.line.title, "since": one.since} for one in late]
    text = worded(session, "staff_jobs_late", desk=desk, jobs=lines, count=len(lines))
    cause = f"staff_jobs_late:{digest_of(f'{one.line.name}:{one.since.isoformat()}' for one in late)}"
    return _to_staff(session, "staff_jobs_late", cause, text, to, desk, now)


def _about(session: Session, ticket: Ticket) -> AnyRow:
    """What letters say of a ticket and whom they can reach."""
    found: Any = select(
        ProductFamily.name.label("product"),
        Category.name.label("category"),
        Account.id.label("account_id"),
        Account.company_name,
        Account.person_name,
        Account.email,
        Staff.email.label("assignee_email"),
        Staff.active.label("assignee_active"),
    )
    return session.execute(
        found.select_from(Ticket)
        .join(ProductFamily, ProductFamily.id == Ticket.family_id)
        .join(Category, Category.id == Ticket.category_id)
        .outerjoin(Account, Account.id == Ticket.account_id)
        .outerjoin(Staff, Staff.id == Ticket.assignee_id)
        .where(Ticket.id == ticket.id)
    ).one()


def _quota_line(one: Quota, names: Mapping[int, AnyRow]) -> dict[str, str]:
    row = names.get(one.account_id or 0)
    who = f"{row.company_name}（{row.user_id}）" if row else ""
    show = dates.size if one.what in ("account_bytes", "storage") else dates.number
    return {"what": one.what, "who": who, "used": show(one.used), "limit": show(one.limit)}


def _to_staff(session: Session, kind: str, cause: str, text: Any, to: Sequence[str], desk: Desk, now: datetime) -> bool:
    return bool(write_letters(session, [Draft(kind, cause, text, list(to))], desk=desk, now=now))
