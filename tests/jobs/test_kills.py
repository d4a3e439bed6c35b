"""Jobs processes that are killed in the middle of their work: nothing is lost; a repeat only where the kill fell."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from actions.delivery import LEASE
from models.places import find
from tests.clock import Clock
from tests.jobs import falling
from tests.jobs.mailroom import letter_states, mailer_for, parts_for, recipient_states, write_many
from tests.services.awkward_smtp import AwkwardServer, awkward_server

KILLS = int(os.environ.get("KILLS", "20"))
LETTERS = 40 * KILLS
WORKERS = 3


ONE_BY_ONE, AT_ONCE = "250 awkward", "250-awkward\r\n250 PIPELINING"


@pytest.fixture
def awkward() -> Iterator[AwkwardServer]:
    """Hears the next letter's commands together with a text."""
    with awkward_server() as server:
        server.at["EHLO"] = AT_ONCE
        yield server


def sweep(engine: Engine, database_url: str, folder: Path, sink: AwkwardServer, kills: int) -> None:
    """Three workers at a time, the place of each that is killed taken by another, while letters go on being written."""
    sink.delay = 0.002
    clock = Clock(datetime.now(UTC))
    parts = parts_for(engine, clock, folder, smtp_url=sink.url)
    chance = random.Random(20261201)
    write_many(engine, parts, 60)
    written = 60

    with ExitStack() as stack:
        workers = [stack.enter_context(started(database_url, folder, sink)) for _ in range(WORKERS)]
        for _ in range(kills):
            write_many(engine, parts, 40, first=written)
            written += 40
            wait_for(sink, len(sink.taken) + chance.randint(1, 30))
            time.sleep(chance.random() * 0.01)
            fallen = chance.randrange(WORKERS)
            workers[fallen].kill()
            workers[fallen] = stack.enter_context(started(database_url, folder, sink))
        for worker in workers:
            worker.kill()
            worker.wait()
    clock.set(datetime.now(UTC) + LEASE + timedelta(minutes=5))
    mailer = mailer_for(parts)
    mailer.deliver()
    mailer.close()

    assert letter_states(engine) == {"done": written}
    assert set(recipient_states(engine).values()) == {"accepted"}
    check_repeats(sink.taken, written, kills + WORKERS)


def check_repeats(taken: Sequence[bytes], letters: int, kills: int) -> None:
    """Every letter was taken; one a kill at most was taken again, and that was the same to the byte."""
    ids = Counter(next(line for line in text.splitlines() if line.lower().startswith(b"message-id:")) for text in taken)
    assert len(ids) == letters == len(set(taken))
    assert sum(count - 1 for count in ids.values()) <= kills


def test_killed_workers_lose_no_letter(engine: Engine, database_url: str, tmp_path: Path, awkward: AwkwardServer) -> None:
    sweep(engine, database_url, tmp_path, awkward, 2)


@pytest.mark.proof
@pytest.mark.parametrize("greeting", [ONE_BY_ONE, AT_ONCE])
def test_workers_killed_many_times_lose_no_letter(engine: Engine, database_url: str, tmp_path: Path, awkward: AwkwardServer, greeting: str) -> None:
    awkward.at["EHLO"] = greeting
    sweep(engine, database_url, tmp_path, awkward, KILLS)


@pytest.mark.proof
def test_workers_that_nobody_kills_repeat_no_letter(engine: Engine, database_url: str, tmp_path: Path, awkward: AwkwardServer) -> None:
    parts = parts_for(engine, Clock(datetime.now(UTC)), tmp_path, smtp_url=awkward.url)
    write_many(engine, parts, LETTERS)

    with ExitStack() as stack:
        for _ in range(WORKERS):
            stack.enter_context(started(database_url, tmp_path, awkward))
        wait_for(awkward, LETTERS, 60 + LETTERS / 20)
        time.sleep(2)

    assert letter_states(engine) == {"done": LETTERS}
    check_repeats(awkward.taken, LETTERS, 0)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_what_the_database_was_told_it_does_though_the_worker_falls_before_the_answer(engine: Engine, database_url: str, tmp_path: Path) -> None:
    write_many(engine, parts_for(engine, Clock(datetime.now(UTC)), tmp_path), falling.LETTERS)

    with process("tests.jobs.falling", database_url, tmp_path, "") as worker:
        assert worker.wait(60) == -signal.SIGKILL

    until = time.monotonic() + 10
    while letter_states(engine) != {"done": falling.LETTERS} and time.monotonic() < until:
        time.sleep(0.05)
    assert letter_states(engine) == {"done": falling.LETTERS}
    assert set(recipient_states(engine).values()) == {"accepted"}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_process_that_is_asked_to_end_finishes_its_letter(engine: Engine, database_url: str, tmp_path: Path, awkward: AwkwardServer) -> None:
    awkward.delay = 0.01
    parts = parts_for(engine, Clock(datetime.now(UTC)), tmp_path, smtp_url=awkward.url)
    write_many(engine, parts, 60)

    with started(database_url, tmp_path, awkward) as worker:
        wait_for(awkward, 3)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0

    states = letter_states(engine)
    assert states["done"] == len(awkward.taken)
    assert set(states) <= {"done", "waiting"}


def started(database_url: str, folder: Path, server: AwkwardServer) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """A jobs process."""
    return process("jobs", database_url, folder, server.url)


@contextmanager
def process(module: str, database_url: str, folder: Path, smtp_url: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of its own; it does not outlive the test."""
    root = find("jobs").parent
    chosen = {
        "JTICKETS_DATABASE_URL": database_url,
        "JTICKETS_SMTP_URL": smtp_url,
        "JTICKETS_STATE_DIR": str(folder),
        "JTICKETS_LOG_LEVEL": "warning",
        "PYTHONPATH": str(root),
    }
    with subprocess.Popen([sys.executable, "-m", module], env={**os.environ, **chosen}, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as begun:
        try:
            yield begun
        finally:
            begun.kill()


def wait_for(server: AwkwardServer, count: int, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while len(server.taken) < count:
        assert time.monotonic() < until, f"{len(server.taken)} of {count} letters after {seconds} s"
        time.sleep(0.001)
