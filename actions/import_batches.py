"""取込 as a record: a workbook is received, its plan kept, warnings are ticked, stale parts planned again, or it is discarded."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Text, and_, cast, delete, func, or_, select, update
from sqlalchemy.orm import Session

from actions import journal
from actions.import_plans import ERROR, SERIAL_ELSEWHERE, STATUSES, Plan, PlannedCertificate, Rows, plan
from models.actors import Actor, StaffMember
from models.contracts import Party
from models.database import bulk_insert, take_stock
from models.imports import BatchState, ImportBatch, ImportRow
from models.people import Account
from models.staging import PROBLEM, ImportCertificate, held_counts, ready, ready_counts
from models.tickets import Ticket
from rules.lines import CERTIFICATE_FIELDS, FIELDS, Changes
from rules.refusal import Refused
from storage.store import Stored
from wording import labels

ROWS_AT_ONCE = 10_000
"""Rows of a plan written in one transaction: other writers wait for no more."""
_ROW_COLUMNS = (
    "batch_id", "position", "sheet", "row", "hidden", "status", "contract_key", "line_id", "values", "changes", "warnings", "errors", "confirmed", "held_by",
)  # fmt: skip
_CERTIFICATE_COLUMNS = (
    "batch_id", "contract_key", "certificate_id", "seen_at", "new_lines", "changed_lines", "unchanged_lines", "error_lines", "held_by", "facts",
    *CERTIFICATE_FIELDS,
)  # fmt: skip
_CONTRACT = FIELDS.index("contract")
_TEMPLATE = "{" + ",".join(f'"{name}":%s' for name in FIELDS) + "}"
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_NO_HEADER = (None, "", "", "", "", "", "")


def receive(session: Session, *, file_name: str, stored: Stored, by: Actor, now: datetime) -> ImportBatch:
    """Keep an uploaded workbook whose bytes lie in the storage; the job `plan_import` reads it."""
    batch = ImportBatch(
        file_name=file_name[-300:],
        sha256=stored.sha256,
        size=stored.size,
        storage_key=stored.key,
        state=BatchState.RECEIVED,
        staff_id=by.id if isinstance(by, StaffMember) else None,
        uploaded_by=by.name,
        uploaded_at=now,
        sheets=[],
        missing=[],
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


def fail(session: Session, batch: ImportBatch, sentence: str, *, sheets: Sequence[dict[str, Any]] = (), by: Actor, now: datetime) -> None:
    """Nothing of the workbook can be imported; `sentence` says why and what to do."""
    require(batch, BatchState.RECEIVED)
    batch.sheets = list(sheets)
    batch.state, batch.refusal, batch.planned_at, batch.progress = BatchState.FAILED, sentence, now, 100
    journal.record(session, "fail", "import_batch", batch.id, by=by, now=now, subject_name=batch.file_name, reason=sentence)


def clear(session: Session, batch_id: int) -> None:
    """Forget the rows of a plan that was never finished."""
    session.execute(delete(ImportRow).where(ImportRow.batch_id == batch_id))
    session.execute(delete(ImportCertificate).where(ImportCertificate.batch_id == batch_id))


def keep_rows(session: Session, batch_id: int, made: Plan, indexes: Sequence[int]) -> None:
    """Write the rows at `indexes`; nobody looks at them until `finish` (write `ROWS_AT_ONCE` in a transaction)."""
    bulk_insert(session, ImportRow, _ROW_COLUMNS, _row_tuples(batch_id, made, indexes))


def finish(session: Session, batch: ImportBatch, made: Plan, sheets: list[dict[str, Any]], *, by: Actor, now: datetime) -> None:
    """Write the plan's certificates, and let people see it."""
    require(batch, BatchState.RECEIVED)
    _keep_certificates(session, batch.id, made, made.certificates)
    if len(made.statuses) >= ROWS_AT_ONCE:
        take_stock(session, ImportRow, ImportCertificate)
    batch.sheets, batch.missing = sheets, list[dict[str, Any]](made.missing)
    batch.summary = dict(made.summary())
    batch.state, batch.planned_at, batch.progress = BatchState.PLANNED, now, 100
    refresh(session, batch)
    journal.record(session, "plan", "import_batch", batch.id, by=by, now=now, subject_name=batch.file_name, **made.summary())


