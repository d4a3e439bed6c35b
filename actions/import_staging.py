"""A plan as rows of the database: what the review shows and what applying it merges."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from actions.import_plans import MISSING, Plan, PlannedCertificate
from models.database import bulk_insert
from models.imports import ImportRow
from models.staging import ImportCertificate, ImportConflict
from rules.lines import CERTIFICATE_FIELDS, FIELDS, Changes
from rules.renewals import Standing

ROWS_AT_ONCE = 10_000
"""Rows of a plan written in one transaction: other writers wait for no more."""
_ROW_COLUMNS = (
    "batch_id", "position", "sheet", "row", "hidden", "status", "contract_key", "line_id", "values", "changes", "warnings", "errors", "confirmed", "held_by",
    "kind", "renews_id", "renews_position",
)  # fmt: skip
_CERTIFICATE_COLUMNS = (
    "batch_id", "contract_key", "certificate_id", "seen_at", "new_lines", "changed_lines", "unchanged_lines", "error_lines", "held_by", "facts",
    "moves_domain", *CERTIFICATE_FIELDS,
)  # fmt: skip
_CONTRACT = FIELDS.index("contract")
_TEMPLATE = "{" + ",".join(f'"{name}":%s' for name in FIELDS) + "}"
_CONFLICT_COLUMNS = (
    "batch_id", "contract_key", "line_id", "field", "position", "ours", "theirs", "set_at", "set_by", "take_theirs",
)  # fmt: skip
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_NO_HEADER = (None, "", "", "", "", "", "")


def keep_rows(session: Session, batch_id: int, made: Plan, indexes: Sequence[int]) -> None:
    """Write the rows at `indexes`; nobody looks at them until `finish` (write `ROWS_AT_ONCE` in a transaction)."""
    bulk_insert(session, ImportRow, _ROW_COLUMNS, _row_tuples(batch_id, made, indexes))


def keep_missing(session: Session, batch_id: int, made: Plan, places: Sequence[int], *, first: int, withdrawn: Collection[int] = ()) -> None:
    """Write the missing lines at `places` as rows from the position `first` on; those with ids `withdrawn` are to be withdrawn."""
    bulk_insert(session, ImportRow, _ROW_COLUMNS, _missing_tuples(batch_id, made, places, first, withdrawn))


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


def _row_tuples(batch_id: int, made: Plan, indexes: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    rows, quoted, kinds = made.rows, _Quoted(), made.kinds()
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
            kinds.get(index, ""),
            *_renews(made.renews.get(index)),
        )


def _renews(line: Standing | None) -> tuple[int | None, int | None]:
    """The id of the line that a new row renews, or the position of the row that it does."""
    if line is None:
        return None, None
    return (line.line_id, None) if line.index is None else (None, line.index)


def _missing_tuples(batch_id: int, made: Plan, places: Sequence[int], first: int, withdrawn: Collection[int]) -> Iterator[tuple[Any, ...]]:
    quoted = _Quoted()
    for place in places:
        line_id, values = made.missing_lines[place]
        held_by = made.certificates[values[_CONTRACT]].held_by
        texts = _TEMPLATE % tuple(map(quoted.__getitem__, values))
        chosen = line_id in withdrawn
        yield (batch_id, first + place, "", 0, False, MISSING, values[_CONTRACT], line_id, texts, "{}", "[]", "[]", chosen, held_by, "", None, None)


class _Quoted(dict[str, str]):
    """Texts as JSON, each encoded once."""

    def __missing__(self, text: str) -> str:
        encoded = self[text] = _encode(text)
        return encoded


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
