"""How many mails to outside CC addresses an account causes in a day of Tokyo."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.rates import count_one, give_back, window_start
from models.base import AnyRow
from models.masters import DomainKind, mail_domains
from models.outbox import STOPPED, Recipient
from models.people import Account, RateCount
from rules.addresses import parse_address
from rules.tickets import is_outside

_OUTSIDE = "outside_cc"
_DAY = timedelta(days=1)
_TOKYO_OFFSET = timedelta(hours=9)
"""Windows begin at midnight UTC; moved by Tokyo's offset they begin at midnight there."""


def outside_count(account_id: int, now: datetime) -> tuple[str, str, datetime]:
    """What counts the account's mails to outside CC addresses today: bucket, key, beginning of its window."""
    return _OUTSIDE, str(account_id), window_start(now + _TOKYO_OFFSET, _DAY)


def count_outside(session: Session, account_id: int, *, now: datetime) -> int:
    """Count one more; how many it were today with it."""
    return count_one(session, _OUTSIDE, str(account_id), window=_DAY, now=now + _TOKYO_OFFSET)


def outside_counts(session: Session, *, now: datetime) -> list[tuple[int, int]]:
    """(account, mails to outside CC addresses today) of every account that caused any."""
    today = RateCount.bucket == _OUTSIDE, RateCount.began_at == window_start(now + _TOKYO_OFFSET, _DAY)
    return [(int(key), count) for key, count in session.execute(select(RateCount.key, RateCount.count).where(*today))]


def uncount_outside(session: Session, letter: AnyRow) -> None:
    """Take a letter that never leaves (id, account_id, created_at) out of its day's count; its recipients are still as they were written."""
    wanted = (Recipient.letter_id == letter.id, Recipient.place == "cc", Recipient.answer != STOPPED)
    copies = session.scalars(select(Recipient.address).where(*wanted)).all()
    if not copies:
        return
    account, shared = session.get_one(Account, letter.account_id), mail_domains(session, DomainKind.SHARED)
    own, maintenance = parse_address(account.email), parse_address(account.maintenance_email)
    outside = sum(is_outside(parse_address(value), own, maintenance, shared) for value in copies)
    if outside:
        give_back(session, _OUTSIDE, str(account.id), window=_DAY, now=letter.created_at + _TOKYO_OFFSET, more=outside)
