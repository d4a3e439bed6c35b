"""取込 as a record: a workbook is received, its plan kept, warnings are ticked, stale parts planned again, or it is discarded."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Text, and_, cast, delete, func, select, update
from sqlalchemy.orm import Session

from actions import journal
from actions.import_conflicts import Choice
from actions.import_effects import effects_of
from actions.import_plans import CONFLICT, ERROR, MISSING, NEW, RENEWAL, SERIAL_ELSEWHERE, STATUSES, WARNING, Plan, Rows, plan
from actions.import_staging import ROWS_AT_ONCE, keep_certificates, keep_conflicts, keep_missing
from models.actors import Actor, StaffMember
from models.base import AnyRow
from models.database import take_stock
from models.imports import RENEWS, BatchState, ImportBatch, ImportRow
from models.staging import PROBLEM, TOLD, ImportCertificate, ImportConflict, held_counts, ready_counts
from rules.calendar import tokyo_date
from rules.lines import FIELDS
from rules.refusal import Refused
from storage.store import Stored
from wording import labels

_QUIET = {"synchronize_session": False}


def receive(session: Session, *, file_name: str, stored: Stored, by: Actor, now: datetime, state: BatchState = BatchState.RECEIVED) -> ImportBatch:
    """Keep an uploaded workbook whose bytes lie in the storage; the job `plan_import` reads it, unless whoever gives it is `PLANNING` it already."""
    batch = ImportBatch(
        file_name=file_name[-300:],
        sha256=stored.sha256,
        size=stored.size,
        storage_key=stored.key,
        state=state,
        staff_id=by.id if isinstance(by, StaffMember) else None,
        uploaded_by=by.name,
        uploaded_at=now,
        sheets=[],
        summary={},
    )
    session.add(batch)
    session.flush()
    journal.record(session, "upload", "import_batch", batch.id, by=by, now=now, subject_name=batch.file_name, size=stored.size)
    return batch


def require(batch: ImportBatch, *states: BatchState) -> None:
    """Refuse batch_state(state) unless the batch is in one of `states`."""
    if batch.state not in states:
        raise Refused("batch_state", state=labels.batch_state(batch.state))


def require_locked(session: Session, batch: ImportBatch, *states: BatchState) -> None:
    """`require` of the batch as it stands, whoever changed it since it was read; nobody else does until the transaction ends."""
    # What is not written yet would be lost by reading it anew.
    session.flush()
    session.refresh(batch, with_for_update=True)
    require(batch, *states)


def fail(session: Session, batch: ImportBatch, sentence: str, *, sheets: Sequence[dict[str, Any]] = (), by: Actor, now: datetime) -> None:
    """Nothing of the workbook can be imported; `sentence` says why and what to do."""
    require_locked(session, batch, BatchState.RECEIVED)
    batch.sheets = list(sheets)
    batch.state, batch.refusal, batch.planned_at, batch.progress = BatchState.FAILED, sentence, now, 100
    journal.record(session, "fail", "import_batch", batch.id, by=by, now=now, subject_name=batch.file_name, reason=sentence)


def fingerprint(batch: ImportBatch) -> str:
    """Of the plan as it stands: applying and approving send it, so that nobody decides on what they did not see."""
    seen = [batch.id, batch.revision, batch.summary.get("ready"), batch.summary.get("held")]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:16]


def clear(session: Session, batch_id: int) -> None:
    """Forget the rows of a plan that was never finished."""
    for table in (ImportRow, ImportCertificate, ImportConflict):
        session.execute(delete(table).where(table.batch_id == batch_id))


def finish(session: Session, batch: ImportBatch, made: Plan, sheets: list[dict[str, Any]], *, by: Actor, now: datetime) -> None:
    """Write the plan's certificates, and let people see it. Refuses batch_state(state), plan_changed (its rows are not all there)."""
    require_locked(session, batch, BatchState.RECEIVED, BatchState.PLANNING)
    kept = session.scalar(select(func.count()).where(ImportRow.batch_id == batch.id))
    if kept != len(made.statuses) + len(made.missing_lines):
        raise Refused("plan_changed")
    keep_certificates(session, batch.id, made)
    keep_conflicts(session, batch.id, made, range(len(made.statuses)))
    if len(made.statuses) >= ROWS_AT_ONCE:
        # What the merge and the pages ask by; a plan's cells are many, and counting them all would be half of keeping it.
        take_stock(session, ImportRow, "batch_id", "status", "kind", "position", "contract_key", "line_id")
        take_stock(session, ImportCertificate, "batch_id", "contract_key", "certificate_id", "held_by")
    batch.sheets = sheets
    batch.summary = dict(made.summary())
    batch.state, batch.planned_at, batch.progress = BatchState.PLANNED, now, 100
    refresh(session, batch, today=tokyo_date(now))
    journal.record(session, "plan", "import_batch", batch.id, by=by, now=now, subject_name=batch.file_name, **made.summary())


