"""Jobs that are late or stuck alarm; those that did their slots do not."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
from sqlalchemy.orm import Session

from actions import jobs
from actions.lateness import late_jobs, waiting_since
from actions.timetable import TIMETABLE, Daily, Every, Line, line_of
from models.admission import RecoveryRequest
from models.outbox import Letter
from tests.people import NOW, add_account, add_post, add_ticket

HOUR = timedelta(hours=1)
LINE = Line("tidy", "片付け", "片付けます。", Every(600), grace=HOUR, longest=HOUR)


def run(session: Session, line: Line, minutes: int = 0, *, ends: bool = True) -> None:
    begun = jobs.begin(session, line, worker="one", now=NOW + timedelta(minutes=minutes))
    assert begun
    if ends:
        jobs.finish(session, begun, {}, now=NOW)


def late(session: Session, line: Line, minutes: int) -> list[tuple[str, bool]]:
    return [(one.line.name, one.stuck) for one in late_jobs(session, now=NOW + timedelta(minutes=minutes), lines=[line])]


def test_a_job_is_late_when_its_next_slot_is_past_its_grace(session: Session) -> None:
    run(session, LINE)

    assert late(session, LINE, 70) == []
    assert late(session, LINE, 71) == [("tidy", False)]


def test_a_job_that_only_fails_is_late_too(session: Session) -> None:
    run(session, LINE)
    begun = jobs.begin(session, LINE, worker="one", now=NOW + timedelta(minutes=65))
    assert begun
    jobs.fail(session, begun, "OSError", now=NOW)

    assert late(session, LINE, 71) == [("tidy", False)]


def test_a_job_that_never_ran_is_late_from_the_desks_beginning(session: Session) -> None:
    daily = Line("digest", "まとめ", "まとめます。", Daily(time(11)), grace=HOUR)
    assert late(session, daily, 10_000) == []
    run(session, LINE)

    assert late(session, daily, 120) == []
    assert late(session, daily, 121) == [("digest", False)]


def test_a_run_that_does_not_end_is_stuck(session: Session) -> None:
    run(session, LINE, ends=False)

    assert late(session, LINE, 60) == []
    assert ("tidy", True) in late(session, LINE, 61)


def test_letters_older_than_the_first_run_are_not_late_at_once(session: Session) -> None:
    mail = line_of("deliver_mail")
    assert mail
    old = NOW - timedelta(days=3)
    session.add(Letter(kind="answered", cause="x", header_id="<x@x>", thread_ids=[], subject="件名", body="本文", created_at=old, try_at=old))
    run(session, LINE)

    assert late(session, mail, 15) == []
    assert late(session, mail, 16) == [("deliver_mail", False)]


def test_letters_that_wait_too_long_make_the_mail_late(session: Session) -> None:
    mail = line_of("deliver_mail")
    assert mail
    run(session, LINE)
    session.add(Letter(kind="answered", cause="x", header_id="<x@x>", thread_ids=[], subject="件名", body="本文", created_at=NOW, try_at=NOW))
    session.flush()

    assert late(session, mail, 15) == []
    assert late(session, mail, 16) == [("deliver_mail", False)]


@pytest.mark.parametrize("name", ["answer_recoveries", "index_search"])
def test_a_quiet_job_that_only_fails_is_late_by_what_waits_for_it(session: Session, name: str) -> None:
    line = line_of(name)
    assert line
    run(session, LINE)
    session.add(RecoveryRequest(email="a@tozai.example", email_key="a@tozai.example", asked_at=NOW))
    add_post(session, add_ticket(session, add_account(session), now=NOW), "本文です。", now=NOW)
    session.flush()
    for minute in range(0, 60, 5):
        begun = jobs.begin(session, line, worker="one", now=NOW + timedelta(minutes=minute))
        assert begun
        jobs.fail(session, begun, "KeyError", now=NOW)
    grace = int(line.grace.total_seconds()) // 60

    assert late(session, line, grace) == []
    assert late(session, line, grace + 1) == [(name, False)]
    run(session, line, grace + 1)
    assert late(session, line, grace + 2) == [], "it works, and has not come to its end yet"


def test_every_quiet_job_is_late_by_something(session: Session) -> None:
    assert {line.name for line in TIMETABLE if line.quiet} <= set(waiting_since(session, NOW))