def refresh(session: Session, batch: ImportBatch) -> None:
    """Count anew what would be written, what waits, and what it would cause."""
    session.flush()
    counted = dict.fromkeys(STATUSES, 0)
    for status, count in session.execute(select(ImportRow.status, func.count()).where(ImportRow.batch_id == batch.id).group_by(ImportRow.status)):
        counted[status] = count
    unticked = select(func.count()).where(ImportRow.batch_id == batch.id, PROBLEM, ImportRow.status != ERROR, ImportRow.confirmed.is_(False))
    ticked = select(func.count()).where(ImportRow.batch_id == batch.id, PROBLEM, ImportRow.confirmed.is_(True))
    writes, waits = ready_counts(session, batch.id), held_counts(session, batch.id)
    batch.summary = {
        **batch.summary,
        **counted,
        "missing": len(batch.missing),
        "unticked": session.scalar(unticked) or 0,
        "ticked": session.scalar(ticked) or 0,
        "ready": {"certificates": writes.certificates, "new": writes.new, "changed": writes.changed},
        "held": {"certificates": waits.certificates, "rows": waits.rows},
        "effects": {"accounts": _touched_accounts(session, batch.id), "tickets": _found_tickets(session, batch.id)},
    }


def confirm(session: Session, batch: ImportBatch, *, ticked: Collection[int], shown: Collection[int], by: Actor, now: datetime) -> None:
    """Tick the warnings of the rows with ids `ticked`, and untick the others of `shown` (a page's rows).

    Refuses batch_state.
    """
    require(batch, BatchState.PLANNED)
    chosen = and_(ImportRow.batch_id == batch.id, ImportRow.id.in_(shown))
    before = session.execute(select(ImportRow.id, ImportRow.contract_key, ImportRow.confirmed).where(chosen)).all()
    moved = [row for row in before if row.confirmed != (row.id in ticked)]
    if not moved:
        return
    for value in (True, False):
        ids = [row.id for row in moved if row.confirmed is not value]
        session.execute(update(ImportRow).where(ImportRow.id.in_(ids)).values(confirmed=value), execution_options={"synchronize_session": False})
    _hold_again(session, batch.id, {row.contract_key for row in moved})
    refresh(session, batch)
    journal.record(session, "confirm_warnings", "import_batch", batch.id, by=by, now=now, subject_name=batch.file_name, rows=[row.id for row in moved])


def confirm_all(session: Session, batch: ImportBatch, *, by: Actor, now: datetime) -> None:
    """Tick every warning of the plan. Refuses batch_state."""
    require(batch, BatchState.PLANNED)
    rows = and_(ImportRow.batch_id == batch.id, ImportRow.status != ERROR, ImportRow.held_by == ImportRow.row)
    statement = update(ImportRow).where(rows, cast(ImportRow.warnings, Text) != "[]").values(confirmed=True)
    session.execute(statement, execution_options={"synchronize_session": False})
    _hold_all_again(session, batch.id)
    refresh(session, batch)
    journal.record(session, "confirm_warnings", "import_batch", batch.id, by=by, now=now, subject_name=batch.file_name, rows="all")


