"""What applying a workbook would do, row by row: compared with the certificates in the database, written nowhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from functools import cached_property
from itertools import compress, repeat
from operator import eq, itemgetter
from typing import Any, NamedTuple, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.import_conflicts import Choice, Conflict, settle_heads, settle_lines
from actions.import_signs import settle_signs
from actions.import_stored import Stored, load_stored
from actions.renewals import SerialHolder, propose_renewals, serial_holders
from importers.reader import Block, Issue, Reading
from models.masters import FamilyAlias, FamilyMailbox, ProductFamily
from rules.addresses import host_of, registrable
from rules.lines import CERTIFICATE_FIELDS, EMAIL_FIELDS, FIELDS, Changes, Diff, Values, diff
from rules.renewals import Standing
from wording.imports import FIELD_LABELS, row_warning

STATUSES: tuple[str, ...] = ("new", "changed", "unchanged", "error")
NEW, CHANGED, UNCHANGED, ERROR = STATUSES
MISSING = "missing"
"""Of a kept row that stands for a line which the workbook does not name."""
WARNING, CONFLICT, RENEWAL = "warning", "conflict", "renewal"
SERIAL_ELSEWHERE = "serial_elsewhere"
_AT = {name: index for index, name in enumerate(FIELDS)}
_CONTRACT, _SERIAL = _AT["contract"], _AT["serial"]
_HEADER = tuple(_AT[name] for name in CERTIFICATE_FIELDS)
_EMAILS = frozenset(CERTIFICATE_FIELDS.index(name) for name in EMAIL_FIELDS)
_contract_of, _serial_of = itemgetter(_CONTRACT), itemgetter(_SERIAL)
_header_of = cast(Callable[[Values], Values], itemgetter(*_HEADER))
_MISSING_FIELDS = ("contract", "product_number", "serial", "service")


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
    theirs: set[Choice] = field(default_factory=set[Choice])
    """Conflicts in which a person chose the workbook's value."""

    def keys(self) -> list[str]:
        """The contract keys in the order they come, "" left out."""
        return [key for key in dict.fromkeys(map(_contract_of, self.values)) if key]


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
    missing: int = 0
    moves_domain: bool = False
    """Whether a party's e-mail gets another registrable domain."""

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
    missing_lines: list[tuple[int, Values]]
    """Id and values of each line that the workbook does not name."""
    conflicts: list[Conflict] = field(default_factory=list[Conflict])
    renews: dict[int, Standing] = field(default_factory=dict[int, Standing])
    """By index, the line in the database that a new one seems to carry on."""

    @property
    def missing(self) -> list[dict[str, str]]:
        """The lines that the workbook does not name, as `import plan --json` prints them."""
        return [{name: values[_AT[name]] for name in _MISSING_FIELDS} for _, values in self.missing_lines]

    @cached_property
    def kinds(self) -> dict[int, str]:
        """By index, what else is to be said of a row: "conflict" before "warning" before "renewal"."""
        kinds = dict.fromkeys(self.renews, RENEWAL)
        for index in self.rows.warnings:
            certificate = self.certificates.get(self.rows.values[index][_CONTRACT])
            if index not in self.rows.errors and (index in self.rows.confirmed or (certificate is not None and certificate.writes)):
                kinds[index] = WARNING
        return kinds | {conflict.index: CONFLICT for conflict in self.conflicts}

    def summary(self) -> dict[str, int]:
        """How many rows of each status, missing lines, certificates the workbook names, and rows with warnings."""
        counted = {status: self.statuses.count(status) for status in STATUSES}
        return {**counted, "missing": len(self.missing_lines), "certificates": len(self.certificates), "warnings": len(self.rows.warnings)}

    def told(self) -> Iterator[dict[str, Any]]:
        """The rows as `import plan --json` prints them."""
        rows, kinds = self.rows, self.kinds
        conflicts: dict[int, list[dict[str, str]]] = {}
        for conflict in self.conflicts:
            conflicts.setdefault(conflict.index, []).append({"field": conflict.field, "ours": conflict.ours, "theirs": conflict.theirs})
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
                "kind": kinds.get(index, ""),
                "conflicts": conflicts.get(index, []),
                "renews": _told_renewal(self.renews.get(index)),
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


class Intake:
    """Gathers the rows of a reading, block by block."""

    def __init__(self) -> None:
        self.rows = Rows()

    def take(self, block: Block) -> None:
        """Add the next rows."""
        rows, first = self.rows, len(self.rows.numbers)
        rows.values.extend(zip(*block.columns, strict=True))
        rows.numbers += block.rows
        rows.sheets += [block.sheet] * len(block.rows)
        rows.hidden |= {first + index for index in block.hidden}
        rows.warnings |= {first + index: issues for index, issues in block.warnings.items() if issues}
        rows.errors |= {first + index: issues for index, issues in block.errors.items() if issues}

    def settle(self) -> None:
        """All rows came, or none will any more."""


def sheets_of(reading: Reading) -> list[dict[str, Any]]:
    """The sheets as `import plan --json` prints them, with what was found there."""
    return [asdict(sheet) for sheet in reading.sheets]


