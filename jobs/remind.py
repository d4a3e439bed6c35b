"""Reminders to staff."""

from __future__ import annotations

from actions.jobs import Counts, Run, confirm
from actions.reminders import remind_of_first_answers
from jobs.parts import Parts
from models.database import transaction

_AT_ONCE = 200


def first_answers(parts: Parts, run: Run) -> Counts:
    """Tell the queues' staff of tickets whose first answer is overdue."""
    told = alone = 0
    while True:
        with transaction(parts.engine) as session:
            confirm(session, run)
            some, others = remind_of_first_answers(session, desk=parts.desk, limits=parts.limits, now=parts.clock(), limit=_AT_ONCE)
        told, alone = told + some, alone + others
        if some + others < _AT_ONCE:
            return {"reminded": told, "nobody_to_tell": alone} if alone else {"reminded": told}