def refresh(session: Session, batch: ImportBatch, *, today: date) -> None:
    """Count anew what would be written, what waits, and what it would cause. The plan is another one from here on."""
    session.flush()
    mine = ImportRow.batch_id == batch.id
    counted = dict.fromkeys((*STATUSES, MISSING), 0)
    for status, count in session.execute(select(ImportRow.status, func.count()).where(mine).group_by(ImportRow.status)):
        counted[status] = count
    kinds: Counter[str] = Counter()
    for kind, count in session.execute(select(ImportRow.kind, func.count()).where(mine, TOLD, ImportRow.kind != "").group_by(ImportRow.kind)):
        kinds[kind] = count
    unticked = select(func.count()).where(mine, PROBLEM, ImportRow.status != ERROR, ImportRow.held_by == ImportRow.row)
    ticked = select(func.count()).where(mine, PROBLEM, ImportRow.status != ERROR, ImportRow.confirmed.is_(True))
    linked = select(func.count()).where(mine, TOLD, RENEWS, ImportRow.confirmed.is_(True))
    renewals = select(func.count()).where(mine, TOLD, RENEWS)
    unlinked = select(func.count()).where(mine, TOLD, ImportRow.kind == RENEWAL, ImportRow.confirmed.is_(False))
    writes, waits = ready_counts(session, batch.id), held_counts(session, batch.id)
    batch.revision += 1
    batch.summary = {
        **batch.summary,
        **counted,
        "conflicts": kinds[CONFLICT],
        "renewals": session.scalar(renewals) or 0,
        "linked": session.scalar(linked) or 0,
        "unlinked": session.scalar(unlinked) or 0,
        "unticked": session.scalar(unticked) or 0,
        "ticked": session.scalar(ticked) or 0,
        "ready": {
            "certificates": writes.certificates,
            "new": writes.new,
            "changed": writes.changed,
            "withdrawn": writes.withdrawn,
            "domains": writes.domains,
        },
        "held": {"certificates": waits.certificates, "rows": waits.rows},
        "effects": effects_of(session, batch.id, today=today),
    }


def confirm(session: Session, batch: ImportBatch, *, ticked: Collection[int], shown: Collection[int], by: Actor, now: datetime) -> None:
    """Tick the rows with ids `ticked`, and untick the others of `shown` (a page's rows): warnings, renewals, missing lines to withdraw.

    Refuses batch_state.
    """
    require_locked(session, batch, BatchState.PLANNED)
    chosen = and_(ImportRow.batch_id == batch.id, ImportRow.id.in_(shown))
    before = session.execute(select(ImportRow.id, ImportRow.contract_key, ImportRow.confirmed).where(chosen)).all()
    moved = [row for row in before if row.confirmed != (row.id in ticked)]
    if not moved:
        return
    for value in (True, False):
        ids = [row.id for row in moved if row.confirmed is not value]
        session.execute(update(ImportRow).where(ImportRow.id.in_(ids)).values(confirmed=value), execution_options=_QUIET)
    _hold_again(session, batch.id, {row.contract_key for row in moved})
    refresh(session, batch, today=tokyo_date(now))
    journal.record(session, "confirm_rows", "import_batch", batch.id, by=by, now=now, subject_name=batch.file_name, rows=[row.id for row in moved])


def confirm_all(session: Session, batch: ImportBatch, *, by: Actor, now: datetime) -> None:
    """Tick every warning of the plan. Refuses batch_state."""
    require_locked(session, batch, BatchState.PLANNED)
    rows = and_(ImportRow.batch_id == batch.id, ImportRow.status.not_in([ERROR, MISSING]), ImportRow.held_by == ImportRow.row)
    session.execute(update(ImportRow).where(rows, cast(ImportRow.warnings, Text) != "[]").values(confirmed=True), execution_options=_QUIET)
    _hold_all_again(session, batch.id)
    refresh(session, batch, today=tokyo_date(now))
    journal.record(session, "confirm_warnings", "import_batch", batch.id, by=by, now=now, subject_name=batch.file_name, rows="all")


