"""Jobs processes that are killed in the middle of their work: nothing is lost; a repeat only where the kill fell."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from actions.delivery import LEASE
from models.places import find
from tests.clock import Clock
from tests.jobs.mailroom import letter_states, mailer_for, parts_for, recipient_states, write_many
from tests.services.awkward_smtp import AwkwardServer, awkward_server

KILLS = int(os.environ.get("KILLS", "5"))
LETTERS = 40 * KILLS


@pytest.fixture
def awkward() -> Iterator[AwkwardServer]:
    with awkward_server() as server:
        yield server


def test_killed_workers_lose_no_letter(engine: Engine, database_url: str, tmp_path: Path, awkward: AwkwardServer) -> None:
    awkward.delay = 0.002
    clock = Clock(datetime.now(UTC))
    parts = parts_for(engine, clock, tmp_path, smtp_url=awkward.url)
    write_many(engine, parts, LETTERS)
    chance = random.Random(20261201)

    for _ in range(KILLS):
        before = len(awkward.taken)
        with started(database_url, tmp_path, awkward) as process:
            wait_for(awkward, before + chance.randint(1, 15))
            time.sleep(chance.random() * 0.01)
            process.kill()
    clock.set(datetime.now(UTC) + LEASE + timedelta(minutes=5))
    mailer = mailer_for(parts)
    mailer.deliver()
    mailer.close()

    ids = Counter(next(line for line in text.splitlines() if line.lower().startswith(b"message-id:")) for text in awkward.taken)
    assert letter_states(engine) == {"done": LETTERS}
    assert set(recipient_states(engine).values()) == {"accepted"}
    assert len(ids) == LETTERS
    assert sum(count - 1 for count in ids.values()) <= KILLS


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_process_that_is_asked_to_end_finishes_its_letter(engine: Engine, database_url: str, tmp_path: Path, awkward: AwkwardServer) -> None:
    awkward.delay = 0.01
    parts = parts_for(engine, Clock(datetime.now(UTC)), tmp_path, smtp_url=awkward.url)
    write_many(engine, parts, 60)

    with started(database_url, tmp_path, awkward) as process:
        wait_for(awkward, 3)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0

    states = letter_states(engine)
    assert states["done"] == len(awkward.taken)
    assert set(states) <= {"done", "waiting"}


@contextmanager
def started(database_url: str, folder: Path, server: AwkwardServer) -> Iterator[subprocess.Popen[bytes]]:
    """A jobs process of its own; it does not outlive the test."""
    root = find("jobs").parent
    chosen = {
        "JTICKETS_DATABASE_URL": database_url,
        "JTICKETS_SMTP_URL": server.url,
        "JTICKETS_STATE_DIR": str(folder),
        "JTICKETS_LOG_LEVEL": "warning",
        "PYTHONPATH": str(root),
    }
    with subprocess.Popen([sys.executable, "-m", "jobs"], env={**os.environ, **chosen}, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(server: AwkwardServer, count: int, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while len(server.taken) < count:
        assert time.monotonic() < until, f"{len(server.taken)} of {count} letters after {seconds} s"
        time.sleep(0.001)
