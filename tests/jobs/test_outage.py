"""A mail server that was away for a day, and the letters of that day; and a worker whose database cannot be written meanwhile."""

from __future__ import annotations

import resource
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from actions.letters import Draft, write_letters
from jobs.parts import Parts
from mail.compose import Text
from models.database import is_embedded, transaction
from models.outbox import Letter
from tests.clock import Clock
from tests.jobs.mailroom import letter_states, mailer_for, parts_for, recipient_states, write_many
from tests.jobs.test_kills import check_repeats, started, wait_for
from tests.people import add_account, add_ticket
from tests.services.awkward_smtp import AwkwardServer, awkward_server

HOURS = 24
LETTERS_AN_HOUR = 417
"""Ten thousand in the day."""
TICKETS = 500


@pytest.fixture
def awkward() -> Iterator[AwkwardServer]:
    with awkward_server() as server:
        yield server


def write_hour(engine: Engine, parts: Parts, hour: int, tickets: list[int]) -> None:
    numbers = range(hour * LETTERS_AN_HOUR, (hour + 1) * LETTERS_AN_HOUR)
    drafts = [
        Draft("answered", f"cause:{n}", Text(f"{tickets[n % TICKETS]} {n}", "本文です。\n"), [f"{n}@tozai.example"], ticket_id=tickets[n % TICKETS])
        for n in numbers
    ]
    with transaction(engine) as session:
        write_letters(session, drafts, desk=parts.desk, now=parts.clock())


@pytest.mark.proof
def test_the_letters_of_a_day_without_the_server_leave_within_half_an_hour_of_its_return(
    engine: Engine, clock: Clock, tmp_path: Path, awkward: AwkwardServer
) -> None:
    parts = parts_for(engine, clock, tmp_path, smtp_url=awkward.url)
    with transaction(engine) as session:
        account = add_account(session)
        tickets = [add_ticket(session, account).id for _ in range(TICKETS)]
    mailer = mailer_for(parts)
    awkward.at["EHLO"] = awkward.at["HELO"] = "421 not today"
    for hour in range(HOURS):
        write_hour(engine, parts, hour, tickets)
        for _ in range(60):
            assert mailer.deliver() == {}
            clock.advance(minutes=1)

    awkward.at.clear()
    back, began = clock(), time.monotonic()
    while set(letter_states(engine)) != {"done"}:
        mailer.deliver()
        clock.set(max(clock() + timedelta(seconds=1), back + timedelta(seconds=time.monotonic() - began)))
        assert clock() - back < timedelta(minutes=30)
    mailer.close()

    check_order(awkward.taken)
    check_repeats(awkward.taken, HOURS * LETTERS_AN_HOUR, 0)
    assert set(recipient_states(engine).values()) == {"accepted"}
    with transaction(engine, readonly=True) as session:
        assert set(session.scalars(select(Letter.fence))) == {1}, "each was tried once"


def check_order(taken: Sequence[bytes]) -> None:
    """The letters of a ticket came in the order they were written in."""
    seen: dict[bytes, list[int]] = defaultdict(list)
    for text in taken:
        subject = next(line for line in text.splitlines() if line.startswith(b"Subject: "))
        _, ticket, number = subject.split()
        seen[ticket].append(int(number))
    assert len(seen) == TICKETS
    assert all(numbers == sorted(set(numbers)) for numbers in seen.values())


@pytest.mark.proof
def test_a_worker_that_can_write_nothing_sends_nothing_twice_and_all_when_it_can(
    engine: Engine, database_url: str, tmp_path: Path, awkward: AwkwardServer
) -> None:
    awkward.delay = 0.005
    parts = parts_for(engine, Clock(datetime.now(UTC)), tmp_path, smtp_url=awkward.url)
    write_many(engine, parts, 200)

    with started(database_url, tmp_path, awkward) as process:
        wait_for(awkward, 5)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        time.sleep(1)
        stopped = len(awkward.taken)
        time.sleep(2)
        if is_embedded(engine):
            assert len(awkward.taken) == stopped < 200, "what cannot be recorded is not sent"
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        wait_for(awkward, 200)
        time.sleep(2)
        assert process.poll() is None

    assert letter_states(engine) == {"done": 200}
    check_repeats(awkward.taken, 200, 0)
