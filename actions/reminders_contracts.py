"""Contract lines that end: told to the center and, where it is switched on, to the accounts that hang on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, aliased

from actions import notices_reminders as notices
from actions.reminders import note
from mail.desk import Desk
from models.contracts import Certificate, ContractLine, Party
from models.database import among
from models.people import Account, AccountState
from models.reminders import Reminder
from models.renewals import Renewal
from rules.calendar import BusinessCalendar, tokyo_date
from rules.limits import Limits
from rules.reminders import Kind, Outcome, ending_step


@dataclass(frozen=True)
class Ending:
    """The lines of one certificate that end on one day; `step` is which of the notices (90, 30 or 7 days) is due."""

    certificate_id: int
    contract_key: str
    ends_on: date
    lines: int
    step: int
    known_since: datetime

    @property
    def cause(self) -> str:
        """What a reminder of these lines is about. The contract by its key: SQLite gives a certificate's number to another one when it is undone."""
        return f"contract:{self.contract_key}:{self.ends_on.isoformat()}:{self.step}"

    @property
    def former_cause(self) -> str:
        """As it was noted before: a reminder of the number, of this contract if it came after it."""
        return f"{self.certificate_id}:{self.ends_on.isoformat()}:{self.step}"


def tell_the_center(session: Session, *, calendar: BusinessCalendar, desk: Desk, limits: Limits, now: datetime) -> int:
    """One letter to the center about all lines whose notice is due and was not given; how many certificates it names. On business days only."""
    due = _endings(session, calendar, limits, now)
    fresh = _untold(session, [(f"{Kind.CONTRACT_ENDING}:", one) for one in due])
    due = [one for one in due if f"{Kind.CONTRACT_ENDING}:{one.cause}" in fresh]
    if due:
        notices.contracts_ending(session, due, companies=_companies(session, due), desk=desk, now=now)
        note(session, Kind.CONTRACT_ENDING, [f"{Kind.CONTRACT_ENDING}:{one.cause}" for one in due], Outcome.TOLD, now=now)
    return len(due)


def tell_the_accounts(session: Session, *, calendar: BusinessCalendar, desk: Desk, limits: Limits, now: datetime) -> int:
    """A letter to each account whose lines end, at its own address; how many letters. The printed maintenance e-mail is told nothing."""
    due: dict[int, list[Ending]] = defaultdict(list)
    for one in _endings(session, calendar, limits, now):
        due[one.certificate_id].append(one)
    by_account: dict[int, list[Ending]] = defaultdict(list)
    for account_id, certificate_id in _holders(session, due.keys()):
        by_account[account_id] += due[certificate_id]
    fresh = _untold(session, [(f"{Kind.CONTRACT_ENDING_ACCOUNT}:{number}:", one) for number, ones in by_account.items() for one in ones])
    letters = 0
    for account_id, ones in by_account.items():
        causes = {f"{Kind.CONTRACT_ENDING_ACCOUNT}:{account_id}:{one.cause}": one for one in ones}
        told = [one for cause, one in causes.items() if cause in fresh]
        if told:
            notices.contracts_ending_account(session, session.get_one(Account, account_id), told, desk=desk, now=now)
            note(session, Kind.CONTRACT_ENDING_ACCOUNT, [cause for cause in causes if cause in fresh], Outcome.TOLD, now=now)
            letters += 1
    return letters


def _endings(session: Session, calendar: BusinessCalendar, limits: Limits, now: datetime) -> list[Ending]:
    """What ends within the longest notice, grouped; nothing on a day the desk is closed.

    A line is left out when the support of its device goes on, or when a person confirmed with an import which line carries it on.
    """
    today = tokyo_date(now)
    if not calendar.is_business_day(today):
        return []
    later = aliased(ContractLine)
    renewed = exists(
        select(later.id).where(
            later.serial == ContractLine.serial,
            later.product_number == ContractLine.product_number,
            later.service == ContractLine.service,
            later.ends_on > ContractLine.ends_on,
        )
    )
    statement = (
        select(ContractLine.certificate_id, Certificate.contract_key, Certificate.created_at, ContractLine.ends_on, func.count().label("lines"))
        .join(Certificate, Certificate.id == ContractLine.certificate_id)
        .where(ContractLine.ends_on.between(today, today + timedelta(days=limits.contract_end_first_days)))
        .where((ContractLine.serial == "") | ~renewed)
        .where(~exists(select(Renewal.id).where(Renewal.renews_id == ContractLine.id, Renewal.dropped_by.is_(None))))
        .group_by(ContractLine.certificate_id, Certificate.contract_key, Certificate.created_at, ContractLine.ends_on)
        .order_by(ContractLine.ends_on, Certificate.contract_key)
    )
    found: list[Ending] = []
    for row in session.execute(statement):
        step = ending_step(row.ends_on, today, limits)
        if step is not None:
            found.append(Ending(row.certificate_id, row.contract_key, row.ends_on, row.lines, step, row.created_at))
    return found


def _untold(session: Session, wanted: Sequence[tuple[str, Ending]]) -> set[str]:
    """The causes among `wanted` (what each begins with, and the lines it is about) that nobody was reminded of."""
    causes = [f"{begin}{cause}" for begin, one in wanted for cause in (one.cause, one.former_cause)]
    known = select(Reminder.cause, Reminder.at).where(among(session, Reminder.__table__.c.cause, causes))
    told = {row.cause: row.at for row in session.execute(known)}
    fresh: set[str] = set()
    for begin, one in wanted:
        formerly = told.get(f"{begin}{one.former_cause}")
        if f"{begin}{one.cause}" not in told and (formerly is None or formerly < one.known_since):
            fresh.add(f"{begin}{one.cause}")
    return fresh


def _holders(session: Session, certificates: Collection[int]) -> Sequence[tuple[int, int]]:
    """(account, certificate) of every account in use whose maintenance e-mail stands on one of `certificates`."""
    statement = (
        select(Account.id, Party.certificate_id)
        .join(Party, Party.email_key == Account.maintenance_email_key)
        .where(Account.state == AccountState.ACTIVE, Party.email_key != "")
        .distinct()
    )
    return [(row.id, row.certificate_id) for row in session.execute(statement) if row.certificate_id in certificates]


def _companies(session: Session, due: Sequence[Ending]) -> dict[int, str]:
    """Whom the first named certificates were issued for: the end user, else the operator, else the agent."""
    rank = {"agent": 0, "operator": 1, "end_user": 2}
    shown = [one.certificate_id for one in due[: notices.MOST_CONTRACTS]]
    rows = session.execute(select(Party.certificate_id, Party.role, Party.name).where(Party.certificate_id.in_(shown), Party.name != "")).all()
    return {row.certificate_id: row.name for row in sorted(rows, key=lambda row: rank[row.role])}
