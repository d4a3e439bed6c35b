"""The bench's own data: pure, long enough, and loadable into today's tables."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from openpyxl import load_workbook
from sqlalchemy import Engine, func, select, text

from bench.corpus import inquiries, inquiry
from bench.loading import load_desk
from bench.reference_tables import load_reference, reference_engine
from bench.workbook import HEADINGS, write_workbook
from models.database import transaction
from models.journal import JournalEntry
from models.outbox import Recipient
from models.tickets import Message, Ticket
from tests.clock import Clock


def test_an_inquiry_depends_on_its_number_only() -> None:
    assert list(inquiries(40))[29] == inquiry(30)


def test_its_messages_are_as_long_as_people_write() -> None:
    lengths = [len(message) for one in inquiries(200) for message in one.messages]

    assert min(lengths) >= 185


def test_the_rows_load_into_the_desk(engine: Engine, clock: Clock) -> None:
    load_desk(engine, 60, password_hash="no password", now=clock())

    with transaction(engine, readonly=True) as session:
        counts = [session.scalar(select(func.count()).select_from(model)) for model in (Ticket, Message, JournalEntry, Recipient)]
        assert counts == [60, 180, 240, 120]
        assert session.scalars(select(Ticket.subject).where(Ticket.id == 7)).one() == inquiry(7).subject


def test_a_ticket_opened_afterwards_finds_its_number_free(engine: Engine, clock: Clock) -> None:
    load_desk(engine, 60, password_hash="no password", now=clock())

    with transaction(engine) as session:
        loaded = session.get_one(Ticket, 60)
        columns = {column.key: getattr(loaded, column.key) for column in Ticket.__table__.columns if column.key != "id"}
        session.add(Ticket(**columns))
        session.flush()
        assert session.scalar(select(func.count(Ticket.id))) == 61


def test_the_rows_load_into_the_reference(empty_database_url: str) -> None:
    engine = reference_engine(empty_database_url, threads=1)

    load_reference(engine, 60, password_hash="no password")

    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM message")).scalar_one() == 180
    engine.dispose()


def test_the_workbook_reads_as_it_was_meant(tmp_path: Path) -> None:
    path = tmp_path / "bench.xlsx"

    write_workbook(path, 12, of=date(2026, 11, 24))

    rows = list(load_workbook(path).worksheets[0].iter_rows(values_only=True))
    assert len(rows) == 13 and rows[0] == HEADINGS and str(rows[1][5]) == "2026-01-01 00:00:00"
