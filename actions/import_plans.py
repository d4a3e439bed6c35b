"""What applying a workbook would do, row by row: compared with the certificates in the database, written nowhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, String, cast, select
from sqlalchemy.orm import Session

from importers.reader import Issue, Reading
from models.contracts import Certificate, ContractLine, FamilyAlias, FamilyMailbox, Party, PartyRole, ProductFamily
from models.database import among
from rules.lines import CERTIFICATE_FIELDS, EMAIL_FIELDS, FIELDS, Changes, Diff, Values, diff
from wording.imports import FIELD_LABELS, row_warning

STATUSES: tuple[str, ...] = ("new", "changed", "unchanged", "error")
NEW, CHANGED, UNCHANGED, ERROR = STATUSES
SERIAL_ELSEWHERE = "serial_elsewhere"
_AT = {name: index for index, name in enumerate(FIELDS)}
_CONTRACT, _PRODUCT, _SERIAL, _SERVICE = (_AT[name] for name in ("contract", "product_number", "serial", "service"))
_HEADER = tuple(_AT[name] for name in CERTIFICATE_FIELDS)
_EMAILS = frozenset(CERTIFICATE_FIELDS.index(name) for name in EMAIL_FIELDS)
_NO_PARTY = ("", "")
_AT_ONCE = 5_000
"""Stored lines fetched at a time."""


@dataclass
class Rows:
    """The rows of a workbook in order; the lists run along each other, the rest goes by index."""

    sheets: list[str] = field(default_factory=list[str])
    numbers: list[int] = field(default_factory=list[int])
    values: list[Values] = field(default_factory=list[Values])
    hidden: set[int] = field(default_factory=set[int])
    warnings: dict[int, list[Issue]] = field(default_factory=dict[int, list[Issue]])
    errors: dict[int, list[Issue]] = field(default_factory=dict[int, list[Issue]])
    confirmed: set[int] = field(default_factory=set[int])
    """Rows whose warnings a person ticked."""

    def keys(self) -> list[str]:
        """The contract keys in the order they come, "" left out."""
        return [key for key in dict.fromkeys(values[_CONTRACT] for values in self.values) if key]


@dataclass
class PlannedCertificate:
    """What becomes of one certificate."""

    certificate_id: int | None
    seen_at: datetime | None
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    error: int = 0
    held_by: int = 0
    header: tuple[str, ...] = ()
    """The values to write, in the order of `CERTIFICATE_FIELDS`; () where no row is sound."""
    moved: list[int] = field(default_factory=list[int])
    """Indexes of the changed rows."""

    @property
    def writes(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.new or self.changed)

    @property
    def lines(self) -> int:
        """Its rows in the workbook."""
        return self.new + self.changed + self.unchanged + self.error


@dataclass
class Plan:
    """Every row's fate. `held_by` names, by index, the row that holds a row back: a row with a problem holds itself."""

    rows: Rows
    statuses: list[str]
    line_ids: list[int | None]
    changes: dict[int, Changes]
    held_by: dict[int, int]
    certificates: dict[str, PlannedCertificate]
    missing: list[dict[str, str]]

    def summary(self) -> dict[str, int]:
        """How many rows of each status, missing lines, certificates the workbook names, and rows with warnings."""
        counted = {status: self.statuses.count(status) for status in STATUSES}
        return {**counted, "missing": len(self.missing), "certificates": len(self.certificates), "warnings": len(self.rows.warnings)}

    def told(self) -> Iterator[dict[str, Any]]:
        """The rows as `import plan --json` prints them."""
        rows = self.rows
        for index, values in enumerate(rows.values):
            yield {
                "sheet": rows.sheets[index],
                "row": rows.numbers[index],
                "status": self.statuses[index],
                "hidden": index in rows.hidden,
                "values": dict(zip(FIELDS, values, strict=True)),
                "changes": {name: list(pair) for name, pair in self.changes.get(index, {}).items()},
                "warnings": rows.warnings.get(index, []),
                "errors": rows.errors.get(index, []),
                "held_by": self.held_by.get(index, 0),
            }


class Masters(NamedTuple):
    """What reading a workbook asks of the database."""

    families: dict[str, str]
    """Alias -> canonical name."""
    mailboxes: frozenset[str]