def plan_again(session: Session, batch: ImportBatch, keys: Sequence[str], *, today: date) -> None:
    """Compare the certificates of `keys` with the database anew; ticks stay where the warnings stayed."""
    require(batch, BatchState.PLANNED)
    held = (
        session.execute(select(ImportRow).where(ImportRow.batch_id == batch.id, ImportRow.contract_key.in_(keys)).order_by(ImportRow.position)).scalars().all()
    )
    rows = _rows_again(held)
    made = plan(session, rows, today=today)
    for index, row in enumerate(held):
        row.status, row.line_id = made.statuses[index], made.line_ids[index]
        row.changes = {name: list(pair) for name, pair in made.changes.get(index, {}).items()}
        warnings = [dict[str, Any](issue) for issue in rows.warnings.get(index, [])]
        row.confirmed = row.confirmed and warnings == row.warnings
        row.warnings, row.held_by = warnings, 0
    session.flush()
    session.execute(delete(ImportCertificate).where(ImportCertificate.batch_id == batch.id, ImportCertificate.contract_key.in_(keys)))
    _keep_certificates(session, batch.id, made, made.certificates)
    _hold_again(session, batch.id, set(keys))
    batch.missing = [line for line in batch.missing if line["contract"] not in keys] + list[dict[str, Any]](made.missing)
    refresh(session, batch)


def discard(session: Session, batch: ImportBatch, *, by: Actor, now: datetime) -> None:
    """破棄: nothing of it will be written. Refuses batch_state."""
    require(batch, BatchState.RECEIVED, BatchState.MAPPING, BatchState.PLANNED)
    batch.state = BatchState.DISCARDED
    journal.record(session, "discard", "import_batch", batch.id, by=by, now=now, subject_name=batch.file_name)


