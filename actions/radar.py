"""アカウントの点検: every account judged as its next profile edit would be, and what the center marks as done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from actions import journal
from actions.account_checks import load_standing, trace_of, why_failed
from models.actors import StaffMember
from models.contracts import ContractLine, Party
from models.people import Account, AccountState
from models.radar import AccountFinding
from rules.radar import Finding, Mark
from rules.refusal import Refused

NOTE_CHARACTERS = 500
_AT_ONCE = 1000


@dataclass(frozen=True)
class Found:
    """One finding of a check."""

    account_id: int
    kind: Finding
    why: str = ""
    ended_on: date | None = None


def check_accounts(session: Session, *, today: date) -> tuple[int, list[Found]]:
    """How many accounts may sign in, and what is wrong with them; two statements for all contracts, one for all addresses."""
    accounts = session.scalars(select(Account).where(Account.state == AccountState.ACTIVE).order_by(Account.id)).all()
    standing = load_standing(session, {account.contract_key for account in accounts})
    lasting = _last_days(session)
    found: list[Found] = []
    for account in accounts:
        why = why_failed(trace_of(account, standing, today=today))
        if why:
            found.append(Found(account.id, Finding.FAILS_EDIT, why))
        found += _of_address(account, lasting, today)
    return len(accounts), found


def keep_findings(session: Session, found: Iterable[Found], *, now: datetime) -> dict[str, int]:
    """Keep what was found: new ones are added, those that are gone go, a mark stands while its reason does. Returns new, gone and standing."""
    wanted = {(each.account_id, each.kind): each for each in found}
    kept = {(row.account_id, row.kind): row for row in session.execute(_KEPT)}
    gone = [row.id for key, row in kept.items() if key not in wanted]
    for some in _chunks(gone):
        session.execute(delete(AccountFinding).where(AccountFinding.id.in_(some)), execution_options={"synchronize_session": False})
    fresh = [each for key, each in wanted.items() if key not in kept]
    if fresh:
        session.execute(insert(AccountFinding), [_row(each, now) for each in fresh])
    session.execute(update(AccountFinding).values(checked_at=now), execution_options={"synchronize_session": False})
    for key, row in kept.items():
        each = wanted.get(key)
        if each is not None and (each.why, each.ended_on) != (row.why, row.ended_on):
            values = {"why": each.why, "ended_on": each.ended_on, "mark": Mark.OPEN, "found_at": now}
            session.execute(update(AccountFinding).where(AccountFinding.id == row.id).values(**values), execution_options={"synchronize_session": False})
    return {"found": len(fresh), "solved": len(gone), "standing": len(wanted) - len(fresh)}


def mark_finding(session: Session, finding_id: int, mark: Mark, *, note: str, by: StaffMember, now: datetime) -> None:
    """Say what was done about a finding. Refuses: finding_gone, text_long at note."""
    note = note.strip()
    if len(note) > NOTE_CHARACTERS:
        raise Refused("text_long", "note", max=NOTE_CHARACTERS, n=len(note))
    row = session.get(AccountFinding, finding_id)
    if row is None:
        raise Refused("finding_gone")
    before, row.mark = Mark(row.mark), mark
    row.marked_by, row.marked_at, row.note = by.name, now, note
    account = session.get_one(Account, row.account_id)
    facts = {"finding": Finding(row.kind).value, "mark": [before.value, mark.value], "note": note}
    journal.record(session, "mark_finding", "account", row.account_id, by=by, now=now, subject_name=account.company_name, **facts)


_KEPT = select(AccountFinding.id, AccountFinding.account_id, AccountFinding.kind, AccountFinding.why, AccountFinding.ended_on)


def _last_days(session: Session) -> Mapping[str, date]:
    """The last day of all lines on which an account's maintenance e-mail stands, by its key; an address without lines is not there."""
    wanted = select(Account.maintenance_email_key).distinct()
    statement = (
        select(Party.email_key, func.max(ContractLine.ends_on).label("ends_on"))
        .join(ContractLine, ContractLine.certificate_id == Party.certificate_id)
        .where(Party.email_key.in_(wanted))
        .group_by(Party.email_key)
    )
    return {row.email_key: row.ends_on for row in session.execute(statement)}


def _of_address(account: Account, lasting: Mapping[str, date], today: date) -> list[Found]:
    last = lasting.get(account.maintenance_email_key)
    if last is None:
        return [Found(account.id, Finding.ADDRESS_GONE)]
    return [Found(account.id, Finding.NO_LIVE_LINE, ended_on=last)] if last < today else []


def _row(each: Found, now: datetime) -> dict[str, object]:
    return {
        "account_id": each.account_id,
        "kind": each.kind,
        "why": each.why,
        "ended_on": each.ended_on,
        "found_at": now,
        "checked_at": now,
        "mark": Mark.OPEN,
        "marked_by": "",
        "marked_at": None,
        "note": "",
    }


def _chunks(numbers: list[int]) -> Iterable[list[int]]:
    return (numbers[start : start + _AT_ONCE] for start in range(0, len(numbers), _AT_ONCE))
