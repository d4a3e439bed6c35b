"""`jtickets serve --workers`: one application, loaded once and served by several processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.servers import ask, free_port
from tests.services.waiting import PATIENCE, until
from tests.shape.tree import ROOT


@contextmanager
def served(database_url: str, folder: Path, **settings: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A desk of two workers, and its port; whatever of it still runs behind the block is killed."""
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JTICKETS_DATABASE_URL": database_url, "JTICKETS_STATE_DIR": str(folder), **settings}
    command = [sys.executable, "-m", "cli", "serve", "--port", str(port), "--workers", "2"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=folder, stderr=log, start_new_session=True)
    try:
        until(lambda: answers(port) and len(workers_of(process)) == 2)
        yield process, port
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def answers(port: int) -> bool:
    """Whether the sign-in page comes, which asks the database."""
    try:
        return ask(port, "/console/sign-in", {})[0] == 200
    except OSError:
        return False


def processes() -> dict[int, int]:
    """Every process with its parent."""
    told = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return {int(pid): int(parent) for pid, parent in map(str.split, told.splitlines())}


def workers_of(process: subprocess.Popen[bytes]) -> list[int]:
    """The processes that it began."""
    return [pid for pid, parent in processes().items() if parent == process.pid]


def test_workers_are_replaced_and_end_with_their_parent_in_peace(database_url: str, tmp_path: Path) -> None:
    refused: list[int] = []
    stopping = threading.Event()

    def keep_asking() -> None:
        while not stopping.is_set():
            try:
                status, _ = ask(port, "/console/sign-in", {})
            except ConnectionResetError:
                continue  # closed before a byte of the answer, as it was just accepted: browsers send such a request again
            if status != 200:
                refused.append(status)

    with served(database_url, tmp_path) as (process, port):
        first = workers_of(process)
        os.kill(first[0], signal.SIGKILL)
        until(lambda: len({*workers_of(process)} - {first[0]}) == 2)
        assert first[1] in workers_of(process)
        assert answers(port)

        asking = threading.Thread(target=keep_asking)
        asking.start()
        os.kill(first[1], signal.SIGTERM)
        until(lambda: len({*workers_of(process)} - {*first}) == 2)
        stopping.set()
        asking.join()
        assert refused == []

        last = workers_of(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        assert not answers(port)
        assert processes().keys().isdisjoint(last)
    told = (tmp_path / "log").read_text()
    assert told.count("is replaced") == 2
    assert "Traceback" not in told


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_worker_that_stands_still_is_replaced_and_all_end_with_a_parent_that_is_killed(database_url: str, tmp_path: Path) -> None:
    with served(database_url, tmp_path, JTICKETS_LIMITS_SILENT_WORKER_SECONDS="5") as (process, port):
        first = workers_of(process)
        os.kill(first[0], signal.SIGSTOP)
        until(lambda: len({*workers_of(process)} - {first[0]}) == 2)
        assert first[1] in workers_of(process), "who answers stays"
        assert answers(port)

        last = workers_of(process)
        process.kill()
        process.wait()
        until(lambda: processes().keys().isdisjoint(last))
        assert not answers(port)
    assert f"worker {first[0]} stands still for 5 s and is killed" in (tmp_path / "log").read_text()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_worker_that_does_not_end_is_killed(database_url: str, tmp_path: Path) -> None:
    with served(database_url, tmp_path) as (process, _):
        stopped, sound = workers_of(process)
        os.kill(stopped, signal.SIGSTOP)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    told = (tmp_path / "log").read_text()
    assert f"worker {stopped} did not end within 8 s and is killed" in told
    assert f"worker {sound} " not in told
