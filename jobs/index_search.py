"""Putting published posts into the full text."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from actions.jobs import Counts, Run, confirm
from jobs.parts import Parts
from models.database import transaction
from models.search import has_waiting_posts, put_in, waiting_posts

_AT_ONCE = 200
"""Posts of one transaction: writers wait so long and no longer."""


def index_posts(parts: Parts, run: Run) -> Counts:
    """Put in what was published since; how many posts."""
    done = 0
    while True:
        with transaction(parts.engine) as session:
            confirm(session, run)
            posts = waiting_posts(session, parts.clock(), limit=_AT_ONCE)
            put_in(session, posts)
        done += len(posts)
        if len(posts) < _AT_ONCE:
            return {"posts": done} if done else {}


def has_waiting(session: Session, now: datetime) -> bool:
    """Whether there is anything to put in."""
    return has_waiting_posts(session, now)
