"""Putting a plan's cells right in the browser: one cell, a whole row, all cells of one cause; and taking it back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from starlette.responses import Response

from actions import import_corrections, import_repairs
from actions.import_corrections import CellFix
from console.import_batch import PATH, READ, WRITE, frame_of, steps_of
from console.import_fixing import fixes_of, may_fix, typed_name
from console.import_review import shown_in
from console.paging import address, number
from models.import_corrections import correction_count, correction_page, corrections_of, find_correction
from models.imports import ImportBatch, ImportRow
from rules.calendar import tokyo_date
from rules.lines import DATE_FIELDS, FIELDS, REQUIRED_FIELDS
from rules.refusal import Refused
from web.call import Call
from web.endpoint import Page, get, post
from web.errors import or_not_found
from wording.catalog import N_
from wording.dates import number as grouped
from wording.imports import field_labels, retell
from wording.refusals import say

_ROW, _LIST = "console/imports/row.html", "console/imports/corrections.html"


@dataclass(frozen=True)
class FieldView:
    """One cell of a row's page."""

    name: str
    label: str
    value: str
    required: bool
    note: str
    """What reading said of it."""


def row(call: Call) -> Response:
    """One row of the workbook, every cell of it to be put right."""
    batch = call.named(ImportBatch)
    return call.page(_ROW, **_row(call, batch, _row_of(call, batch, call.param("row"))))


def correct_row(call: Call) -> Response:
    """Put the changed cells of a row right."""
    batch = call.named(ImportBatch)
    found = _row_of(call, batch, call.param("row"))
    before = {view.name: view.value for view in _views(call, found)}
    typed = {name: call.form.value(name) for name in FIELDS if call.form.has(name)}
    fixes = [CellFix(found.id, name, text) for name, text in typed.items() if text != before[name]]
    try:
        count = import_corrections.correct(call.session, batch, fixes, by=call.staff, now=call.now, today=tokyo_date(call.now))
    except Refused as refused:
        call.form.refuse(refused)
        return call.invalid(_ROW, **_row(call, batch, found))
    return _done(call, batch, found.id, count)


def correct_cell(call: Call) -> Response:
    """Put one cell right, or with it all cells that show the same or that have the same cause."""
    batch = call.named(ImportBatch)
    found = _find_row(call, batch, number(call.form.value("row")) or 0)
    if found is None:
        return call.redirect(f"{PATH}/{batch.id}", flash=say(Refused("cell_gone"), call.basis.language), kind="danger")
    name, code = call.form.value("field"), call.form.value("code")
    typed = call.form.value("repair") or call.form.value(typed_name(found.id, name))
    fix = CellFix(found.id, name, typed)
    by, now, today = call.staff, call.now, tokyo_date(call.now)
    try:
        if call.form.has("alike"):
            count = import_repairs.repair_alike(call.session, batch, (name, code), by=by, now=now, today=today)
        elif call.form.has("same"):
            count = import_repairs.correct_same(call.session, batch, fix, (name, code), call.form.value("raw"), by=by, now=now, today=today)
        else:
            count = import_corrections.correct(call.session, batch, [fix], by=by, now=now, today=today)
    except Refused as refused:
        return _refused(call, batch, found, fix, refused)
    return _done(call, batch, found.id, count)


def corrections(call: Call) -> Response:
    """Every cell that was put right, and what the workbook says there."""
    batch = call.named(ImportBatch)
    after = number(call.query("after"))
    found, more = correction_page(call.session, batch.id, after=after, limit=call.limits.page_rows)
    here = f"{PATH}/{batch.id}/corrections"
    page = {"previous_url": here if after else None, "next_url": address(here, {"after": str(found[-1].id)}) if more else None}
    labels = field_labels(call.basis.language)
    return call.page(_LIST, **frame_of(call), batch=batch, rows=found, page=page, labels=labels, open=may_fix(call, batch), links=steps_of(batch))


def withdraw(call: Call) -> Response:
    """Let one cell say again what the workbook says."""
    batch = call.named(ImportBatch)
    found = or_not_found(find_correction(call.session, batch, call.param("correction")))
    return _withdrawn(call, batch, [found])


def withdraw_all(call: Call) -> Response:
    """Let every cell say again what the workbook says."""
    batch = call.named(ImportBatch)
    return _withdrawn(call, batch, list(corrections_of(call.session, batch.id)))


