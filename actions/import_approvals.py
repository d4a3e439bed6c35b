"""承認: a plan that withdraws lines or moves a party to another registrable domain waits for a second person (REQUIREMENTS, N24)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from actions import import_apply, journal
from actions.import_apply import Written
from actions.import_batches import fingerprint, require
from models.actors import Actor, StaffMember
from models.imports import BatchState, ImportBatch
from rules.refusal import Refused


def needs_approval(batch: ImportBatch) -> bool:
    """Whether the plan withdraws lines or changes a party's registrable domain."""
    ready = batch.summary.get("ready", {})
    return bool(ready.get("withdrawn") or ready.get("domains"))


def may_approve(batch: ImportBatch, member: StaffMember) -> bool:
    """Whether `member` is a second person: neither who uploaded the workbook nor who asked."""
    return member.id not in (batch.staff_id, batch.asked_id)


def ask(session: Session, batch: ImportBatch, *, by: StaffMember, now: datetime, seen: str | None = None, all_or_nothing: bool = False) -> None:
    """Let the plan wait for a second person, as it stands. Refuses batch_state(state), plan_changed, nothing_to_apply."""
    session.refresh(batch, with_for_update=True)
    require(batch, BatchState.PLANNED)
    if seen is not None and seen != fingerprint(batch):
        raise Refused("plan_changed")
    if not batch.summary["ready"]["certificates"]:
        raise Refused("nothing_to_apply")
    batch.state, batch.asked_id, batch.asked_by, batch.asked_at = BatchState.WAITING, by.id, by.name, now
    batch.summary = {**batch.summary, "all_or_nothing": all_or_nothing}
    session.flush()
    ready = batch.summary["ready"]
    told = {"withdrawn": ready["withdrawn"], "domains": ready["domains"]}
    journal.record(session, "ask_approval", "import_batch", batch.id, by=by, now=now, subject_name=batch.file_name, **told)


def approve(session: Session, batch: ImportBatch, *, by: StaffMember, now: datetime, seen: str | None = None) -> Written:
    """Approve the plan and apply it. If certificates changed meanwhile, they are planned anew, and nobody has approved that.

    Refuses batch_state(state), own_import, and what `actions.import_apply.apply` refuses.
    """
    session.refresh(batch, with_for_update=True)
    require(batch, BatchState.WAITING)
    if not may_approve(batch, by):
        raise Refused("own_import")
    batch.state, batch.approved_by, batch.approved_at = BatchState.PLANNED, by.name, now
    session.flush()
    written = import_apply.apply(session, batch, by=by, now=now, seen=seen, all_or_nothing=bool(batch.summary.get("all_or_nothing")))
    if written.outdated:
        batch.approved_by, batch.approved_at = "", None
    else:
        journal.record(session, "approve", "import_batch", batch.id, by=by, now=now, subject_name=batch.file_name, asked_by=batch.asked_by)
    return written


def decline(session: Session, batch: ImportBatch, *, reason: str, by: Actor, now: datetime) -> None:
    """Give the plan back for review; who asked may do so too. Refuses batch_state(state)."""
    session.refresh(batch, with_for_update=True)
    require(batch, BatchState.WAITING)
    batch.state = BatchState.PLANNED
    journal.record(session, "decline_approval", "import_batch", batch.id, by=by, now=now, subject_name=batch.file_name, reason=reason)
