"""Moving a post's files into the storage and holding them for the actor until a message takes them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import ExitStack

import structlog
from sqlalchemy.orm import Session

from models.actors import Actor
from models.database import transaction
from models.tickets import Attachment, holder_of
from rules.filenames import clean_name
from storage.store import StorageFault, Stored
from web.call import Basis, Upload
from web.errors import NotFound
from web.uploads import Body, stream_of

log = structlog.get_logger("web")


def hold(basis: Basis, body: Body, find_actor: Callable[[Session], Actor | None]) -> list[Upload]:
    """Store the files of `body` and write their rows in a short transaction of their own.

    The rows outlive a form that is refused afterwards, so nobody uploads twice; what no message takes is swept later.
    """
    stored: list[tuple[str, Stored]] = []
    with ExitStack() as undoing:
        undoing.callback(_remove, basis, stored)
        for _, upload in body.files:
            stored.append((clean_name(upload.filename or ""), basis.wiring.store.put(stream_of(upload))))
        held = _write_rows(basis, stored, find_actor)
        undoing.pop_all()
    return held


def _remove(basis: Basis, stored: Sequence[tuple[str, Stored]]) -> None:
    """Where one file or the rows found no room, none of the files stays. What cannot be removed now is swept later."""
    for _, place in stored:
        try:
            basis.wiring.store.delete(place.key)
        except StorageFault as fault:
            log.warning("a file nobody holds stays until it is swept", key=place.key, fault=str(fault))


def _write_rows(basis: Basis, stored: Sequence[tuple[str, Stored]], find_actor: Callable[[Session], Actor | None]) -> list[Upload]:
    with transaction(basis.wiring.engine) as session:
        actor = find_actor(session)
        if actor is None:
            raise NotFound
        rows = [
            Attachment(
                token=secrets.token_urlsafe(16),
                holder=holder_of(actor),
                name=name,
                size=place.size,
                sha256=place.sha256,
                storage_key=place.key,
                created_at=basis.now,
            )
            for name, place in stored
        ]
        session.add_all(rows)
        session.flush()
        return [Upload(row.id, row.token, row.name, row.size) for row in rows]