def confirm_renewals(session: Session, batch: ImportBatch, *, by: Actor, now: datetime) -> None:
    """Take every proposed renewal that carries no warning. Refuses batch_state."""
    require_locked(session, batch, BatchState.PLANNED)
    rows = and_(ImportRow.batch_id == batch.id, TOLD, ImportRow.kind == RENEWAL)
    session.execute(update(ImportRow).where(rows).values(confirmed=True), execution_options=_QUIET)
    refresh(session, batch, today=tokyo_date(now))
    journal.record(session, "confirm_renewals", "import_batch", batch.id, by=by, now=now, subject_name=batch.file_name, rows="all")


def settle(session: Session, batch: ImportBatch, *, theirs: Collection[int], shown: Collection[int], by: Actor, now: datetime) -> None:
    """Take the workbook's value in the conflicts with ids `theirs`, keep ours in the others of `shown`. Refuses batch_state."""
    require_locked(session, batch, BatchState.PLANNED)
    found = session.scalars(select(ImportConflict).where(ImportConflict.batch_id == batch.id, ImportConflict.id.in_(shown))).all()
    moved = [conflict for conflict in found if conflict.take_theirs != (conflict.id in theirs)]
    if not moved:
        return
    for conflict in moved:
        conflict.take_theirs = not conflict.take_theirs
    told = {f"{conflict.contract_key} {conflict.field}": conflict.theirs if conflict.take_theirs else conflict.ours for conflict in moved}
    plan_again(session, batch, sorted({conflict.contract_key for conflict in moved}), today=tokyo_date(now))
    journal.record(session, "settle_conflicts", "import_batch", batch.id, by=by, now=now, subject_name=batch.file_name, chosen=told)


def plan_again(session: Session, batch: ImportBatch, keys: Sequence[str], *, today: date) -> None:
    """Compare the certificates of `keys` with the database anew; ticks and choices stay where their reasons stayed. Refuses batch_state."""
    require(batch, BatchState.PLANNED)
    session.flush()
    mine = and_(ImportRow.batch_id == batch.id, ImportRow.contract_key.in_(keys))
    held = session.scalars(select(ImportRow).where(mine, ImportRow.status != MISSING).order_by(ImportRow.position)).all()
    chosen = session.scalars(select(ImportRow.line_id).where(mine, ImportRow.status == MISSING, ImportRow.confirmed.is_(True)))
    withdrawn = {line_id for line_id in chosen if line_id is not None}
    rows = _rows_again(held, _chosen(session, batch.id, keys))
    made = plan(session, rows, today=today)
    positions = [row.position for row in held]
    for index, row in enumerate(held):
        _replan(row, made, index, positions)
    session.execute(delete(ImportRow).where(mine, ImportRow.status == MISSING), execution_options=_QUIET)
    last = session.scalar(select(func.max(ImportRow.position)).where(ImportRow.batch_id == batch.id))
    session.flush()
    keep_missing(session, batch.id, made, range(len(made.missing_lines)), first=(last or 0) + 1, withdrawn=withdrawn)
    for table in (ImportCertificate, ImportConflict):
        session.execute(delete(table).where(table.batch_id == batch.id, table.contract_key.in_(keys)), execution_options=_QUIET)
    keep_certificates(session, batch.id, made)
    keep_conflicts(session, batch.id, made, positions)
    _hold_again(session, batch.id, set(keys))
    refresh(session, batch, today=today)


def discard(session: Session, batch: ImportBatch, *, by: Actor, now: datetime) -> None:
    """破棄: nothing of it will be written. Refuses batch_state."""
    require_locked(session, batch, BatchState.RECEIVED, BatchState.PLANNING, BatchState.MAPPING, BatchState.PLANNED, BatchState.WAITING)
    batch.state = BatchState.DISCARDED
    journal.record(session, "discard", "import_batch", batch.id, by=by, now=now, subject_name=batch.file_name)


def _chosen(session: Session, batch_id: int, keys: Sequence[str]) -> set[Choice]:
    """The conflicts of `keys` in which the workbook's value was chosen."""
    conflict = ImportConflict
    mine = and_(conflict.batch_id == batch_id, conflict.contract_key.in_(keys), conflict.take_theirs.is_(True))
    return {(key, line_id, field) for key, line_id, field in session.execute(select(conflict.contract_key, conflict.line_id, conflict.field).where(mine))}


def _replan(row: ImportRow, made: Plan, index: int, positions: Sequence[int]) -> None:
    """Give a kept row what the new plan says of it; its tick stays where its reason stayed."""
    row.status, row.line_id = made.statuses[index], made.line_ids[index]
    row.changes = {name: list(pair) for name, pair in made.changes.get(index, {}).items()}
    warnings = [dict[str, Any](issue) for issue in made.rows.warnings.get(index, [])]
    renews = _renews(row, made, index, positions)
    row.confirmed = row.confirmed and warnings == row.warnings and renews == (row.renews_id, row.renews_position)
    row.warnings, row.held_by = warnings, 0
    row.renews_id, row.renews_position = renews


