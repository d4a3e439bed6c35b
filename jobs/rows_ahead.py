"""Writes the rows of a workbook while the rest of it is read: what nobody has a certificate of will be new, whatever comes after.

A guess that saves a quarter of the time of a first import; a thread of its own waits for the database meanwhile. Keeping the plan looks at
every row once more, and writes those anew that became something else.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from actions import import_staging
from actions.import_plans import NEW, Intake, Plan
from importers.reader import Block
from models.contracts import Certificate
from models.database import among, transaction
from rules.lines import FIELDS

_CONTRACT = FIELDS.index("contract")


class RowsAhead(Intake):
    """Gathers what is read, and writes it as new lines as long as it names no certificate that is known."""

    def __init__(self, engine: Engine, batch_id: int, guard: Callable[[Session], None]) -> None:
        super().__init__()
        self.count = 0
        """Rows that were looked at; all but `left` were written."""
        self.left: set[int] = set()
        self._engine, self._batch_id, self._guard = engine, batch_id, guard
        self._going = True
        self._beside = ThreadPoolExecutor(1)
        self._written: Future[bool] | None = None
        self._asked = 0

    def take(self, block: Block) -> None:
        """Add the next rows. Raises what the guard raises."""
        super().take(block)
        if self._going and len(self.rows.numbers) - self._asked >= import_staging.ROWS_AT_ONCE:
            self._wait()
            if self._going:
                self._begin()

    def settle(self) -> None:
        """Wait until nothing is written any more. Raises what the guard raises."""
        try:
            self._wait()
        finally:
            self._beside.shutdown()

    def unwritten(self, plan: Plan, part: range) -> tuple[list[int], list[int]]:
        """Of the plan's rows in `part`: those that are still to be written, and those that were written as what they are not."""
        later = list(range(max(part.start, self.count), part.stop))
        if part.start >= self.count:
            return later, []
        odd = import_staging.odd_rows(plan, part)
        ahead = range(part.start, min(part.stop, self.count))
        wrong = [index for index in ahead if index not in self.left and (plan.statuses[index] != NEW or index in odd)]
        return sorted({*wrong, *later, *(index for index in ahead if index in self.left)}), wrong

    def _begin(self) -> None:
        part = range(self._asked, len(self.rows.numbers))
        self._asked = part.stop
        # Here, for the next rows are added while that thread writes.
        left = import_staging.odd_ahead(self.rows, part)
        self._written = self._beside.submit(self._write, part, left)

    def _wait(self) -> None:
        written, self._written = self._written, None
        if written is not None:
            self._going = written.result()

    def _write(self, part: range, left: set[int]) -> bool:
        """Whether the rows of `part` name no certificate that is known; then they are written."""
        rows = self.rows
        keys = list(dict.fromkeys(values[_CONTRACT] for values in rows.values[part.start : part.stop]))
        with transaction(self._engine) as session:
            self._guard(session)
            if session.scalar(select(Certificate.id).where(among(session, Certificate.contract_key.expression, keys)).limit(1)) is not None:
                return False
            import_staging.keep_ahead(session, self._batch_id, rows, [index for index in part if index not in left] if left else part)
        self.left |= left
        self.count = part.stop
        return True