def _row_tuples(batch_id: int, made: Plan, indexes: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    rows, quoted = made.rows, _Quoted()
    for index in indexes:
        values = rows.values[index]
        yield (
            batch_id,
            index,
            rows.sheets[index],
            rows.numbers[index],
            index in rows.hidden,
            made.statuses[index],
            values[_CONTRACT],
            made.line_ids[index],
            _TEMPLATE % tuple(map(quoted.__getitem__, values)),
            _encode(made.changes[index]) if index in made.changes else "{}",
            _encode(rows.warnings[index]) if index in rows.warnings else "[]",
            _encode(rows.errors[index]) if index in rows.errors else "[]",
            index in rows.confirmed,
            made.held_by.get(index, 0),
        )


class _Quoted(dict[str, str]):
    """Texts as JSON, each encoded once."""

    def __missing__(self, text: str) -> str:
        encoded = self[text] = _encode(text)
        return encoded


def _keep_certificates(session: Session, batch_id: int, made: Plan, certificates: dict[str, PlannedCertificate]) -> None:
    moving = {key: certificate for key, certificate in certificates.items() if certificate.writes or certificate.held_by}
    bulk_insert(session, ImportCertificate, _CERTIFICATE_COLUMNS, (_certificate_tuple(batch_id, key, each, made) for key, each in moving.items()))


def _certificate_tuple(batch_id: int, key: str, certificate: PlannedCertificate, made: Plan) -> tuple[Any, ...]:
    issued, *texts = certificate.header or _NO_HEADER
    return (
        batch_id,
        key,
        certificate.certificate_id,
        certificate.seen_at,
        certificate.new,
        certificate.changed,
        certificate.unchanged,
        certificate.error,
        certificate.held_by,
        _facts(batch_id, certificate, made),
        date.fromisoformat(issued) if issued else None,
        *texts,
    )


def _facts(batch_id: int, certificate: PlannedCertificate, made: Plan) -> str:
    """What the journal says of it: the certificate's own changes once, each line's beside its row."""
    if not certificate.moved:
        return f'{{"batch":{batch_id},"new":{certificate.new}}}'
    shared: Changes = {}
    lines: list[dict[str, Any]] = []
    for index in certificate.moved:
        own = {name: pair for name, pair in made.changes[index].items() if name not in CERTIFICATE_FIELDS}
        shared |= {name: pair for name, pair in made.changes[index].items() if name in CERTIFICATE_FIELDS}
        if own:
            lines.append({"line": made.line_ids[index], "row": made.rows.numbers[index], "changes": own})
    return _encode({"batch": batch_id, "new": certificate.new, **shared, **({"lines": lines} if lines else {})})


def _hold_again(session: Session, batch_id: int, keys: set[str]) -> None:
    """Say anew which row holds back each certificate of `keys`."""
    columns = (ImportRow.id, ImportRow.contract_key, ImportRow.row, ImportRow.status, ImportRow.warnings, ImportRow.confirmed, ImportRow.held_by)
    mine = and_(ImportRow.batch_id == batch_id, ImportRow.contract_key.in_(keys))
    rows = session.execute(select(*columns).where(mine).order_by(ImportRow.position)).all()
    writing = {row.contract_key for row in rows if row.status in ("new", "changed")}
    problems = {row.id for row in rows if row.status == ERROR or (row.warnings and not row.confirmed and row.contract_key in writing)}
    holders: dict[str, int] = {}
    for row in rows:
        if row.id in problems:
            holders.setdefault(row.contract_key, row.row)
    moved: dict[int, list[int]] = {}
    for row in rows:
        held_by = row.row if row.id in problems else holders.get(row.contract_key, 0)
        if held_by != row.held_by:
            moved.setdefault(held_by, []).append(row.id)
    for held_by, ids in moved.items():
        session.execute(update(ImportRow).where(ImportRow.id.in_(ids)).values(held_by=held_by), execution_options={"synchronize_session": False})
    for key in keys:
        certificate = and_(ImportCertificate.batch_id == batch_id, ImportCertificate.contract_key == key)
        session.execute(update(ImportCertificate).where(certificate).values(held_by=holders.get(key, 0)), execution_options={"synchronize_session": False})


def _hold_all_again(session: Session, batch_id: int) -> None:
    """The same for every certificate once all warnings are ticked: what is left are errors."""
    holding = (
        select(ImportRow.contract_key, func.min(ImportRow.position).label("position"))
        .where(ImportRow.batch_id == batch_id, ImportRow.status == ERROR, ImportRow.contract_key != "")
        .group_by(ImportRow.contract_key)
        .subquery()
    )
    first = (
        select(holding.c.contract_key, ImportRow.row).join(ImportRow, and_(ImportRow.batch_id == batch_id, ImportRow.position == holding.c.position)).subquery()
    )
    quiet = {"synchronize_session": False}
    for table in (ImportRow, ImportCertificate):
        holder = func.coalesce(select(first.c.row).where(first.c.contract_key == table.contract_key).scalar_subquery(), 0)
        others = and_(table.batch_id == batch_id, table.held_by != 0)
        mine = and_(others, table.status != ERROR) if table is ImportRow else others
        session.execute(update(table).where(mine).values(held_by=holder), execution_options=quiet)


def _rows_again(held: Sequence[ImportRow]) -> Rows:
    rows = Rows()
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


def _touched_accounts(session: Session, batch_id: int) -> int:
    """Accounts whose 契約情報一覧 changes: their maintenance e-mail stands on a certificate that is written, before or after."""
    mine = ready(batch_id)
    after = [
        select(func.lower(email)).where(mine, email != "")
        for email in (ImportCertificate.agent_email, ImportCertificate.operator_email, ImportCertificate.end_user_email)
    ]
    before = select(Party.email_key).join(ImportCertificate, ImportCertificate.certificate_id == Party.certificate_id).where(mine)
    found = or_(*(Account.maintenance_email_key.in_(statement) for statement in (*after, before)))
    return session.scalar(select(func.count()).select_from(Account).where(found, Account.maintenance_email_key != "")) or 0


def _found_tickets(session: Session, batch_id: int) -> int:
    """Unresolved tickets that name a contract which so far nobody knew."""
    made = select(ImportCertificate.contract_key).where(ready(batch_id), ImportCertificate.certificate_id.is_(None))
    return session.scalar(select(func.count()).select_from(Ticket).where(Ticket.unresolved, Ticket.contract_key.in_(made))) or 0
