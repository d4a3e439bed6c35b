"""Moving a post's files into the storage and holding them for the actor until a message takes them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import IO

import structlog
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse, Response

from models.actors import Actor
from models.database import transaction
from models.log_patterns import log_patterns
from models.tickets import Attachment, holder_of
from rules.filenames import clean_name
from rules.logs import READ_BYTES, Found, Pattern, readable, scan
from rules.refusal import Refused
from storage.store import StorageFault, Stored
from web.call import Basis, Call, Upload
from web.errors import NotFound
from web.forms import BadRequest
from web.uploads import Body, stream_of

log = structlog.get_logger("web")
_Kept = tuple[str, Found, Stored]
"""A file's name, what it says of a device, and where its bytes lie."""


def hold(basis: Basis, body: Body, find_actor: Callable[[Session], Actor | None]) -> list[Upload]:
    """Store the files of `body` and write their rows in a short transaction of their own.

    The rows outlive a form that is refused afterwards, so nobody uploads twice; what no message takes is swept later.
    """
    with transaction(basis.wiring.engine, readonly=True) as session:
        patterns = log_patterns(session)
    stored: list[_Kept] = []
    with ExitStack() as undoing:
        undoing.callback(_remove, basis, stored)
        for _, upload in body.files:
            stored.append((clean_name(upload.filename or ""), _read(stream_of(upload), patterns), basis.wiring.store.put(stream_of(upload))))
        held = _write_rows(basis, stored, find_actor)
        undoing.pop_all()
    return held


def _remove(basis: Basis, stored: Sequence[_Kept]) -> None:
    """Where one file or the rows found no room, none of the files stays. What cannot be removed now is swept later."""
    for _, _, place in stored:
        try:
            basis.wiring.store.delete(place.key)
        except StorageFault as fault:
            log.warning("a file nobody holds stays until it is swept", key=place.key, fault=str(fault))


def _write_rows(basis: Basis, stored: Sequence[_Kept], find_actor: Callable[[Session], Actor | None]) -> list[Upload]:
    with transaction(basis.wiring.engine) as session:
        actor = find_actor(session)
        if actor is None:
            raise NotFound
        rows = [
            Attachment(
                token=secrets.token_urlsafe(16),
                holder=holder_of(actor),
                name=name,
                found=found,
                size=place.size,
                sha256=place.sha256,
                storage_key=place.key,
                created_at=basis.now,
            )
            for name, found, place in stored
        ]
        session.add_all(rows)
        session.flush()
        return [Upload(row.id, row.token, row.name, row.size) for row in rows]


def _read(stream: IO[bytes], patterns: Sequence[Pattern]) -> Found:
    """What the beginning of a file says of a device; the stream is at its beginning again."""
    head = stream.read(READ_BYTES)
    stream.seek(0)
    return scan(readable(head), patterns)


def answer_held(call: Call) -> Response:
    """What static/uploads.js asks for a file it sent ahead: its token for the form's `held`, or the sentence why not (422)."""
    if len(call.uploads) != 1:
        raise BadRequest(f"{len(call.uploads)} files at once")
    (upload,) = call.uploads
    if not upload.size:
        call.form.refuse(Refused("file_empty", "files", file=upload.name))
        return call.finish(JSONResponse({"said": call.form.error("files")}, status_code=422))
    return call.finish(JSONResponse({"token": upload.token, "name": upload.name, "size": upload.size}))
