"""証書の取込: the list of batches, a plan to look at, warnings to tick, and the one button that applies it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select
from starlette.responses import Response

from actions import import_apply, import_batches
from console.import_batch import PATH, READ, WRITE, frame_of, load, steps_of
from console.import_fixing import fixes_of
from console.import_rows import row_of
from console.paging import address, number, pager, place_of
from models.import_corrections import correction_count
from models.import_lists import Show, applied_before, batch_list, plan_page
from models.imports import BatchState, ImportBatch
from models.tickets import Attachment
from rules.refusal import Refused
from storage.store import Stored
from web.call import Call, Upload
from web.endpoint import Page, get, post
from wording.catalog import N_
from wording.dates import number as grouped
from wording.imports import FIELD_LABELS, field_labels, findings_of
from wording.refusals import say

_INDEX, _FILE, _SHOW = "console/imports/index.html", "console/imports/file.html", "console/imports/show.html"
_MIB = 1024 * 1024


def index(call: Call) -> Response:
    """Every workbook that was uploaded."""
    return call.page(_INDEX, **_list(call))


def upload(call: Call) -> Response:
    """Keep the workbook; a job reads it."""
    if not call.uploads:
        call.form.refuse(Refused("file_missing", "files"))
    for uploaded in call.uploads:
        call.form.check("files", lambda _typed, file=uploaded: _check_size(call, file))
    if call.form.failed:
        return call.invalid(_INDEX, **_list(call))
    batches = [_receive(call, uploaded) for uploaded in call.uploads]
    return call.redirect(f"{PATH}/{batches[0].id}" if len(batches) == 1 else PATH)


def show(call: Call) -> Response:
    """One batch at the step it has reached: its reading, its columns, why it cannot be read, its plan, or what applying it did."""
    batch = load(call)
    if batch.state == BatchState.RECEIVED:
        return call.page(_SHOW, block="progress", **frame_of(call), batch=batch, links=steps_of(batch))
    if call.basis.is_htmx:
        # The page waited for the reading: now it becomes another one.
        return call.redirect(f"{PATH}/{batch.id}")
    if batch.state == BatchState.MAPPING:
        return call.redirect(f"{PATH}/{batch.id}/mapping")
    return call.page(_SHOW, **_plan(call, batch))


def file(call: Call) -> Response:
    """What was uploaded, and what reading it came across."""
    batch = load(call)
    sheets = [{**sheet, "findings": findings_of(sheet, call.basis.language)} for sheet in batch.sheets]
    again = applied_before(call.session, batch) if batch.state == BatchState.PLANNED else None
    return call.page(_FILE, **frame_of(call), batch=batch, sheets=sheets, again=again, links=steps_of(batch))


def confirm(call: Call) -> Response:
    """Tick warnings, or take ticks away."""
    batch = load(call)
    try:
        if call.form.has("all"):
            import_batches.confirm_all(call.session, batch, by=call.staff, now=call.now)
        else:
            import_batches.confirm(call.session, batch, ticked=_numbers(call, "ticked"), shown=_numbers(call, "shown"), by=call.staff, now=call.now)
    except Refused as refused:
        return _refused(call, batch, refused)
    return call.redirect(_address(batch, call.form.value("show")), flash=N_("警告の確認を保存しました。"))


def apply(call: Call) -> Response:
    """Write the sound certificates."""
    batch = load(call)
    try:
        written = import_apply.apply(call.session, batch, by=call.staff, now=call.now)
    except Refused as refused:
        return _refused(call, batch, refused)
    if written.outdated:
        return call.redirect(_address(batch), flash=say(Refused("plan_outdated", n=written.outdated), call.basis.language), kind="warn")
    return call.redirect(_address(batch), flash=_applied(call, batch))


def discard(call: Call) -> Response:
    """Leave it: nothing will be written."""
    batch = load(call)
    try:
        import_batches.discard(call.session, batch, by=call.staff, now=call.now)
    except Refused as refused:
        return _refused(call, batch, refused)
    return call.redirect(PATH, flash=call.say(N_("「{file}」の取込を破棄しました。"), file=batch.file_name))


def _list(call: Call) -> dict[str, Any]:
    sheet = batch_list(call.session, place_of(call), limit=call.limits.page_rows)
    return {**frame_of(call), "rows": sheet.rows, "page": pager(PATH, {}, sheet), "headings": list(FIELD_LABELS.values())}


def _check_size(call: Call, file: Upload) -> None:
    if not file.size:
        raise Refused("file_empty", file=file.name)
    if file.size > call.limits.workbook_bytes:
        raise Refused("workbook_bytes", max=call.limits.workbook_bytes // _MIB, n=round(file.size / _MIB, 1))


def _receive(call: Call, file: Upload) -> ImportBatch:
    """The batch takes over what was held for a post."""
    held = call.session.execute(select(Attachment.storage_key, Attachment.sha256).where(Attachment.id == file.id)).one()
    call.session.execute(delete(Attachment).where(Attachment.id == file.id))
    stored = Stored(held.storage_key, file.size, held.sha256)
    return import_batches.receive(call.session, file_name=file.name, stored=stored, by=call.staff, now=call.now)


def _plan(call: Call, batch: ImportBatch) -> dict[str, Any]:
    """The context of a batch that was read."""
    chosen = next((show for show in Show if show == call.query("show")), Show.INTERESTING)
    told: dict[str, Any] = {
        **frame_of(call),
        "batch": batch,
        "show": chosen,
        "summary": batch.summary,
        "again": applied_before(call.session, batch) if batch.state == BatchState.PLANNED else None,
        "applied": _applied(call, batch) if batch.state == BatchState.APPLIED else "",
        "fields": field_labels(call.basis.language),
        "links": steps_of(batch),
        "corrected": correction_count(call.session, batch.id),
    }
    return told | (_missing_lines(call, batch) if chosen is Show.MISSING else _plan_rows(call, batch, chosen))


def _plan_rows(call: Call, batch: ImportBatch, chosen: Show) -> dict[str, Any]:
    after, before = number(call.query("after")), number(call.query("before"))
    found = plan_page(call.session, batch.id, chosen, after=after, before=before, limit=call.limits.page_rows)
    back = found.rows[0].position if found.rows and found.before else None
    onward = found.rows[-1].position if found.rows and found.after else None
    rows = [row_of(row, call.basis.language) for row in found.rows]
    return {"rows": rows, "fixes": fixes_of(call, batch, found.rows), "missing": [], "page": _turns(batch, chosen, back, onward)}


def _missing_lines(call: Call, batch: ImportBatch) -> dict[str, Any]:
    count, limit = len(batch.missing), call.limits.page_rows
    first = min(number(call.query("after")) or 0, count)
    page = _turns(batch, Show.MISSING, max(0, first - limit) if first else None, first + limit if first + limit < count else None)
    return {"rows": [], "missing": batch.missing[first : first + limit], "page": page}


def _turns(batch: ImportBatch, chosen: Show, back: int | None, onward: int | None) -> dict[str, str | None]:
    """The links to the neighbouring pages; the missing lines are paged by their place in the list."""
    backwards = "after" if chosen is Show.MISSING else "before"
    return {
        "previous_url": None if back is None else address(_address(batch), {"show": chosen.value, backwards: str(back)}),
        "next_url": None if onward is None else address(_address(batch), {"show": chosen.value, "after": str(onward)}),
    }


def _refused(call: Call, batch: ImportBatch, refused: Refused) -> Response:
    """What a rule says no to, told on the batch's own page."""
    return call.redirect(_address(batch), flash=say(refused, call.basis.language), kind="danger")


