"""What machines are told: alive, ready, punctual, and the numbers; nothing of it to strangers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Engine
from starlette.testclient import TestClient

from actions import jobs
from actions.timetable import line_of
from asgi import application
from models.database import transaction
from tests.clock import Clock
from tests.people import NOW, add_account, add_ticket
from web.tallies import Tallies
from web.wiring import Wiring

TOKEN = "a-token-of-the-tests-long-enough-0123456789"


def ran(engine: Engine) -> None:
    with transaction(engine) as session:
        jobs.beat(session, "one", now=NOW)
        line = line_of("expire")
        assert line
        run = jobs.begin(session, line, worker="one", now=NOW)
        assert run
        jobs.finish(session, run, {}, now=NOW)


def test_jobs_that_keep_their_times_are_well_and_late_ones_are_named(wiring: Wiring, engine: Engine, clock: Clock) -> None:
    desk = TestClient(application(wiring))
    assert desk.get("/healthz/jobs").status_code == 503
    ran(engine)

    assert (desk.get("/healthz/jobs").status_code, desk.get("/healthz/jobs").json()) == (200, {"jobs": "ok"})
    clock.advance(hours=2)
    with transaction(engine) as session:
        jobs.beat(session, "one", now=clock())

    told = desk.get("/healthz/jobs")
    assert told.status_code == 503
    assert told.json()["expire"] == f"late since {(NOW + timedelta(minutes=10)).isoformat()}"


def test_the_numbers_are_told_to_this_host_or_to_who_knows_the_token(wiring: Wiring, engine: Engine) -> None:
    ran(engine)
    with transaction(engine) as session:
        add_ticket(session, add_account(session), due_at=NOW)
    here = TestClient(application(wiring), client=("127.0.0.1", 50000))
    away = TestClient(application(wiring), client=("203.0.113.7", 50000))

    text = here.get("/metrics").text
    for line in ('jtickets_tickets{state="new"} 1.0', "jtickets_tickets_overdue 1.0", 'jtickets_job_late{job="expire"} 0.0', "jtickets_attachment_bytes 0.0"):
        assert line in text
    assert here.get("/metrics", headers={"x-forwarded-for": "203.0.113.7"}).status_code == 404
    assert away.get("/metrics").status_code == 404

    here.get("/nothing-here")
    here.get("/login", headers={"host": "localhost"})
    another = Tallies(wiring.settings.state_dir / "tallies")
    another.count("/login", 200, 0.3)
    told = here.get("/metrics").text
    for line in (
        'jtickets_requests_total{page="/login",status="2xx"} 2.0',
        'jtickets_requests_total{page="none",status="4xx"}',
        'jtickets_request_seconds_bucket{le="+Inf",page="/login"} 2.0',
        'jtickets_request_seconds_count{page="/login"} 2.0',
    ):
        assert line in told, told
    guarded = TestClient(application(replace(wiring, settings=replace(wiring.settings, metrics_token=TOKEN))), client=("203.0.113.7", 50000))
    assert guarded.get("/metrics").status_code == 404
    assert guarded.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
