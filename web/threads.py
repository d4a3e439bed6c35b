"""The threads that handlers run in, off the loop that reads and writes the sockets."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")
_Work = Callable[[], None]


class Threads:
    """At most `count` threads, started when they are needed; work that finds none free waits in the order it came.

    Of several free ones the last that worked goes on: what it touched is still in its processor's cache. A hand-over through anyio,
    which can do more than is asked for here, costs three times as much.
    """

    def __init__(self, count: int) -> None:
        self._turns = _Turns(count)
        weakref.finalize(self, self._turns.end)

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises, in a thread. Who stops waiting for it does not stop it."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._turns.take(partial(_do, work, loop, answer))
        return await answer


class _Turns:
    """What the threads themselves hold of `Threads`: they end when nobody else does."""

    def __init__(self, count: int) -> None:
        self._lock = threading.Lock()
        self._free: list[SimpleQueue[_Work | None]] = []
        self._waiting: deque[_Work] = deque()
        self._left = count
        self._ended = False

    def take(self, work: _Work) -> None:
        with self._lock:
            if self._free:
                self._free.pop().put(work)
            elif self._left:
                self._left -= 1
                threading.Thread(target=self._serve, args=(work,), name="handler", daemon=True).start()
            else:
                self._waiting.append(work)

    def end(self) -> None:
        with self._lock:
            self._ended = True
            for idle in self._free:
                idle.put(None)

    def _serve(self, first: _Work) -> None:
        own: SimpleQueue[_Work | None] = SimpleQueue()
        work: _Work | None = first
        while work is not None:
            work()
            work = None  # what a request held is not kept until the next one
            with self._lock:
                if self._waiting:
                    work = self._waiting.popleft()
                elif self._ended:
                    return
                else:
                    self._free.append(own)
            work = work or own.get()


def _do(work: Callable[[], Any], loop: asyncio.AbstractEventLoop, answer: asyncio.Future[Any]) -> None:
    try:
        tell = partial(_tell, answer, answer.set_result, work())
    except StopIteration as fault:  # the one that no future takes
        tell = partial(_tell, answer, answer.set_exception, RuntimeError(repr(fault)))
    except BaseException as fault:  # noqa: BLE001 - whoever waits is told, whatever it is
        tell = partial(_tell, answer, answer.set_exception, fault)
    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(tell)


def _tell(answer: asyncio.Future[Any], tell: Callable[[Any], None], what: object) -> None:
    if not answer.cancelled():
        tell(what)