def plan(session: Session, rows: Rows, *, today: date) -> Plan:
    """Compare `rows` with the certificates that they name (DOMAIN, "Import").

    A serial of a new line that is active under another contract is a warning: it is added to the rows' warnings.
    """
    stored = load_stored(session, rows.keys())
    settle_signs(rows.values, stored)
    sound = [index for index in range(len(rows.values)) if index not in rows.errors] if rows.errors else range(len(rows.values))
    values, conflicts = settle_heads(rows.values, stored, rows.theirs)
    found = diff([values[index] for index in sound], stored.values, [rows.values[index] for index in rows.errors], stored.before)
    made = _fates(rows, sound, found, stored)
    made.conflicts = [conflict for conflict in conflicts if conflict.index not in rows.errors] + _settle_lines(made, sound, found, stored)
    _compare_serials(session, made, today=today)
    _gather(made, values, stored)
    _hold(made)
    return made


def _told_renewal(line: Standing | None) -> dict[str, str] | None:
    return line and {"contract": line.contract, "product_number": line.product_number, "serial": line.serial, "ends_on": line.ends_on.isoformat()}


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
    return Plan(rows, statuses, line_ids, changes, {}, {}, [(stored.line_ids[at], stored.values[at]) for at in found.missing])


def _settle_lines(made: Plan, sound: Sequence[int], found: Diff, stored: Stored) -> list[Conflict]:
    """Leave to lines corrected by hand what they were given; a row that says nothing else is unchanged."""
    if not stored.corrected_lines:
        return []
    stored_at = {index: at for place, index in enumerate(sound) if (at := found.stored[place]) is not None}
    conflicts = settle_lines(made.changes, stored_at, made.rows.values, stored, made.rows.theirs)
    for conflict in conflicts:
        if conflict.index in made.changes and not made.changes[conflict.index]:
            del made.changes[conflict.index]
            made.statuses[conflict.index] = UNCHANGED
    return conflicts


def _compare_serials(session: Session, made: Plan, *, today: date) -> None:
    """Warn of serials that are active under another contract, and propose what the new lines renew."""
    rows = made.rows
    serials = list(map(_serial_of, rows.values))
    new = [index for index, status in enumerate(made.statuses) if status == NEW]
    entering = new + [index for index, changes in made.changes.items() if "serial" in changes]
    holders = serial_holders(session, list(filter(None, dict.fromkeys([serials[index] for index in entering]))))
    active = {(holder.serial, holder.contract) for holder in holders if _is_active(holder, today)}
    named = {serial for serial, _ in active}
    where: dict[str, list[int]] = {}
    for index in sorted(entering) if named else ():
        if serials[index] in named:
            where.setdefault(serials[index], []).append(index)
    for serial, key in sorted(active):
        for index in where[serial]:
            if rows.values[index][_CONTRACT] != key:
                rows.warnings.setdefault(index, []).append(_serial_warning(key))
    made.renews = propose_renewals(session, rows.values, new, holders)


def _is_active(holder: SerialHolder, today: date) -> bool:
    return holder.starts_on <= today <= holder.ends_on


def _serial_warning(key: str) -> Issue:
    return {"field": "serial", "heading": FIELD_LABELS["serial"], "message": row_warning(SERIAL_ELSEWHERE, k=key), "code": SERIAL_ELSEWHERE, "contract": key}


def _gather(made: Plan, values: Sequence[Values], stored: Stored) -> None:
    """Count the rows of each certificate, and choose what its head shall say."""
    statuses = made.statuses
    keys = list(map(_contract_of, values))
    counted = {status: Counter(compress(keys, map(eq, statuses, repeat(status)))) for status in STATUSES}
    missing = Counter(told[_CONTRACT] for _, told in made.missing_lines)
    # The first of each certificate stays.
    sound = {keys[index]: index for index in range(len(keys) - 1, -1, -1) if statuses[index] != ERROR}
    for key in dict.fromkeys(keys):
        if not key:
            continue
        number, seen_at, was = stored.certificates.get(key, (None, None, None))
        new, changed, unchanged, error = (counted[status][key] for status in STATUSES)
        certificate = PlannedCertificate(number, seen_at, new, changed, unchanged, error)
        certificate.missing = missing[key]
        if (certificate.writes or certificate.missing) and key in sound:
            certificate.header = _header(values[sound[key]], was)
            certificate.moves_domain = was is not None and _moves_domain(was, certificate.header)
        made.certificates[key] = certificate
    for index in made.changes:
        made.certificates[keys[index]].moved.append(index)


def _moves_domain(old: Values, new: Values) -> bool:
    """Whether a party that had an e-mail gets one of another registrable domain, or none."""
    return any(old[at] and old[at] != new[at] and registrable(host_of(old[at].lower())) != registrable(host_of(new[at].lower())) for at in _EMAILS)


def _header(values: Values, stored: Values | None) -> Values:
    """The workbook's values; an e-mail that differs from the stored one by case only stays as it is stored."""
    told = _header_of(values)
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
