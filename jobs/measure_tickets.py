"""Working out what tickets' time came to, for the reports."""

from __future__ import annotations

from actions.figures import measure
from actions.jobs import Counts, Run, confirm
from jobs.parts import Parts
from models.database import transaction

_AT_ONCE = 500
"""Tickets of one transaction: writers wait so long and no longer."""


def measure_all(parts: Parts, run: Run) -> Counts:
    """Work out the figures of every ticket that changed; how many."""
    done = 0
    while True:
        with transaction(parts.engine) as session:
            confirm(session, run)
            some = measure(session, now=parts.clock(), limit=_AT_ONCE)
        done += some
        if some < _AT_ONCE:
            return {"tickets": done} if done else {}
