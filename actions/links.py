"""Mailed links of accounts: issued, found, used once, killed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.admission import AccountLink, LinkKind
from models.people import Account, AccountState
from models.tokens import hash_token, new_token


def issue_link(
    session: Session, account_id: int, kind: LinkKind, *, expires_at: datetime, now: datetime, email: str = "", held: dict[str, Any] | None = None
) -> str:
    """A new link of `kind` for the account; older ones of that kind die. Returns the secret for the letter."""
    kill_links(session, account_id, now=now, kind=kind)
    token = new_token()
    link = AccountLink(kind=kind, token_hash=hash_token(token), account_id=account_id, email=email, created_at=now, expires_at=expires_at, used_at=None)
    link.held = held
    session.add(link)
    return token


def kill_links(session: Session, account_id: int, *, now: datetime, kind: LinkKind | None = None) -> None:
    """End the account's unused links, those of `kind` only when it is given."""
    statement = update(AccountLink).where(AccountLink.account_id == account_id, AccountLink.used_at.is_(None), AccountLink.expires_at > now)
    session.execute((statement if kind is None else statement.where(AccountLink.kind == kind)).values(expires_at=now))


def find_link(session: Session, kind: LinkKind, token: str, *, now: datetime) -> tuple[AccountLink, Account] | None:
    """The living link behind `token` with its active account; None when it is unknown, used or too old."""
    row = session.execute(
        select(AccountLink, Account)
        .join(Account, Account.id == AccountLink.account_id)
        .where(
            AccountLink.token_hash == hash_token(token),
            AccountLink.kind == kind,
            AccountLink.used_at.is_(None),
            AccountLink.expires_at > now,
            Account.state == AccountState.ACTIVE,
        )
    ).one_or_none()
    return (row[0], row[1]) if row else None


def use_link(session: Session, link: AccountLink, *, now: datetime) -> bool:
    """Use the link up; False when another request did so a moment ago."""
    used = session.execute(update(AccountLink).where(AccountLink.id == link.id, AccountLink.used_at.is_(None)).values(used_at=now).returning(AccountLink.id))
    return used.scalar_one_or_none() is not None
