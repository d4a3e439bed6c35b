"""Letters about a change of a maintenance e-mail: to whoever asked, and to the accounts' own addresses.

The old and the new maintenance e-mail get none, unless one is an account's own address.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from actions.letters import Draft, worded, write_letters
from mail.desk import Desk
from models.email_changes import EmailChange, own_addresses
from models.people import Account, AccountState
from rules.email_changes import ChangeState, Choice


def received(session: Session, change: EmailChange, *, desk: Desk, now: datetime) -> None:
    """受付: until when the request will be done."""
    _to_requester(session, change, "email_change_received", f"email_change_received:{change.id}", desk=desk, now=now)


def answered(session: Session, change: EmailChange, text: str, *, desk: Desk, now: datetime) -> None:
    """差戻し・却下: what the center wrote."""
    cause = f"email_change_answered:{change.id}:{change.version}"
    _to_requester(session, change, "email_change_answered", cause, desk=desk, now=now, declined=change.state == ChangeState.DECLINED, text=text)


def done(session: Session, change: EmailChange, *, desk: Desk, now: datetime) -> None:
    """完了, to whoever asked."""
    _to_requester(session, change, "email_change_done", f"email_change_done:{change.id}", desk=desk, now=now)


def reversed_for_requester(session: Session, change: EmailChange, *, desk: Desk, now: datetime) -> None:
    """元に戻したこと, to whoever asked."""
    _to_requester(session, change, "email_change_reversed", f"email_change_reversed:{change.id}:{change.version}", desk=desk, now=now)


def told_holder(session: Session, change: EmailChange, account: Account, choice: Choice, *, desk: Desk, now: datetime) -> None:
    """To an account's own address: what became of its maintenance e-mail, or what its holder is asked to do."""
    if account.state != AccountState.ACTIVE and choice is not Choice.SUSPEND:
        return
    cause = f"email_change_holder:{change.id}:{change.version}:{account.id}"
    _to_account(session, change, account, "email_change_holder", cause, desk=desk, now=now, choice=choice.value)


def reversed_for_holder(session: Session, change: EmailChange, account: Account, *, desk: Desk, now: datetime) -> None:
    """元に戻したこと, to an account's own address."""
    cause = f"email_change_reversed:{change.id}:{change.version}:{account.id}"
    _to_account(session, change, account, "email_change_reversed", cause, desk=desk, now=now)


def reaches_requester(session: Session, change: EmailChange) -> bool:
    """Whether letters can go to whoever asked: there is an address, and it is no maintenance e-mail that nobody proved as their own."""
    key = change.requester_email.lower()
    return bool(key) and (key not in (change.old_key, change.new_key) or key in own_addresses(session, [key]))


def _to_requester(session: Session, change: EmailChange, kind: str, cause: str, *, desk: Desk, now: datetime, **more: object) -> None:
    if not reaches_requester(session, change):
        return
    text = worded(session, kind, desk=desk, change=change, company=change.requester_company, person=change.requester_name, user_id="", **more)
    write_letters(session, [Draft(kind, cause, text, [change.requester_email], account_id=change.account_id)], desk=desk, now=now)


def _to_account(session: Session, change: EmailChange, account: Account, kind: str, cause: str, *, desk: Desk, now: datetime, **more: object) -> None:
    text = worded(session, kind, desk=desk, change=change, company=account.company_name, person=account.person_name, user_id=account.user_id, **more)
    write_letters(session, [Draft(kind, cause, text, [account.email], account_id=account.id)], desk=desk, now=now)