def _applied(call: Call, batch: ImportBatch) -> str:
    written, held = batch.summary["written"], batch.summary["held"]["certificates"]
    certificates, lines = grouped(written["certificates"]), grouped(written["new"] + written["changed"])
    if held:
        return call.say(N_("証書 {n}件（{m}行）を反映しました。{k}件は反映待ちです。"), n=certificates, m=lines, k=grouped(held))
    return call.say(N_("証書 {n}件（{m}行）を反映しました。"), n=certificates, m=lines)


def _address(batch: ImportBatch, chosen: str = "") -> str:
    known = chosen if chosen in [*Show] else ""
    return address(f"{PATH}/{batch.id}", {"show": known})


def _numbers(call: Call, name: str) -> set[int]:
    return {found for typed in call.form.values(name) if (found := number(typed)) is not None}


PAGES: list[Page] = [
    get(PATH, index, READ),
    post(PATH, upload, WRITE, uploads=True),
    get(f"{PATH}/{{id:int}}", show, READ),
    get(f"{PATH}/{{id:int}}/file", file, READ),
    get(f"{PATH}/{{id:int}}/review", show, READ),
    get(f"{PATH}/{{id:int}}/result", show, READ),
    post(f"{PATH}/{{id:int}}/confirmations", confirm, WRITE),
    post(f"{PATH}/{{id:int}}/application", apply, WRITE),
    post(f"{PATH}/{{id:int}}/discard", discard, WRITE),
]