def _withdrawn(call: Call, batch: ImportBatch, found: list[Any]) -> Response:
    here = f"{PATH}/{batch.id}/corrections"
    try:
        import_corrections.withdraw(call.session, batch, found, by=call.staff, now=call.now, today=tokyo_date(call.now))
    except Refused as refused:
        call.session.rollback()
        return call.redirect(here, flash=say(refused, call.basis.language), kind="danger")
    return call.redirect(here, flash=call.say(N_("{n}セルの修正を取り消し、ファイルの値に戻しました。"), n=grouped(len(found))))


def _done(call: Call, batch: ImportBatch, row_id: int, count: int) -> Response:
    """Back to where the cell stood. `fixed` makes the address another one: the same one would only be scrolled to."""
    chosen = call.form.value("show")
    kept = {"show": shown_in(chosen), "after": _place(call, "after"), "before": _place(call, "before")}
    path = address(f"{PATH}/{batch.id}/review", {**kept, "fixed": f"{correction_count(call.session, batch.id)}-{call.now.timestamp():.3f}"})
    told = call.say(N_("{n}セルを直し、その証書を確かめ直しました。"), n=grouped(count)) if count else call.say(N_("変わったセルはありません。"))
    return call.redirect(f"{path}#row-{row_id}", flash=told)


def _place(call: Call, name: str) -> str:
    found = number(call.form.value(name))
    return "" if found is None else str(found)


def _refused(call: Call, batch: ImportBatch, found: ImportRow, fix: CellFix, refused: Refused) -> Response:
    """The error at the cell, what was typed kept: below its row, or on the row's own page where there is no script."""
    fixes = fixes_of(call, batch, [found]).get(found.id, {})
    if call.basis.is_htmx and fix.field in fixes and refused.field == fix.field:
        told = {**fixes, fix.field: replace(fixes[fix.field], error=say(refused, call.basis.language))}
        return call.invalid(_ROW, block="fixes", batch=batch, row=found, fixes=told, show=call.form.value("show"))
    call.form.refuse(refused)
    return call.invalid(_ROW, **_row(call, batch, found, typed={fix.field: fix.typed}))


def _row_of(call: Call, batch: ImportBatch, row_id: int) -> ImportRow:
    """A row of the batch's workbook. Raises NotFound."""
    return or_not_found(_find_row(call, batch, row_id))


def _find_row(call: Call, batch: ImportBatch, row_id: int) -> ImportRow | None:
    mine = select(ImportRow).where(ImportRow.batch_id == batch.id, ImportRow.id == row_id, ImportRow.row > 0)
    return call.session.scalars(mine).one_or_none()


def _row(call: Call, batch: ImportBatch, found: ImportRow, *, typed: dict[str, str] | None = None) -> dict[str, Any]:
    views = [replace(view, value=(typed or {}).get(view.name, view.value)) for view in _views(call, found)]
    if call.form.failed:
        views = [replace(view, value=call.form.value(view.name, view.value)) for view in views]
    sheet = next((sheet for sheet in batch.sheets if sheet["name"] == found.sheet), None)
    return {
        **frame_of(call), "batch": batch, "row": found, "views": views, "open": may_fix(call, batch), "links": steps_of(batch),
        "fixes": fixes_of(call, batch, [found]).get(found.id, {}), "show": "", "sheet": sheet,
    }  # fmt: skip


def _views(call: Call, found: ImportRow) -> list[FieldView]:
    labels, language = field_labels(call.basis.language), call.basis.language
    views: list[FieldView] = []
    for name in FIELDS:
        told = [issue for issue in (*found.errors, *found.warnings) if issue["field"] == name]
        raw = next((issue["raw"] for issue in told if issue.get("raw")), "")
        value = raw or (found.values[name].replace("-", "/") if name in DATE_FIELDS else found.values[name])
        note = " ".join(retell(issue["message"], language) for issue in told)
        views.append(FieldView(name, labels[name], value, name in REQUIRED_FIELDS, note))
    return views


PAGES: list[Page] = [
    get(f"{PATH}/{{id:int}}/rows/{{row:int}}", row, READ),
    post(f"{PATH}/{{id:int}}/rows/{{row:int}}", correct_row, WRITE),
    get(f"{PATH}/{{id:int}}/corrections", corrections, READ),
    post(f"{PATH}/{{id:int}}/corrections", correct_cell, WRITE),
    post(f"{PATH}/{{id:int}}/corrections/withdrawal", withdraw_all, WRITE),
    post(f"{PATH}/{{id:int}}/corrections/{{correction:int}}/withdrawal", withdraw, WRITE),
]
