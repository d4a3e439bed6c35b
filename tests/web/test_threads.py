"""Work that is handed to threads: what comes back, how many work at once, and that none is left behind."""

from __future__ import annotations

import asyncio
import gc
import threading
import time

import pytest

from rules.refusal import Refused
from web.threads import Threads


def test_what_the_work_returns_or_raises_reaches_who_waits() -> None:
    def refuse() -> None:
        raise Refused("body_empty", "body")

    def stop() -> None:
        raise StopIteration

    async def ask() -> None:
        threads = Threads(1)
        assert await threads.run(threading.get_ident) != threading.get_ident()
        with pytest.raises(Refused):
            await threads.run(refuse)
        with pytest.raises(RuntimeError):
            await threads.run(stop)
        assert await threads.run(lambda: "and the thread goes on") == "and the thread goes on"

    asyncio.run(ask())


def test_no_more_work_at_once_than_there_are_threads_and_all_of_it_is_done() -> None:
    working, most, seen = set[int](), [0], list[int]()

    def work(number: int) -> int:
        working.add(number)
        most[0] = max(most[0], len(working))
        time.sleep(0.002)
        working.discard(number)
        seen.append(number)
        return number

    async def ask() -> list[int]:
        threads = Threads(2)
        return await asyncio.gather(*(threads.run(lambda number=number: work(number)) for number in range(20)))

    assert asyncio.run(ask()) == [*range(20)]
    assert most == [2]
    assert sorted(seen) == [*range(20)]


def test_who_stops_waiting_does_not_stop_the_work_nor_the_thread() -> None:
    done = threading.Event()

    async def ask() -> str:
        threads = Threads(1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(threads.run(lambda: (time.sleep(0.02), done.set())), timeout=0.005)
        return await threads.run(lambda: "next")

    assert asyncio.run(ask()) == "next"
    assert done.is_set()


def test_threads_that_nobody_holds_any_more_end() -> None:
    async def ask() -> threading.Thread:
        return await Threads(1).run(threading.current_thread)

    worker = asyncio.run(ask())
    gc.collect()

    worker.join(timeout=5)
    assert not worker.is_alive()
