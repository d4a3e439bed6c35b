"""Answering requests of 「ログイン情報を忘れた場合」: kept by the page in equal work, looked at only here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions import recoveries
from actions.jobs import Counts, Run, confirm
from jobs.parts import Parts
from models.admission import RecoveryRequest
from models.database import transaction


def has_requests(session: Session, _now: datetime) -> bool:
    """Whether somebody waits."""
    return session.scalar(select(RecoveryRequest.id).limit(1)) is not None


def answer(parts: Parts, run: Run) -> Counts:
    """Write the letters of every request, the oldest first; each request goes with its letter in one transaction."""
    answered = 0
    while True:
        with transaction(parts.engine) as session:
            confirm(session, run)
            if not recoveries.answer_request(session, desk=parts.desk, limits=parts.limits, now=parts.clock()):
                return {"answered": answered} if answered else {}
        answered += 1
