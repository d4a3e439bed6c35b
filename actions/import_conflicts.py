"""競合: values that were corrected by hand since the last import and that a workbook would set otherwise. Ours stay unless a person chooses theirs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from actions.import_stored import ByHand, Stored
from rules.lines import CERTIFICATE_FIELDS, EMAIL_FIELDS, FIELDS, Changes, Values

_CONTRACT = FIELDS.index("contract")
_AT = {name: FIELDS.index(name) for name in CERTIFICATE_FIELDS}
_HEADER_AT = {name: CERTIFICATE_FIELDS.index(name) for name in CERTIFICATE_FIELDS}

Choice = tuple[str, int, str]
"""Contract key, id of the line (0: the certificate's own field), field."""


@dataclass(frozen=True)
class Conflict:
    """One value to decide upon, asked at the row `index`."""

    contract: str
    line_id: int
    field: str
    index: int
    ours: str
    theirs: str
    set_at: datetime
    set_by: str
    take_theirs: bool


def settle_heads(values: Sequence[Values], stored: Stored, theirs: Collection[Choice]) -> tuple[Sequence[Values], list[Conflict]]:
    """The rows with our issue dates and parties where they were corrected by hand and theirs were not chosen, and what is to be asked."""
    if not stored.corrected_heads:
        return values, []
    settled, conflicts = list(values), dict[Choice, Conflict]()
    corrected: dict[str, list[tuple[str, ByHand]]] = {}
    for (key, field), by_hand in stored.corrected_heads.items():
        corrected.setdefault(key, []).append((field, by_hand))
    for index, told in enumerate(values):
        for field, by_hand in corrected.get(told[_CONTRACT], ()):
            ours = stored.certificates[told[_CONTRACT]][2][_HEADER_AT[field]]
            if _same(field, ours, told[_AT[field]]):
                continue
            choice = (told[_CONTRACT], 0, field)
            taken = choice in theirs
            conflicts.setdefault(choice, Conflict(*choice, index, ours, told[_AT[field]], by_hand.at, by_hand.by, taken))
            if not taken:
                settled[index] = _with(settled[index], _AT[field], ours)
    return settled, list(conflicts.values())


def _same(field: str, ours: str, told: str) -> bool:
    return told == ours or (field in EMAIL_FIELDS and told.lower() == ours.lower())


def settle_lines(
    changes: dict[int, Changes], stored_at: Mapping[int, int], values: Sequence[Values], stored: Stored, theirs: Collection[Choice]
) -> list[Conflict]:
    """Take the changes of fields corrected by hand out of `changes` unless theirs were chosen; answers what is to be asked.

    `stored_at` names, by the index of a changed row, the index of the stored line.
    """
    conflicts: list[Conflict] = []
    if not stored.corrected_lines:
        return conflicts
    for index in list(changes):
        at = stored_at[index]
        by_hand = stored.corrected_lines.get(at)
        if by_hand is None:
            continue
        kept: Changes = {}
        for name, (ours, told) in changes[index].items():
            choice = (values[index][_CONTRACT], stored.line_ids[at], name)
            taken = name in CERTIFICATE_FIELDS or choice in theirs
            if name not in CERTIFICATE_FIELDS:
                conflicts.append(Conflict(*choice, index, ours, told, by_hand.at, by_hand.by, taken))
            if taken:
                kept[name] = (ours, told)
        changes[index] = kept
    return conflicts


def _with(values: Values, at: int, text: str) -> Values:
    return (*values[:at], text, *values[at + 1 :])
