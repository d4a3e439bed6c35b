"""A desk as a process of its own, started by the command line, and a socket to it: what no client library would send."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.services.smtp import free_port

ROOT = Path(__file__).resolve().parents[2]
_PATIENCE = 20


@dataclass
class Desk:
    """A running `jtickets serve`; `log` is complete once it has ended."""

    port: int
    log: Path
    temporary: Path
    process: subprocess.Popen[bytes] = field(repr=False)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def send(self, raw: bytes, *, seconds: float = 5) -> bytes:
        """The answer to `raw`, read until the server closes or `seconds` pass."""
        with self.open() as wire:
            wire.settimeout(seconds)
            try:
                wire.sendall(raw)
                return self.read(wire)
            except (ConnectionError, TimeoutError):
                return b""

    def open(self) -> socket.socket:
        """A connection that nothing was sent on yet."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=5)

    def read(self, wire: socket.socket) -> bytes:
        """What comes until the server closes; what came until then where it does not."""
        answer = b""
        while True:
            try:
                piece = wire.recv(65536)
            except (ConnectionError, TimeoutError):
                return answer
            if not piece:
                return answer
            answer += piece

    def ask(self, method: str, path: str, *headers: str, body: bytes = b"", host: str = "") -> bytes:
        """The answer to one request on a connection of its own."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host or self.host}", "Connection: close", *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    def memory(self) -> int:
        """The bytes that the process holds in memory."""
        return int((Path("/proc") / str(self.process.pid) / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def status(answer: bytes) -> int:
    """The status of a raw answer, 0 where there is none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


@contextmanager
def running(database_url: str, folder: Path, **variables: str) -> Iterator[Desk]:
    """A desk on `database_url` that keeps everything else in `folder`; `variables` are JTICKETS_* in lower case."""
    port, log, temporary = free_port(), folder / "serve.log", folder / "temporary"
    temporary.mkdir()
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "TMPDIR": str(temporary),
        "JTICKETS_DATABASE_URL": database_url,
        "JTICKETS_BASE_URL": f"http://127.0.0.1:{port}",
        "JTICKETS_STATE_DIR": str(folder / "state"),
        "JTICKETS_ARGON2_MEMORY_KIB": "64",
        "JTICKETS_ARGON2_TIME": "1",
        **{f"JTICKETS_{name.upper()}": value for name, value in variables.items()},
    }
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", "serve", "--port", str(port)], cwd=folder, env=environment, stdout=out, stderr=subprocess.STDOUT
        )
    desk = Desk(port, log, temporary, process)
    try:
        _wait(desk)
        yield desk
    finally:
        process.terminate()
        process.wait(_PATIENCE)


def _wait(desk: Desk) -> None:
    until = time.monotonic() + _PATIENCE
    while True:
        assert desk.process.poll() is None and time.monotonic() < until, desk.log.read_text()
        try:
            if status(desk.ask("GET", "/healthz")) == 200:
                return
        except OSError:
            time.sleep(0.05)
