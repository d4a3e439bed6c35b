"""Applying a change of a maintenance e-mail, and taking it back: parties, accounts, journal and letters in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from actions import journal
from actions import notices_email_changes as notices
from actions.email_change_impact import AccountImpact, Impact
from mail.desk import Desk
from models.actors import StaffMember
from models.base import AnyRow
from models.contracts import Certificate, Party
from models.email_changes import EmailChange
from models.people import Account, AccountSession, AccountState
from rules.addresses import parse_address
from rules.email_changes import DONE, ChangeState, Choice
from rules.refusal import Refused

_AT_ONCE = 500


@dataclass(frozen=True)
class Reversal:
    """What taking a change back would do, and what it would leave as it is."""

    parties: Sequence[AnyRow]
    """Those that still have the new address: id, certificate_id, contract_key, role, name."""
    kept: Sequence[AnyRow]
    """Those that were edited since."""
    accounts: Sequence[tuple[Account, Choice]]
    kept_accounts: Sequence[Account]


def apply_change(session: Session, change: EmailChange, impact: Impact, *, reason: str, by: StaffMember, desk: Desk, now: datetime) -> None:
    """Change the parties, do to each account what was chosen, keep what was there before, and write the letters.

    Ends as notified, or as applied where whoever asked has no address to write to. Refuses: nothing_to_change, impact_outdated.
    """
    if not impact.parties and not impact.accounts:
        raise Refused("nothing_to_change")
    change.before = {"parties": _change_parties(session, change, impact.parties, by=by, now=now), "accounts": []}
    done = [_change_account(session, change, each, reason=reason, by=by, now=now) for each in impact.accounts]
    change.before = {**change.before, "accounts": done}
    change.applied_at = now
    for each in impact.accounts:
        notices.told_holder(session, change, each.account, each.choice, desk=desk, now=now)
    notices.done(session, change, desk=desk, now=now)
    if notices.reaches_requester(session, change):
        change.state = ChangeState.NOTIFIED
    session.flush()


def reversal_of(session: Session, change: EmailChange) -> Reversal:
    """What taking `change` back would do now. Refuses: change_not_now."""
    if ChangeState(change.state) not in DONE:
        raise Refused("change_not_now")
    kept_before: dict[int, Any] = {entry["id"]: entry for entry in change.before["parties"]}
    rows = [row for some in _chunks(kept_before) for row in session.execute(_PARTIES.where(Party.id.in_(some)))]
    touched = {row.id for row in rows if row.email_key == change.new_key}
    accounts: list[tuple[Account, Choice]] = []
    kept: list[Account] = []
    for entry in change.before["accounts"]:
        account, choice = session.get_one(Account, entry["id"]), Choice(entry["choice"])
        if choice is Choice.ASK:
            continue
        moved = account.maintenance_email_key == change.new_key if choice is Choice.MOVE else account.state == AccountState.SUSPENDED
        if moved:
            accounts.append((account, choice))
        else:
            kept.append(account)
    return Reversal([row for row in rows if row.id in touched], [row for row in rows if row.id not in touched], accounts, kept)


def reverse_change(session: Session, change: EmailChange, *, version: int, reason: str, by: StaffMember, desk: Desk, now: datetime) -> Reversal:
    """Put back what the change replaced and nobody has touched since. Refuses: change_not_now, text_empty at reason."""
    if not reason.strip():
        raise Refused("text_empty", "reason")
    plan = reversal_of(session, change)
    values = {"state": ChangeState.REVERSED, "pending": False, "decided_by": by.name, "updated_at": now, "version": version + 1}
    statement = update(EmailChange).where(EmailChange.id == change.id, EmailChange.version == version).values(**values)
    if session.execute(statement.returning(EmailChange.id)).first() is None:
        raise Refused("change_not_now")
    before = {entry["id"]: entry for entry in change.before["parties"]}
    for row in plan.parties:
        session.execute(update(Party).where(Party.id == row.id, Party.email_key == change.new_key).values(**_party_before(before[row.id])))
    _touch(session, {row.certificate_id for row in plan.parties}, now=now)
    accounts = {entry["id"]: entry for entry in change.before["accounts"]}
    for account, choice in plan.accounts:
        _restore(session, account, choice, accounts[account.id], by=by, now=now)
        notices.reversed_for_holder(session, change, account, desk=desk, now=now)
    for row in plan.parties:
        _record_party(session, row, [change.new_email, before[row.id]["email"]], change, by=by, now=now)
    state = {"change_state": [ChangeState.NOTIFIED.value, ChangeState.REVERSED.value], "reason": reason.strip()}
    kept = {"kept": [row.contract_key for row in plan.kept]} if plan.kept else {}
    journal.record(session, "reverse_email_change", "email_change", change.id, by=by, now=now, subject_name=change.old_email, **state, **kept)
    session.refresh(change)
    notices.reversed_for_requester(session, change, desk=desk, now=now)
    return plan


_PARTIES: Any = select(Party.id, Party.certificate_id, Certificate.contract_key, Party.role, Party.name, Party.email_key).join(
    Certificate, Certificate.id == Party.certificate_id
)


def _change_parties(session: Session, change: EmailChange, parties: Sequence[AnyRow], *, by: StaffMember, now: datetime) -> list[dict[str, Any]]:
    """Set the new address on `parties`; what stood there, for the way back."""
    before: list[dict[str, Any]] = []
    new = parse_address(change.new_email)
    for some in _chunks([row.id for row in parties]):
        rows = session.execute(select(Party.id, Party.email, Party.set_at, Party.set_by).where(Party.id.in_(some))).all()
        before += [{"id": row.id, "email": row.email, "at": row.set_at.isoformat() if row.set_at else None, "by": row.set_by} for row in rows]
        mine = (Party.id.in_(some), Party.email_key == change.old_key)
        values = {"email": new.value, "email_key": new.key, "set_at": now, "set_by": by.name}
        changed = session.execute(update(Party).where(*mine).values(**values).returning(Party.id), execution_options={"synchronize_session": False}).all()
        if len(changed) != len(some):
            raise Refused("impact_outdated")
    _touch(session, {row.certificate_id for row in parties}, now=now)
    for row in parties:
        _record_party(session, row, [row.email, new.value], change, by=by, now=now)
    return before


def _record_party(session: Session, row: AnyRow, pair: list[str], change: EmailChange, *, by: StaffMember, now: datetime) -> None:
    facts = {"party_role": str(row.role), "maintenance_email": pair, "email_change": change.id}
    journal.record(session, "change_party_email", "certificate", row.certificate_id, by=by, now=now, subject_name=row.contract_key, **facts)


def _touch(session: Session, certificates: Iterable[int], *, now: datetime) -> None:
    """A plan of an import that was made before must be made again."""
    for some in _chunks(sorted(certificates)):
        session.execute(update(Certificate).where(Certificate.id.in_(some)).values(updated_at=now), execution_options={"synchronize_session": False})


def _change_account(session: Session, change: EmailChange, each: AccountImpact, *, reason: str, by: StaffMember, now: datetime) -> dict[str, object]:
    account = each.account
    before: dict[str, object] = {
        "id": account.id,
        "choice": each.choice.value,
        "maintenance_email": account.maintenance_email,
        "party_role": account.party_role,
        "state": AccountState(account.state).value,
        "state_reason": account.state_reason,
    }
    facts: dict[str, object] = {"choice": each.choice.value, "email_change": change.id}
    if each.choice is Choice.MOVE:
        new = parse_address(change.new_email)
        account.maintenance_email, account.maintenance_email_key, account.party_role = new.value, new.key, each.party_role
        account.updated_at = now
        facts["maintenance_email"] = [change.old_email, new.value]
    elif each.choice is Choice.SUSPEND and account.state == AccountState.ACTIVE:
        account.state, account.state_reason, account.updated_at = AccountState.SUSPENDED, reason, now
        session.execute(delete(AccountSession).where(AccountSession.account_id == account.id))
        facts["state"] = [before["state"], AccountState.SUSPENDED.value]
    journal.record(session, "move_account", "account", account.id, by=by, now=now, subject_name=account.user_id, **facts)
    return before


def _restore(session: Session, account: Account, choice: Choice, before: dict[str, Any], *, by: StaffMember, now: datetime) -> None:
    facts: dict[str, object] = {}
    if choice is Choice.MOVE:
        old = parse_address(before["maintenance_email"])
        facts["maintenance_email"] = [account.maintenance_email, old.value]
        account.maintenance_email, account.maintenance_email_key, account.party_role = old.value, old.key, before["party_role"]
    else:
        facts["state"] = [AccountState(account.state).value, before["state"]]
        account.state, account.state_reason = AccountState(before["state"]), before["state_reason"]
    account.updated_at = now
    journal.record(session, "move_account", "account", account.id, by=by, now=now, subject_name=account.user_id, **facts)


def _party_before(entry: dict[str, Any]) -> dict[str, object]:
    return {
        "email": entry["email"],
        "email_key": parse_address(entry["email"]).key,
        "set_at": datetime.fromisoformat(entry["at"]) if entry["at"] else None,
        "set_by": entry["by"],
    }


def _chunks(numbers: Iterable[int]) -> Iterator[list[int]]:
    iterator = iter(numbers)
    while some := list(islice(iterator, _AT_ONCE)):
        yield some
