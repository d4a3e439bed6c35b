"""列の対応: what each column of an uploaded workbook holds, beside its real values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from actions import import_mapping
from actions.import_mapping import CHOICES, SheetChoice
from console.import_batch import PATH, READ, WRITE, frame_of, steps_of
from console.paging import number
from models.imports import BatchState, ImportBatch
from rules.refusal import Refused
from rules.rights import Area, Right
from web.call import Call
from web.endpoint import Page, get, post
from wording.catalog import N_, translate
from wording.imports import FIELD_LABELS, MAPPING_CHOICES

_PAGE = "console/imports/mapping.html"
_ASKED = (BatchState.MAPPING, BatchState.PLANNED, BatchState.FAILED)


@dataclass(frozen=True)
class ColumnView:
    """One column: its letters, heading, first values, and the field it holds ("" for none)."""

    letters: str
    heading: str
    values: Sequence[str]
    chosen: str


@dataclass(frozen=True)
class SheetView:
    """One sheet with the choices to make."""

    number: int
    name: str
    rows: int
    skip: bool
    reason: str
    """Why it is not read, "" where it is."""
    heading_row: int | None
    columns: Sequence[ColumnView]
    head: Sequence[Mapping[str, Any]]
    missing: Sequence[str]
    """Required fields that no column holds."""
    family_of_sheet: bool
    recalled: bool
    unmapped: Sequence[str] = field(default_factory=list[str])


def show(call: Call) -> Response:
    """The columns of every sheet, and what they hold."""
    batch = call.named(ImportBatch)
    return call.page(_PAGE, **_context(call, batch))


def choose(call: Call) -> Response:
    """Keep what a person says; the workbook is read anew."""
    batch = call.named(ImportBatch)
    if call.form.value("seen") != _seen(batch):
        call.form.refuse(Refused("mapping_gone"))
    else:
        try:
            import_mapping.choose(call.session, batch, _choices(call, batch), by=call.staff, now=call.now)
        except Refused as refused:
            call.form.refuse(_named(refused, call.basis.language))
    if call.form.failed:
        return call.invalid(_PAGE, **_context(call, batch))
    return call.redirect(f"{PATH}/{batch.id}", flash=N_("列の対応を保存しました。ファイルを読み直しています。"))


def _context(call: Call, batch: ImportBatch) -> dict[str, Any]:
    language = call.basis.language
    choices = {name: translate(MAPPING_CHOICES.get(name) or FIELD_LABELS[name], language) for name in CHOICES}
    sheets = [_view(index, sheet, call) for index, sheet in enumerate(batch.sheets)]
    may = call.staff.may(Area.IMPORTS, Right.WRITE) and batch.state in _ASKED
    return {**frame_of(call), "batch": batch, "sheets": sheets, "choices": choices, "open": may, "seen": _seen(batch), "links": steps_of(batch)}


def _view(index: int, sheet: Mapping[str, Any], call: Call) -> SheetView:
    held = {column["column"]: name for name, column in sheet.get("columns", {}).items()}
    posted = call.form.has(f"read-{index}") or call.form.has(f"listed-{index}")
    columns = [
        ColumnView(
            told["column"],
            told["heading"],
            told["values"],
            call.form.value(f"column-{index}-{told['column']}") if posted else held.get(told["column"], ""),
        )
        for told in sheet.get("preview", ())
    ]
    return SheetView(
        number=index,
        name=sheet["name"],
        rows=sheet["rows"],
        skip=not call.form.has(f"read-{index}") if posted else bool(sheet["skipped"]),
        reason=sheet["skipped"] or "",
        heading_row=sheet["heading_row"],
        columns=columns,
        head=sheet.get("head", ()),
        missing=sheet.get("missing", ()),
        family_of_sheet="family" not in sheet.get("columns", {}) and "family" not in sheet.get("missing", ()),
        recalled=bool(sheet.get("remembered")),
        unmapped=sheet.get("unmapped", ()),
    )


def _choices(call: Call, batch: ImportBatch) -> list[SheetChoice]:
    """What the form says of each sheet."""
    found: list[SheetChoice] = []
    for index, sheet in enumerate(batch.sheets):
        row = number(call.form.value(f"heading-{index}"))
        columns: dict[str, str] = {}
        for told in sheet.get("preview", ()):
            name = call.form.value(f"column-{index}-{told['column']}")
            columns[told["column"]] = name if name in CHOICES else ""
        # Another heading row makes other columns: they are told by it, and shown again.
        moved = row is not None and row != sheet["heading_row"]
        skip = not call.form.has(f"read-{index}")
        found.append(SheetChoice(sheet["name"], skip, row, {} if moved else columns))
    return found


def _seen(batch: ImportBatch) -> str:
    """What tells one reading of the workbook from the next."""
    return ".".join(str(sheet.get("fingerprint", ""))[:8] + str(sheet["heading_row"] or 0) for sheet in batch.sheets[:20])


def _named(refused: Refused, language: str) -> Refused:
    """The refusal with the field's own word."""
    if refused.code != "mapping_twice":
        return refused
    name = str(refused.facts["column"])
    label = MAPPING_CHOICES.get(name) or FIELD_LABELS[name]
    return Refused(refused.code, refused.field, **{**refused.facts, "column": translate(label, language)})


PAGES: list[Page] = [
    get(f"{PATH}/{{id:int}}/mapping", show, READ),
    post(f"{PATH}/{{id:int}}/mapping", choose, WRITE),
]
