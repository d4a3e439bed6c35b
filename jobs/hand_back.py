"""Writing the workbooks that are handed back, one after the other, with progress that a page shows and a cancel that ends the writing."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions import handed_back
from actions.import_workbook import batch_rows
from actions.jobs import Counts, Run, confirm
from importers.annotate import annotate
from importers.losses import Losses
from jobs.parts import Parts
from models.database import transaction
from models.handed_back import COMING, HandedBack, HandedBackState
from models.imports import ImportBatch
from rules.refusal import Refused

FOLDER = "handed-back"
_FETCHED, _WRITTEN = 5, 95
"""Percent of the work."""
_AT_ONCE = 100


class Dropped(Exception):
    """Somebody called it off while it was written."""


def has_asked(session: Session, _now: datetime) -> bool:
    """Whether somebody waits for a workbook."""
    return session.scalar(select(HandedBack.id).where(HandedBack.state.in_(COMING)).limit(1)) is not None


def hand_back(parts: Parts, run: Run) -> Counts:
    """Write every workbook that was asked for, the oldest first."""
    counts = {"written": 0, "failed": 0}
    while (asked_id := _begin(parts, run)) is not None:
        with suppress(Dropped):
            counts["written" if _write(parts, run, asked_id) else "failed"] += 1
    return {name: count for name, count in counts.items() if count}


def forget(parts: Parts, run: Run, *, now: datetime) -> int:
    """Drop those whose days are over, the bytes after the rows; how many."""
    forgotten = 0
    over = HandedBack.done_at < now - timedelta(days=parts.limits.kept_workbook_days)
    while True:
        with transaction(parts.engine) as session:
            confirm(session, run)
            old = session.scalars(select(HandedBack).where(over, HandedBack.state.not_in(COMING)).order_by(HandedBack.id).limit(_AT_ONCE)).all()
            keys = [row.storage_key for row in old if row.storage_key]
            for row in old:
                session.delete(row)
        for key in keys:
            parts.store.delete(key)
        forgotten += len(old)
        if len(old) < _AT_ONCE:
            return forgotten


def _begin(parts: Parts, run: Run) -> int | None:
    while True:
        with transaction(parts.engine) as session:
            confirm(session, run)
            asked = handed_back.begin_next(session, now=parts.clock())
            if asked is None or asked.is_coming:
                return asked and asked.id


def _write(parts: Parts, run: Run, asked_id: int) -> bool:
    """Write one; False when that cannot be done, and it says why. Raises Dropped."""
    with transaction(parts.engine, readonly=True) as session:
        batch = session.get_one(ImportBatch, _writing(session, asked_id).batch_id)
        file_name, storage_key, sheets, rows = batch.file_name, batch.storage_key, batch.sheets, list(batch_rows(session, batch.id))
    with tempfile.TemporaryDirectory(prefix="jtickets-handed-back-") as made:
        path, out = Path(made) / "workbook", Path(made) / "out.xlsx"
        try:
            parts.store.fetch(storage_key, path)
            _tell(parts, run, asked_id, _FETCHED)
            losses = annotate(path, file_name, rows, out, sheets=sheets, watch=_Watch(parts, run, asked_id))
        except Refused as refused:
            return _fail(parts, run, asked_id, refused)
        except FileNotFoundError:
            return _fail(parts, run, asked_id, Refused("workbook_lost"))
        if not losses.kept_workbook and not any(row.held for row in rows):
            return _leave(parts, run, asked_id)
        return _keep(parts, run, asked_id, losses, out)


class _Watch:
    """Looked at each moment while the file is written: keeps the percent, and ends the writing when it is called off."""

    def __init__(self, parts: Parts, run: Run, asked_id: int) -> None:
        self._parts, self._run, self._asked_id, self._told = parts, run, asked_id, 0

    def __call__(self, percent: int) -> None:
        if percent != self._told:
            self._told = percent
            _tell(self._parts, self._run, self._asked_id, _FETCHED + (_WRITTEN - _FETCHED) * percent // 100)
            return
        with transaction(self._parts.engine, readonly=True) as session:
            _writing(session, self._asked_id)


def _keep(parts: Parts, run: Run, asked_id: int, losses: Losses, out: Path) -> bool:
    _tell(parts, run, asked_id, _WRITTEN)
    with out.open("rb") as file:
        stored = parts.store.put(file, folder=FOLDER)
    try:
        with transaction(parts.engine) as session:
            confirm(session, run)
            handed_back.finish(_writing(session, asked_id), losses, stored, now=parts.clock())
    except Dropped:
        parts.store.delete(stored.key)
        raise
    return True


def _leave(parts: Parts, run: Run, asked_id: int) -> bool:
    with transaction(parts.engine) as session:
        confirm(session, run)
        handed_back.leave(_writing(session, asked_id), now=parts.clock())
    return True


def _fail(parts: Parts, run: Run, asked_id: int, refused: Refused) -> bool:
    with transaction(parts.engine) as session:
        confirm(session, run)
        handed_back.fail(_writing(session, asked_id), refused, now=parts.clock())
    return False


def _tell(parts: Parts, run: Run, asked_id: int, percent: int) -> None:
    with transaction(parts.engine) as session:
        confirm(session, run)
        _writing(session, asked_id).progress = percent


def _writing(session: Session, asked_id: int) -> HandedBack:
    """The one that is written. Raises Dropped."""
    asked = session.get(HandedBack, asked_id)
    if asked is None or asked.state != HandedBackState.WRITING:
        raise Dropped
    return asked
