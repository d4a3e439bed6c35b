"""The load: keep-alive HTTP/1.1 clients in a process of their own, bounded in time and count. Reads a task as JSON, prints what it saw."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

COUNTER = b"@@@@@@@@@"
"""Stands for a number that differs in every request; as wide as the number."""


@dataclass
class Seen:
    """What all clients saw: milliseconds per answer, and the first answer that was not the wanted one."""

    wanted: int
    deadline: float
    most: int
    counter: int
    times: list[float] = field(default_factory=list[float])
    moments: list[float] = field(default_factory=list[float])
    """When each answer was there, by the clock of the machine."""
    fault: str = ""

    def next_number(self) -> bytes:
        """The next counter, nine digits."""
        self.counter += 1
        return b"%09d" % self.counter

    def over(self) -> bool:
        """Whether it is time to stop."""
        return bool(self.fault) or len(self.times) >= self.most or time.perf_counter() >= self.deadline


class Client(asyncio.Protocol):
    """One browser that asks, waits for the whole answer and asks again."""

    def __init__(self, requests: Sequence[bytes], offset: int, seen: Seen, ended: asyncio.Future[None]) -> None:
        self._requests = requests
        self._place = offset
        self._seen = seen
        self._ended = ended
        self._buffer = bytearray()
        self._began = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._buffer[:end]).lower()
        length = int(head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0] or b"0")
        if len(self._buffer) < end + 4 + length:
            return
        self._seen.times.append((time.perf_counter() - self._began) * 1000)
        self._seen.moments.append(time.time())
        status = int(head[9:12])
        if status != self._seen.wanted:
            self._seen.fault = self._seen.fault or f"{status} instead of {self._seen.wanted}: {self._buffer[:2000].decode(errors='replace')}"
        self._buffer.clear()
        if self._seen.over() or b"\r\nconnection: close" in head:
            self._close()
        else:
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._ended.done():
            self._seen.fault = self._seen.fault or f"the server closed the connection ({exc})"
            self._ended.set_result(None)

    def _ask(self) -> None:
        assert self._transport is not None
        request = self._requests[self._place % len(self._requests)]
        self._place += 1
        if COUNTER in request:
            request = request.replace(COUNTER, self._seen.next_number())
        self._began = time.perf_counter()
        self._transport.write(request)

    def _close(self) -> None:
        assert self._transport is not None
        if not self._ended.done():
            self._ended.set_result(None)
        self._transport.close()


async def load(port: int, clients: Sequence[Sequence[bytes]], seen: Seen) -> float:
    """Let every client ask its requests in turn; returns the seconds it took."""
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    ended: list[asyncio.Future[None]] = []
    for number, requests in enumerate(clients):
        future: asyncio.Future[None] = loop.create_future()
        ended.append(future)
        await loop.create_connection(lambda requests=requests, number=number, future=future: Client(requests, number * 7, seen, future), "127.0.0.1", port)
    await asyncio.wait_for(asyncio.gather(*ended), timeout=seen.deadline - began + 60)
    return time.perf_counter() - began


def main() -> None:
    """Do the task of standard input."""
    task = json.load(sys.stdin)
    clients = [[base64.b64decode(request) for request in requests] for requests in task["clients"]]
    seen = Seen(task["wanted"], time.perf_counter() + task["seconds"], task["most"], task["counter"])
    seconds = asyncio.run(load(task["port"], clients, seen))
    json.dump({"seconds": seconds, "times": seen.times, "moments": seen.moments, "fault": seen.fault}, sys.stdout)


if __name__ == "__main__":
    main()
