"""Letters a second to a local sink: workers of the outbox beside a bare smtplib loop over finished messages, in the same run."""

from __future__ import annotations

import gc
import os
import signal
import smtplib
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import func, select, update

from actions.letters import Draft, write_letters
from bench.corpus import inquiry
from bench.databases import Databases
from bench.measure import desk_environment
from bench.servers import python
from jobs.deliver_mail import Mailer
from jobs.parts import Parts, parts_of
from mail.compose import Envelope, Text, to_bytes, to_email
from mail.desk import Desk
from models.base import NEVER
from models.database import transaction
from models.outbox import Letter, LetterState
from settings import Settings, read_settings

WORKERS = (1, 4)
_TICKETS = 2000
"""Letters are about so many tickets: a few for each, as on a busy day."""


_DESK = Desk("https://tickets.example.jp", "J's チケットシステム <tickets@jscom.co.jp>", "tickets-admin@jscom.co.jp", "service_admin@jscom.co.jp")


@dataclass(frozen=True)
class Sent:
    """Letters a second: medians of rounds that were done in turn."""

    database: str
    letters: int
    bare: float
    """A loop of smtplib over messages that lie ready."""
    composing: float
    """The same loop, which makes each message by the standard's email package first."""
    ours: dict[int, float]
    """By the number of workers."""
    cpu_ms: dict[int, float]
    """What a letter costs its worker, likewise."""
    plain: float
    """One worker's, to a server that does not offer PIPELINING."""


def measure_letters(databases: Databases, letters: int, rounds: int) -> Sent:
    """`rounds` rounds of `letters` letters with each number of workers."""
    bare: list[float] = []
    composing: list[float] = []
    ours: dict[int, list[_Delivered]] = {workers: [] for workers in WORKERS}
    plain: list[_Delivered] = []
    with sinks(max(WORKERS)) as ports, sinks(1, "plain") as plain_ports:
        environment = desk_environment(databases.desk_url, databases.folder) | {"JTICKETS_BASE_URL": ""}
        parts = parts_of(Settings(database_url=databases.desk_url, state_dir=databases.folder, secret_key="x" * 40))
        with transaction(parts.engine) as session:
            session.execute(update(Letter).where(Letter.state == LetterState.WAITING).values(state=LetterState.PARKED, try_at=NEVER))
        for number in range(rounds):
            bare.append(_process("bare", ports[0], letters))
            composing.append(_process("composing", ports[0], letters))
            for workers in WORKERS:
                ours[workers].append(_deliver(parts, environment, ports[:workers], letters, f"{number}:{workers}"))
            plain.append(_deliver(parts, environment, plain_ports, letters, f"{number}:plain"))
        parts.engine.dispose()
    return Sent(
        databases.kind,
        letters,
        statistics.median(bare),
        statistics.median(composing),
        {count: statistics.median(one.per_second for one in found) for count, found in ours.items()},
        {count: statistics.median(one.cpu_ms for one in found) for count, found in ours.items()},
        statistics.median(one.per_second for one in plain),
    )


def write_due(parts: Parts, letters: int, mark: str, *, age: timedelta = timedelta()) -> None:
    """Letters that have waited for `age`; `mark` is theirs alone."""
    drafts = (
        Draft("answered", f"bench:{mark}:{number}", Text(_subject(number), _body(number)), [_to(number)], _cc(number), ticket_id=number % _TICKETS + 1)
        for number in range(letters)
    )
    with transaction(parts.engine) as session:
        write_letters(session, drafts, desk=parts.desk, now=datetime.now(UTC) - age)


def _check(parts: Parts) -> None:
    with transaction(parts.engine, readonly=True) as session:
        left = session.scalar(select(func.count()).select_from(Letter).where(Letter.state.in_([LetterState.WAITING, LetterState.SENDING])))
    if left:
        raise SystemExit(f"{left} letters did not leave")


@dataclass(frozen=True)
class _Delivered:
    per_second: float
    cpu_ms: float


