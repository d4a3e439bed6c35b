"""What taking back a grant would do: each account it names, judged with and without it; nothing is written here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from actions.account_checks import load_standing, trace_of, why_failed
from models.people import Account
from models.requests import ExceptionGrant, accounts_under


@dataclass(frozen=True)
class Leaning:
    """One account that a grant names; the results are those of its next profile edit."""

    account: Account
    before: str
    """The reason it would be refused as everything stands, "" where it would pass."""
    after: str
    """The same once the grant is gone."""

    @property
    def falls(self) -> bool:
        """Whether this grant alone lets it pass."""
        return not self.before and bool(self.after)


def leaning_on(session: Session, grant: ExceptionGrant, *, today: date) -> Sequence[Leaning]:
    """The accounts that `grant` names, those it alone lets pass first."""
    accounts = accounts_under(session, grant)
    standing = load_standing(session, {account.contract_key for account in accounts})
    without = standing.without_grant(grant.id)
    judged = [
        Leaning(account, why_failed(trace_of(account, standing, today=today)), why_failed(trace_of(account, without, today=today))) for account in accounts
    ]
    return sorted(judged, key=lambda each: not each.falls)
