"""Certain repairs of a plan's cells, and all cells of one cause at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.import_batches import require
from actions.import_corrections import CellFix, correct
from actions.import_plans import ERROR, masters
from importers.cells import family_key
from importers.repairs import Repair, certain, repairs
from models.actors import Actor
from models.base import AnyRow
from models.imports import BatchState, ImportBatch, ImportRow
from rules.lines import CERTIFICATE_FIELDS, DATE_FIELDS
from rules.refusal import Refused

AT_ONCE = 1_000
"""Rows with errors that are looked at for one cause; what is left is told, and put right by pressing again."""
_AGREEING = ("not_consistent", "missing")
_SIBLINGS = 500

Cause = tuple[str, str]
"""Field and code of an error."""


@dataclass(frozen=True)
class Alike:
    """How many cells of a plan share a cause, and how many share what they show; both up to `AT_ONCE` rows."""

    repairable: Mapping[Cause, int]
    """With one certain repair each."""
    same: Mapping[tuple[str, str, str], int]
    """Field, code, what the cell shows."""


class Repairs:
    """Proposes repairs for the rows of one plan."""

    def __init__(self, session: Session, batch_id: int, rows: Sequence[ImportRow] | Sequence[AnyRow]) -> None:
        known = masters(session).families
        self._families = {family_key(alias): name for alias, name in known.items()}
        self.families = tuple(dict.fromkeys(known.values()))
        """The names of the families."""
        self._agreed = _agreed(session, batch_id, rows)
        self._known: dict[tuple[str, ...], tuple[Repair, ...]] = {}

    def of(self, row: ImportRow | AnyRow, issue: Mapping[str, str]) -> tuple[Repair, ...]:
        """The proposals for one error of a row."""
        name, code = issue["field"], issue["code"]
        agreed = self._agreed.get((row.contract_key, name), "") if code in _AGREEING and name in CERTIFICATE_FIELDS else ""
        raw: str = issue.get("raw") or row.values[name]
        # One cause comes many times: of the row itself only its first day counts, and that for days alone.
        key = (name, code, raw, row.values["starts_on"] if name in DATE_FIELDS else "", agreed)
        if key not in self._known:
            self._known[key] = repairs(name, code, raw, row.values, families=self._families, agreed=agreed)
        return self._known[key]


def alike(session: Session, batch_id: int) -> Alike:
    """What the errors of a plan have in common."""
    rows = _faulty(session, batch_id)
    proposed = Repairs(session, batch_id, rows)
    repairable: Counter[Cause] = Counter()
    same: Counter[tuple[str, str, str]] = Counter()
    for row, issue in _issues(rows):
        cause = issue["field"], issue["code"]
        same[(*cause, issue.get("raw", ""))] += 1
        if certain(proposed.of(row, issue)):
            repairable[cause] += 1
    return Alike(repairable, same)


def repair_alike(session: Session, batch: ImportBatch, cause: Cause, *, by: Actor, now: datetime, today: date) -> int:
    """Put right every cell of one cause that has one certain repair; gives how many.

    Refuses batch_state, no_certain_repair, and what `correct` refuses.
    """
    require(batch, BatchState.PLANNED)
    rows = _faulty(session, batch.id)
    proposed = Repairs(session, batch.id, rows)
    fixes = [
        CellFix(row.id, cause[0], found.value)
        for row, issue in _issues(rows)
        if (issue["field"], issue["code"]) == cause and (found := certain(proposed.of(row, issue)))
    ]
    if not fixes:
        raise Refused("no_certain_repair")
    return correct(session, batch, fixes, by=by, now=now, today=today)


def correct_same(session: Session, batch: ImportBatch, fix: CellFix, cause: Cause, raw: str, *, by: Actor, now: datetime, today: date) -> int:
    """Type the same into every cell with that error that shows `raw`; gives how many. Refuses what `correct` refuses."""
    require(batch, BatchState.PLANNED)
    alike_rows = [row.id for row, issue in _issues(_faulty(session, batch.id)) if (issue["field"], issue["code"]) == cause and issue.get("raw", "") == raw]
    ids = dict.fromkeys([fix.row_id, *alike_rows])
    return correct(session, batch, [CellFix(number, fix.field, fix.typed) for number in ids], by=by, now=now, today=today)


def _faulty(session: Session, batch_id: int) -> Sequence[AnyRow]:
    statement = select(ImportRow.id, ImportRow.contract_key, ImportRow.values, ImportRow.errors)
    return session.execute(statement.where(ImportRow.batch_id == batch_id, ImportRow.status == ERROR).order_by(ImportRow.position).limit(AT_ONCE)).all()


def _issues(rows: Sequence[AnyRow]) -> Iterator[tuple[AnyRow, dict[str, Any]]]:
    for row in rows:
        for issue in row.errors:
            yield row, issue


def _agreed(session: Session, batch_id: int, rows: Sequence[ImportRow] | Sequence[AnyRow]) -> dict[tuple[str, str], str]:
    """(contract key, field) -> what the first line of the certificate that tells it says."""
    keys = {row.contract_key for row in rows for issue in row.errors if issue["code"] in _AGREEING and issue["field"] in CERTIFICATE_FIELDS}
    keys.discard("")
    if not keys:
        return {}
    lines = select(ImportRow.contract_key, ImportRow.values).where(ImportRow.batch_id == batch_id, ImportRow.row > 0, ImportRow.contract_key.in_(keys))
    found: dict[tuple[str, str], str] = {}
    for line in session.execute(lines.order_by(ImportRow.position).limit(_SIBLINGS)):
        for name in CERTIFICATE_FIELDS:
            if line.values[name]:
                found.setdefault((line.contract_key, name), line.values[name])
    return found
