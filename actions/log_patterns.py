"""The patterns of logs: an administrator adds one and takes one away."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from actions.journal import record
from models.actors import Actor
from models.log_patterns import LogPattern
from models.masters import ProductFamily
from rules.logs import MOST_PATTERNS, Fact, check_pattern
from rules.refusal import Refused


def add_pattern(session: Session, *, family: str, fact: str, pattern: str, by: Actor, now: datetime) -> LogPattern:
    """Look for `fact` by `pattern` in the logs of `family` (its number; "" for all products).

    Refuses at their fields: family_unknown, fact_unknown, pattern_many(max), pattern_taken, and what `rules.logs.check_pattern` refuses.
    """
    owner = session.get(ProductFamily, int(family)) if family.isdecimal() and len(family) < 10 else None
    if family and owner is None:
        raise Refused("family_unknown", "family")
    if fact not in {one.value for one in Fact}:
        raise Refused("fact_unknown", "fact")
    text = check_pattern(pattern)
    if session.execute(select(func.count()).select_from(LogPattern)).scalar_one() >= MOST_PATTERNS:
        raise Refused("pattern_many", "pattern", max=MOST_PATTERNS)
    number = owner.id if owner else None
    same = (LogPattern.family_id == number if number else LogPattern.family_id.is_(None), LogPattern.fact == Fact(fact), LogPattern.pattern == text)
    if session.scalar(select(LogPattern.id).where(*same)) is not None:
        raise Refused("pattern_taken", "pattern")
    added = LogPattern(family_id=number, fact=Fact(fact), pattern=text)
    session.add(added)
    session.flush()
    record(session, "add_log_pattern", "log_pattern", added.id, by=by, now=now, subject_name=text)
    return added


def remove_pattern(session: Session, pattern: LogPattern, *, by: Actor, now: datetime) -> None:
    """Look for it no more; what it found in earlier files stays."""
    record(session, "remove_log_pattern", "log_pattern", pattern.id, by=by, now=now, subject_name=pattern.pattern)
    session.delete(pattern)
