"""How many mails to outside CC addresses an account causes in a day of Tokyo."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.rates import count_one, counted, window_start
from models.people import RateCount
from rules.limits import Limits

_OUTSIDE = "outside_cc"
_DAY = timedelta(days=1)
_TOKYO_OFFSET = timedelta(hours=9)
"""Windows begin at midnight UTC; moved by Tokyo's offset they begin at midnight there."""


def outside_count(account_id: int, now: datetime) -> tuple[str, str, datetime]:
    """What counts the account's mails to outside CC addresses today: bucket, key, beginning of its window."""
    return _OUTSIDE, str(account_id), window_start(now + _TOKYO_OFFSET, _DAY)


def outside_cc_left(session: Session, account_id: int, *, limits: Limits, now: datetime) -> int:
    """How many mails to outside CC addresses the account may still cause today (Tokyo's day)."""
    used = counted(session, _OUTSIDE, str(account_id), window=_DAY, now=now + _TOKYO_OFFSET)
    return max(0, limits.outside_cc_mails_per_day - used)


def outside_cc_nearly_used(session: Session, *, limits: Limits, now: datetime) -> list[tuple[int, int]]:
    """(account, outside CC mails caused today) of the accounts at 80 % of their number or more: staff want to know before the rest is held."""
    began = window_start(now + _TOKYO_OFFSET, _DAY)
    least = limits.outside_cc_mails_per_day * 4 / 5
    rows = session.execute(
        select(RateCount.key, RateCount.count)
        .where(RateCount.bucket == _OUTSIDE, RateCount.began_at == began, RateCount.count >= max(1, least))
        .order_by(RateCount.count.desc(), RateCount.key)
    ).all()
    return [(int(key), used) for key, used in rows]


def count_outside(session: Session, account_id: int, *, now: datetime) -> int:
    """Count one more; how many it were today with it."""
    return count_one(session, _OUTSIDE, str(account_id), window=_DAY, now=now + _TOKYO_OFFSET)
