"""Serving the pages: `jtickets serve`. Every web process loads this file and keeps what it imports: the least that is needed."""

from __future__ import annotations

import faulthandler
import gc
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypedDict

from cli_setup import open_database, settings_of_a_process

if TYPE_CHECKING:
    from socket import socket

    from uvicorn import Config

FACES = ("both", "portal", "console")
HOST, PORT, FACE, WORKERS = "127.0.0.1", 8720, "both", 1
MOST_PORT, MOST_WORKERS = 65535, 64
_WATCHED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGALRM)
_MOST_OPEN = 1024
"""More files than the process that watches the others ever has open: a few for each of them."""
_LAST_ANSWERS = 5
"""Seconds that a process has for the answers it began when SIGTERM came."""
_LAST_BREATH = 3.0
"""Seconds more until a worker that did not end is killed."""
_LAST_WORDS = 1.0
"""Seconds that those who are killed have together to say where they stood."""


class Asked(TypedDict):
    """What `jtickets serve` was asked for."""

    host: str
    port: int
    face: str
    workers: int


def plain_serve(words: Sequence[str]) -> Asked | None:
    """What the command line `words` ask of `serve`, None for any other command and whatever needs more explaining than a value."""
    names, values = words[1::2], words[2::2]
    if words[:1] != ["serve"] or len(names) != len(values) or len(set(names)) != len(names):
        return None
    given = dict(zip(names, values, strict=True))
    host, face = given.pop("--host", HOST), given.pop("--face", FACE)
    port, workers = _number(given.pop("--port", str(PORT)), MOST_PORT), _number(given.pop("--workers", str(WORKERS)), MOST_WORKERS)
    if given or host.startswith("-") or face not in FACES or not port or not workers:
        return None
    return Asked(host=host, port=port, face=face, workers=workers)


def serve_pages(*, host: str, port: int, face: str, workers: int) -> None:
    """Serve the pages of `face` until SIGTERM comes."""
    gc.disable()  # until all is loaded (asgi.create): a tenth of the start went into looking for garbage among modules
    import uvicorn

    settings = settings_of_a_process()
    open_database(settings).dispose()
    os.environ["JTICKETS_FACE"] = face
    config = uvicorn.Config(
        "asgi:create",
        factory=True,
        host=host,
        port=port,
        access_log=False,
        log_level="warning",
        ws="none",
        timeout_graceful_shutdown=_LAST_ANSWERS,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies) or "",
        server_header=False,
        h11_max_incomplete_event_size=65536,
    )
    if workers > 1:
        _serve_by(workers, config, settings.limits.silent_worker_seconds)
        return
    server = uvicorn.Server(config)
    with suppress(KeyboardInterrupt):  # Ctrl-C, which the server has obeyed already
        server.run()
    if not server.started:
        sys.exit(1)


def _serve_by(workers: int, config: Config, most_silent: int) -> None:
    """Load the application once and serve it by forked processes, which share what is loaded; one that dies or stands still is replaced.

    uvicorn's own supervisor lets every worker load everything for itself. Forking is safe here: until then there is neither a thread nor a connection.
    """
    listening = config.bind_socket()
    config.load()
    config.get_loop_factory()  # imports the loop's library
    signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)  # they wait until `sigwait` below takes them, so that none is missed
    signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)  # some systems drop what nobody handles
    running: list[_Worker | None] = [None] * workers
    try:
        for place in range(workers):
            running[place] = _begun(config, listening)
        signal.setitimer(signal.ITIMER_REAL, 1, 1)
        _watch(running, config, listening, most_silent)
    finally:
        _end([worker for worker in running if worker])


def _watch(running: list[_Worker | None], config: Config, listening: socket, most_silent: int) -> None:
    """Kill who stands still and fill the places of the dead, at most one a second: what cannot live shall not take the machine."""
    rested = False
    while (heard := signal.sigwait(_WATCHED)) in (signal.SIGCHLD, signal.SIGALRM):
        if heard == signal.SIGALRM:
            rested = True
            _kill([worker for worker in running if worker and worker.silent_for() == most_silent > 0], f"stands still for {most_silent} s")
        for place, worker in enumerate(running):
            if worker and not worker.process.is_alive():
                print(f"worker {worker.process.pid} ended ({worker.process.exitcode}) and is replaced", file=sys.stderr, flush=True)
                worker.forget()
                running[place] = None
        if rested and None in running:
            rested = False
            running[running.index(None)] = _begun(config, listening)


