"""The workbook handed back: what it would lack, told before the download, and the download itself."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import IO

from starlette.responses import Response, StreamingResponse

from actions.import_workbook import batch_rows, row_count
from console.frame import frame
from importers.annotate import MOST_ROWS, annotate, losses
from importers.losses import Losses
from models.actors import StaffMember
from models.database import transaction
from models.imports import BatchState, ImportBatch, ImportRow
from rules.refusal import Refused
from rules.rights import Area, Right
from web.access import staff
from web.call import Basis, Call
from web.downloads import disposition
from web.endpoint import Page, find_actor, get
from web.errors import NotFound
from wording.refusals import say
from wording.workbook import HANDED_BACK

_PATH = "/console/imports/{id:int}/workbook"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_READ = staff(Area.IMPORTS, Right.READ)
_AT_ONCE = threading.BoundedSemaphore(2)
"""So many processes of this one open workbooks at a time; others wait their turn."""
_CHUNK = 256 * 1024
_NAME_CHARACTERS = 120


@dataclass(frozen=True)
class Prepared:
    """What was worked out before the transaction: the losses, the file where it was asked for, or why there is none."""

    losses: Losses | None = None
    waiting: bool = True
    """Whether any row needs a look."""
    file: IO[bytes] | None = None
    name: str = ""
    refused: Refused | None = None


def look(basis: Basis) -> Prepared | None:
    """What the workbook handed back would lack; None where the actor may not see it, or there is no plan."""
    return _prepare(basis, write=False)


def write(basis: Basis) -> Prepared | None:
    """The workbook itself."""
    return _prepare(basis, write=True)


def show(call: Call) -> Response:
    """What stands in the file, and what it lacks."""
    prepared = _prepared(call)
    batch = call.session.get_one(ImportBatch, call.param("id"))
    language = call.basis.language
    told = prepared.losses.sentences(language) if prepared.losses else []
    formulas = [loss.sentence(language) for loss in prepared.losses.lost if loss.kind == "formulas"] if prepared.losses else []
    return call.page(
        "console/imports/workbook.html",
        **frame(call),
        batch=batch,
        refused=say(prepared.refused, language) if prepared.refused else "",
        losses=prepared.losses,
        lost=[sentence for sentence in told if sentence not in formulas],
        formulas=formulas,
        waiting=prepared.waiting,
        most_rows=MOST_ROWS,
    )


def download(call: Call) -> Response:
    """The xlsx; where it cannot be made, the page that says why."""
    prepared = _prepared(call)
    if prepared.file is None:
        return show(call)
    headers = {"content-disposition": disposition(prepared.name), "x-content-type-options": "nosniff", "cache-control": "private, no-store"}
    return StreamingResponse(_pieces(prepared.file), media_type=_XLSX, headers=headers)


def _prepared(call: Call) -> Prepared:
    prepared: Prepared | None = call.basis.prepared
    if prepared is None:
        raise NotFound
    return prepared


def _prepare(basis: Basis, *, write: bool) -> Prepared | None:
    wanted: int = basis.request.path_params["id"]
    with transaction(basis.wiring.engine, readonly=True) as session:
        actor = find_actor(basis, session).actor
        batch = session.get(ImportBatch, wanted) if wanted < 2**31 else None
        # The access check of the route comes later; nobody else shall start a process before it.
        if batch is None or not (isinstance(actor, StaffMember) and actor.may(Area.IMPORTS, Right.READ)):
            return None
        planned = batch.state not in (BatchState.RECEIVED, BatchState.FAILED)
        count = row_count(session, batch.id)
        waiting = session.query(ImportRow.id).filter(ImportRow.batch_id == batch.id, ImportRow.held_by != 0).limit(1).first() is not None
        rows = list(batch_rows(session, batch.id)) if write else []
    if not count or not planned:
        return Prepared(refused=Refused("workbook_unplanned"))
    with _AT_ONCE, tempfile.TemporaryDirectory(prefix="jtickets-import-") as made:
        path = Path(made) / "workbook"
        try:
            basis.wiring.store.fetch(batch.storage_key, path)
            if not write:
                return Prepared(losses(path, rows=count), waiting=waiting)
            out = Path(made) / "out.xlsx"
            found = annotate(path, batch.file_name, rows, out, sheets=batch.sheets)
            # Unlinked with its folder, read until it is closed.
            return Prepared(found, waiting=waiting, file=out.open("rb"), name=_name(batch.file_name))
        except Refused as refused:
            return Prepared(waiting=waiting, refused=refused)
        except FileNotFoundError:
            return Prepared(waiting=waiting, refused=Refused("workbook_lost"))


def _name(file_name: str) -> str:
    return HANDED_BACK.format(stem=PurePath(file_name).stem[:_NAME_CHARACTERS])


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_CHUNK):
            yield piece


PAGES: list[Page] = [
    get(_PATH, show, _READ, prepare=look),
    get(f"{_PATH}/file", download, _READ, prepare=write),
]
