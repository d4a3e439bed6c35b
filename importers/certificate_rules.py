"""What the lines of certificates must hold together: required fields, order of days, no line twice, parties that agree."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from operator import lt
from typing import NamedTuple

from importers.cells import Problem
from rules.contracts import LAST_MAILBOX_DAY, fold_contact, has_late_mailbox
from rules.lines import CERTIFICATE_FIELDS, EMAIL_FIELDS, FIELDS, REQUIRED_FIELDS

_AT = {name: index for index, name in enumerate(FIELDS)}
_IDENTITY = ("contract", "product_number", "serial", "service")
_SHEET_ROWS = 10_000_000
"""More than a sheet has: the places of rows are numbers, of which a workbook has a hundred thousand."""
_ERROR_ORDER = {name: index for index, name in enumerate(FIELDS)}


class Found(NamedTuple):
    """An error or warning at a field of a row."""

    field: str
    code: str
    facts: Mapping[str, object]
    warning: bool
    raw: str = ""
    """What stands in the cell, where it was not read as it stands."""


class Place(NamedTuple):
    sheet: str
    row: int


class CertificateRules:
    """Looks at the rows of a workbook in order, and remembers the lines and certificates it has seen."""

    def __init__(self, mailboxes: Collection[str]) -> None:
        self._mailboxes = frozenset(fold_contact(mailbox) for mailbox in mailboxes)
        self._lines: dict[tuple[str, ...], int] = {}
        self._sheets: list[str] = []
        self._certificates: dict[str, _Certificate] = {}
        self._late: dict[str, bool] = {}

    def check(
        self, sheet: str, rows: list[int], columns: list[list[str]], odd: Mapping[str, Mapping[int, Problem]], missing: Collection[str]
    ) -> dict[int, list[Found]]:
        """Index -> what is wrong or doubtful there, in the order of the fields.

        `columns` run in the order of FIELDS; `odd` says what the cells themselves told; `missing` are the required
        fields without a column.
        """
        found: dict[int, list[Found]] = {}
        unread = _Unread()
        for name, problems in odd.items():
            for index, problem in problems.items():
                found.setdefault(index, []).append(Found(name, problem.code, problem.facts, problem.warning, problem.raw))
                if not problem.warning:
                    unread.add(index, name)
        self._check_required(columns, missing, found, unread)
        _check_parties(columns, found, unread)
        _check_days(columns, found)
        self._check_contacts(columns, found)
        self._check_twice(Rows(sheet, rows, columns), found, unread)
        self._check_agreement(Rows(sheet, rows, columns), found, unread)
        for problems in found.values():
            problems.sort(key=_by_field)
        return found

    def _check_required(self, columns: list[list[str]], missing: Collection[str], found: dict[int, list[Found]], unread: _Unread) -> None:
        for name in REQUIRED_FIELDS:
            column = columns[_AT[name]]
            if "" not in column:
                continue
            code = "column_missing" if name in missing else "missing"
            for index, text in enumerate(column):
                if not text and not unread.has(index, name):
                    found.setdefault(index, []).append(Found(name, code, {}, warning=False))
                    unread.add(index, name)

    def _check_contacts(self, columns: list[list[str]], found: dict[int, list[Found]]) -> None:
        contacts, starts = columns[_AT["contact"]], columns[_AT["starts_on"]]
        late = {contact for contact in set(contacts) if fold_contact(contact) in self._mailboxes}
        if not late:
            return
        for index, contact in enumerate(contacts):
            start = starts[index]
            if contact in late and start > _LAST_MAILBOX_DAY and has_late_mailbox(date.fromisoformat(start), contact, self._mailboxes):
                found.setdefault(index, []).append(Found("contact", "old_mailbox", {"v": contact}, warning=True))

    def _check_twice(self, part: Rows, found: dict[int, list[Found]], unread: _Unread) -> None:
        lines = self._lines
        keys = list(zip(*(part.columns[_AT[name]] for name in _IDENTITY), strict=True))
        if part.sheet not in self._sheets[-1:]:
            self._sheets.append(part.sheet)
        base = (len(self._sheets) - 1) * _SHEET_ROWS
        places = [base + row for row in part.rows]
        if not unread:
            firsts = list(map(lines.setdefault, keys, places))
            if firsts == places:
                return
        for index, key in enumerate(keys):
            if unread and unread.any(index, _IDENTITY):
                continue
            first = lines.setdefault(key, places[index])
            if first != places[index]:
                sheet, row = divmod(first, _SHEET_ROWS)
                told = _where(Place(self._sheets[sheet], row), part.sheet)
                found.setdefault(index, []).append(Found("serial", "same_line", {"first": told}, warning=False))

    def _check_agreement(self, part: Rows, found: dict[int, list[Found]], unread: _Unread) -> None:
        known = self._certificates
        told = list(zip(part.columns[_AT["contract"]], *(part.columns[_AT[name]] for name in CERTIFICATE_FIELDS), strict=True))
        if not unread and self._agree(part, told):
            return
        for index, (contract, *values) in enumerate(told):
            first = known.get(contract)
            if first is not None and first.values == tuple(values) and not first.partly:
                continue
            if not contract:
                continue
            place = Place(part.sheet, part.rows[index])
            hidden = unread.of(index)
            if first is None:
                known[contract] = _Certificate(tuple(values), place, {name for name in CERTIFICATE_FIELDS if name in hidden})
                continue
            for name, was, now, where in first.differences(tuple(values), hidden, place):
                facts = {"k": contract, "first": _where(where, part.sheet), "a": was or "空", "row": place.row, "b": now or "空"}
                found.setdefault(index, []).append(Found(name, "not_consistent", facts, warning=False))

    def _agree(self, part: Rows, told: list[tuple[str, ...]]) -> bool:
        """Whether every certificate of these rows says one thing, here and before; then those that are new are remembered."""
        known = self._certificates
        # Each thing said once, with the first row that says it.
        firsts = dict(zip(reversed(told), range(len(told) - 1, -1, -1), strict=True))
        if len({contract for contract, *_ in firsts}) < len(firsts):
            return False
        new: list[tuple[str, ...]] = []
        for said in firsts:
            first = known.get(said[0])
            if first is None and said[0]:
                new.append(said)
            elif first is None or first.partly or first.values != said[1:]:
                return False
        for said in new:
            known[said[0]] = _Certificate(said[1:], Place(part.sheet, part.rows[firsts[said]]), set())
        return True


class Rows(NamedTuple):
    """Some rows of one sheet."""

    sheet: str
    rows: list[int]
    columns: list[list[str]]


class _Unread:
    """The fields of rows that could not be read: they are not compared."""

    def __init__(self) -> None:
        self._fields: dict[int, set[str]] = {}

    def __bool__(self) -> bool:
        return bool(self._fields)

    def add(self, index: int, name: str) -> None:
        """Note the field `name` of the row `index`."""
        self._fields.setdefault(index, set()).add(name)

    def has(self, index: int, name: str) -> bool:
        """Whether that field was noted."""
        return index in self._fields and name in self._fields[index]

    def any(self, index: int, names: Iterable[str]) -> bool:
        """Whether one of `names` was noted for the row."""
        return index in self._fields and not self._fields[index].isdisjoint(names)

    def of(self, index: int) -> Collection[str]:
        """The fields noted for the row."""
        return self._fields.get(index, ())


class _Certificate:
    """What the first lines of a certificate said."""

    __slots__ = ("_place", "_places", "partly", "values")

    def __init__(self, values: tuple[str, ...], place: Place, unread: set[str]) -> None:
        self.values = values
        self.partly = unread
        """Fields that no line so far could tell."""
        self._place = place
        self._places: dict[str, Place] | None = None

    def differences(self, values: tuple[str, ...], unread: Collection[str], place: Place) -> list[tuple[str, str, str, Place]]:
        """(field, first value, this value, where the first stands) for each that differs; learns what was unread so far."""
        found: list[tuple[str, str, str, Place]] = []
        for index, name in enumerate(CERTIFICATE_FIELDS):
            if name in unread:
                continue
            if name in self.partly:
                self._learn(index, name, values[index], place)
                continue
            was, now = self.values[index], values[index]
            if was != now and not (name in EMAIL_FIELDS and was.lower() == now.lower()):
                found.append((name, was, now, (self._places or {}).get(name, self._place)))
        return found

    def _learn(self, index: int, name: str, value: str, place: Place) -> None:
        self.values = (*self.values[:index], value, *self.values[index + 1 :])
        self.partly.discard(name)
        self._places = {**(self._places or {}), name: place}


def _check_parties(columns: list[list[str]], found: dict[int, list[Found]], unread: _Unread) -> None:
    """Without any e-mail of a party nobody could register; told once, and those cells then compare with nothing."""
    if any("" not in columns[_AT[name]] for name in EMAIL_FIELDS):
        return
    emails = zip(*(columns[_AT[name]] for name in EMAIL_FIELDS), strict=True)
    for index, told in enumerate(emails):
        if any(told) or unread.any(index, EMAIL_FIELDS):
            continue
        found.setdefault(index, []).append(Found("agent_email", "no_party_email", {}, warning=False))
        for name in EMAIL_FIELDS:
            unread.add(index, name)


def _check_days(columns: list[list[str]], found: dict[int, list[Found]]) -> None:
    starts, ends = columns[_AT["starts_on"]], columns[_AT["ends_on"]]
    if not any(map(lt, ends, starts)):
        return
    for index, (start, end) in enumerate(zip(starts, ends, strict=True)):
        if end < start and end:
            found.setdefault(index, []).append(Found("ends_on", "ends_before_start", {"start": start, "end": end}, warning=False))


def _where(place: Place, sheet: str) -> str:
    """The row, with its sheet where that is another one."""
    return str(place.row) if place.sheet == sheet else f"シート「{place.sheet}」の {place.row}"


def _by_field(found: Found) -> int:
    return _ERROR_ORDER.get(found.field, len(FIELDS))


_LAST_MAILBOX_DAY = LAST_MAILBOX_DAY.isoformat()
