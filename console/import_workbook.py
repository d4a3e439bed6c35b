"""The workbook handed back: asked for, written by a job while the page shows how far it is, and fetched for some days."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import chain
from pathlib import PurePath
from typing import Any

from starlette.responses import Response, StreamingResponse

from actions import handed_back
from console.import_batch import PATH, READ, frame_of
from importers.annotate import MOST_ROWS
from importers.losses import Losses
from models.handed_back import HandedBack, HandedBackState, newest_of
from models.imports import ImportBatch
from rules.refusal import Refused
from web.call import Call
from web.downloads import disposition
from web.endpoint import Page, get, post
from web.errors import NotFound
from wording.catalog import N_
from wording.refusals import say
from wording.workbook import HANDED_BACK

_PAGE = "console/imports/workbook.html"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_NAME_CHARACTERS = 120


def show(call: Call) -> Response:
    """Where the file stands: not asked for, on its way, there with what it lacks, or why there is none."""
    batch = call.named(ImportBatch)
    asked = newest_of(call.session, batch.id)
    if asked and asked.is_coming:
        return call.page(_PAGE, block="progress", **_context(call, batch, asked))
    if call.basis.is_htmx:
        # The page waited for the file: now it becomes another one.
        return call.redirect(f"{PATH}/{batch.id}/workbook")
    return call.page(_PAGE, **_context(call, batch, asked))


def ask(call: Call) -> Response:
    """Have it written."""
    batch = call.named(ImportBatch)
    try:
        handed_back.ask(call.session, batch, again=call.form.has("again"), by=call.staff, now=call.now)
    except Refused as refused:
        call.session.rollback()
        return call.redirect(f"{PATH}/{batch.id}/workbook", flash=say(refused, call.basis.language), kind="danger")
    return call.redirect(f"{PATH}/{batch.id}/workbook")


def cancel(call: Call) -> Response:
    """Call it off."""
    batch = call.named(ImportBatch)
    asked = newest_of(call.session, batch.id)
    try:
        if asked is not None:
            handed_back.cancel(call.session, asked, by=call.staff, now=call.now)
    except Refused as refused:
        call.session.rollback()
        return call.redirect(f"{PATH}/{batch.id}/workbook", flash=say(refused, call.basis.language), kind="danger")
    return call.redirect(f"{PATH}/{batch.id}/workbook", flash=N_("ファイルの作成をやめました。"))


def download(call: Call) -> Response:
    """The xlsx; where there is none, the page that says why."""
    batch = call.named(ImportBatch)
    asked = newest_of(call.session, batch.id)
    if asked is None or asked.state != HandedBackState.READY or not asked.storage_key:
        return call.page(_PAGE, **_context(call, batch, asked))
    chunks = call.wiring.store.chunks(asked.storage_key)
    try:
        first = next(chunks, b"")
    except FileNotFoundError as lost:
        raise NotFound from lost
    headers = {
        "content-disposition": disposition(_name(batch.file_name)), "content-length": str(asked.size),
        "x-content-type-options": "nosniff", "cache-control": "private, no-store",
    }  # fmt: skip
    return StreamingResponse(chain([first], chunks), media_type=_XLSX, headers=headers)


def _context(call: Call, batch: ImportBatch, asked: HandedBack | None) -> dict[str, Any]:
    language = call.basis.language
    losses = Losses.of(asked.losses) if asked and asked.losses else None
    formulas = [loss.sentence(language) for loss in losses.lost if loss.kind == "formulas"] if losses else []
    return {
        **frame_of(call),
        "batch": batch,
        "asked": asked,
        "refused": _refused(call, batch) if asked is None else "",
        "losses": losses,
        "lost": [sentence for sentence in losses.sentences(language) if sentence not in formulas] if losses else [],
        "formulas": formulas,
        "most_rows": MOST_ROWS,
        "outdated": asked is not None and asked.revision != batch.revision,
        "mine": asked is not None and asked.staff_id == call.staff.id,
        "until": _until(call, asked),
    }


def _refused(call: Call, batch: ImportBatch) -> str:
    try:
        handed_back.require_rows(call.session, batch)
    except Refused as refused:
        return say(refused, call.basis.language)
    return ""


def _until(call: Call, asked: HandedBack | None) -> datetime | None:
    """So long it lies there."""
    return asked.done_at + timedelta(days=call.limits.kept_workbook_days) if asked and asked.done_at else None


def _name(file_name: str) -> str:
    return HANDED_BACK.format(stem=PurePath(file_name).stem[:_NAME_CHARACTERS])


_WORKBOOK = f"{PATH}/{{id:int}}/workbook"
PAGES: list[Page] = [
    get(_WORKBOOK, show, READ),
    post(_WORKBOOK, ask, READ),
    post(f"{_WORKBOOK}/cancellation", cancel, READ),
    get(f"{_WORKBOOK}/file", download, READ),
]
