"""What a ticket's page asks of the masters, and of those who stand in the ticket's CC: one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Date, Integer, String, bindparam, case, cast, func, literal, null, select, union_all
from sqlalchemy.orm import Session

from models.base import NEVER, Moment
from models.calendars import PART, ServiceCalendar, calendar_of
from models.contracts import CompanyDay, DomainKind, FamilyMailbox, MailDomain
from models.kept import Kept
from models.outbox import CopyStop
from models.people import ANSWERS, RateCount, Staff
from models.unchanged import unchanged
from rules.calendar import BusinessCalendar

_NO_DAY: Any = cast(null(), Date)
_NO_NUMBER: Any = cast(null(), Integer)


@dataclass(frozen=True)
class Masters:
    """What a ticket's page asks of the masters."""

    staff: dict[int, str]
    holders: dict[int, str]
    """Those of them who may be given the ticket."""
    calendar: BusinessCalendar
    shared_domains: frozenset[str]
    mailboxes: frozenset[str]
    stopped: frozenset[str]
    """Those of the ticket's CC, in lower case, who want no more copies."""
    outside_used: int
    """Mails to outside CC addresses that the account has caused today."""


def ticket_masters(session: Session, cc: Sequence[str] = (), used: tuple[str, str, datetime] | None = None) -> Masters:
    """Active staff by name, the calendars, shared domains and mailboxes, and of a ticket's CC who gets nothing: one statement.

    `used` names the count of outside mails (bucket, key, beginning of its window).
    """
    asked: dict[str, Any] = {f"copy_{place}": address.lower() for place, address in enumerate(cc)}
    if cc:
        asked["bucket"], asked["key"], asked["began_at"] = used or ("", "", NEVER)
    return unchanged(session, ("masters", *asked.items()), lambda: _read(session, len(cc), asked))


def _read(session: Session, copies: int, asked: Mapping[str, Any]) -> Masters:
    rows = _masters(copies).rows(session, asked)
    texts = {row.part: row.name or "" for row in rows}
    staff = sorted((row for row in rows if row.part in ("holder", "reader")), key=lambda row: row.name)
    return Masters(
        staff={row.id: row.name for row in staff},
        holders={row.id: row.name for row in staff if row.part == "holder"},
        calendar=calendar_of(rows, (row.day for row in rows if row.part == "day")),
        shared_domains=frozenset(texts["shared"].split()),
        mailboxes=frozenset(texts["mailbox"].split()),
        stopped=frozenset(row.name for row in rows if row.part == "stopped") if copies else frozenset(),
        outside_used=sum(row.id for row in rows if row.part == "outside") if copies else 0,
    )


@lru_cache(maxsize=32)
def _masters(copies: int) -> Kept:
    """For a ticket with `copies` addresses in CC: most have none, and ask nothing of them."""
    parts: list[Any] = [
        select(case((ANSWERS, literal("holder")), else_=literal("reader")).label("part"), Staff.id, Staff.name, _NO_DAY.label("day")).where(Staff.active),
        select(literal("day"), CompanyDay.id, literal(""), CompanyDay.day),
        select(PART, ServiceCalendar.id, ServiceCalendar.terms, _NO_DAY),
        # The two long lists come as one text each: a row an entry would be most of the rows of the page.
        select(literal("shared"), _NO_NUMBER, func.aggregate_strings(MailDomain.domain, " "), _NO_DAY).where(MailDomain.kind == DomainKind.SHARED),
        select(literal("mailbox"), _NO_NUMBER, func.aggregate_strings(FamilyMailbox.address, " "), _NO_DAY),
    ]
    if copies:
        stopped = CopyStop.address_key.in_([bindparam(f"copy_{place}", type_=String) for place in range(copies)])
        used = (RateCount.bucket == bindparam("bucket"), RateCount.key == bindparam("key"), RateCount.began_at == bindparam("began_at", type_=Moment))
        parts.append(select(literal("stopped"), _NO_NUMBER, CopyStop.address_key, _NO_DAY).where(stopped))
        parts.append(select(literal("outside"), RateCount.count, literal(""), _NO_DAY).where(*used))
    return Kept(union_all(*parts))
