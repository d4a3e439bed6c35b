"""A process killed in the middle of an application leaves all or nothing, and the batch says which."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from actions.import_apply import STEPS
from models.contracts import Certificate, ContractLine, Party
from models.database import transaction
from models.imports import BatchState, ImportBatch
from models.journal import JournalEntry
from tests.workbooks import apply_batch, keep_plan, plan_lines

_ROOT = Path(__file__).resolve().parents[2]
_DIES = """
import os, signal, sys
from actions import import_apply
from models.database import make_engine
from tests.workbooks import apply_batch

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

import_apply.STEPS = (*import_apply.STEPS[: int(sys.argv[3])], die)
apply_batch(make_engine(sys.argv[1]), int(sys.argv[2]))
"""


@pytest.mark.parametrize("steps", [1, len(STEPS)])
def test_a_kill_leaves_nothing_half_written(engine: Engine, database_url: str, tmp_path: Path, steps: int) -> None:
    batch_id = keep_plan(engine, plan_lines(engine, tmp_path, {"serial": "A1"}, {"contract": "JSC26040999A"}))

    ended = subprocess.run([sys.executable, "-c", _DIES, database_url, str(batch_id), str(steps)], cwd=_ROOT, capture_output=True, timeout=60, check=False)

    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    assert _state(engine, batch_id) == (BatchState.PLANNED, 0, 0, 0, 0)
    apply_batch(engine, batch_id)
    assert _state(engine, batch_id) == (BatchState.APPLIED, 2, 4, 2, 2)


def _state(engine: Engine, batch_id: int) -> tuple[BatchState, int, int, int, int]:
    """The batch's state, and how many certificates, parties, lines and journal rows of certificates there are."""
    with transaction(engine, readonly=True) as session:
        counts = [session.scalar(select(func.count()).select_from(table)) or 0 for table in (Certificate, Party, ContractLine)]
        told = session.scalar(select(func.count()).select_from(JournalEntry).where(JournalEntry.act == "import")) or 0
        return session.get_one(ImportBatch, batch_id).state, counts[0], counts[1], counts[2], told
