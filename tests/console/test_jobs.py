"""The page of jobs: what ran, what runs next, what failed, and running one now."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from actions import jobs
from actions.timetable import TIMETABLE, line_of
from models.database import transaction
from models.job_runs import JobRun
from models.journal import JournalEntry
from rules.rights import Role
from tests.client import Client
from tests.console.counting import counted
from tests.people import NOW, add_staff, sign_in_staff

JOBS = "/console/jobs"


def sign_in(client: Client, engine: Engine, role: Role) -> None:
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session, role, name="本田", roles=(role,)))


def add_run(engine: Engine, name: str, *, fault: str = "", minutes: int = 0) -> None:
    line = line_of(name)
    assert line
    now = NOW - timedelta(minutes=minutes)
    with transaction(engine) as session:
        run = jobs.begin(session, line, worker="host:1:abc", now=now)
        assert run
        if fault:
            jobs.fail(session, run, fault, now=now + timedelta(seconds=2))
        else:
            jobs.finish(session, run, {"held": 3, "orphans": 1}, now=now + timedelta(seconds=2))


def test_the_timetable_shows_each_job_with_its_last_and_next_run(engine: Engine, client: Client) -> None:
    add_run(engine, "sweep_uploads", minutes=5)
    sign_in(client, engine, Role.SUPPORT)

    page = client.get(JOBS)

    assert page.says(*(line.title for line in TIMETABLE))
    assert page.says("10分ごと", "投稿されなかったファイル 3件、記録のないファイル 1件", "2.0秒", "10:10", "host:1:abc")


def test_a_desk_without_a_jobs_process_says_so(engine: Engine, client: Client) -> None:
    sign_in(client, engine, Role.SUPPORT)

    assert client.get(JOBS).says("ジョブのプロセスが動いていません。")
    with transaction(engine) as session:
        jobs.beat(session, "host:1:abc", now=NOW)
    assert not client.get(JOBS).says("ジョブのプロセスが動いていません。")


def test_failed_runs_are_found(engine: Engine, client: Client) -> None:
    add_run(engine, "sweep_uploads", minutes=5)
    add_run(engine, "expire", fault="OSError", minutes=5)
    sign_in(client, engine, Role.AUDITOR)

    page = client.get(f"{JOBS}?state=failed")

    assert page.says("OSError", "失敗")
    assert not page.says("host:1:abc host:1:abc")
    assert client.get(f"{JOBS}?state=failed&job=sweep_uploads").says("条件に合う実行がありません。")


def test_a_lead_asks_for_a_run_now(engine: Engine, client: Client) -> None:
    sign_in(client, engine, Role.LEAD)
    client.get(JOBS)

    page = client.submit(f"{JOBS}/expire/run")

    assert page.says("「期限切れの整理」の実行を依頼しました。", "実行待ち")
    with transaction(engine, readonly=True) as session:
        assert session.execute(select(JobRun.job, JobRun.state)).one() == ("expire", "asked")
        assert session.scalars(select(JournalEntry.act)).all() == ["run_job"]


@pytest.mark.parametrize("name", ["deliver_mail", "nothing"])
def test_what_cannot_be_asked_for_is_not_found(engine: Engine, client: Client, name: str) -> None:
    sign_in(client, engine, Role.LEAD)
    client.get(JOBS)

    client.post(f"{JOBS}/{name}/run", {"csrf_token": client.csrf_token()}, expect=404)


def test_who_may_only_look_runs_nothing(engine: Engine, client: Client) -> None:
    sign_in(client, engine, Role.SUPPORT)
    page = client.get(JOBS)

    assert not page.says("今すぐ実行する")
    client.post(f"{JOBS}/expire/run", {"csrf_token": client.csrf_token()}, expect=403)


def test_the_page_costs_the_same_few_statements(engine: Engine, client: Client) -> None:
    sign_in(client, engine, Role.LEAD)
    with counted(engine) as few:
        client.get(JOBS)
    for minutes in range(600, 0, -10):
        add_run(engine, "expire", minutes=minutes)

    with counted(engine) as many:
        client.get(JOBS)

    assert len(many) == len(few) <= 10
