"""A process killed at any statement of an application or of an undo leaves all or nothing, and the batch says which."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, select

from actions import import_apply, import_undo
from models.contracts import Certificate, ContractLine, Party
from models.database import transaction
from models.imports import BatchState, ImportBatch
from models.journal import JournalEntry
from rules.limits import Limits
from tests.people import NOW
from tests.workbooks import NAKAMURA, Line, apply_batch, compare_lines, keep_plan, tick, undo_batch

_ROOT = Path(__file__).resolve().parents[2]
_DIES = """
import os, signal, sys
from sqlalchemy import event
from models.database import make_engine
from tests import workbooks

engine, batch_id, wanted = make_engine(sys.argv[1]), int(sys.argv[3]), int(sys.argv[4])
seen = 0

@event.listens_for(engine, "before_cursor_execute")
def count(*_):
    global seen
    seen += 1
    if seen == wanted:
        os.kill(os.getpid(), signal.SIGKILL)

@event.listens_for(engine, "commit")
def commit(*_):
    if seen < wanted:
        os.kill(os.getpid(), signal.SIGKILL)

getattr(workbooks, sys.argv[2])(engine, batch_id)
"""
_FIRST: Sequence[Line] = ({"serial": "A1"}, {"serial": "A2"}, {"contract": "JSC26040999A"})
_SECOND: Sequence[Line] = (
    {"serial": "A1", "ends_on": "2028-03-31", "agent_name": "", "agent_email": ""},
    {"contract": "JSC26040777A", "serial": "C1"},
)
_SAMPLED = 1
"""Statements of each act at which `make test` kills; `make proof` sweeps them all."""


@pytest.mark.parametrize("act", ["apply_batch", "undo_batch"])
def test_a_kill_leaves_all_or_nothing(engine: Engine, database_url: str, act: str) -> None:
    seed = random.randrange(10_000)
    batch_id = prepared(engine, act)
    statements = counted(engine, act)

    for wanted in random.Random(seed).sample(range(2, statements + 2), _SAMPLED):
        kill_at(engine, database_url, act, batch_id, wanted, seed)

    finish(engine, act, batch_id)


@pytest.mark.proof
@pytest.mark.parametrize("act", ["apply_batch", "undo_batch"])
def test_a_kill_at_every_statement_leaves_all_or_nothing(engine: Engine, database_url: str, act: str) -> None:
    batch_id = prepared(engine, act)

    for wanted in range(1, counted(engine, act) + 2):
        kill_at(engine, database_url, act, batch_id, wanted)

    finish(engine, act, batch_id)


def prepared(engine: Engine, act: str) -> int:
    """A batch that adds, changes and withdraws; applied already where it is to be undone."""
    apply_batch(engine, keep_plan(engine, compare_lines(engine, *_FIRST)))
    batch_id = keep_plan(engine, compare_lines(engine, *_SECOND))
    tick(engine, batch_id, status="missing")
    if act == "undo_batch":
        apply_batch(engine, batch_id)
    return batch_id


def counted(engine: Engine, act: str) -> int:
    """How many statements the act takes, told by one that is rolled back."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    with pytest.raises(_StoppedError):
        _rolled_back(engine, act)
    event.remove(engine, "before_cursor_execute", note)
    return len(seen)


class _StoppedError(Exception):
    """Ends a transaction that is not to be kept."""


def _rolled_back(engine: Engine, act: str) -> None:
    with transaction(engine) as session:
        batch = session.scalars(select(ImportBatch).order_by(ImportBatch.id.desc()).limit(1)).one()
        if act == "apply_batch":
            import_apply.apply(session, batch, by=NAKAMURA, now=NOW)
        else:
            import_undo.undo(session, batch, by=NAKAMURA, now=NOW, limits=Limits())
        session.flush()
        raise _StoppedError


def kill_at(engine: Engine, database_url: str, act: str, batch_id: int, wanted: int, seed: int = 0) -> None:
    """Run the act in a process of its own that dies before its statement `wanted`, or before its commit."""
    before = everything(engine)
    command = [sys.executable, "-c", _DIES, database_url, act, str(batch_id), str(wanted)]

    ended = subprocess.run(command, cwd=_ROOT, capture_output=True, timeout=60, check=False)

    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    assert everything(engine) == before, f"killed at statement {wanted}, seed {seed}"


def finish(engine: Engine, act: str, batch_id: int) -> None:
    """What was killed can be done again."""
    if act == "apply_batch":
        apply_batch(engine, batch_id)
    else:
        undo_batch(engine, batch_id)
    with transaction(engine, readonly=True) as session:
        assert session.get_one(ImportBatch, batch_id).state == (BatchState.APPLIED if act == "apply_batch" else BatchState.UNDONE)


def everything(engine: Engine) -> list[list[Any]]:
    """Every row of the certificates, of the journal and of the batches."""
    with transaction(engine, readonly=True) as session:
        tables = (Certificate, Party, ContractLine, JournalEntry, ImportBatch)
        return [[tuple(row) for row in session.execute(select(table.__table__).order_by(table.__table__.c.id))] for table in tables]
