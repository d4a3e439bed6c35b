"""The nightly check of all accounts: read without a lock, then kept in one short transaction."""

from __future__ import annotations

from actions.jobs import Counts, Run, confirm
from actions.radar import check_accounts, keep_findings
from jobs.parts import Parts
from models.database import transaction
from rules.calendar import tokyo_date


def check(parts: Parts, run: Run) -> Counts:
    """Judge every account and keep what was found."""
    now = parts.clock()
    with transaction(parts.engine, readonly=True) as session:
        accounts, found = check_accounts(session, today=tokyo_date(now))
    with transaction(parts.engine) as session:
        confirm(session, run)
        return {"checked": accounts, **keep_findings(session, found, now=now)}
