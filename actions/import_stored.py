"""The certificates that a workbook names, as they stand in the database: what a plan compares with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, String, and_, cast, select
from sqlalchemy.orm import Session

from models.contracts import Certificate, ContractLine, Party, PartyRole
from models.database import among
from models.imports import CELL_COLUMNS, ImportRow
from models.masters import ProductFamily
from rules.lines import Values

_NO_PARTY = ("", "")
_AT_ONCE = 5_000
"""Stored lines fetched at a time."""


class ByHand(NamedTuple):
    """When and by whom a record was last corrected in the console."""

    at: datetime
    by: str


@dataclass
class Stored:
    """The certificates in the database, their lines in order."""

    certificates: dict[str, tuple[int, datetime, Values]] = field(default_factory=dict[str, tuple[int, datetime, Values]])
    """Key -> id, `updated_at`, values of `CERTIFICATE_FIELDS`."""
    line_ids: list[int] = field(default_factory=list[int])
    values: list[Values] = field(default_factory=list[Values])
    corrected_heads: dict[tuple[str, str], ByHand] = field(default_factory=dict[tuple[str, str], ByHand])
    """(Key, one of `CERTIFICATE_FIELDS`): the issue date, or name and e-mail of a party."""
    corrected_lines: dict[int, ByHand] = field(default_factory=dict[int, ByHand])
    """Index of the line."""
    before: dict[int, Values] = field(default_factory=dict[int, Values])
    """By index, what the workbook said of a line that was corrected since."""


def load_stored(session: Session, keys: Sequence[str]) -> Stored:
    """The certificates of `keys` with parties and lines, in a handful of statements."""
    stored = Stored()
    if not keys:
        return stored
    named = among(session, Certificate.contract_key.expression, keys)
    families = {row.id: row.name for row in session.execute(select(ProductFamily.id, ProductFamily.name))}
    by_id = _load_certificates(session, named, stored)
    line = ContractLine
    columns = (line.product_number, line.serial, cast(line.starts_on, String), cast(line.ends_on, String), line.service, line.contact)
    own = (line.id, line.certificate_id, line.family_id, line.set_at, line.set_by)
    statement = select(*own, *columns).join(Certificate, Certificate.id == line.certificate_id).where(named)
    known: dict[str, str] = {}
    same = known.setdefault
    # Straight from the connection, and not all at once: 100,000 rows feel what the session does for objects.
    rows = session.connection().execute(statement.order_by(line.id), execution_options={"yield_per": _AT_ONCE})
    for line_id, certificate_id, family_id, set_at, set_by, product, serial, starts, ends, service, contact in rows:
        issued, key, parties = by_id[certificate_id]
        if set_at is not None:
            stored.corrected_lines[len(stored.line_ids)] = ByHand(set_at, set_by)
        stored.line_ids.append(line_id)
        line_texts = (same(product, product), serial, same(starts, starts), same(ends, ends), same(service, service), same(contact, contact))
        stored.values.append((issued, key, families[family_id], *line_texts, *parties))
    if stored.corrected_lines:
        _load_before(session, named, stored)
    return stored


def _load_before(session: Session, named: ColumnElement[bool], stored: Stored) -> None:
    """Fill `stored.before` by the rows that the corrected lines came from: those are few."""
    line, row = ContractLine, ImportRow
    came = and_(row.batch_id == line.batch_id, row.contract_key == Certificate.contract_key, row.sheet == line.sheet, row.row == line.row)
    told = select(line.id, *(getattr(row, name) for name in CELL_COLUMNS)).join(Certificate, Certificate.id == line.certificate_id).join(row, came)
    places = {stored.line_ids[at]: at for at in stored.corrected_lines}
    for line_id, *texts in session.execute(told.where(named, line.set_at.is_not(None), row.row > 0)):
        stored.before[places[line_id]] = tuple(texts)


def _load_certificates(session: Session, named: ColumnElement[bool], stored: Stored) -> dict[int, tuple[str, str, Values]]:
    """Fill `stored.certificates`; answers id -> issue date, key, names and e-mails of the parties."""
    connection = session.connection()
    parties: dict[tuple[int, str], Values] = {}
    by_hand: dict[tuple[int, str], ByHand] = {}
    held = select(Party.certificate_id, cast(Party.role, String), Party.name, Party.email, Party.set_at, Party.set_by)
    for certificate_id, role, name, email, set_at, set_by in connection.execute(held.join(Certificate, Certificate.id == Party.certificate_id).where(named)):
        parties[certificate_id, role] = (name, email)
        if set_at is not None:
            by_hand |= dict.fromkeys(((certificate_id, f"{role}_name"), (certificate_id, f"{role}_email")), ByHand(set_at, set_by))
    by_id: dict[int, tuple[str, str, Values]] = {}
    own = (Certificate.updated_at, Certificate.set_at, Certificate.set_by)
    known = select(Certificate.id, Certificate.contract_key, cast(Certificate.issued_on, String), *own)
    for number, key, issued, updated_at, set_at, set_by in connection.execute(known.where(named)):
        if set_at is not None:
            by_hand[number, "issued_on"] = ByHand(set_at, set_by)
        told = [text for role in PartyRole for text in parties.get((number, role), _NO_PARTY)]
        by_id[number] = (issued, key, tuple(told))
        stored.certificates[key] = (number, updated_at, (issued, *told))
    stored.corrected_heads = {(by_id[number][1], field): told for (number, field), told in by_hand.items()}
    return by_id
