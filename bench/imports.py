"""Importing a large workbook, beside what each part costs bare: calamine and openpyxl reading, plain rows written in bulk."""

from __future__ import annotations

import gc
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Column, Date, Engine, Integer, MetaData, String, Table

from actions import import_apply, import_batches
from bench.bulk import write_rows
from bench.databases import Databases
from bench.reference_tables import reference_engine
from bench.servers import python
from bench.workbook import HEADINGS, lines, write_workbook
from jobs.plan_import import compare, keep, read_rows
from jobs.rows_ahead import RowsAhead
from models.actors import SYSTEM
from models.database import make_engine, transaction
from models.imports import ImportBatch
from rules.calendar import tokyo_date
from rules.limits import Limits
from storage.store import open_store

T = TypeVar("T")

_CALAMINE = "import sys, python_calamine as c\nfor r in c.load_workbook(sys.argv[1]).get_sheet_by_index(0).iter_rows(): pass"
_OPENPYXL = "import sys, openpyxl as o\nfor r in o.load_workbook(sys.argv[1], read_only=True).worksheets[0].iter_rows(values_only=True): pass"
_EMPTY = "import python_calamine"
_ROUNDS = 3


@dataclass(frozen=True)
class Imported:
    """Seconds by step, for `rows` rows."""

    database: str
    rows: int
    calamine: float
    openpyxl: float
    bare_write: float
    read: float
    compared: float
    kept: float
    applied: float
    reading_mb: float
    """Peak of the process that reads, above the one that reads ten lines."""
    planning_mb: float
    """The same of the process that asks it to, and compares what it says."""

    @property
    def planned(self) -> float:
        """Seconds to a stored plan."""
        return self.read + self.compared + self.kept


def measure_import(databases: Databases, rows: int) -> Imported:
    """Read, plan, keep and apply a workbook of `rows` lines into a desk without contracts."""
    path = databases.folder / "bench.xlsx"
    now = datetime.now(UTC)
    write_workbook(path, rows, of=now.date())
    openpyxl = _run(_OPENPYXL, path) - _run(_EMPTY, path)
    bare = _bare_write(databases, rows, of=now.date())
    few = path.with_name("few.xlsx")
    write_workbook(few, 10, of=now.date())
    (reading, planning), (reading_few, planning_few) = _peaks_mb(databases, path), _peaks_mb(databases, few)
    rounds = [_import(databases, path, rows, now, f"imports{number}") for number in range(_ROUNDS)]
    middle = {name: statistics.median(found[name] for found in rounds) for name in rounds[0]}
    return Imported(databases.kind, rows, openpyxl=openpyxl, bare_write=bare, reading_mb=reading - reading_few, planning_mb=planning - planning_few, **middle)


def _import(databases: Databases, path: Path, rows: int, now: datetime, name: str) -> dict[str, float]:
    """Seconds by step, with calamine's before and after: the machine is not the same at all times."""
    engine = make_engine(databases.empty_desk(name))
    bare = [_run(_CALAMINE, path) - _run(_EMPTY, path)]
    with path.open("rb") as content:
        stored = open_store((databases.folder / "store").as_uri()).put(content, folder="imports")
    with transaction(engine) as session:
        batch_id = import_batches.receive(session, file_name=path.name, stored=stored, by=SYSTEM, now=now).id
    gc.freeze()  # as a jobs process does
    ahead = RowsAhead(engine, batch_id, lambda _session: None)
    (found, sheets), read = _timed(lambda: read_rows(engine, path, file_name=path.name, limits=Limits(), intake=ahead))
    plan, compared = _timed(lambda: compare(engine, found, today=tokyo_date(now)))
    _, kept = _timed(lambda: keep(engine, batch_id, plan, sheets, by=SYSTEM, now=now, guard=lambda _session: None, ahead=ahead))
    written, applied = _timed(lambda: _apply(engine, batch_id, now))
    bare.append(_run(_CALAMINE, path) - _run(_EMPTY, path))
    engine.dispose()
    if written.new != rows:
        raise SystemExit(f"the import wrote {written.new} of {rows} rows; its plan says {plan.summary()}")
    return {"calamine": sum(bare) / 2, "read": read, "compared": compared, "kept": kept, "applied": applied}


def _apply(engine: Engine, batch_id: int, now: datetime) -> import_apply.Written:
    with transaction(engine) as session:
        return import_apply.apply(session, session.get_one(ImportBatch, batch_id), by=SYSTEM, now=now)


def _bare_write(databases: Databases, rows: int, *, of: date) -> float:
    """The same cells into one plain table."""
    table = Table("bare", MetaData(), Column("id", Integer, primary_key=True), *(_column(place) for place in range(len(HEADINGS))))
    engine = reference_engine(databases.reference_url, threads=1)
    table.create(engine)
    names = ["id", *(f"c{place}" for place in range(len(HEADINGS)))]
    ready = [(number, *line) for number, line in enumerate(lines(rows, of=of), start=1)]
    _, seconds = _timed(lambda: _write(engine, table, names, ready))
    engine.dispose()
    return seconds


def _write(engine: Engine, table: Table[Any], names: list[str], ready: list[tuple[Any, ...]]) -> None:
    with engine.execution_options(writes=True).begin() as connection:
        write_rows(connection, table, names, ready)


def _column(place: int) -> Column[Any]:
    return Column(f"c{place}", Date if place in {0, 5, 6} else String(200), nullable=False)


def _peaks_mb(databases: Databases, path: Path) -> tuple[float, float]:
    """Of the process that reads, and of the one that plans."""
    told = subprocess.run(python("-m", "bench.reading", databases.desk_url, str(path)), check=True, capture_output=True).stdout
    reading, planning = map(float, told.split())
    return reading, planning


def _run(code: str, path: Path) -> float:
    """Seconds of a process of its own."""
    _, seconds = _timed(lambda: subprocess.run(python("-c", code, str(path)), check=True))
    return seconds


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    began = time.perf_counter()
    done = work()
    return done, time.perf_counter() - began
