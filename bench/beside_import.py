"""The queue while an import is applied: what its readers feel of it, beside the same queue in peace."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from actions import import_apply, import_batches
from bench.databases import Databases
from bench.measure import start
from bench.pages import DESK, requests_of
from bench.servers import Server, python
from bench.workbook import write_workbook
from jobs.plan_import import compare, keep, read_rows
from jobs.rows_ahead import RowsAhead
from models.actors import SYSTEM
from models.database import make_engine, transaction
from models.imports import ImportBatch
from rules.calendar import tokyo_date
from rules.limits import Limits
from storage.store import open_store

_ROUNDS = 3
_WARM_SECONDS, _SECONDS = 2.0, 4.0
_LONGEST = 8.0
"""Seconds for which the queue is read when an import is applied."""


@dataclass(frozen=True)
class Disturbed:
    """Milliseconds of the queue with one reader: in peace, and while `rows` rows were applied, which took `seconds` in each of some rounds."""

    database: str
    rows: int
    quiet: tuple[float, float]
    """p50, p99."""
    busy: tuple[float, float]
    answers: int
    """While imports were applied."""
    seconds: float


def measure_disturbed(databases: Databases, tickets: int, rows: int) -> Disturbed:
    """Plan and apply workbooks in the desk that is being read."""
    engine = make_engine(databases.desk_url)
    quiet: list[float] = []
    busy: list[float] = []
    seconds = 0.0
    with start(DESK, databases, 2) as server:
        _read(server, tickets, _WARM_SECONDS)
        for number in range(_ROUNDS):
            batch_id = _plan(engine, databases.folder, rows, first=number * rows)
            quiet += [took for _, took in _read(server, tickets, _SECONDS)]
            during, span = _read_while_applied(server, tickets, engine, batch_id)
            busy += during
            seconds += span
    engine.dispose()
    return Disturbed(databases.kind, rows, _percentiles(quiet), _percentiles(busy), len(busy), seconds / _ROUNDS)


def _plan(engine: Engine, folder: Path, rows: int, *, first: int) -> int:
    now = datetime.now(UTC)
    path = folder / "beside.xlsx"
    write_workbook(path, rows, of=now.date(), first=first)
    with path.open("rb") as content:
        stored = open_store((folder / "store").as_uri()).put(content, folder="imports")
    with transaction(engine) as session:
        batch_id = import_batches.receive(session, file_name=path.name, stored=stored, by=SYSTEM, now=now).id
    ahead = RowsAhead(engine, batch_id, lambda _session: None)
    found, sheets = read_rows(engine, path, file_name=path.name, limits=Limits(), intake=ahead)
    keep(engine, batch_id, compare(engine, found, today=tokyo_date(now)), sheets, by=SYSTEM, now=now, guard=lambda _session: None, ahead=ahead)
    return batch_id


def _read_while_applied(server: Server, tickets: int, engine: Engine, batch_id: int) -> tuple[list[float], float]:
    """The answers that were under way while the batch was applied, and how long that took."""
    reader = _reader(server, tickets, _LONGEST)
    time.sleep(_WARM_SECONDS)
    began = time.time()
    with transaction(engine) as session:
        import_apply.apply(session, session.get_one(ImportBatch, batch_id), by=SYSTEM, now=datetime.now(UTC))
    ended = time.time()
    seen = _seen(reader)
    return [took for moment, took in seen if moment >= began and moment - took / 1000 <= ended], ended - began


def _read(server: Server, tickets: int, seconds: float) -> list[tuple[float, float]]:
    reader = _reader(server, tickets, seconds)
    reader.wait(timeout=seconds + 60)
    return _seen(reader)


def _reader(server: Server, tickets: int, seconds: float) -> subprocess.Popen[bytes]:
    """One client that asks for the queue, in a process of its own, for `seconds`."""
    requests = [base64.b64encode(one).decode() for one in requests_of(DESK, "queue", 0, tickets)]
    task: dict[str, Any] = {"port": server.port, "clients": [requests], "wanted": 200, "seconds": seconds, "most": 100_000, "counter": 0}
    reader = subprocess.Popen(python("-m", "bench.generator"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert reader.stdin
    reader.stdin.write(json.dumps(task).encode())
    reader.stdin.close()
    return reader


def _seen(reader: subprocess.Popen[bytes]) -> list[tuple[float, float]]:
    """When each answer was there, and the milliseconds that it took."""
    assert reader.stdout
    seen = json.loads(reader.stdout.read())
    reader.wait()
    if seen["fault"] or not seen["times"]:
        raise SystemExit(f"the queue beside an import: {seen['fault'] or 'no answer'}")
    return list(zip(seen["moments"], seen["times"], strict=True))


def _percentiles(times: Sequence[float]) -> tuple[float, float]:
    ordered = sorted(times)
    return ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
