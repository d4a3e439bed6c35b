"""What a restored desk must know: letters that may have gone since, and numbers that were given since."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Table, select, update
from sqlalchemy.orm import Session

from actions import journal
from actions.files import forget_swept
from models import load
from models.actors import SYSTEM
from models.base import NEVER, NEVER_REUSED, Base
from models.database import start_numbers_at
from models.dumps import next_number
from models.journal import JournalEntry
from models.outbox import Letter, LetterState

RESTORED = "restored"


def settle_restored(session: Session, *, taken_at: datetime, numbers: int, swept: Sequence[str], now: datetime) -> int:
    """Park the letters that were on their way when the backup was taken, and let ticket and receipt numbers go on `numbers` above the highest.

    Those letters may have left in the time that is lost: staff see them among the failed ones and send again what did not arrive. The numbers
    given in that time stand in people's mail: none is given a second time. Rows of `swept` bytes go, as they went while the backup was taken.
    Returns how many letters were parked.
    """
    forget_swept(session, swept)
    waiting = update(Letter).where(Letter.state.in_([LetterState.WAITING, LetterState.SENDING]))
    parked = session.scalars(waiting.values(state=LetterState.PARKED, try_at=NEVER, fence=Letter.fence + 1, fault=RESTORED).returning(Letter.id)).all()
    for table in _quoted():
        start_numbers_at(session.connection(), table.name, next_number(session, table) + numbers)
    journal.record(session, "restore", "desk", None, by=SYSTEM, now=now, at=taken_at.isoformat(), parked=len(parked), files=None)
    return len(parked)


def _quoted() -> list[Table]:
    """The tables whose numbers people have in their mails and on paper."""
    for room in ("tickets", "admission", "requests", "email_changes"):
        load(room)
    return [table for table in Base.metadata.sorted_tables if table.info == NEVER_REUSED["info"]]


def broken_off(session: Session, *, taken_at: datetime) -> int | None:
    """How many letters the restore of this backup parked, where it came no further than that; None where none broke off."""
    last = select(JournalEntry.facts).where(JournalEntry.act == "restore").order_by(JournalEntry.id.desc()).limit(1)
    facts = session.scalar(last) or {}
    return int(facts["parked"]) if facts.get("at") == taken_at.isoformat() and facts.get("files", 0) is None else None


def end_restore(session: Session, *, taken_at: datetime, files: int, now: datetime) -> None:
    """Note that the files are back too: the same backup is not taken up again."""
    journal.record(session, "restore", "desk", None, by=SYSTEM, now=now, at=taken_at.isoformat(), files=files)
