"""What the hourly look at the staff's matters tells, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from actions import jobs
from actions.rates import window_start
from actions.timetable import line_of
from jobs import remind
from models.database import transaction
from models.outbox import Letter
from models.people import RateCount
from rules.rights import Role
from tests.clock import Clock
from tests.jobs.mailroom import parts_for
from tests.people import add_account, add_staff

CLOSING = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
"""17:00 in Tokyo."""
DAY = timedelta(days=1)


@pytest.mark.parametrize("filled", [0, 7], ids=["in the evening", "before midnight"])
def test_a_limit_of_the_day_that_fills_after_hours_is_told_once(engine: Engine, clock: Clock, tmp_path: Path, filled: int) -> None:
    parts, line = parts_for(engine, clock, tmp_path), line_of("remind_staff")
    assert line
    clock.set(CLOSING - timedelta(minutes=5))
    with transaction(engine) as session:
        account = add_account(session)
        add_staff(session, roles=[Role.ADMIN])
        session.add(RateCount(bucket="outside_cc", key=str(account.id), began_at=window_start(clock() + timedelta(hours=9), DAY), count=79))

    told: list[int] = []
    for hour in range(30):
        with transaction(engine) as session:
            run = jobs.begin(session, line, worker="one", now=clock())
        assert run
        told.append(remind.staff(parts, run).get("quotas", 0))
        with transaction(engine) as session:
            jobs.finish(session, run, {}, now=clock())
            if hour == filled:
                session.scalars(select(RateCount)).one().count = 140
        clock.advance(hours=1)

    assert told == [int(hour == filled + 1) for hour in range(30)]
    with transaction(engine, readonly=True) as session:
        (body,) = session.scalars(select(Letter.body).where(Letter.kind == "staff_quota"))
    assert "140 ／ 100" in body
