"""Which function does the work of each line of the timetable (`actions.timetable` has names, rhythms and graces)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from actions.jobs import Counts, Run
from actions.timetable import TIMETABLE, Line
from jobs import (
    check_accounts,
    check_files,
    expire,
    hand_back,
    head_tickets,
    index_search,
    measure_tickets,
    plan_import,
    read_mailbox,
    recover,
    remind,
    sweep,
    tries,
)
from jobs.parts import Parts

Work = Callable[[Parts, Run], Counts]
"""Does one run and says what it did. Every writing transaction in it begins with `actions.jobs.confirm(session, run)`."""
Wants = Callable[[Session, datetime], bool]


@dataclass(frozen=True)
class Job:
    """A line and its function. With `wants` a slot in which there is nothing to do leaves no run behind.

    `give_back` takes back that a piece of work was tried, where the storage was away.
    """

    line: Line
    work: Work
    wants: Wants | None = None
    give_back: Callable[[Session], None] | None = None


_WORK: dict[str, tuple[Work, Wants | None]] = {
    "plan_import": (plan_import.plan_received, plan_import.has_received),
    "hand_back": (hand_back.hand_back, hand_back.has_asked),
    "index_search": (index_search.index_posts, index_search.has_waiting),
    "head_tickets": (head_tickets.head_tickets, None),
    "read_mailbox": (read_mailbox.read_mailbox, None),
    "answer_recoveries": (recover.answer, recover.has_requests),
    "check_accounts": (check_accounts.check, None),
    "remind_answers": (remind.answers, None),
    "remind_silent": (remind.silent, None),
    "remind_contracts": (remind.contracts, None),
    "remind_center": (remind.center, None),
    "remind_links": (remind.links, None),
    "write_digests": (remind.digests, None),
    "remind_staff": (remind.staff, None),
    "watch_jobs": (remind.late, None),
    "measure_tickets": (measure_tickets.measure_all, None),
    "expire": (expire.expire, None),
    "check_files": (check_files.check, None),
    "sweep_uploads": (sweep.sweep_uploads, None),
}
_GIVE_BACK = {"plan_import": tries.give_back_reading, "hand_back": tries.give_back_writing}
JOBS: tuple[Job, ...] = tuple(Job(line, *_WORK[line.name], _GIVE_BACK.get(line.name)) for line in TIMETABLE if not line.shared)
"""The work that is done once a slot. Shared work (the mail) runs in every process: `jobs.runner`."""
