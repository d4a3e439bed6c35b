"""How many requests each page answered, how, and how long it took: counted by every worker in a file of its own, told by any of them.

A file is mapped into memory: counting is a few additions, and whoever is asked for numbers reads the files of all workers of this host. A worker holds
its file by a lock, which goes with the process however that ends; the next worker that begins takes the file over and counts on in it. So nothing is lost
or added twice with a worker, no number goes back, and they go on past a start of the desk.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import secrets
import socket
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Seconds that a request took at most, for all but the last share."""
_SLOTS, _NAME, _NUMBERS = 1024, 112, 5 + len(BOUNDS) + 1 + 1
_SLOT = _NAME + 8 * _NUMBERS
_SIZE, _LAST = _SLOTS * _SLOT, (_SLOTS - 1) * _SLOT
_FREE, _OTHERS = bytes(_NAME), b"others"
_LONG_AGO = 86400.0
"""Seconds for which nobody wrote to a file of another host that is cleared away."""


class Told(NamedTuple):
    """What was counted of one page: answers by the first digit of their status, requests by the bounds of their time, microseconds in all."""

    statuses: tuple[int, ...]
    shares: tuple[int, ...]
    microseconds: int


class Tallies:
    """One worker's counts. Without a folder to write to, room in it and locks they stay in memory, and are this worker's alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers: memoryview | None = None
        self._places: dict[str, int] = {}

    def count(self, name: str, status: int, seconds: float) -> None:
        """One request of the page `name` was answered."""
        numbers = self._numbers or self._begin()
        place = self._places.get(name)
        if place is None:
            place = self._places[name] = _place(numbers.cast("B"), name)
        numbers[place + min(max(status // 100, 1), 5) - 1] += 1
        numbers[place + 5 + bisect_left(BOUNDS, seconds)] += 1
        numbers[place + _NUMBERS - 1] += int(seconds * 1_000_000)

    def told(self) -> Mapping[str, Told]:
        """The counts of all workers of this host, by page."""
        summed: dict[str, Counter[int]] = {}
        for name, numbers in self._read():
            summed.setdefault(name, Counter()).update(dict(enumerate(numbers)))
        return {name: _told([sums[place] for place in range(_NUMBERS)]) for name, sums in sorted(summed.items())}

    def _begin(self) -> memoryview:
        """Take a file: one that a worker left, else a new one."""
        held: mmap.mmap | bytearray
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _clear(self._folder)
            held = _left(self._folder) or _new(self._folder)
        except OSError:
            held = bytearray(_SIZE)
        self._numbers = memoryview(held).cast("B").cast("Q")
        return self._numbers

    def _read(self) -> Iterator[tuple[str, list[int]]]:
        for whole in _files(self._folder) or ([self._numbers.tobytes()] if self._numbers else []):
            numbers = memoryview(whole).cast("Q")
            for start in range(0, _SIZE, _SLOT):
                name = whole[start : start + _NAME].rstrip(b"\0").decode(errors="replace")
                if name:
                    yield name, [*numbers[(start + _NAME) // 8 : (start + _SLOT) // 8]]


def _place(names: memoryview, name: str) -> int:
    """Where `name` is counted: in its slot, else in the first free one, else with the others in the last."""
    written = name.encode()[:_NAME].ljust(_NAME, b"\0")
    for start in range(0, _LAST, _SLOT):
        there = names[start : start + _NAME].tobytes()
        if there == _FREE:
            names[start : start + _NAME] = written
        if there in (_FREE, written):
            return (start + _NAME) // 8
    names[_LAST : _LAST + len(_OTHERS)] = _OTHERS
    return (_LAST + _NAME) // 8


def _clear(folder: Path) -> None:
    """Remove what former hosts and containers left: nobody holds it and nobody wrote there for long. Either alone is no proof.

    A lock may not reach from host to host, and a file system in memory does not tell when a mapping was written to.
    """
    for path in folder.iterdir():
        with suppress(OSError):
            if not path.name.startswith(f"{_host()}.") and path.stat().st_mtime < time.time() - _LONG_AGO:
                with path.open("r+b") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink()


def _left(folder: Path) -> mmap.mmap | None:
    """The file of a worker that is gone, with its counts."""
    for path in folder.glob(f"{_host()}.*"):
        with suppress(OSError), path.open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(file.fileno()).st_size == _SIZE:
                return _mapped(file)
            path.unlink()  # of a release that counted otherwise
    return None


def _new(folder: Path) -> mmap.mmap:
    """A file that is seen by the others only once it is whole and held."""
    token = secrets.token_hex(8)
    path = folder / f".{token}"
    try:
        with path.open("x+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held = _mapped(file)
        path.rename(folder / f"{_host()}.{token}")
    except OSError:
        path.unlink(missing_ok=True)
        raise
    return held


def _mapped(file: BinaryIO) -> mmap.mmap:
    """`file` in memory, which keeps it open, and with it the lock.

    Every byte has its place on the disk before: a full one would end the process with SIGBUS at its first write into a hole.
    """
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, _SIZE)
    else:
        whole = file.read().ljust(_SIZE, b"\0")
        file.seek(0)
        file.write(whole)
        file.flush()
    return mmap.mmap(file.fileno(), _SIZE)


def _files(folder: Path) -> list[bytes]:
    """What the workers of this host counted, those that are gone too."""
    files: list[bytes] = []
    for path in folder.glob(f"{_host()}.*"):
        with suppress(OSError):
            files.append(path.read_bytes())
    return [whole for whole in files if len(whole) == _SIZE]


def _told(numbers: list[int]) -> Told:
    return Told(tuple(numbers[:5]), tuple(numbers[5:-1]), numbers[-1])


def _host() -> str:
    return socket.gethostname().replace(".", "-")
