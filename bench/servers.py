"""Servers as processes of their own: start, first answer, CPU and memory as the kernel counts them, end."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_TICKS = os.sysconf("SC_CLK_TCK")
_PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Server:
    """A running server and the port it answers on."""

    process: subprocess.Popen[bytes]
    port: int
    started_in: float
    """Seconds from the start of the process to its first 200."""

    def workers(self) -> list[int]:
        """The processes that answer: the children that were begun for it, else the process itself."""
        children = [pid for pid in _children(self.process.pid) if b"resource_tracker" not in _read(pid, "cmdline")]
        return children or [self.process.pid]

    def cpu_ms(self) -> float:
        """User and system time of the workers up to now, in milliseconds."""
        spent = 0
        for pid in self.workers():
            fields = _read(pid, "stat").rpartition(b")")[2].split()
            spent += int(fields[11]) + int(fields[12])
        return spent * 1000 / _TICKS

    def memory_mb(self) -> float:
        """Proportional set size of a worker, in MB; of several the mean."""
        sizes = [_pss_kb(pid) for pid in self.workers()]
        return sum(sizes) / len(sizes) / 1024


@contextmanager
def serve(command: Sequence[str], environment: Mapping[str, str], *, log: Path, path: str, cookie: str) -> Iterator[Server]:
    """Run `command` (``{port}`` stands for the port) until the block ends; `path` with `cookie` must answer 200."""
    port = free_port()
    began = time.perf_counter()
    with log.open("ab") as output:
        process = subprocess.Popen(
            [part.format(port=port) for part in command],
            env={
                **_clean_environment(),
                **{name: value.format(port=port) for name, value in environment.items()},
                "PYTHONPATH": str(_ROOT),
                "PYTHONPYCACHEPREFIX": str(log.parent / "bytecode"),
            },
            cwd=_ROOT,
            stdout=output,
            stderr=output,
        )
    try:
        _wait(process, port, path, cookie, log)
        yield Server(process, port, time.perf_counter() - began)
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def python(*arguments: str) -> list[str]:
    """A command of this interpreter."""
    return [sys.executable, *arguments]


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(port: int, path: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """Status and body of one GET."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path, headers=dict(headers))
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _wait(process: subprocess.Popen[bytes], port: int, path: str, cookie: str, log: Path) -> None:
    deadline = time.perf_counter() + _PATIENCE_SECONDS
    status = 0
    while time.perf_counter() < deadline and process.poll() is None:
        try:
            status, _ = ask(port, path, {"cookie": cookie})
        except OSError:
            time.sleep(0.005)
            continue
        if status == 200:
            return
        break
    raise SystemExit(f"the server did not answer {path} (status {status}); its last words:\n{log.read_text(errors='replace')[-3000:]}")


def _clean_environment() -> dict[str, str]:
    """Nothing of the shell's own configuration; bytecode is kept, as it is wherever the desk is installed."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("JTICKETS_", "REFERENCE_", "PYTHONDONTWRITE"))}


def _children(pid: int) -> list[int]:
    return [int(child) for child in _read(pid, f"task/{pid}/children").split()]


def _read(pid: int, name: str) -> bytes:
    return Path(f"/proc/{pid}/{name}").read_bytes()


def _pss_kb(pid: int) -> int:
    for line in _read(pid, "smaps_rollup").splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1])
    raise SystemExit("this kernel tells no Pss")
