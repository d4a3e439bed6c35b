"""証書の取込: the list of batches, an upload, and each batch at the step it has reached."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select
from starlette.responses import Response

from actions import import_batches
from console.import_batch import PATH, READ, WRITE, frame_of, steps_of
from console.import_review import review
from console.paging import pager, place_of
from models.import_lists import applied_before, batch_list
from models.imports import BatchState, ImportBatch
from models.tickets import Attachment
from rules.refusal import Refused
from storage.store import Stored
from web.call import Call, Upload
from web.endpoint import Page, get, post
from wording.imports import FIELD_LABELS, field_labels, findings_of

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
    batch = call.named(ImportBatch)
    if batch.state in (BatchState.RECEIVED, BatchState.PLANNING):
        return call.page(_SHOW, block="progress", **frame_of(call), batch=batch, links=steps_of(batch))
    if call.basis.is_htmx:
        # The page waited for the reading: now it becomes another one.
        return call.redirect(f"{PATH}/{batch.id}")
    if batch.state == BatchState.MAPPING:
        return call.redirect(f"{PATH}/{batch.id}/mapping")
    if batch.state == BatchState.FAILED or not batch.summary:
        return call.page(_SHOW, **frame_of(call), batch=batch, links=steps_of(batch), fields=field_labels(call.basis.language))
    return review(call, batch)


def file(call: Call) -> Response:
    """What was uploaded, and what reading it came across."""
    batch = call.named(ImportBatch)
    sheets = [{**sheet, "findings": findings_of(sheet, call.basis.language)} for sheet in batch.sheets]
    again = applied_before(call.session, batch) if batch.state == BatchState.PLANNED else None
    return call.page(_FILE, **frame_of(call), batch=batch, sheets=sheets, again=again, links=steps_of(batch))


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


PAGES: list[Page] = [
    get(PATH, index, READ),
    post(PATH, upload, WRITE, uploads=True),
    get(f"{PATH}/{{id:int}}", show, READ),
    get(f"{PATH}/{{id:int}}/file", file, READ),
    get(f"{PATH}/{{id:int}}/review", show, READ),
    get(f"{PATH}/{{id:int}}/result", show, READ),
]
