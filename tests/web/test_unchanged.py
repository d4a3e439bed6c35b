"""What pages share is read again as soon as anybody wrote, and only then."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from models.database import StateOfDatabase, read_rows, transaction
from models.masters import CompanyDay
from models.unchanged import note_state, unchanged
from tests.clock import MORNING


def days(session: Session) -> int:
    return unchanged(session, "days", lambda: session.execute(select(func.count()).select_from(CompanyDay)).scalar_one())


def days_of_a_request(engine: Engine) -> int:
    with transaction(engine, readonly=True) as session:
        note_state(session, read_rows(session, select(StateOfDatabase()))[0][0])
        return days(session)


def close(session: Session, later: int) -> None:
    session.add(CompanyDay(day=MORNING.date() + timedelta(days=later), name="棚卸"))
    session.flush()


def test_what_anybody_wrote_is_seen_by_the_next_request(engine: Engine) -> None:
    before = days_of_a_request(engine)
    for later in (1, 2, 3):
        with transaction(engine) as session:
            close(session, later)
        assert days_of_a_request(engine) == before + later


def test_what_another_connection_wrote_is_seen_too(engine: Engine) -> None:
    with engine.connect(), engine.connect():  # the next one to write is none of those that have read
        before = days_of_a_request(engine)
    with engine.connect(), transaction(engine) as session:
        close(session, 1)
    assert days_of_a_request(engine) == before + 1


def test_it_is_read_once_while_nobody_writes(engine: Engine) -> None:
    asked: list[int] = []
    states: list[str] = []
    # On PostgreSQL what others write into other databases of the server counts too: until nobody did between the two.
    while len(states) < 2 or states[-1] != states[-2]:
        asked.clear()
        for number in (1, 2):
            with transaction(engine, readonly=True) as session:
                states.append(read_rows(session, select(StateOfDatabase()))[0][0])
                note_state(session, states[-1])
                unchanged(session, f"asked {len(states) - number}", lambda number=number: asked.append(number))
    assert asked == [1]


def test_who_writes_sees_what_they_just_wrote(engine: Engine) -> None:
    with transaction(engine) as session:
        note_state(session, read_rows(session, select(StateOfDatabase()))[0][0])
        before = days(session)
        close(session, 1)
        assert days(session) == before + 1
