"""A row held for a change is what the ORM would read, and what is written of it is what a flush would write."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, select

from actions import journal
from models.actors import SYSTEM
from models.database import transaction
from models.held import Held
from models.journal import JournalEntry
from models.tickets import Ticket
from rules.tickets import Priority, State
from tests.people import NOW, add_account, add_ticket

HELD = Held(Ticket)


@pytest.fixture
def number(engine: Engine) -> int:
    """A ticket, by its number."""
    with transaction(engine) as session:
        return add_ticket(session, add_account(session), cc=["a@elsewhere.example"]).id


def columns_of(ticket: Ticket) -> dict[str, object]:
    return {column.key: getattr(ticket, column.key) for column in Ticket.__table__.columns}


def test_a_row_is_read_as_the_orm_reads_it(engine: Engine, number: int) -> None:
    with transaction(engine) as session:
        taken = HELD.take(session, number)
        assert taken is not None
        assert taken in session
        assert session.get(Ticket, number) is taken
        read = columns_of(taken)
    with transaction(engine, readonly=True) as session:
        assert read == columns_of(session.get_one(Ticket, number))
    with transaction(engine) as session:
        assert HELD.take(session, number + 1) is None


def test_only_what_changed_is_written_and_later_changes_are_flushed(engine: Engine, number: int) -> None:
    with transaction(engine) as session:
        taken = HELD.take(session, number)
        assert taken is not None
        taken.state, taken.cc, taken.updated_at, taken.subject = State.OPEN, ["b@elsewhere.example"], NOW + timedelta(hours=1), taken.subject
        sent: list[str] = []
        event.listen(engine, "before_cursor_execute", note := lambda *said: sent.append(said[2]))
        HELD.write(session, taken)
        assert [word.startswith("UPDATE ticket SET") and "subject" not in word for word in sent] == [True]
        HELD.write(session, taken)
        session.flush()
        event.remove(engine, "before_cursor_execute", note)
        assert len(sent) == 1, "neither asks again"
        assert taken in session
        taken.priority = Priority.HIGH
    with transaction(engine, readonly=True) as session:
        found = session.get_one(Ticket, number)
        assert (found.state, found.cc, found.updated_at, found.priority) == (State.OPEN, ["b@elsewhere.example"], NOW + timedelta(hours=1), Priority.HIGH)


def test_what_the_session_had_is_read_anew(engine: Engine, number: int) -> None:
    def change() -> None:
        with transaction(engine) as other:
            other.get_one(Ticket, number).priority = Priority.HIGH

    with transaction(engine) as session:
        known = session.get_one(Ticket, number)
        session.rollback()
        with ThreadPoolExecutor(1) as elsewhere:
            elsewhere.submit(change).result()
        assert HELD.take(session, number) is known
        assert known.priority is Priority.HIGH


def test_a_savepoint_that_is_rolled_back_to_leaves_row_and_object_as_they_were(engine: Engine, number: int) -> None:
    with transaction(engine) as session:
        taken = HELD.take(session, number)
        assert taken is not None
        savepoint = session.begin_nested()
        journal.record(session, "reply", "ticket", number, by=SYSTEM, now=NOW)
        taken.priority = Priority.HIGH
        HELD.write(session, taken)
        savepoint.rollback()
        assert taken.priority is Priority.NORMAL
        journal.record(session, "note", "ticket", number, by=SYSTEM, now=NOW)
    with transaction(engine, readonly=True) as session:
        assert session.get_one(Ticket, number).priority is Priority.NORMAL
        assert session.scalars(select(JournalEntry.act)).all() == ["note"]


def test_what_is_rolled_back_is_not_written(engine: Engine, number: int) -> None:
    with transaction(engine) as session:
        taken = HELD.take(session, number)
        assert taken is not None
        taken.priority = Priority.HIGH
        HELD.write(session, taken)
        session.rollback()
    with transaction(engine, readonly=True) as session:
        assert session.get_one(Ticket, number).priority is not Priority.HIGH
