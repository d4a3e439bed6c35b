"""A plan as rows of the database: what the review shows and what applying it merges."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from itertools import repeat
from typing import Any, TypeVar

from sqlalchemy import and_, delete
from sqlalchemy.orm import Session

from actions.import_plans import MISSING, NEW, Plan, PlannedCertificate, Rows
from models.database import bulk_insert
from models.imports import CELL_COLUMNS, ImportRow
from models.staging import ImportCertificate, ImportConflict
from rules.lines import CERTIFICATE_FIELDS, FIELDS, Changes
from rules.renewals import Standing

T = TypeVar("T")

ROWS_AT_ONCE = 10_000
"""Rows of a plan written in one transaction: other writers wait for no more."""
_PLAIN_COLUMNS = ("batch_id", "position", "sheet", "row", "status", "line_id", *CELL_COLUMNS)
"""What a row says of which there is nothing else to say: the rest are the defaults of the database."""
_ODD_COLUMNS = ("hidden", "changes", "warnings", "errors", "confirmed", "held_by", "kind", "renews_id", "renews_position")
_CERTIFICATE_COLUMNS = (
    "batch_id", "contract_key", "certificate_id", "seen_at", "new_lines", "changed_lines", "unchanged_lines", "error_lines", "held_by", "facts",
    "moves_domain", *CERTIFICATE_FIELDS,
)  # fmt: skip
_CONTRACT = FIELDS.index("contract")
_CONFLICT_COLUMNS = (
    "batch_id", "contract_key", "line_id", "field", "position", "ours", "theirs", "set_at", "set_by", "take_theirs",
)  # fmt: skip
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_NO_HEADER = (None, "", "", "", "", "", "")


def keep_rows(session: Session, batch_id: int, made: Plan, indexes: Sequence[int]) -> None:
    """Write the rows at `indexes`; nobody looks at them until `finish` (write `ROWS_AT_ONCE` in a transaction)."""
    odd = odd_rows(made, range(indexes[0], indexes[-1] + 1)) if indexes else set[int]()
    plain = [index for index in indexes if index not in odd] if odd else indexes
    bulk_insert(session, ImportRow, _PLAIN_COLUMNS, _plain_tuples(batch_id, made.rows, plain, _at(made.statuses, plain), _at(made.line_ids, plain)))
    if odd:
        bulk_insert(session, ImportRow, (*_PLAIN_COLUMNS, *_ODD_COLUMNS), _odd_tuples(batch_id, made, [index for index in indexes if index in odd]))


def keep_ahead(session: Session, batch_id: int, rows: Rows, indexes: Sequence[int]) -> None:
    """Write the rows at `indexes` as new ones before there is a plan."""
    bulk_insert(session, ImportRow, _PLAIN_COLUMNS, _plain_tuples(batch_id, rows, indexes, repeat(NEW), repeat(None)))


def odd_ahead(rows: Rows, indexes: range) -> set[int]:
    """The rows at `indexes` of which there is more to say than what they hold, before there is a plan."""
    return {index for told in (rows.hidden, rows.warnings, rows.errors) for index in told if index in indexes}


def take_back(session: Session, batch_id: int, positions: Sequence[int]) -> None:
    """Remove rows that were written ahead as new ones."""
    if not positions:
        return
    wrong = and_(ImportRow.batch_id == batch_id, ImportRow.status == NEW, ImportRow.position.in_(positions))
    session.execute(delete(ImportRow).where(wrong), execution_options={"synchronize_session": False})


def keep_missing(session: Session, batch_id: int, made: Plan, places: Sequence[int], *, first: int, withdrawn: Collection[int] = ()) -> None:
    """Write the missing lines at `places` as rows from the position `first` on; those with ids `withdrawn` are to be withdrawn."""
    bulk_insert(session, ImportRow, (*_PLAIN_COLUMNS, "confirmed", "held_by"), _missing_tuples(batch_id, made, places, first, withdrawn))


def keep_certificates(session: Session, batch_id: int, made: Plan) -> None:
    """Write the certificates that are written, held back, or miss lines in the workbook."""
    moving = {key: certificate for key, certificate in made.certificates.items() if certificate.writes or certificate.held_by or certificate.missing}
    bulk_insert(session, ImportCertificate, _CERTIFICATE_COLUMNS, (_certificate_tuple(batch_id, key, each, made) for key, each in moving.items()))


def keep_conflicts(session: Session, batch_id: int, made: Plan, positions: Sequence[int]) -> None:
    """Write what is to be decided; `positions` are those of the plan's rows."""
    rows = (
        (batch_id, each.contract, each.line_id, each.field, positions[each.index], each.ours, each.theirs, each.set_at, each.set_by, each.take_theirs)
        for each in made.conflicts
    )
    bulk_insert(session, ImportConflict, _CONFLICT_COLUMNS, rows)


def odd_rows(made: Plan, indexes: range) -> set[int]:
    """The rows at `indexes` of which there is more to say than what they hold and what becomes of them."""
    rows = made.rows
    told = (rows.hidden, rows.warnings, rows.errors, rows.confirmed, made.changes, made.held_by, made.renews, made.kinds)
    return {index for each in told for index in each if index in indexes}


def _plain_tuples(batch_id: int, rows: Rows, indexes: Sequence[int], statuses: Iterable[str], line_ids: Iterable[int | None]) -> Iterable[tuple[Any, ...]]:
    """What is written of plain rows, put together without a step of Python for each."""
    if not indexes:
        return ()
    cells = zip(*_at(rows.values, indexes), strict=True)
    return zip(repeat(batch_id), indexes, _at(rows.sheets, indexes), _at(rows.numbers, indexes), statuses, line_ids, *cells, strict=False)


def _at(found: Sequence[T], indexes: Sequence[int]) -> Sequence[T]:
    """The elements at ascending `indexes`; a slice where they follow each other."""
    if indexes and indexes[-1] - indexes[0] == len(indexes) - 1:
        return found[indexes[0] : indexes[-1] + 1]
    return [found[index] for index in indexes]


def _odd_tuples(batch_id: int, made: Plan, indexes: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    rows = made.rows
    for index in indexes:
        yield (
            batch_id,
            index,
            rows.sheets[index],
            rows.numbers[index],
            made.statuses[index],
            made.line_ids[index],
            *rows.values[index],
            index in rows.hidden,
            _encode(made.changes[index]) if index in made.changes else "{}",
            _encode(rows.warnings[index]) if index in rows.warnings else "[]",
            _encode(rows.errors[index]) if index in rows.errors else "[]",
            index in rows.confirmed,
            made.held_by.get(index, 0),
            made.kinds.get(index, ""),
            *_renews(made.renews.get(index)),
        )


def _renews(line: Standing | None) -> tuple[int | None, int | None]:
    """The id of the line that a new row renews, or the position of the row that it does."""
    if line is None:
        return None, None
    return (line.line_id, None) if line.index is None else (None, line.index)


def _missing_tuples(batch_id: int, made: Plan, places: Sequence[int], first: int, withdrawn: Collection[int]) -> Iterator[tuple[Any, ...]]:
    for place in places:
        line_id, values = made.missing_lines[place]
        held_by = made.certificates[values[_CONTRACT]].held_by
        yield (batch_id, first + place, "", 0, MISSING, line_id, *values, line_id in withdrawn, held_by)


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
        certificate.moves_domain,
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