def masters(session: Session) -> Masters:
    """The families with their aliases, and the old mailboxes."""
    names = {row.id: row.name for row in session.execute(select(ProductFamily.id, ProductFamily.name))}
    aliases = {row.alias: names[row.family_id] for row in session.execute(select(FamilyAlias.alias, FamilyAlias.family_id))}
    return Masters({**aliases, **{name: name for name in names.values()}}, frozenset(session.scalars(select(FamilyMailbox.address))))


def rows_of(reading: Reading) -> Rows:
    """The rows of a reading; equal texts are held once."""
    rows = Rows()
    known: list[dict[str, str]] = [{} for _ in FIELDS]
    for block in reading.blocks():
        first = len(rows.numbers)
        columns = [[seen.setdefault(text, text) for text in column] for seen, column in zip(known, block.columns, strict=True)]
        rows.values.extend(zip(*columns, strict=True))
        rows.numbers += block.rows
        rows.sheets += [block.sheet] * len(block.rows)
        rows.hidden |= {first + index for index in block.hidden}
        rows.warnings |= {first + index: issues for index, issues in block.warnings.items() if issues}
        rows.errors |= {first + index: issues for index, issues in block.errors.items() if issues}
    return rows


def sheets_of(reading: Reading) -> list[dict[str, Any]]:
    """The sheets as `import plan --json` prints them, with what was found there."""
    return [asdict(sheet) for sheet in reading.sheets]


def plan(session: Session, rows: Rows, *, today: date) -> Plan:
    """Compare `rows` with the certificates that they name (DOMAIN, "Import").

    A serial of a new line that is active under another contract is a warning: it is added to the rows' warnings.
    """
    stored = load_stored(session, rows.keys())
    sound = [index for index in range(len(rows.values)) if index not in rows.errors] if rows.errors else range(len(rows.values))
    found = diff([rows.values[index] for index in sound], stored.values, [rows.values[index] for index in rows.errors])
    made = _fates(rows, sound, found, stored)
    _warn_of_serials(session, made, today=today)
    _gather(made, stored)
    _hold(made)
    return made


@dataclass
class Stored:
    """The certificates in the database, their lines in order."""

    certificates: dict[str, tuple[int, datetime, Values]] = field(default_factory=dict[str, tuple[int, datetime, Values]])
    """Key -> id, `updated_at`, values of `CERTIFICATE_FIELDS`."""
    line_ids: list[int] = field(default_factory=list[int])
    values: list[Values] = field(default_factory=list[Values])


def load_stored(session: Session, keys: Sequence[str]) -> Stored:
    """The certificates of `keys` with parties and lines, in three statements."""
    stored = Stored()
    if not keys:
        return stored
    named = among(session, Certificate.contract_key.expression, keys)
    families = {row.id: row.name for row in session.execute(select(ProductFamily.id, ProductFamily.name))}
    by_id = _load_certificates(session, named, stored)
    line = ContractLine
    columns = (line.product_number, line.serial, cast(line.starts_on, String), cast(line.ends_on, String), line.service, line.contact)
    statement = select(line.id, line.certificate_id, line.family_id, *columns).join(Certificate, Certificate.id == line.certificate_id).where(named)
    known: dict[str, str] = {}
    same = known.setdefault
    # Straight from the connection, and not all at once: 100,000 rows feel what the session does for objects.
    rows = session.connection().execute(statement.order_by(line.id), execution_options={"yield_per": _AT_ONCE})
    for line_id, certificate_id, family_id, product, serial, starts, ends, service, contact in rows:
        issued, key, parties = by_id[certificate_id]
        stored.line_ids.append(line_id)
        line_texts = (same(product, product), serial, same(starts, starts), same(ends, ends), same(service, service), same(contact, contact))
        stored.values.append((issued, key, families[family_id], *line_texts, *parties))
    return stored


def _load_certificates(session: Session, named: ColumnElement[bool], stored: Stored) -> dict[int, tuple[str, str, Values]]:
    """Fill `stored.certificates`; answers id -> issue date, key, names and e-mails of the parties."""
    connection = session.connection()
    parties: dict[tuple[int, str], Values] = {}
    held = select(Party.certificate_id, cast(Party.role, String), Party.name, Party.email).join(Certificate, Certificate.id == Party.certificate_id)
    for certificate_id, role, name, email in connection.execute(held.where(named)):
        parties[certificate_id, role] = (name, email)
    by_id: dict[int, tuple[str, str, Values]] = {}
    known = select(Certificate.id, Certificate.contract_key, cast(Certificate.issued_on, String), Certificate.updated_at)
    for number, key, issued, updated_at in connection.execute(known.where(named)):
        told = [text for role in PartyRole for text in parties.get((number, role), _NO_PARTY)]
        by_id[number] = (issued, key, tuple(told))
        stored.certificates[key] = (number, updated_at, (issued, *told))
    return by_id


