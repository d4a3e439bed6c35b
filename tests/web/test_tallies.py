"""Requests counted by several workers at once: nothing is lost or told twice, whoever of them dies, and a full disk stops nobody."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.shape.tree import ROOT
from web.tallies import Tallies, Told

HERE = socket.gethostname().replace(".", "-")
_WORKER = """
import os, resource, signal, sys
from pathlib import Path
from web.tallies import Tallies

count, most, end = int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
tallies = Tallies(Path(sys.argv[1]))
for number in range(count):
    tallies.count(f"/page/{number % 7}", 200, 0.01)
print(sum(sum(one.statuses) for one in tallies.told().values()), flush=True)
os.kill(os.getpid(), end)
"""


def begun(folder: Path, count: int, *, most: int = 1 << 30, end: int = 0) -> subprocess.Popen[str]:
    """A worker that may write files of `most` bytes, answers `count` requests, prints what it is told and ends by the signal `end`."""
    command: Sequence[str] = [sys.executable, "-c", _WORKER, str(folder), str(count), str(most), str(end)]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True)


def ended(worker: subprocess.Popen[str]) -> tuple[int, str]:
    """How it ended, and what it printed."""
    printed, _ = worker.communicate()
    return worker.returncode, printed.strip()


def told(tallies: Tallies) -> int:
    return sum(sum(one.statuses) for one in tallies.told().values())


def test_counts_of_workers_that_are_killed_go_on_with_those_that_replace_them(tmp_path: Path) -> None:
    living = Tallies(tmp_path)
    for _ in range(600):
        living.count("/login", 200, 0.01)
    assert ended(begun(tmp_path, 1000, end=signal.SIGKILL)) == (-signal.SIGKILL, "1600")
    assert told(living) == 1600
    assert ended(begun(tmp_path, 1, end=signal.SIGKILL)) == (-signal.SIGKILL, "1601")
    assert len([*tmp_path.iterdir()]) == 2, "who replaces takes over"

    before = told(living)
    for _ in range(4):
        workers = [begun(tmp_path, 500, end=signal.SIGKILL) for _ in range(3)]
        while any(worker.poll() is None for worker in workers):
            now = told(living)
            assert now >= before
            before = now
        for worker in workers:
            assert ended(worker)[0] == -signal.SIGKILL

    assert told(living) == 1601 + 4 * 3 * 500
    assert len([*tmp_path.iterdir()]) <= 4


@pytest.mark.parametrize("most", [0, 100_000])
def test_without_room_for_its_file_a_worker_counts_in_memory_and_leaves_nothing(tmp_path: Path, most: int) -> None:
    assert ended(begun(tmp_path, 2000, most=most)) == (0, "2000")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("by_the_system", [True, False])
def test_every_byte_has_its_place_on_the_disk_before_it_is_counted_in(tmp_path: Path, by_the_system: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not by_the_system:
        monkeypatch.delattr(os, "posix_fallocate", raising=False)
    Tallies(tmp_path).count("/login", 200, 0.01)
    (file,) = tmp_path.iterdir()
    whole = file.stat()
    assert whole.st_blocks * 512 >= whole.st_size > 0

    os.truncate(file, 0)
    os.truncate(file, whole.st_size)
    tallies = Tallies(tmp_path)
    tallies.count("/login", 200, 0.01)
    assert [*tmp_path.iterdir()] == [file]
    assert file.stat().st_blocks * 512 >= whole.st_size, "one with holes that was left too"
    assert told(tallies) == 1


def test_files_of_former_hosts_leave_once_nobody_holds_them_or_wrote_there_for_a_day(tmp_path: Path) -> None:
    for name in ("former.1", "former.2", "former.3", ".half"):
        (tmp_path / name).write_bytes(b"\0" * 8)
        if name != "former.2":
            os.utime(tmp_path / name, (1_000_000_000, 1_000_000_000))
    (tmp_path / f"{HERE}.4194304.abcd").write_bytes(b"\0" * 8)

    with (tmp_path / "former.3").open("r+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        tallies = Tallies(tmp_path)
        tallies.count("/login", 200, 0.01)

    left = {path.name for path in tmp_path.iterdir() if not path.name.startswith(f"{HERE}.")}
    assert left == {"former.2", "former.3"}
    assert not (tmp_path / f"{HERE}.4194304.abcd").exists(), "of another size"
    assert told(tallies) == 1


def test_more_pages_than_slots_are_counted_together_and_no_folder_is_needed(tmp_path: Path) -> None:
    def counted() -> Mapping[str, Told]:
        tallies = Tallies(tmp_path)
        for number in range(1100):
            tallies.count(f"/page/{number}", 200 + number % 4 * 100, 0.001)
        tallies.count("/a-long-name" * 20, 200, 0.001)
        return tallies.told()

    once, twice = counted(), counted()

    assert [sum(sum(one.statuses) for one in numbers.values()) for numbers in (once, twice)] == [1101, 2202]
    assert (once["others"].statuses, twice["others"].statuses) == ((0, 20, 19, 19, 20), (0, 40, 38, 38, 40))
    (tmp_path / "file").write_text("")
    alone = Tallies(tmp_path / "file")
    alone.count("/login", 200, 3.0)
    assert alone.told()["/login"].shares[-1] == 1
