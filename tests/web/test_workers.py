"""`jtickets serve --workers`: one application, loaded once and served by several processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.servers import ask, free_port
from tests.services.waiting import PATIENCE, until
from tests.shape.tree import ROOT

_FAILING_FORK = """
import os, sys
import cli_serve

port, sound, failing, fault = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
fork, asked = os.fork, [0]

def forked():
    asked[0] += 1
    if sound < asked[0] <= sound + failing:
        raise MemoryError if fault == "memory" else BlockingIOError(11, "Resource temporarily unavailable")
    return fork()

os.fork = forked
cli_serve.serve_pages(host="127.0.0.1", port=port, face="both", workers=2)
"""
"""A desk whose system has no room for another process after the first `sound` ones, `failing` times."""


@contextmanager
def served(database_url: str, folder: Path, *, starter: Sequence[str] = (), workers: int = 2, **settings: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A desk of some workers, and its port; whatever of it still runs behind the block is killed."""
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JTICKETS_DATABASE_URL": database_url, "JTICKETS_STATE_DIR": str(folder), **settings}
    command = [sys.executable, "-m", "cli", "serve", "--port", str(port), "--workers", str(workers)]
    if starter:
        command = [sys.executable, "-c", starter[0], str(port), *starter[1:]]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=folder, stderr=log, start_new_session=True)
    try:
        until(lambda: answers(port) and len(workers_of(process)) == workers)
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


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_many_that_do_not_end_are_killed_together_within_the_time_that_a_service_is_given(database_url: str, tmp_path: Path) -> None:
    with served(database_url, tmp_path, workers=10) as (process, _):
        for worker in workers_of(process):
            os.kill(worker, signal.SIGSTOP)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0, "compose.yaml and the unit of docs/operating.md give it 15 s"
    assert (tmp_path / "log").read_text().count("did not end within 8 s and is killed") == 10


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_worker_that_cannot_be_begun_is_tried_again_and_all_end_as_ever(database_url: str, tmp_path: Path) -> None:
    with served(database_url, tmp_path, starter=(_FAILING_FORK, "2", "3", "room")) as (process, port):
        files = len([*Path(f"/proc/{process.pid}/fd").iterdir()])
        first = workers_of(process)
        os.kill(first[0], signal.SIGKILL)
        until(lambda: len({*workers_of(process)} - {first[0]}) == 2)
        assert first[1] in workers_of(process)
        assert answers(port)
        until(lambda: len([*Path(f"/proc/{process.pid}/fd").iterdir()]) <= files)

        last = workers_of(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        assert processes().keys().isdisjoint(last)
    told = (tmp_path / "log").read_text()
    assert told.count("a worker cannot be begun, which is tried again: [Errno 11] Resource temporarily unavailable\n") == 3
    assert told.count("is replaced") == 1
    assert "Traceback" not in told


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_workers_begun_at_the_start_are_tried_again_too(database_url: str, tmp_path: Path) -> None:
    with served(database_url, tmp_path, starter=(_FAILING_FORK, "0", "3", "room")) as (process, _):
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_workers_end_whatever_ends_their_parent(database_url: str, tmp_path: Path) -> None:
    with served(database_url, tmp_path, starter=(_FAILING_FORK, "2", "1", "memory")) as (process, port):
        first = workers_of(process)
        os.kill(first[0], signal.SIGKILL)
        assert process.wait(PATIENCE) == 1
        assert processes().keys().isdisjoint(first)
        assert not answers(port)
    assert "MemoryError" in (tmp_path / "log").read_text()
