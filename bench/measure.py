"""One database's measurements: rounds of both applications in turn, so that a noisy minute meets both."""

from __future__ import annotations

import base64
import json
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.databases import Databases
from bench.pages import DESK, KEY, PAGES, REFERENCE, SEARCHES, WANTED, Application, requests_of
from bench.reference_tables import index_words, reference_engine
from bench.servers import Server, python, serve

CLIENTS = (1, 8)
_MOST = 20_000
_WARM_CLIENTS = 8


@dataclass(frozen=True)
class Pace:
    """What one round of one page showed."""

    per_second: float
    cpu_ms: float
    """User and system time of the application's processes per answer."""
    p50: float
    p99: float


@dataclass(frozen=True)
class Beside:
    """A page on one database with a number of clients: the desk, the reference, and their ratio of CPU round by round."""

    database: str
    page: str
    clients: int
    desk: Pace
    reference: Pace
    cpu_ratio: float


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    tickets: int
    seconds: float
    rounds: int
    workers: int
    pages: Sequence[str] = PAGES


@dataclass(frozen=True)
class Weighed:
    """Memory of a worker by how many there are, and start to the first 200, each of the desk and of the reference."""

    database: str
    memory: dict[int, tuple[float, float]]
    start: tuple[float, float]


def measure_pages(databases: Databases, plan: Plan) -> Iterator[Beside]:
    """Every page at 1 and 8 clients, as they are finished."""
    if not SEARCHES.keys().isdisjoint(plan.pages):
        _index_words(databases.reference_url)
    with both(databases, plan.workers) as servers:
        for application, server in servers.items():
            for page in plan.pages:
                load_page(application, server, page, _WARM_CLIENTS, plan, seconds=1.0)
        for page in plan.pages:
            for clients in CLIENTS:
                rounds = [{one: _round(one, server, page, clients, plan) for one, server in servers.items()} for _ in range(plan.rounds)]
                desk, reference = [each[DESK] for each in rounds], [each[REFERENCE] for each in rounds]
                ratio = statistics.median(one.cpu_ms / other.cpu_ms for one, other in zip(desk, reference, strict=True))
                yield Beside(databases.kind, page, clients, _median(desk), _median(reference), ratio)


def _index_words(url: str) -> None:
    engine = reference_engine(url, threads=1)
    index_words(engine)
    engine.dispose()


def weigh(databases: Databases, plan: Plan) -> Weighed:
    """Memory of a process that has served queue and ticket pages, alone and as one of the plan's workers, and the median start of five."""
    starts: dict[Application, list[float]] = {DESK: [], REFERENCE: []}
    memory: dict[tuple[Application, int], list[float]] = {}
    for workers in (1, 1, 1, 1, 1, *[plan.workers] * (3 if plan.workers > 1 else 0)):
        with both(databases, workers) as servers:
            for application, server in servers.items():
                if workers == 1:
                    starts[application].append(server.started_in)
                seen = memory.setdefault((application, workers), [])
                if len(seen) < 3:
                    for page in ("queue", "ticket"):
                        load_page(application, server, page, _WARM_CLIENTS, plan, seconds=0.7)
                    seen.append(server.memory_mb())
    return Weighed(
        databases.kind,
        {workers: (statistics.median(memory[DESK, workers]), statistics.median(memory[REFERENCE, workers])) for workers in sorted({1, plan.workers})},
        (statistics.median(starts[DESK]), statistics.median(starts[REFERENCE])),
    )


@contextmanager
def both(databases: Databases, workers: int) -> Iterator[dict[Application, Server]]:
    """Both applications running side by side; only one of them is asked at a time."""
    with ExitStack() as stack:
        yield {application: stack.enter_context(start(application, databases, workers)) for application in (DESK, REFERENCE)}


def start(application: Application, databases: Databases, workers: int) -> AbstractContextManager[Server]:
    """One application with `workers` workers."""
    command, environment = _desk(databases, workers) if application is DESK else _reference(databases, workers)
    log = databases.folder / f"{application.name}.log"
    return serve(command, environment, log=log, path=application.queue, cookie=application.cookie(0))


def desk_environment(url: str, folder: Path) -> dict[str, str]:
    """The desk's configuration: as delivered, but for the limits that a bench must pass."""
    return {
        "JTICKETS_DATABASE_URL": url,
        "JTICKETS_BASE_URL": "http://127.0.0.1:{port}",
        "JTICKETS_SECRET_KEY": KEY,
        "JTICKETS_STATE_DIR": str(folder),
        "JTICKETS_LIMITS_SIGN_IN_FAILURES": "1000000",
        "JTICKETS_LIMITS_SIGN_IN_FAILURES_ALL": "1000000",
    }


def _desk(databases: Databases, workers: int) -> tuple[list[str], dict[str, str]]:
    return python("-m", "cli", "serve", "--port", "{port}", "--workers", str(workers)), desk_environment(databases.desk_url, databases.folder)


def _reference(databases: Databases, workers: int) -> tuple[list[str], dict[str, str]]:
    command = python("-m", "uvicorn", "--factory", "bench.reference:create", "--port", "{port}", "--workers", str(workers))
    command += ["--no-access-log", "--log-level", "warning", "--no-server-header"]
    return command, {"REFERENCE_DATABASE_URL": databases.reference_url, "REFERENCE_THREADS": "2"}


def _round(application: Application, server: Server, page: str, clients: int, plan: Plan) -> Pace:
    before = server.cpu_ms()
    seconds, times = load_page(application, server, page, clients, plan, seconds=plan.seconds)
    cpu = server.cpu_ms() - before
    ordered = sorted(times)
    return Pace(len(times) / seconds, cpu / len(times), statistics.median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))])


def load_page(application: Application, server: Server, page: str, clients: int, plan: Plan, *, seconds: float) -> tuple[float, list[float]]:
    """Let `clients` clients ask `page` for `seconds`: the seconds it took and the milliseconds of every answer."""
    clients_requests = [requests_of(application, page, client, plan.tickets) for client in range(clients)]
    return ask_for(server, clients_requests, WANTED[page], seconds=seconds)


def ask_for(server: Server, clients: Sequence[Sequence[bytes]], wanted: int, *, seconds: float) -> tuple[float, list[float]]:
    """Let clients send their requests in turn for `seconds`, each answer with the status `wanted`: as `load_page`."""
    task = {
        "port": server.port,
        "clients": [[base64.b64encode(one).decode() for one in requests] for requests in clients],
        "wanted": wanted,
        "seconds": seconds,
        "most": _MOST,
        "counter": time.monotonic_ns() // 10_000 % 1_000_000_000,
    }
    answer = subprocess.run(python("-m", "bench.generator"), input=json.dumps(task).encode(), capture_output=True, check=True, timeout=seconds + 120)
    seen = json.loads(answer.stdout)
    if seen["fault"] or not seen["times"]:
        raise SystemExit(f"{clients[0][0][:200]!r}: {seen['fault'] or 'no answer'}")
    return seen["seconds"], seen["times"]


def _median(rounds: Sequence[Pace]) -> Pace:
    return Pace(
        statistics.median(one.per_second for one in rounds),
        statistics.median(one.cpu_ms for one in rounds),
        statistics.median(one.p50 for one in rounds),
        statistics.median(one.p99 for one in rounds),
    )
