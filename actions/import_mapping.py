"""列の対応: which column holds what is asked where the headings do not tell, chosen, remembered, and read anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from actions import journal
from actions.import_batches import require, require_locked
from importers.headings import NAME_COLUMN
from importers.marks import column_number
from importers.synonyms import PERIOD
from models.actors import Actor, StaffMember
from models.database import insert_on_conflict
from models.import_mapping import ImportChoice, ImportMapping
from models.imports import BatchState, ImportBatch
from rules.lines import FIELDS
from rules.refusal import Refused

CHOICES = (*FIELDS, PERIOD, NAME_COLUMN)
"""What a column may hold."""


@dataclass(frozen=True)
class SheetChoice:
    """What a person says of one sheet."""

    name: str
    skip: bool = False
    heading_row: int | None = None
    """Named anew: the columns are then told by that row."""
    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    """Column letters -> field, "" for one that is left out."""


def choice_of(session: Session, batch_id: int) -> dict[str, Any] | None:
    """What was chosen for this workbook, as `importers.reader.read_workbook` takes it."""
    chosen = session.get(ImportChoice, batch_id)
    return chosen.sheets if chosen else None


def is_unclear(sheets: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a person must say what the columns hold: a sheet lacks a required one, and nobody said before that this is so."""
    return any(sheet["missing"] and not sheet["skipped"] and not sheet["remembered"] for sheet in sheets)


def ask(session: Session, batch: ImportBatch, sheets: list[dict[str, Any]], *, by: Actor, now: datetime) -> None:
    """Let the workbook wait until a person has said what its columns hold. Refuses batch_state."""
    require_locked(session, batch, BatchState.RECEIVED)
    batch.sheets, batch.state, batch.progress = sheets, BatchState.MAPPING, 100
    missing = sorted({name for sheet in sheets for name in sheet["missing"]})
    journal.record(session, "ask_mapping", "import_batch", batch.id, by=by, now=now, subject_name=batch.file_name, missing=missing)


def choose(session: Session, batch: ImportBatch, choices: Sequence[SheetChoice], *, by: Actor, now: datetime) -> None:
    """Keep what a person says of the sheets, remember it for their headings, and have the workbook read anew.

    Refuses batch_state, mapping_nothing (every sheet left out), mapping_twice(column, a, b) at ``sheet-N``.
    """
    session.refresh(batch, with_for_update=True)
    require(batch, BatchState.MAPPING, BatchState.PLANNED, BatchState.FAILED)
    if not choices or all(choice.skip for choice in choices):
        raise Refused("mapping_nothing")
    known = {sheet["name"]: sheet for sheet in batch.sheets}
    wanted: dict[str, Any] = {}
    for number, choice in enumerate(choices):
        wanted[choice.name] = _wanted(choice, f"sheet-{number}")
        if choice.columns and not choice.skip and choice.name in known:
            _remember(session, known[choice.name], choice, by, now)
    added = insert_on_conflict(session, ImportChoice).values(batch_id=batch.id, sheets=wanted, **_signed(by, now))
    told = {name: added.excluded[name] for name in ("sheets", "staff_id", "chosen_by", "chosen_at")}
    session.execute(added.on_conflict_do_update(index_elements=["batch_id"], set_=told))
    batch.state, batch.progress, batch.refusal, batch.summary, batch.planned_at = BatchState.RECEIVED, 0, "", {}, None
    journal.record(session, "map_columns", "import_batch", batch.id, by=by, now=now, subject_name=batch.file_name, sheets=sorted(wanted)[:20])


def _wanted(choice: SheetChoice, place: str) -> dict[str, Any]:
    """As `read_workbook` takes it. Refuses mapping_twice."""
    if choice.skip:
        return {"skip": True}
    if choice.heading_row and not choice.columns:
        return {"heading_row": choice.heading_row}
    columns: dict[str, str] = {}
    for letters, name in choice.columns.items():
        if name in columns:
            raise Refused("mapping_twice", place, column=name, a=columns[name], b=letters)
        if name:
            columns[name] = letters
    return {"heading_row": choice.heading_row, "columns": columns} if columns else {}


def _remember(session: Session, sheet: Mapping[str, Any], choice: SheetChoice, by: Actor, now: datetime) -> None:
    """The same headings will mean the same columns; columns without a heading cannot be known again."""
    names: Sequence[str] = sheet.get("names") or ()
    if not sheet.get("fingerprint") or not any(names) or choice.heading_row != sheet["heading_row"]:
        return
    fields: dict[str, str] = {}
    for letters, name in choice.columns.items():
        at = column_number(letters) - int(sheet["first_column"])
        if 0 <= at < len(names) and names[at]:
            fields[names[at]] = name
        elif name:
            return
    added = insert_on_conflict(session, ImportMapping).values(fingerprint=sheet["fingerprint"], fields=fields, **_signed(by, now))
    told = {name: added.excluded[name] for name in ("fields", "staff_id", "chosen_by", "chosen_at")}
    session.execute(added.on_conflict_do_update(index_elements=["fingerprint"], set_=told))


def _signed(by: Actor, now: datetime) -> dict[str, Any]:
    return {"staff_id": by.id if isinstance(by, StaffMember) else None, "chosen_by": by.name, "chosen_at": now}
