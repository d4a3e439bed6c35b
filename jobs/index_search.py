"""Putting published posts into the full text."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from actions.jobs import Counts, Run, confirm
from jobs.parts import Parts
from models.database import transaction
from models.search import has_waiting_posts, hold_index, newest_old_ticket, put_in, put_in_anew, waiting_posts

_AT_ONCE = 200
"""Posts of one transaction: writers wait so long and no longer."""
_ANEW = 50
"""Of those that are put in anew, which takes longer."""
_ROUNDS = 200
"""Transactions of a run; the next one begins within seconds."""


def index_posts(parts: Parts, run: Run) -> Counts:
    """Put in what was published since, and a while what older versions put in their way; how many posts of each."""
    new = anew = 0
    for _ in range(_ROUNDS):
        with transaction(parts.engine) as session:
            hold_index(session)
            confirm(session, run)
            posts = waiting_posts(session, parts.clock(), limit=_AT_ONCE)
            put_in(session, posts)
            again = 0 if posts else put_in_anew(session, limit=_ANEW)
        new += len(posts)
        anew += again
        if not posts and again < _ANEW:
            break
    return {name: count for name, count in (("posts", new), ("anew", anew)) if count}


def has_waiting(session: Session, now: datetime) -> bool:
    """Whether there is anything to put in."""
    return has_waiting_posts(session, now) or newest_old_ticket(session) >= 0
