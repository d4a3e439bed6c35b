"""A mail worker of the tests that tells the database how its letters ended, and falls before any answer."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack

from actions import delivery
from jobs.parts import parts_of
from mail.smtp import Answer, Outcome, Verdict
from models.database import transaction
from models.linked import held_for_changes
from settings import read_settings

LETTERS = 8


def main() -> None:
    """Each over a connection of its own: a connection is told of one letter at a time."""
    parts = parts_of(read_settings())
    now = parts.clock()
    with transaction(parts.engine) as session:
        claims = delivery.claim(session, now=now, limit=LETTERS)
    taken = Answer(Verdict.ACCEPTED, "250 taken")
    endings = [delivery.ending(claim, Outcome({one.address: taken for one in claim.open}), limits=parts.limits, now=now) for claim in claims]
    with ExitStack() as stack:
        connections = [stack.enter_context(held_for_changes(parts.engine)) for _ in endings]
        for connection, ending in zip(connections, endings, strict=True):
            delivery.tell(connection, ending)
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