def _begun(config: Config, listening: socket) -> _Worker | None:
    """A new worker, None where the system has no room for one now."""
    try:
        return _Worker(config, listening)
    except OSError as fault:
        print(f"a worker cannot be begun, which is tried again: {fault}", file=sys.stderr, flush=True)
        return None


def _end(running: Sequence[_Worker]) -> None:
    """Let all give their last answers, and kill who is still there behind them: a supervisor waits for us."""
    for worker in running:
        worker.process.terminate()
    _wait(running, _LAST_ANSWERS + _LAST_BREATH)
    _kill([worker for worker in running if worker.process.is_alive()], f"did not end within {_LAST_ANSWERS + _LAST_BREATH:.0f} s")


def _kill(late: Sequence[_Worker], why: str) -> None:
    """End them by force, all at once; where their threads stood goes to the log if they can still say so."""
    for worker in late:
        print(f"worker {worker.process.pid} {why} and is killed", file=sys.stderr, flush=True)
        if worker.process.pid:
            os.kill(worker.process.pid, signal.SIGABRT)
    _wait(late, _LAST_WORDS)
    for worker in late:
        worker.process.kill()
    for worker in late:
        worker.process.join()


def _wait(ending: Sequence[_Worker], seconds: float) -> None:
    """Until all have ended, at most so long together."""
    latest = time.monotonic() + seconds
    for worker in ending:
        worker.process.join(max(0.0, latest - time.monotonic()))


class _Worker:
    """A process that serves `listening` until SIGTERM comes, and the pipe over which its event loop says every second that it turns."""

    def __init__(self, config: Config, listening: socket) -> None:
        from multiprocessing import get_context

        before = _open_files()
        try:
            self._turns, told = os.pipe()
            os.set_blocking(self._turns, False)
            os.set_blocking(told, False)
            self._silent = 0
            self.process = get_context("fork").Process(target=_work, args=(config, listening, told, os.getpid()))
            self.process.start()
        except OSError:
            for number in _open_files() - before:  # multiprocessing leaves its own open too: whoever tries every second would soon have none left
                os.close(number)
            raise
        os.close(told)

    def silent_for(self) -> int:
        """Another second is over: for how many of them it was silent.

        Seconds in which we ran ourselves, whatever the clocks say: who was put to sleep together wakes up together.
        """
        self._silent += 1
        with suppress(BlockingIOError):
            os.read(self._turns, 4096)
            self._silent = 0
        return self._silent

    def forget(self) -> None:
        """Close what it cannot say anything over any more."""
        os.close(self._turns)


def _open_files() -> frozenset[int]:
    """The numbers of the files that this process has open; it has few, and a new one gets the lowest number. Listing them would take one more."""
    return frozenset(number for number in range(_MOST_OPEN) if _is_open(number))


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _work(config: Config, listening: socket, told: int, parent: int) -> None:
    from uvicorn import Server

    class Watched(Server):
        async def on_tick(self, counter: int) -> bool:
            """Ten times a second: say that the loop turns, and end with a parent that was killed, or the port would stay taken."""
            if counter % 10 == 0:
                with suppress(OSError):
                    os.write(told, b".")
            if os.getppid() != parent:
                self.should_exit = True  # never set to what it was read as: SIGTERM sets it at any time
            return await super().on_tick(counter)

    faulthandler.enable()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # whoever began us may have let it be ignored, and one that waits by now would be lost
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
    with suppress(KeyboardInterrupt):
        Watched(config).run(sockets=[listening])


def _number(word: str, most: int) -> int:
    """The number that `word` is, 0 for what is none between 1 and `most`."""
    number = int(word) if word.isascii() and word.isdecimal() and len(word) <= len(str(most)) else 0
    return number if number <= most else 0
