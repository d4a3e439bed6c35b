"""What a change of a maintenance e-mail would do: certificates, accounts before and after, tickets, letters; nothing is written here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from actions.account_checks import load_standing, trace_of, why_failed
from models.base import AnyRow
from models.email_changes import EmailChange, accounts_with, open_tickets, parties_with
from models.masters import DomainKind, mail_domains
from models.people import Account
from rules.addresses import Verdict, compare, parse_address
from rules.email_changes import Choice, second_due, suggested
from rules.registration import Trace


@dataclass(frozen=True)
class AccountImpact:
    """One account that hangs on the old address; the results are those of its next profile edit."""

    account: Account
    before: str
    """The reason it would be refused today, "" where it would pass."""
    after: str
    """The same once everything has moved."""
    party_role: str
    """The party that its address would then be."""
    choice: Choice
    tickets: int


@dataclass(frozen=True)
class Impact:
    """The whole of it, and its fingerprint: what was decided on one impact is not done to another."""

    parties: Sequence[AnyRow]
    """Those that would change."""
    left_out: Sequence[AnyRow]
    accounts: Sequence[AccountImpact]
    verdict: Verdict
    second_due: bool
    fingerprint: str

    @property
    def certificates(self) -> int:
        """How many certificates would change."""
        return len({row.certificate_id for row in self.parties})

    @property
    def tickets(self) -> int:
        """How many unresolved tickets the accounts have."""
        return sum(each.tickets for each in self.accounts)

    def chosen(self, choice: Choice) -> list[AccountImpact]:
        """The accounts with that choice."""
        return [each for each in self.accounts if each.choice is choice]


def impact_of(session: Session, change: EmailChange, *, today: date) -> Impact:
    """What `change` would do with its choices of today; an account without a choice gets the suggested one."""
    old, new = parse_address(change.old_email), parse_address(change.new_email)
    skipped = frozenset(change.left_out)
    standing_rows = parties_with(session, change.old_key)
    parties = [row for row in standing_rows if row.id not in skipped]
    accounts = accounts_with(session, change.old_key)
    standing = load_standing(session, {account.contract_key for account in accounts})
    later = standing.with_address([row.id for row in parties], new.key)
    entire = standing.with_address([row.id for row in standing_rows], new.key) if skipped else later
    tickets = open_tickets(session, [account.id for account in accounts])
    shared = mail_domains(session, DomainKind.SHARED)
    judged: list[AccountImpact] = []
    shown: list[list[object]] = []
    for account in accounts:
        before, after = trace_of(account, standing, today=today), trace_of(account, later, today=today, maintenance=new)
        judged.append(_judged(account, before, after, change, tickets.get(account.id, 0)))
        wholly = why_failed(trace_of(account, entire, today=today, maintenance=new))
        shown.append([account.id, account.state, account.email_key, why_failed(before), wholly])
    return Impact(
        parties,
        [row for row in standing_rows if row.id in skipped],
        judged,
        compare(old, new, shared),
        second_due(old, new, shared),
        _fingerprint(change, standing_rows, shown),
    )


def _judged(account: Account, before: Trace, after: Trace, change: EmailChange, tickets: int) -> AccountImpact:
    kept = change.choices.get(str(account.id))
    choice = Choice(kept) if kept in [*Choice] else suggested(passes=after.passed)
    return AccountImpact(account, why_failed(before), why_failed(after), after.matched_party or account.party_role, choice, tickets)


def _fingerprint(change: EmailChange, parties: Sequence[AnyRow], accounts: Sequence[Sequence[object]]) -> str:
    """Of everything that stood on the page, whatever was then left out or chosen."""
    return hashlib.sha256(json.dumps([change.old_key, change.new_key, sorted(row.id for row in parties), accounts]).encode()).hexdigest()
