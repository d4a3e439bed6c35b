"""Giving back the try of a workbook that the storage broke off: it is none the worse for it, and would be given up after a few seconds."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobs.plan_import import MOST_TRIES
from models.handed_back import HandedBack, HandedBackState
from models.imports import BatchState, ImportBatch


def give_back_reading(session: Session) -> None:
    """Of the workbook that is read, the oldest that waits. Its tries stand where its percent will."""
    reading = select(ImportBatch).where(ImportBatch.state == BatchState.RECEIVED, ImportBatch.progress.between(1, MOST_TRIES))
    batch = session.scalars(reading.order_by(ImportBatch.id).limit(1)).one_or_none()
    if batch is not None:
        batch.progress -= 1


def give_back_writing(session: Session) -> None:
    """Of the workbook that is written."""
    writing = select(HandedBack).where(HandedBack.state == HandedBackState.WRITING, HandedBack.tries > 0)
    asked = session.scalars(writing.order_by(HandedBack.id).limit(1)).one_or_none()
    if asked is not None:
        asked.tries -= 1
