"""`jtickets import apply` beside the processes that look after the same batches: the job that reads uploads, and people in the console."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select
from typer.testing import CliRunner, Result

from actions import import_batches
from actions import jobs as job_actions
from actions.timetable import line_of
from cli_import_undo import imports
from jobs import plan_import
from models.contracts import Certificate, ContractLine
from models.database import transaction
from models.imports import BatchState, ImportBatch
from tests.clock import Clock
from tests.jobs.mailroom import parts_for
from tests.workbooks import NAKAMURA, csv_of

LINES = csv_of(*({"contract": f"JSC2604{number}A", "serial": f"S{number}"} for number in range(1000, 1020)))

_PARTS = "_parts"
"""What `jobs.plan_import.keep` asks before it writes the rows of a plan, and again before the missing lines."""


@pytest.fixture(autouse=True)
def configured(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JTICKETS_DATABASE_URL", database_url)
    monkeypatch.setenv("JTICKETS_STATE_DIR", str(tmp_path / "var"))


def apply(folder: Path) -> Result:
    path = folder / "lines.csv"
    path.write_bytes(LINES)
    return CliRunner().invoke(imports, ["apply", str(path)])


def between(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object], *, rows_written: bool) -> None:
    """Do `act` once, when the command line has stored its batch and is about to write the rows of its plan, or has just written them."""
    real: Callable[..., Iterator[range]] = getattr(plan_import, _PARTS)
    calls: list[int] = []

    def parts(count: int) -> Iterator[range]:
        calls.append(count)
        if len(calls) == (2 if rows_written else 1):
            act()
        return real(count)

    monkeypatch.setattr(plan_import, _PARTS, parts)


def the_batch(engine: Engine) -> ImportBatch:
    with transaction(engine, readonly=True) as session:
        return session.scalars(select(ImportBatch)).one()


def counted(engine: Engine) -> tuple[int, int]:
    with transaction(engine, readonly=True) as session:
        return session.scalar(select(func.count(Certificate.id))) or 0, session.scalar(select(func.count(ContractLine.id))) or 0


@pytest.mark.parametrize("rows_written", [False, True])
def test_the_job_leaves_a_workbook_of_the_command_line_alone(
    engine: Engine, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, rows_written: bool
) -> None:
    parts = parts_for(engine, clock, tmp_path / "var")
    with transaction(engine) as session:
        line = line_of("plan_import")
        assert line is not None
        run = job_actions.begin(session, line, worker="jobs", now=clock())
    assert run is not None
    seen: list[object] = []

    def job() -> None:
        with transaction(engine, readonly=True) as session:
            seen.append(plan_import.has_received(session, clock()))
        seen.append(plan_import.plan_received(parts, run))

    between(monkeypatch, job, rows_written=rows_written)
    result = apply(tmp_path)

    assert seen == [False, {}]
    assert result.exit_code == 0, result.output
    assert counted(engine) == (20, 20) and the_batch(engine).state == BatchState.APPLIED


def test_a_plan_whose_rows_are_not_all_there_is_not_applied(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def clear() -> None:
        with transaction(engine) as session:
            import_batches.clear(session, the_batch(engine).id)

    between(monkeypatch, clear, rows_written=True)
    result = apply(tmp_path)

    assert result.exit_code == 2 and "変わりました" in result.stderr.splitlines()[-1]
    assert counted(engine) == (0, 0) and the_batch(engine).state == BatchState.DISCARDED


def test_what_was_discarded_in_the_console_meanwhile_is_not_applied(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    between(monkeypatch, lambda: discard(engine), rows_written=True)
    result = apply(tmp_path)

    assert result.exit_code == 2 and "破棄" in result.stderr.splitlines()[-1]
    assert counted(engine) == (0, 0)


def test_a_command_line_that_died_leaves_a_batch_that_can_be_discarded(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die() -> None:
        raise KeyboardInterrupt

    between(monkeypatch, die, rows_written=True)
    assert apply(tmp_path).exit_code != 0
    assert the_batch(engine).state == BatchState.PLANNING

    discard(engine)
    assert the_batch(engine).state == BatchState.DISCARDED and counted(engine) == (0, 0)


def discard(engine: Engine) -> None:
    with transaction(engine) as session:
        import_batches.discard(session, session.scalars(select(ImportBatch)).one(), by=NAKAMURA, now=the_batch(engine).uploaded_at)
