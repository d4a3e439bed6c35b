"""Reading uploaded workbooks and keeping their plans, one batch after the other, with progress that a page can show."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from actions import import_batches, import_corrections, import_mapping, import_plans, import_staging
from actions.import_plans import Intake, Plan, Rows
from actions.jobs import Counts, Run, confirm
from importers.reader import read_workbook
from jobs.parts import Parts
from jobs.rows_ahead import RowsAhead
from models.actors import SYSTEM, Actor
from models.database import transaction
from models.import_corrections import correction_count
from models.import_mapping import remembered
from models.imports import BatchState, ImportBatch
from rules.calendar import tokyo_date
from rules.limits import Limits
from rules.refusal import Refused
from wording.refusals import say

MOST_TRIES = 3
"""A workbook whose reading broke off so often would break off for ever."""
_READ, _COMPARED, _KEPT = 50, 60, 95
"""Percent of the work."""
_WAITING = (BatchState.RECEIVED, BatchState.PLANNING)
"""The second one waits for the command line, and is none of the job's."""
Guard = Callable[[Session], None]
"""Raises when this process may not write any more."""


class Dropped(Exception):
    """Somebody discarded the batch while it was read."""


def has_received(session: Session, _now: datetime) -> bool:
    """Whether a workbook waits."""
    return session.scalar(select(ImportBatch.id).where(ImportBatch.state == BatchState.RECEIVED).limit(1)) is not None


def plan_received(parts: Parts, run: Run) -> Counts:
    """Plan every workbook that waits, the oldest first."""
    counts = {"planned": 0, "failed": 0}
    while (batch_id := _begin(parts, run)) is not None:
        try:
            done = _plan(parts, run, batch_id)
        except Dropped:
            continue
        counts["planned" if done else "failed"] += 1
    return {name: count for name, count in counts.items() if count}


def read_rows(
    engine: Engine, path: Path, *, file_name: str, limits: Limits, mapping: Mapping[str, Any] | None = None, intake: Intake | None = None
) -> tuple[Rows, list[dict[str, Any]]]:
    """The rows and sheets of a workbook, read in a child process; `mapping` is what a person chose for its sheets.

    `intake` gathers the rows, and may write them while others are read. Refuses what `importers.reader.read_workbook` refuses.
    """
    with transaction(engine, readonly=True) as session:
        masters, known = import_plans.masters(session), remembered(session)
    families, mailboxes = masters.families, masters.mailboxes
    taker = intake or Intake()
    try:
        with (
            _unswept(),
            read_workbook(
                path, file_name=file_name, families=families, mailboxes=mailboxes, limits=limits, mapping=mapping, remembered=known, take=taker.take
            ) as reading,
        ):
            return taker.rows, import_plans.sheets_of(reading)
    finally:
        taker.settle()


def compare(engine: Engine, rows: Rows, *, today: date) -> Plan:
    """What applying `rows` would do."""
    with _unswept(), transaction(engine, readonly=True) as session:
        return import_plans.plan(session, rows, today=today)


def keep(
    engine: Engine,
    batch_id: int,
    plan: Plan,
    sheets: list[dict[str, Any]],
    *,
    by: Actor,
    now: datetime,
    guard: Guard,
    ahead: RowsAhead | None = None,
) -> None:
    """Write a plan, of which `ahead` may have written rows, in short transactions; people see it after the last one.

    Raises Dropped; refuses plan_changed where another process took rows away.
    """
    count = len(plan.statuses)
    for part in _parts(count):
        indexes, wrong = ahead.unwritten(plan, part) if ahead else (part, ())
        if not indexes:
            continue
        with transaction(engine) as session:
            guard(session)
            batch = _waiting(session, batch_id)
            import_staging.take_back(session, batch_id, wrong)
            import_staging.keep_rows(session, batch_id, plan, indexes)
            batch.progress = _COMPARED + (_KEPT - _COMPARED) * part.stop // count
    for part in _parts(len(plan.missing_lines)):
        with transaction(engine) as session:
            guard(session)
            _waiting(session, batch_id)
            import_staging.keep_missing(session, batch_id, plan, part, first=count)
    with transaction(engine) as session:
        guard(session)
        import_batches.finish(session, _held(session, batch_id), plan, sheets, by=by, now=now)


