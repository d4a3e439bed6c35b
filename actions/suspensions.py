"""Closing an account to its holder, and opening it again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from actions import journal
from models.actors import StaffMember
from models.people import Account, AccountSession, AccountState
from rules.refusal import Refused

REASON_CHARACTERS = 1000


def suspend_account(session: Session, account: Account, *, reason: str, by: StaffMember, now: datetime) -> None:
    """Close an account: its sessions end at once, its tickets stay. Refuses: text_empty, text_long at reason; account_suspended_already."""
    reason = _reason(reason)
    if account.state == AccountState.SUSPENDED:
        raise Refused("account_suspended_already")
    session.execute(delete(AccountSession).where(AccountSession.account_id == account.id))
    _change(session, account, AccountState.SUSPENDED, reason, by=by, now=now)


def reopen_account(session: Session, account: Account, *, reason: str, by: StaffMember, now: datetime) -> None:
    """Open a suspended account again. Refuses: text_empty, text_long at reason; account_active_already."""
    reason = _reason(reason)
    if account.state == AccountState.ACTIVE:
        raise Refused("account_active_already")
    _change(session, account, AccountState.ACTIVE, reason, by=by, now=now)


def _change(session: Session, account: Account, state: AccountState, reason: str, *, by: StaffMember, now: datetime) -> None:
    if account.state == AccountState.ERASED:
        raise Refused("account_erased")
    before = str(account.state)
    account.state, account.state_reason, account.updated_at = state, reason, now
    act = "suspend" if state is AccountState.SUSPENDED else "reopen"
    journal.record(session, act, "account", account.id, by=by, now=now, subject_name=account.company_name, state=[before, state.value], reason=reason)


def _reason(typed: str) -> str:
    reason = typed.strip()
    if not reason:
        raise Refused("text_empty", "reason")
    if len(reason) > REASON_CHARACTERS:
        raise Refused("text_long", "reason", max=REASON_CHARACTERS, n=len(reason))
    return reason
