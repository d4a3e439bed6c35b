"""Lines of certificates as the workbook tells them, and what differs from the lines in the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import itemgetter

FIELDS = (
    "issued_on",
    "contract",
    "family",
    "product_number",
    "serial",
    "starts_on",
    "ends_on",
    "service",
    "contact",
    "agent_name",
    "agent_email",
    "operator_name",
    "operator_email",
    "end_user_name",
    "end_user_email",
)
"""The fields of a line, in the order of every tuple of values."""
CERTIFICATE_FIELDS = ("issued_on", "agent_name", "agent_email", "operator_name", "operator_email", "end_user_name", "end_user_email")
"""What all lines of one certificate agree on."""
EMAIL_FIELDS = ("agent_email", "operator_email", "end_user_email")
DATE_FIELDS = ("issued_on", "starts_on", "ends_on")
REQUIRED_FIELDS = ("issued_on", "contract", "family", "product_number", "starts_on", "ends_on", "service", "contact")
"""Beside them at least one e-mail of a party; a serial may be empty."""

Values = tuple[str, ...]
"""One line: a text for each of `FIELDS`, dates ISO, "" for what is absent."""
Changes = dict[str, tuple[str, str]]
"""Field -> (old, new)."""

_CONTRACT, _PRODUCT, _SERIAL, _SERVICE = (FIELDS.index(field) for field in ("contract", "product_number", "serial", "service"))
_EMAILS = frozenset(FIELDS.index(field) for field in EMAIL_FIELDS)
_NO_CHANGES: Changes = {}

identity: Callable[[Values], Values] = itemgetter(_CONTRACT, _PRODUCT, _SERIAL, _SERVICE)
"""What makes two lines the same one: contract, product number, serial, service."""


class Status(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Diff:
    """What a workbook would change; `stored` and `changes` run along the workbook's lines."""

    stored: list[int | None]
    """The index of the stored line that each workbook line is, None for a new one."""
    changes: list[Changes]
    missing: list[int]
    """Indexes of the stored lines that no workbook line is."""

    def status(self, index: int) -> Status:
        """Whether the workbook's line at `index` is new, changed or unchanged."""
        if self.stored[index] is None:
            return Status.NEW
        return Status.CHANGED if self.changes[index] else Status.UNCHANGED


def diff(lines: Sequence[Values], stored: Sequence[Values], unsound: Iterable[Values] = (), before: Mapping[int, Values] | None = None) -> Diff:
    """Match the workbook's sound `lines` with the `stored` ones of the same certificates (DOMAIN, "Import").

    Lines match by (product, serial, service) within their contract; leftovers pair by (product, service), then by
    (serial), so a corrected serial is a change. `unsound` are the workbook's lines with errors ("" where a cell could
    not be read): they change nothing, but what they stand for is not missing. `before` says, by index, what stored lines were until they were
    corrected by hand: a workbook that names them so still means them.
    """
    free = {identity(values): index for index, values in enumerate(stored)}
    found = [free.pop(identity(values), None) for values in lines] if free else list[int | None]([None]) * len(lines)
    doubtful = [values for values in unsound if free.pop(identity(values), None) is None]
    if free:
        left = dict.fromkeys(free.values())
        nowhere = list[int | None]([None]) * len(doubtful)
        for told, at in ((lines, found), (doubtful, nowhere)) if before else ():
            _pair_corrected(told, at, before or {}, left)
        _pair(lines, found, stored, left)
        _pair(doubtful, nowhere, stored, left)
        missing = list(left)
    else:
        missing = []
    if not stored:
        return Diff(found, [_NO_CHANGES] * len(lines), missing)
    changes = [_NO_CHANGES if at is None or stored[at] == values else differences(stored[at], values) for values, at in zip(lines, found, strict=True)]
    return Diff(found, changes, missing)


def differences(old: Values, new: Values) -> Changes:
    """The fields in which two lines differ; e-mail addresses are compared regardless of case."""
    return {
        FIELDS[index]: (was, now)
        for index, (was, now) in enumerate(zip(old, new, strict=True))
        if was != now and not (index in _EMAILS and was.lower() == now.lower())
    }


# One serial may carry two services: a corrected product number keeps each with its own before the serial alone decides.
PAIRINGS: tuple[Callable[[Values], Values], ...] = (
    itemgetter(_CONTRACT, _PRODUCT, _SERVICE),
    itemgetter(_CONTRACT, _SERIAL, _SERVICE),
    itemgetter(_CONTRACT, _SERIAL),
)
"""What a corrected line keeps of the one it was; all but the first need a serial."""


def _pair_corrected(lines: Sequence[Values], found: list[int | None], before: Mapping[int, Values], left: dict[int, None]) -> None:
    """Give the lines that found nothing the leftovers that were the same before they were corrected; fills `found`, empties `left`."""
    known = {identity(values): index for index, values in before.items() if index in left}
    for position, at in enumerate(found if known else ()):
        chosen = known.pop(identity(lines[position]), None) if at is None else None
        if chosen is not None:
            found[position] = chosen
            del left[chosen]


def _pair(lines: Sequence[Values], found: list[int | None], stored: Sequence[Values], left: dict[int, None]) -> None:
    """Give the lines that found nothing the leftovers they resemble; fills `found`, empties `left`."""
    for part, key in enumerate(PAIRINGS):
        alike: dict[Values, list[int]] = {}
        for index in left:
            alike.setdefault(key(stored[index]), []).append(index)
        for position, at in enumerate(found):
            if at is not None or (part and not lines[position][_SERIAL]):
                continue
            candidates = alike.get(key(lines[position]))
            if candidates:
                chosen = candidates.pop(0)
                found[position] = chosen
                del left[chosen]
