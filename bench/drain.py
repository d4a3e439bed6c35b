"""What people notice while the letters of a long failure of the mail server go out: the queue's p95 with and without."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter

from sqlalchemy import update

from bench.databases import Databases
from bench.letters import said, sinks, tell, worker, write_due
from bench.measure import Plan, desk_environment, load_page, start
from bench.pages import DESK
from bench.servers import Server
from jobs.parts import parts_of
from jobs.runner import NICE
from models.base import NEVER
from models.database import transaction
from models.outbox import Letter, LetterState
from settings import Settings

_CLIENTS = 2
_SLICE_SECONDS = 1.0
_ROUNDS = 2
"""Each is a quiet stretch and one with letters, equally long, so that a noisy minute meets both."""


@dataclass(frozen=True)
class Drained:
    """`quiet` and `draining` are the queue's p95 in milliseconds; `seconds` is how long the letters took."""

    database: str
    letters: int
    seconds: float
    quiet: float
    draining: float


def measure_drain(databases: Databases, plan: Plan, letters: int) -> Drained:
    """Let `letters` letters out with one worker while two clients read the queue."""
    parts = parts_of(Settings(database_url=databases.desk_url, state_dir=databases.folder, secret_key="x" * 40))
    with transaction(parts.engine) as session:
        session.execute(update(Letter).where(Letter.state == LetterState.WAITING).values(state=LetterState.PARKED, try_at=NEVER))
    quiet: list[float] = []
    draining: list[float] = []
    took: list[float] = []
    with start(DESK, databases, plan.workers) as server, sinks(1) as ports:
        environment = desk_environment(databases.desk_url, databases.folder) | {"JTICKETS_BASE_URL": "", "JTICKETS_SMTP_URL": f"smtp://127.0.0.1:{ports[0]}"}
        _read(server, plan, lambda: True)
        for number in range(_ROUNDS):
            with worker(environment, databases.folder) as process:
                said(process)
                write_due(parts, letters, f"drain:{number}", age=timedelta(days=1))
                os.setpriority(os.PRIO_PROCESS, process.pid, NICE)  # as a jobs process does
                began = perf_counter()
                tell(process)
                draining += _read(server, plan, lambda process=process: process.poll() is not None)
                took.append(perf_counter() - began)
            until = perf_counter() + took[-1]
            quiet += _read(server, plan, lambda until=until: perf_counter() >= until)
    parts.engine.dispose()
    return Drained(databases.kind, letters, max(took), _p95(quiet), _p95(draining))


def _read(server: Server, plan: Plan, over: Callable[[], bool]) -> list[float]:
    """Milliseconds of every answer until `over`."""
    times: list[float] = []
    while True:
        times += load_page(DESK, server, "queue", _CLIENTS, plan, seconds=_SLICE_SECONDS)[1]
        if over():
            return times


def _p95(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.95)]