def _fates(rows: Rows, sound: Sequence[int], found: Diff, stored: Stored) -> Plan:
    count = len(rows.values)
    statuses: list[str] = [ERROR] * count
    line_ids: list[int | None] = [None] * count
    changes: dict[int, Changes] = {}
    for place, index in enumerate(sound):
        at = found.stored[place]
        if at is None:
            statuses[index] = NEW
            continue
        line_ids[index] = stored.line_ids[at]
        if found.changes[place]:
            statuses[index], changes[index] = CHANGED, found.changes[place]
        else:
            statuses[index] = UNCHANGED
    return Plan(rows, statuses, line_ids, changes, {}, {}, [_missing(stored.values[at]) for at in found.missing])


def _missing(values: Values) -> dict[str, str]:
    return {"contract": values[_CONTRACT], "product_number": values[_PRODUCT], "serial": values[_SERIAL], "service": values[_SERVICE]}


def _warn_of_serials(session: Session, made: Plan, *, today: date) -> None:
    rows = made.rows
    entering: dict[str, list[int]] = {}
    for index, status in enumerate(made.statuses):
        if status == NEW or (status == CHANGED and "serial" in made.changes[index]):
            serial = rows.values[index][_SERIAL]
            if serial:
                entering.setdefault(serial, []).append(index)
    if not entering:
        return
    active = (
        select(ContractLine.serial, Certificate.contract_key)
        .join(Certificate, Certificate.id == ContractLine.certificate_id)
        .where(among(session, ContractLine.serial.expression, list(entering)), ContractLine.starts_on <= today, ContractLine.ends_on >= today)
        .distinct()
        .order_by(ContractLine.serial, Certificate.contract_key)
    )
    for serial, key in session.execute(active):
        for index in entering[serial]:
            if rows.values[index][_CONTRACT] != key:
                rows.warnings.setdefault(index, []).append(_serial_warning(key))


def _serial_warning(key: str) -> Issue:
    return {"field": "serial", "heading": FIELD_LABELS["serial"], "message": row_warning(SERIAL_ELSEWHERE, k=key), "code": SERIAL_ELSEWHERE}


def _gather(made: Plan, stored: Stored) -> None:
    """Count the rows of each certificate, and choose what its head shall say."""
    values, statuses = made.rows.values, made.statuses
    keys = [told[_CONTRACT] for told in values]
    counted = Counter(zip(keys, statuses, strict=True))
    sound = {key: index for index, key in reversed([*enumerate(keys)]) if statuses[index] != ERROR}
    for key in dict.fromkeys(keys):
        if not key:
            continue
        number, seen_at, was = stored.certificates.get(key, (None, None, None))
        certificate = PlannedCertificate(number, seen_at, counted[key, NEW], counted[key, CHANGED], counted[key, UNCHANGED], counted[key, ERROR])
        if certificate.writes and key in sound:
            certificate.header = _header(values[sound[key]], was)
        made.certificates[key] = certificate
    for index in made.changes:
        made.certificates[keys[index]].moved.append(index)


def _header(values: Values, stored: Values | None) -> Values:
    """The workbook's values; an e-mail that differs from the stored one by case only stays as it is stored."""
    told = tuple(values[at] for at in _HEADER)
    if stored is None or told == stored:
        return told
    return tuple(was if at in _EMAILS and was.lower() == now.lower() else now for at, (was, now) in enumerate(zip(stored, told, strict=True)))


def _hold(made: Plan) -> None:
    """A row with errors or unticked warnings holds back its whole certificate. Where nothing would be written, warnings hold nothing."""
    rows = made.rows
    holders: dict[str, int] = {}
    for index in sorted({*rows.errors, *rows.warnings}):
        key = rows.values[index][_CONTRACT]
        writes = key in made.certificates and made.certificates[key].writes
        if index in rows.errors or (writes and index not in rows.confirmed):
            made.held_by[index] = rows.numbers[index]
            holders.setdefault(key, rows.numbers[index])
    holders.pop("", None)
    for key, number in holders.items():
        made.certificates[key].held_by = number
    if holders:
        for index, values in enumerate(rows.values):
            if values[_CONTRACT] in holders:
                made.held_by.setdefault(index, holders[values[_CONTRACT]])
