"""How many requests each page answered, how, and how long it took: counted by every worker in a file of its own, told by any of them.

A file is mapped into memory: counting is a few additions, nothing is lost with a worker, and whoever is asked for numbers reads the files of all
workers of this host. They begin anew with a start of the desk; Prometheus knows that of counters.
"""

from __future__ import annotations

import mmap
import os
import secrets
import socket
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Seconds that a request took at most, for all but the last share."""
_SLOTS, _NAME, _NUMBERS = 1024, 112, 5 + len(BOUNDS) + 1 + 1
_SLOT = _NAME + 8 * _NUMBERS
_OTHERS = "others"


class Told(NamedTuple):
    """What was counted of one page: answers by the first digit of their status, requests by the bounds of their time, microseconds in all."""

    statuses: tuple[int, ...]
    shares: tuple[int, ...]
    microseconds: int


class Tallies:
    """One worker's counts. Without a folder to write to they stay in memory, and are this worker's alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers: memoryview | None = None
        self._names: memoryview | None = None
        self._places: dict[str, int] = {}

    def count(self, name: str, status: int, seconds: float) -> None:
        """One request of the page `name` was answered."""
        numbers = self._numbers or self._begin()
        place = self._places.get(name)
        if place is None:
            place = self._place(name)
        numbers[place + min(max(status // 100, 1), 5) - 1] += 1
        numbers[place + 5 + bisect_left(BOUNDS, seconds)] += 1
        numbers[place + _NUMBERS - 1] += int(seconds * 1_000_000)

    def told(self) -> Mapping[str, Told]:
        """The counts of all workers of this host, by page."""
        if self._numbers is None:
            self._begin()
        summed: dict[str, Counter[int]] = {}
        for name, numbers in self._read():
            summed.setdefault(name, Counter()).update(dict(enumerate(numbers)))
        return {name: _told([sums[place] for place in range(_NUMBERS)]) for name, sums in sorted(summed.items())}

    def _begin(self) -> memoryview:
        """Take a file, and clear away those of workers that are gone."""
        held: mmap.mmap | bytearray
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for path in self._folder.glob(f"{_host()}.*"):
                if not _lives(path):
                    path.unlink(missing_ok=True)
            path = self._folder / f"{_host()}.{os.getpid()}.{secrets.token_hex(4)}"
            with path.open("x+b") as file:
                file.truncate(_SLOTS * _SLOT)
                held = mmap.mmap(file.fileno(), 0)
        except OSError:
            held = bytearray(_SLOTS * _SLOT)
        self._names = memoryview(held)
        self._numbers = self._names.cast("Q")
        return self._numbers

    def _place(self, name: str) -> int:
        slot = len(self._places)
        if slot >= _SLOTS - 1:
            name, slot = _OTHERS, _SLOTS - 1
        if self._names is not None:
            written = name.encode()[:_NAME]
            self._names[slot * _SLOT : slot * _SLOT + len(written)] = written
        place = self._places[name] = (slot * _SLOT + _NAME) // 8
        return place

    def _read(self) -> Iterator[tuple[str, list[int]]]:
        files: list[bytes] = []
        with suppress(OSError):
            files = [path.read_bytes() for path in self._folder.glob(f"{_host()}.*")]
        for whole in files or ([bytes(self._names)] if self._names else []):
            numbers = memoryview(whole).cast("Q")
            for start in range(0, len(whole) - _SLOT + 1, _SLOT):
                name = whole[start : start + _NAME].rstrip(b"\0").decode(errors="replace")
                if name:
                    yield name, [*numbers[(start + _NAME) // 8 : (start + _SLOT) // 8]]


def _told(numbers: list[int]) -> Told:
    return Told(tuple(numbers[:5]), tuple(numbers[5:-1]), numbers[-1])


def _host() -> str:
    return socket.gethostname().replace(".", "-")


def _lives(path: Path) -> bool:
    """Whether the worker that counts there still runs; pids of other hosts and containers are in files of other names."""
    try:
        os.kill(int(path.name.split(".")[1]), 0)
    except (ValueError, IndexError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
