"""Backups that are taken while people write and files come in: each is whole, at one moment, and what it brings back is not sent again."""

from __future__ import annotations

import io
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from actions import files
from cli_operations import bring_back, take_backup
from models.database import make_engine, transaction
from models.outbox import Letter, LetterState
from models.tickets import Attachment, Ticket
from settings import Settings
from storage.store import Store, open_store
from tests.attacks.wire import running
from tests.cli.test_operations import TOOLS
from tests.clock import Clock
from tests.jobs.mailroom import mailer_for, parts_for
from tests.jobs.test_web_kills import load_on, posts, wait_for
from tests.people import add_post, add_ticket
from tests.services.databases import new_database

BACKUPS = 5


@contextmanager
def files_coming(engine: Engine, store: Store, ticket_id: int) -> Iterator[None]:
    """Posts with a file each, one after the other, until the block ends."""
    ended = threading.Event()

    def write() -> None:
        number = 0
        while not ended.wait(0.01):
            number += 1
            stored = store.put(io.BytesIO(b"log" * number))
            with transaction(engine) as session:
                message = add_post(session, session.get_one(Ticket, ticket_id), f"file {number}")
                row = Attachment(token=f"f{number}", message_id=message.id, name="a.log", size=stored.size, created_at=datetime.now(UTC))
                row.sha256, row.storage_key = stored.sha256, stored.key
                session.add(row)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def empty_desk(settings: Settings, engine: Engine, request: pytest.FixtureRequest, folder: Path, name: str) -> Settings:
    embedded = engine.dialect.name == "sqlite"
    url = f"sqlite:///{folder}/{name}.db" if embedded else new_database(request.getfixturevalue("postgresql_url"), name)
    return replace(settings, database_url=url, state_dir=folder / name)


def check_restored(settings: Settings, before: set[str], after: set[str], highest: int) -> None:
    """All that was acknowledged before stands, nothing that was not sent by then; files and rows agree; letters rest."""
    engine = make_engine(settings.database_url)
    standing = Counter(posts(engine))
    assert set(standing.values()) == {1}
    assert before <= set(standing) <= after
    found = files.check_files(engine, open_store(settings.attachments), deep=True, now=datetime.now(UTC) + timedelta(days=1))
    assert (found.checked > 0, found.sound) == (True, True)
    with transaction(engine) as session:
        causes = session.scalars(select(Letter.cause).where(Letter.kind == "staff_ticket_updated")).all()
        assert len(causes) == len(set(causes)) == len(standing), "each post with its letter, none without"
        assert not session.scalar(select(func.count()).select_from(Letter).where(Letter.state.in_([LetterState.WAITING, LetterState.SENDING])))
        assert add_ticket(session, None).id > highest
    engine.dispose()


@pytest.mark.proof
def test_backups_under_load_come_back_whole(
    engine: Engine, settings: Settings, database_url: str, request: pytest.FixtureRequest, tmp_path: Path, worker_id: str
) -> None:
    settings = replace(settings, state_dir=tmp_path / "state")
    with load_on(engine) as load, running(database_url, tmp_path) as desk, files_coming(engine, open_store(settings.attachments), load.ticket_id):
        load.begin_at(desk.port)
        wait_for(load, 20)
        for number in range(BACKUPS):
            before = set(load.acknowledged)
            take_backup(settings, engine, tmp_path / f"backup{number}", now=datetime.now(UTC), tools=TOOLS)
            wait_for(load, len(load.acknowledged) + 5)
            other = empty_desk(settings, engine, request, tmp_path, f"back_{worker_id}_{number}")
            bring_back(other, tmp_path / f"backup{number}", numbers=1000, now=datetime.now(UTC), tools=TOOLS)
            check_restored(other, before, set(posts(engine)), load.ticket_id)
            send_some(engine, tmp_path)


def send_some(engine: Engine, folder: Path) -> None:
    """Letters go out between two backups, so that the next one holds sent and unsent ones; people write more than leave in a second."""
    stop = threading.Event()
    timer = threading.Timer(1, stop.set)
    timer.start()
    mailer = mailer_for(parts_for(engine, Clock(datetime.now(UTC)), folder), stop=stop)
    mailer.deliver()
    mailer.close()
    timer.cancel()
