"""A storage that is away for a while condemns no workbook, neither one that is read nor one that is written."""

from __future__ import annotations

import io
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from actions import handed_back, import_batches
from jobs.runner import Process
from jobs.schedule import JOBS
from models.actors import SYSTEM, StaffMember
from models.database import transaction
from models.handed_back import HandedBack, HandedBackState
from models.imports import BatchState, ImportBatch
from storage.store import StorageFault, Store
from tests.clock import Clock
from tests.jobs.mailroom import parts_for
from tests.workbooks import csv_of

AWAY_SECONDS = 600


def tick_for(process: Process, clock: Clock, name: str, seconds: int) -> None:
    job = next(job for job in JOBS if job.line.name == name)
    for _ in range(seconds):
        with suppress(StorageFault):
            process.tick(job)
        clock.advance(seconds=1)


def test_a_workbook_outlives_a_storage_that_is_away(engine: Engine, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = parts_for(engine, clock, tmp_path)
    stored = parts.store.put(io.BytesIO(csv_of({"serial": "A1"})), folder="imports")
    with transaction(engine) as session:
        batch_id = import_batches.receive(session, file_name="lines.csv", stored=stored, by=SYSTEM, now=clock()).id
    process = Process(parts, threading.Event())

    def away(_store: Store, _key: str, _target: Path) -> None:
        raise StorageFault("service unavailable")

    with monkeypatch.context() as patched:
        patched.setattr(Store, "fetch", away)
        tick_for(process, clock, "plan_import", AWAY_SECONDS)
    tick_for(process, clock, "plan_import", 200)

    with transaction(engine) as session:
        batch = session.get_one(ImportBatch, batch_id)
        assert batch.state == BatchState.PLANNED
        handed_back.ask(session, batch, by=StaffMember(id=None, name="本田"), now=clock())

    with monkeypatch.context() as patched:
        patched.setattr(Store, "fetch", away)
        tick_for(process, clock, "hand_back", AWAY_SECONDS)
    with transaction(engine, readonly=True) as session:
        assert session.scalars(select(HandedBack.state)).one() == HandedBackState.WRITING
    tick_for(process, clock, "hand_back", 200)

    with transaction(engine, readonly=True) as session:
        assert session.scalars(select(HandedBack.state)).one() in (HandedBackState.READY, HandedBackState.NOTHING)
