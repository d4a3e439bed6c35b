"""Asking for a batch's workbook with its results written in, and calling that off; the job `hand_back` writes it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions import journal
from actions.import_workbook import row_count
from importers.losses import Losses
from models.actors import Actor, StaffMember
from models.handed_back import COMING, HandedBack, HandedBackState, newest_of
from models.imports import BatchState, ImportBatch
from rules.refusal import Refused
from storage.store import Stored
from wording.refusals import say

MOST_TRIES = 3
"""What broke off so often would break off for ever."""
_UNPLANNED = frozenset({BatchState.RECEIVED, BatchState.PLANNING, BatchState.MAPPING, BatchState.FAILED})


def require_rows(session: Session, batch: ImportBatch) -> None:
    """Refuse workbook_unplanned where nothing is known of the workbook's rows."""
    if batch.state in _UNPLANNED or not row_count(session, batch.id):
        raise Refused("workbook_unplanned")


def ask(session: Session, batch: ImportBatch, *, again: bool = False, by: Actor, now: datetime) -> HandedBack:
    """The workbook handed back, to be written by the job; one that is on its way or tells of the same plan is not written twice, unless `again`.

    Refuses workbook_unplanned.
    """
    session.refresh(batch, with_for_update=True)
    require_rows(session, batch)
    newest = newest_of(session, batch.id)
    if newest and (newest.is_coming or (newest.state == HandedBackState.READY and newest.revision == batch.revision and not again)):
        return newest
    asked = HandedBack(
        batch_id=batch.id,
        revision=batch.revision,
        state=HandedBackState.WAITING,
        staff_id=by.id if isinstance(by, StaffMember) else None,
        asked_by=by.name,
        asked_at=now,
        losses={},
    )
    session.add(asked)
    session.flush()
    journal.record(session, "hand_back", "import_batch", batch.id, by=by, now=now, subject_name=batch.file_name)
    return asked


def cancel(session: Session, asked: HandedBack, *, by: Actor, now: datetime) -> None:
    """Call it off; nothing happens once it is over. Refuses workbook_of_another(name) to all but the one who asked for it."""
    session.refresh(asked, with_for_update=True)
    if not asked.is_coming:
        return
    if asked.staff_id != by.id:
        raise Refused("workbook_of_another", name=asked.asked_by)
    asked.state, asked.done_at = HandedBackState.CANCELLED, now


def begin_next(session: Session, *, now: datetime) -> HandedBack | None:
    """The oldest that waits, or that was left by a process that died; None when there is none."""
    asked = session.scalars(select(HandedBack).where(HandedBack.state.in_(COMING)).order_by(HandedBack.id).limit(1)).one_or_none()
    if asked is None:
        return None
    asked.tries += 1
    asked.state, asked.progress = HandedBackState.WRITING, 0
    # Told of the plan as it stands when the writing begins.
    asked.revision = session.get_one(ImportBatch, asked.batch_id).revision
    if asked.tries > MOST_TRIES:
        fail(asked, Refused("workbook_unreadable"), now=now)
    return asked


def finish(asked: HandedBack, losses: Losses, stored: Stored, *, now: datetime) -> None:
    """It lies in the storage."""
    asked.storage_key, asked.size, asked.sha256 = stored.key, stored.size, stored.sha256
    asked.state, asked.losses, asked.progress, asked.done_at = HandedBackState.READY, losses.told(), 100, now


def leave(asked: HandedBack, *, now: datetime) -> None:
    """There is nothing to write."""
    asked.state, asked.progress, asked.done_at = HandedBackState.NOTHING, 100, now


def fail(asked: HandedBack, refused: Refused, *, now: datetime) -> None:
    """There will be none; `refused` says why."""
    asked.state, asked.refusal, asked.done_at = HandedBackState.FAILED, say(refused), now