@contextmanager
def _unswept() -> Iterator[None]:
    """Without looking for garbage: the rows of a workbook are no circles, and walking them again and again takes a tenth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _parts(count: int) -> Iterator[range]:
    for first in range(0, count, import_staging.ROWS_AT_ONCE):
        yield range(first, min(count, first + import_staging.ROWS_AT_ONCE))


def _begin(parts: Parts, run: Run) -> int | None:
    """The oldest workbook that waits, free of what an earlier try may have left; None when none waits."""
    with transaction(parts.engine) as session:
        confirm(session, run)
        waiting = select(ImportBatch).where(ImportBatch.state == BatchState.RECEIVED).order_by(ImportBatch.id).limit(1)
        batch = session.scalars(waiting.with_for_update()).one_or_none()
        if batch is None:
            return None
        import_batches.clear(session, batch.id)
        # Counts the tries until the reading is done: a try that kills its process must not be repeated without end.
        batch.progress = batch.progress + 1 if batch.progress <= MOST_TRIES else 1
        if batch.progress > MOST_TRIES:
            import_batches.fail(session, batch, say(Refused("workbook_unreadable")), by=SYSTEM, now=parts.clock())
        return batch.id


def _plan(parts: Parts, run: Run, batch_id: int) -> bool:
    """Plan one workbook; False when it could not be read, and the batch says why."""

    def guard(session: Session) -> None:
        confirm(session, run)

    def waits(session: Session) -> None:
        guard(session)
        _waiting(session, batch_id)

    with transaction(parts.engine, readonly=True) as session:
        batch = _waiting(session, batch_id)
        file_name, storage_key, mapping = batch.file_name, batch.storage_key, import_mapping.choice_of(session, batch_id)
        corrected = correction_count(session, batch_id)
    # What was corrected is laid over the rows when all are read.
    ahead = None if corrected else RowsAhead(parts.engine, batch_id, waits)
    with tempfile.TemporaryDirectory(prefix="jtickets-import-") as folder:
        path = Path(folder) / "workbook"
        parts.store.fetch(storage_key, path)
        try:
            rows, sheets = read_rows(parts.engine, path, file_name=file_name, limits=parts.limits, mapping=mapping, intake=ahead)
        except Refused as refused:
            return _fail(parts, run, batch_id, refused)
    if not rows.values:
        return _fail(parts, run, batch_id, Refused("workbook_no_rows"), sheets)
    if mapping is None and import_mapping.is_unclear(sheets):
        return _ask(parts, run, batch_id, sheets)
    with transaction(parts.engine) as session:
        guard(session)
        import_corrections.lay_over(session, batch_id, rows, sheets)
    _tell(parts, run, batch_id, _READ)
    now = parts.clock()
    plan = compare(parts.engine, rows, today=tokyo_date(now))
    _tell(parts, run, batch_id, _COMPARED)
    keep(parts.engine, batch_id, plan, sheets, by=SYSTEM, now=now, guard=guard, ahead=ahead)
    return True


def _fail(parts: Parts, run: Run, batch_id: int, refused: Refused, sheets: Sequence[dict[str, Any]] = ()) -> bool:
    with transaction(parts.engine) as session:
        confirm(session, run)
        import_batches.clear(session, batch_id)
        import_batches.fail(session, _held(session, batch_id), say(refused), sheets=sheets, by=SYSTEM, now=parts.clock())
    return False


def _ask(parts: Parts, run: Run, batch_id: int, sheets: list[dict[str, Any]]) -> bool:
    with transaction(parts.engine) as session:
        confirm(session, run)
        import_batches.clear(session, batch_id)
        import_mapping.ask(session, _held(session, batch_id), sheets, by=SYSTEM, now=parts.clock())
    return True


def _tell(parts: Parts, run: Run, batch_id: int, percent: int) -> None:
    with transaction(parts.engine) as session:
        confirm(session, run)
        _waiting(session, batch_id).progress = percent


def _waiting(session: Session, batch_id: int) -> ImportBatch:
    """The batch while it waits for its plan. Raises Dropped."""
    batch = session.get_one(ImportBatch, batch_id)
    if batch.state not in _WAITING:
        raise Dropped
    return batch


def _held(session: Session, batch_id: int) -> ImportBatch:
    """The batch, which goes on waiting for its plan until this transaction ends. Raises Dropped."""
    batch = session.get_one(ImportBatch, batch_id, with_for_update=True)
    if batch.state not in _WAITING:
        raise Dropped
    return batch