def _deliver(parts: Parts, environment: dict[str, str], ports: Sequence[int], letters: int, mark: str) -> _Delivered:
    """A worker for each of `ports` until none finds anything left; they start together when all stand ready.

    Each has sent a letter by then, as the bare loop has connected and greeted: what a process does for the first time is no part of a letter.
    """
    with ExitStack() as stack:
        started: list[subprocess.Popen[bytes]] = []
        for number, port in enumerate(ports):
            write_due(parts, 1, f"{mark}:first:{number}")
            process = stack.enter_context(worker(environment | {"JTICKETS_SMTP_URL": f"smtp://127.0.0.1:{port}"}, parts.settings.state_dir))
            said(process)
            started.append(process)
        write_due(parts, letters, mark)
        began = time.perf_counter()
        for process in started:
            tell(process)
        cpu = sum(float(said(process)) for process in started)
        took = time.perf_counter() - began
    _check(parts)
    return _Delivered(letters / took, cpu / letters * 1000)


@contextmanager
def worker(environment: dict[str, str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that sends what is due and says that it stands ready, begins when it is told, and says its seconds of CPU when nothing is left."""
    chosen = {name: value for name, value in environment.items() if value}
    with (
        (folder / "letters.log").open("ab") as log,
        subprocess.Popen(
            python("-m", "bench.letters", "worker"), env={**os.environ, **chosen}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
        ) as process,
    ):
        yield process


@contextmanager
def sinks(servers: int, *words: str) -> Iterator[list[int]]:
    """The ports of so many servers: one that serves several workers would be what they wait for."""
    with subprocess.Popen(python("-m", "bench.sink", str(servers), *words), stdout=subprocess.PIPE, start_new_session=True) as process:
        try:
            yield [int(port) for port in said(process).split()]
        finally:
            os.killpg(process.pid, signal.SIGTERM)


def _process(kind: str, port: int, letters: int) -> float:
    return float(subprocess.run(python("-m", "bench.letters", kind, str(port), str(letters)), check=True, capture_output=True).stdout)


def said(process: subprocess.Popen[bytes]) -> bytes:
    """The next line of a process."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise SystemExit("a process of the bench ended early")
    return line


def tell(process: subprocess.Popen[bytes]) -> None:
    """Let a process begin."""
    assert process.stdin is not None
    process.stdin.write(b"go\n")
    process.stdin.flush()


# -- what the processes do


def _work() -> None:
    """One worker of the outbox."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    mailer = Mailer(parts_of(read_settings()), f"bench:{os.getpid()}", threading.Event())
    gc.freeze()  # as a jobs process does
    mailer.deliver()
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.process_time()
    mailer.deliver()
    print(time.process_time() - began, flush=True)
    mailer.close()


def _loop(port: int, letters: int, *, composing: bool) -> float:
    """Letters a second of smtplib alone."""
    ready = [] if composing else [_message(number) for number in range(letters)]
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        smtp.ehlo()
        began = time.perf_counter()
        for number in range(letters):
            smtp.sendmail("tickets@jscom.co.jp", [_to(number), *_cc(number)], ready[number] if ready else _message(number))
        return letters / (time.perf_counter() - began)


def _message(number: int) -> bytes:
    envelope = Envelope(
        f"<{number:032x}@jscom.co.jp>", (f"<ticket-{number}@jscom.co.jp>",), _subject(number), _body(number), datetime.now(UTC), (_to(number),), _cc(number)
    )
    return to_bytes(to_email(envelope, _DESK))


def main(arguments: Sequence[str]) -> None:
    """``worker``, or ``bare`` and ``composing`` with port and number of letters."""
    if arguments[0] == "worker":
        _work()
    else:
        print(_loop(int(arguments[1]), int(arguments[2]), composing=arguments[0] == "composing"))


def _subject(number: int) -> str:
    return f"[J's チケット #{number % _TICKETS + 1}] [Juniper-SRX] {inquiry(number + 1).subject}"


def _body(number: int) -> str:
    return inquiry(number + 1).messages[0] + "\n"


def _to(number: int) -> str:
    return f"tanto{number}@tozai.example"


def _cc(number: int) -> tuple[str, ...]:
    return ("sato@tozai.example",) if number % 2 else ()


if __name__ == "__main__":
    main(sys.argv[1:])
