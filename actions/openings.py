"""A new ticket's row, whoever opens it: as the customer in the portal, or staff for a caller."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from actions.clock import start_clock
from actions.verdicts import facts_of, judge_typed
from models.base import NEVER
from models.people import Account
from models.tickets import Source, Ticket
from rules.calendar import BusinessCalendar, tokyo_date
from rules.text import fold_key, is_unknown, searchable
from rules.tickets import Priority, State


@dataclass(frozen=True)
class Opening:
    """A checked new ticket: texts as typed, masters by id, CC as it will be mailed."""

    family_id: int
    category_id: int
    subject: str
    contract_text: str
    serial_text: str
    body: str
    model: str = ""
    os_version: str = ""
    cc: tuple[str, ...] = ()
    priority: Priority = Priority.NORMAL


@dataclass(frozen=True)
class Caller:
    """Who is on the phone; an account's own people may leave this empty."""

    company: str = ""
    name: str = ""
    phone: str = ""


def new_ticket(
    session: Session,
    opening: Opening,
    account: Account | None,
    *,
    follows: Ticket | None = None,
    source: Source = Source.PORTAL,
    caller: Caller | None = None,
    since: datetime | None = None,
    calendar: BusinessCalendar,
    now: datetime,
) -> Ticket:
    """Write the ticket and start its clock, both as of `since` where the customer wrote earlier. What its contract is worth is kept as the opening verdict."""
    judgement = judge_typed(session, opening.contract_text, opening.serial_text, facts_of(account), today=tokyo_date(now))
    who = caller or Caller()
    ticket = Ticket(
        account_id=account.id if account else None,
        source=source,
        contact_company=who.company,
        contact_name=who.name,
        contact_phone=who.phone,
        family_id=opening.family_id,
        category_id=opening.category_id,
        subject=opening.subject,
        search_text=search_text(opening.subject, account, who),
        contract_text=opening.contract_text,
        contract_key="" if is_unknown(opening.contract_text) else fold_key(opening.contract_text),
        serial_text=opening.serial_text,
        serial_key="" if is_unknown(opening.serial_text) else fold_key(opening.serial_text),
        model=opening.model,
        os_version=opening.os_version,
        cc=list(opening.cc),
        state=State.NEW,
        state_before=State.NEW,
        state_from=now,
        unresolved=True,
        priority=opening.priority,
        created_at=since or now,
        updated_at=now,
        due_at=NEVER,
        calendar_id=calendar.for_family(opening.family_id).number,
        clock_left=None,
        first_answer_at=None,
        opening_verdict={"verdict": judgement.verdict, "reason": judgement.reason, "path": judgement.path, "lines": list(judgement.line_ids)},
        follows_id=follows.id if follows else None,
    )
    start_clock(ticket, calendar, since or now)
    session.add(ticket)
    session.flush()
    return ticket


def search_text(subject: str, account: Account | None, caller: Caller) -> str:
    """Subject and people in the form search compares."""
    people = (account.company_name, account.person_name, account.email, account.user_id) if account else ()
    return searchable(" ".join(part for part in (subject, *people, caller.company, caller.name, caller.phone) if part))
