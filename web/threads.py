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
from typing import Any, Self, TypeVar

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
    with _Telling(loop, answer) as telling:
        telling.done = work()


class _Telling:
    """Hands over what a work returns or raises, whatever it is: who waits for it deals with it as with its own."""

    done: Any = None

    def __init__(self, loop: asyncio.AbstractEventLoop, answer: asyncio.Future[Any]) -> None:
        self._loop = loop
        self._answer = answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, fault: BaseException | None, _trace: object) -> bool:
        if isinstance(fault, StopIteration):  # the one that no future takes
            fault = RuntimeError(repr(fault))
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._tell, fault)
        return True

    def _tell(self, fault: BaseException | None) -> None:
        if self._answer.cancelled():
            return
        if fault is None:
            self._answer.set_result(self.done)
        else:
            self._answer.set_exception(fault)