def _renews(row: ImportRow, made: Plan, index: int, positions: Sequence[int]) -> tuple[int | None, int | None]:
    """The line or the row of the workbook that a row renews; a row that is not planned anew stays the one it was."""
    if (found := made.renews.get(index)) is not None:
        return (found.line_id, None) if found.index is None else (None, positions[found.index])
    stays = made.statuses[index] == NEW and row.renews_position not in positions
    return None, row.renews_position if stays else None


def _hold_again(session: Session, batch_id: int, keys: set[str]) -> None:
    """Say anew which row holds back each certificate of `keys`, and how many of its lines are withdrawn."""
    names = ("id", "position", "contract_key", "row", "status", "warnings", "confirmed", "held_by", "kind", "renews_id", "renews_position")
    mine = and_(ImportRow.batch_id == batch_id, ImportRow.contract_key.in_(keys))
    rows = session.execute(select(*(getattr(ImportRow, name) for name in names)).where(mine).order_by(ImportRow.position)).all()
    asked = set(session.scalars(select(ImportConflict.position).where(ImportConflict.batch_id == batch_id, ImportConflict.contract_key.in_(keys))))
    withdrawn = Counter(row.contract_key for row in rows if row.status == MISSING and row.confirmed)
    writing = {row.contract_key for row in rows if row.status in ("new", "changed")} | set(withdrawn)
    problems = {row.id for row in rows if row.status == ERROR or (row.warnings and not row.confirmed and row.contract_key in writing)}
    holders: dict[str, int] = {}
    for row in rows:
        if row.id in problems:
            holders.setdefault(row.contract_key, row.row)
    moved: dict[tuple[int, str], list[int]] = {}
    for row in rows:
        held_by = row.row if row.id in problems else holders.get(row.contract_key, 0)
        kind = _kind(row, asked=row.position in asked, writing=row.contract_key in writing)
        if (held_by, kind) != (row.held_by, row.kind):
            moved.setdefault((held_by, kind), []).append(row.id)
    for (held_by, kind), ids in moved.items():
        session.execute(update(ImportRow).where(ImportRow.id.in_(ids)).values(held_by=held_by, kind=kind), execution_options=_QUIET)
    for key in keys:
        certificate = and_(ImportCertificate.batch_id == batch_id, ImportCertificate.contract_key == key)
        values = {"held_by": holders.get(key, 0), "withdrawn_lines": withdrawn[key]}
        session.execute(update(ImportCertificate).where(certificate).values(values), execution_options=_QUIET)


def _kind(row: AnyRow, *, asked: bool, writing: bool) -> str:
    if asked:
        return CONFLICT
    if row.status != ERROR and row.warnings and (row.confirmed or writing):
        return WARNING
    return RENEWAL if row.renews_id is not None or row.renews_position is not None else ""


def _hold_all_again(session: Session, batch_id: int) -> None:
    """The same for every certificate once all warnings are ticked: what is left are errors."""
    holding = (
        select(ImportRow.contract_key, func.min(ImportRow.position).label("position"))
        .where(ImportRow.batch_id == batch_id, ImportRow.status == ERROR, ImportRow.contract_key != "")
        .group_by(ImportRow.contract_key)
        .subquery()
    )
    first = (
        select(holding.c.contract_key, ImportRow.row)
        .join(ImportRow, and_(ImportRow.batch_id == batch_id, ImportRow.status == ERROR, ImportRow.position == holding.c.position))
        .subquery()
    )
    for table in (ImportRow, ImportCertificate):
        holder = func.coalesce(select(first.c.row).where(first.c.contract_key == table.contract_key).scalar_subquery(), 0)
        others = and_(table.batch_id == batch_id, table.held_by != 0)
        mine = and_(others, table.status != ERROR) if table is ImportRow else others
        session.execute(update(table).where(mine).values(held_by=holder), execution_options=_QUIET)


def _rows_again(held: Sequence[ImportRow], theirs: set[Choice]) -> Rows:
    rows = Rows(theirs=theirs)
    for index, row in enumerate(held):
        rows.sheets.append(row.sheet)
        rows.numbers.append(row.row)
        rows.values.append(tuple(row.values[name] for name in FIELDS))
        warnings = [issue for issue in row.warnings if issue.get("code") != SERIAL_ELSEWHERE]
        if warnings:
            rows.warnings[index] = warnings
        if row.errors:
            rows.errors[index] = row.errors
    return rows
