"""Counting what is limited, in fixed windows kept in the database and so shared by all processes and restarts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models.database import insert_on_conflict
from models.people import RateCount


def count_one(session: Session, bucket: str, key: str, *, window: timedelta, now: datetime, more: int = 1) -> int:
    """Count one (or `more`) more in the window of `now` and return how many there are, these included."""
    began = window_start(now, window)
    statement = insert_on_conflict(session, RateCount).values(bucket=bucket, key=key[:300], began_at=began, count=more)
    statement = statement.on_conflict_do_update(index_elements=["bucket", "key", "began_at"], set_={"count": RateCount.count + more})
    return session.execute(statement.returning(RateCount.count)).scalar_one()


def give_back(session: Session, bucket: str, key: str, *, window: timedelta, now: datetime, more: int = 1) -> None:
    """Take one (or `more`) back: what was counted ahead turned out to be allowed without limit, or not to happen."""
    session.execute(
        update(RateCount)
        .where(RateCount.bucket == bucket, RateCount.key == key[:300], RateCount.began_at == window_start(now, window), RateCount.count >= more)
        .values(count=RateCount.count - more)
    )


def counted(session: Session, bucket: str, key: str, *, window: timedelta, now: datetime) -> int:
    """How many there are in the window of `now`."""
    began = window_start(now, window)
    return (
        session.scalar(
            select(func.coalesce(func.sum(RateCount.count), 0)).where(RateCount.bucket == bucket, RateCount.key == key[:300], RateCount.began_at == began)
        )
        or 0
    )


def window_start(now: datetime, window: timedelta) -> datetime:
    """The beginning of the fixed window that holds `now`."""
    seconds = int(window.total_seconds())
    return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, tz=UTC)
