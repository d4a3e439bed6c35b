"""The cells of a plan that can be put right where they stand: what they show, and what they may have meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from actions.import_repairs import Alike, Repairs, alike
from importers.repairs import certain
from models.imports import BatchState, ImportBatch, ImportRow
from rules.lines import DATE_FIELDS
from rules.rights import Area, Right
from web.call import Call
from wording.catalog import translate
from wording.imports import FIELD_LABELS, REPAIRS


@dataclass(frozen=True)
class Proposal:
    """A value that a press puts in, and why."""

    value: str
    why: str


@dataclass(frozen=True)
class Fix:
    """One cell with an error."""

    row: int
    """The id of its row."""
    field: str
    code: str
    label: str
    shown: str
    """What the cell shows; empty where nothing stood there."""
    raw: str
    """The same as it is kept, to find the cells that show the same."""
    proposals: Sequence[Proposal]
    alike: int
    """Other cells of this cause that have one certain repair each; 0 where this one has none."""
    same: int
    """Other cells that show the same."""
    options: Sequence[str] = ()
    """What may be typed, where that is a list."""
    error: str = ""
    """What is wrong with what was typed just now."""

    @property
    def id(self) -> str:
        """The id of its form, and the beginning of those of its parts."""
        return f"fix-{self.row}-{self.field}"

    @property
    def name(self) -> str:
        """The name of what is typed: no two cells of a page share one."""
        return typed_name(self.row, self.field)


def typed_name(row: int, field: str) -> str:
    """The form field in which a cell of that row is typed."""
    return f"value-{row}-{field}"


def may_fix(call: Call, batch: ImportBatch) -> bool:
    """Whether cells may be put right here and now."""
    return batch.state == BatchState.PLANNED and call.staff.may(Area.IMPORTS, Right.WRITE)


def fixes_of(call: Call, batch: ImportBatch, rows: Sequence[ImportRow]) -> dict[int, dict[str, Fix]]:
    """Row id -> field -> the cell to put right; nothing where one may only look, or where nothing is wrong."""
    if not may_fix(call, batch) or not any(row.errors for row in rows):
        return {}
    proposed, shared = Repairs(call.session, batch.id, rows), alike(call.session, batch.id)
    return {row.id: _fixes(row, proposed, shared, call.basis.language) for row in rows if row.errors}


def _fixes(row: ImportRow, proposed: Repairs, shared: Alike, language: str) -> dict[str, Fix]:
    found: dict[str, Fix] = {}
    for issue in row.errors:
        if issue["field"] not in found:
            found[issue["field"]] = _fix(row, issue, proposed, shared, language)
    return found


def _fix(row: ImportRow, issue: Mapping[str, Any], proposed: Repairs, shared: Alike, language: str) -> Fix:
    name, code, raw = issue["field"], issue["code"], issue.get("raw", "")
    repairs = proposed.of(row, issue)
    value = raw or row.values[name]
    return Fix(
        row=row.id,
        field=name,
        code=code,
        label=translate(FIELD_LABELS[name], language),
        shown=value.replace("-", "/") if name in DATE_FIELDS and not raw else value,
        raw=raw,
        proposals=[Proposal(each.value, translate(REPAIRS[each.why], language)) for each in repairs],
        alike=max(0, shared.repairable.get((name, code), 0) - 1) if certain(repairs) else 0,
        same=max(0, shared.same.get((name, code, raw), 0) - 1) if raw else 0,
        options=proposed.families if name == "family" else (),
    )
