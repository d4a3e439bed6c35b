"""Letting tickets be found by what their customers are called now."""

from __future__ import annotations

from datetime import timedelta

from actions.jobs import Counts, Run, confirm, last_done
from actions.ticket_heads import head_anew, renamed_accounts, tickets_of_old_words
from jobs.parts import Parts
from models.database import transaction

_LATE = timedelta(minutes=15)
"""So long a change may have taken until others saw it, and clocks may differ. Looking at an account once more finds nothing left to do."""
_AT_ONCE = 10
"""Tickets of one transaction: writers wait so long and no longer."""


def head_tickets(parts: Parts, run: Run) -> Counts:
    """Head the tickets of accounts that were renamed since the last run by today's words; how many accounts had such tickets."""
    with transaction(parts.engine, readonly=True) as session:
        done = last_done(session, run)
        renamed = renamed_accounts(session, done - _LATE if done else None)
    changed = sum(_head_all(parts, run, account_id) > 0 for account_id in renamed)
    return {"accounts": changed} if changed else {}


def _head_all(parts: Parts, run: Run, account_id: int) -> int:
    """How many tickets of the account were headed anew."""
    headed, last = 0, 0
    while last is not None:
        with transaction(parts.engine, readonly=True) as session:
            old, last = tickets_of_old_words(session, account_id, after=last)
        for start in range(0, len(old), _AT_ONCE):
            with transaction(parts.engine) as session:
                confirm(session, run)
                headed += head_anew(session, account_id, old[start : start + _AT_ONCE])
    return headed
