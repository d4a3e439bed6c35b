"""Bytes and rows of uploads that no message took."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import chain, islice
from pathlib import Path

from sqlalchemy import delete, select

from actions.files import FOLDERS
from actions.jobs import Counts, Run, confirm
from jobs import hand_back
from jobs.parts import Parts
from models.database import transaction
from models.handed_back import HandedBack
from models.imports import ImportBatch
from models.tickets import Attachment

HELD_FOR = timedelta(days=7)
"""So long a file waits for the form it was uploaded with."""
YOUNG = timedelta(hours=1)
"""Bytes this young may belong to an upload whose row is still to be written."""
_AT_ONCE = 500
_WORKING = ("jtickets-import-*", "jtickets-handed-back-*", "jtickets-workbook-*")
"""The folders in which workbooks are read and written."""
_LEFT = 86_400.0
"""Seconds after which one is nobody's: no run takes so long."""


def sweep_uploads(parts: Parts, run: Run) -> Counts:
    """Delete held files nobody posted, workbooks handed back whose days are over, bytes that no row names, and what killed processes left half written."""
    now = parts.clock()
    held, written = _forget_held(parts, run, now), hand_back.forget(parts, run, now=now)
    orphans = 0
    listed = chain.from_iterable(parts.store.listing(folder) for folder in FOLDERS)
    for keys in _chunks(key for key, changed_at in listed if changed_at < now - YOUNG):
        for key in _unnamed(parts, run, keys):
            parts.store.delete(key)
            orphans += 1
    orphans += parts.store.forget_begun(older=YOUNG) + _forget_working()
    return {name: count for name, count in (("held", held), ("handed_back", written), ("orphans", orphans)) if count}


def _forget_working() -> int:
    """Remove the folders of this host in which a process was killed over a workbook; how many."""
    forgotten, place = 0, Path(tempfile.gettempdir())
    for folder in chain.from_iterable(place.glob(name) for name in _WORKING):
        with suppress(OSError):
            if folder.stat().st_mtime < time.time() - _LEFT:
                shutil.rmtree(folder)
                forgotten += 1
    return forgotten


def _forget_held(parts: Parts, run: Run, now: datetime) -> int:
    """Rows first, bytes after the commit: what breaks off in between is an orphan of the next sweep."""
    forgotten = 0
    while True:
        with transaction(parts.engine) as session:
            confirm(session, run)
            # A file without post and without holder is evidence of a request.
            held = (Attachment.message_id.is_(None), Attachment.holder != "")
            old = select(Attachment.id).where(*held, Attachment.created_at < now - HELD_FOR).limit(_AT_ONCE)
            # Asked again in the DELETE: a message may take the file this very moment.
            statement = delete(Attachment).where(Attachment.id.in_(session.scalars(old).all()), *held)
            keys = session.scalars(statement.returning(Attachment.storage_key), execution_options={"synchronize_session": False}).all()
        for key in keys:
            parts.store.delete(key)
        forgotten += len(keys)
        if len(keys) < _AT_ONCE:
            return forgotten


def _unnamed(parts: Parts, run: Run, keys: list[str]) -> list[str]:
    with transaction(parts.engine) as session:
        confirm(session, run)
        named = set(session.scalars(select(Attachment.storage_key).where(Attachment.storage_key.in_(keys))))
        named |= set(session.scalars(select(HandedBack.storage_key).where(HandedBack.storage_key.in_(keys))))
        named |= set(session.scalars(select(ImportBatch.storage_key).where(ImportBatch.storage_key.in_(keys))))
    return [key for key in keys if key not in named]


def _chunks(keys: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(keys)
    while chunk := list(islice(iterator, _AT_ONCE)):
        yield chunk
