"""What a ticket's page asks of the masters: one statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Date, Integer, case, cast, func, literal, null, select, union_all
from sqlalchemy.orm import Session

from models.calendars import PART, ServiceCalendar, calendar_of
from models.kept import Kept
from models.masters import CompanyDay, DomainKind, FamilyMailbox, MailDomain
from models.people import ANSWERS, Staff
from models.unchanged import unchanged
from rules.calendar import BusinessCalendar

_NO_DAY: Any = cast(null(), Date)
_NO_NUMBER: Any = cast(null(), Integer)
_MASTERS = Kept(
    union_all(
        select(case((ANSWERS, literal("holder")), else_=literal("reader")).label("part"), Staff.id, Staff.name, _NO_DAY.label("day")).where(Staff.active),
        select(literal("day"), CompanyDay.id, literal(""), CompanyDay.day),
        select(PART, ServiceCalendar.id, ServiceCalendar.terms, _NO_DAY),
        # The two long lists come as one text each: a row an entry would be most of the rows of the page.
        select(literal("shared"), _NO_NUMBER, func.aggregate_strings(MailDomain.domain, " "), _NO_DAY).where(MailDomain.kind == DomainKind.SHARED),
        select(literal("mailbox"), _NO_NUMBER, func.aggregate_strings(FamilyMailbox.address, " "), _NO_DAY),
    )
)


@dataclass(frozen=True)
class Masters:
    """What a ticket's page asks of the masters."""

    staff: dict[int, str]
    holders: dict[int, str]
    """Those of them who may be given the ticket."""
    calendar: BusinessCalendar
    shared_domains: frozenset[str]
    mailboxes: frozenset[str]


def ticket_masters(session: Session) -> Masters:
    """Active staff by name, the calendars, shared domains and mailboxes: one statement, none while nobody writes."""
    return unchanged(session, "ticket masters", lambda: _read(session))


def _read(session: Session) -> Masters:
    rows = _MASTERS.rows(session)
    texts = {row.part: row.name or "" for row in rows}
    staff = sorted((row for row in rows if row.part in ("holder", "reader")), key=lambda row: row.name)
    return Masters(
        staff={row.id: row.name for row in staff},
        holders={row.id: row.name for row in staff if row.part == "holder"},
        calendar=calendar_of(rows, (row.day for row in rows if row.part == "day")),
        shared_domains=frozenset(texts["shared"].split()),
        mailboxes=frozenset(texts["mailbox"].split()),
    )
