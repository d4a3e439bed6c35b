"""What has run out is deleted, what is still wanted stays."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text

from actions import jobs, notices
from actions.jobs import Broken, Run, RunState
from actions.rates import count_one
from actions.reminders import note
from actions.timetable import line_of
from jobs.check_files import check
from jobs.expire import expire
from jobs.index_search import has_waiting, index_posts
from jobs.parts import Parts
from jobs.runner import Process
from jobs.schedule import Job
from jobs.sweep import sweep_uploads
from models.admission import AccountLink, LinkKind, PendingRegistration
from models.bulk_changes import BulkChange, BulkChangeTicket
from models.database import transaction
from models.email_changes import EmailChangeFile
from models.job_runs import JobRun
from models.outbox import Letter
from models.people import AccountSession, RateCount
from models.reading import Reading, note_reading
from models.reminders import Reminder
from models.search import put_in, waiting_posts
from models.search_hits import Hit, Sought, find_tickets
from models.tickets import Attachment, Ticket
from rules.reminders import Kind, Outcome
from rules.tickets import State
from storage.store import Store
from tests.clock import Clock
from tests.jobs.mailroom import parts_for
from tests.people import EMAIL, MAINTENANCE, NOW, add_account, add_email_change, add_post, add_staff, add_ticket


def run_of(parts: Parts, name: str) -> Run:
    line = line_of(name)
    assert line
    with transaction(parts.engine) as session:
        begun = jobs.begin(session, line, worker="test", now=parts.clock())
    assert begun
    return begun


def test_what_has_run_out_is_deleted_and_the_rest_stays(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    parts = parts_for(engine, clock, tmp_path)
    with transaction(engine) as session:
        account = add_account(session)
        for number, expires_at in enumerate((NOW - timedelta(days=8), NOW - timedelta(days=6), NOW + timedelta(hours=1))):
            session.add(pending(f"p{number}", expires_at))
            session.add(AccountLink(kind=LinkKind.RESET, token_hash=f"l{number}", account_id=account.id, created_at=NOW, expires_at=expires_at))
        for number, seen_at in enumerate((NOW - timedelta(hours=13), NOW - timedelta(hours=1))):
            session.add(
                AccountSession(
                    token_hash=f"s{number}", account_id=account.id, created_at=seen_at, seen_at=seen_at, expires_at=NOW + timedelta(days=1), password_at=seen_at
                )
            )
        ticket, member = add_ticket(session, account), add_staff(session)
        for number, at in enumerate((NOW - timedelta(days=91), NOW)):
            change = BulkChange(staff_id=member.id, staff_name=member.name, act="assign", facts={}, submission=f"b{number}", at=at)
            session.add(change)
            session.flush()
            session.add(BulkChangeTicket(change_id=change.id, ticket_id=ticket.id, facts={}, before={}, version=1))
        for days, state in ((91, State.CLOSED), (91, State.RESOLVED), (89, State.CLOSED)):
            read = add_ticket(session, account, state=state)
            read.updated_at = NOW - timedelta(days=days)
            note_reading(session, read.id, staff_id=member.id, last_seen=1)
        for days in (3, 0):
            count_one(session, "sign_in", "kimura", window=timedelta(minutes=5), now=NOW - timedelta(days=days))

    counts = expire(parts, run_of(parts, "expire"))

    assert counts == {"registrations": 1, "links": 1, "customer_sessions": 1, "counts": 1, "readings": 1, "bulk_tickets": 1, "bulk_changes": 1}
    with transaction(engine, readonly=True) as session:
        assert session.scalars(select(PendingRegistration.token_hash)).all() == ["p1", "p2"]
        assert session.scalars(select(AccountLink.token_hash)).all() == ["l1", "l2"]
        assert session.scalars(select(AccountSession.token_hash)).all() == ["s1"]
        assert len(session.scalars(select(RateCount.id)).all()) == 1
        assert len(session.scalars(select(Reading.id)).all()) == 2


def test_what_cannot_be_deleted_hinders_nothing_behind_it_and_is_named(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    parts = parts_for(engine, clock, tmp_path)
    with transaction(engine) as session:
        account = add_account(session)
        count_one(session, "sign_in", "1.2.3.4", window=timedelta(minutes=5), now=NOW - timedelta(days=3))
        session.add(AccountLink(kind=LinkKind.RESET, token_hash="l", account_id=account.id, created_at=NOW, expires_at=NOW - timedelta(days=8)))
        if engine.dialect.name == "sqlite":
            session.execute(text("CREATE TRIGGER stays BEFORE DELETE ON account_link BEGIN SELECT RAISE(ABORT, 'a trigger'); END"))
        else:
            session.execute(text("CREATE FUNCTION stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a trigger'; END $$"))
            session.execute(text("CREATE TRIGGER stays BEFORE DELETE ON account_link FOR EACH ROW EXECUTE FUNCTION stays()"))
    process = Process(parts, threading.Event())
    line = line_of("expire")
    assert line
    try:
        with pytest.raises(Broken):
            process.tick(Job(line, expire))
    finally:
        with transaction(engine) as session:
            session.execute(text("DROP TRIGGER stays" if engine.dialect.name == "sqlite" else "DROP FUNCTION stays CASCADE"))

    with transaction(engine, readonly=True) as session:
        row = session.scalars(select(JobRun)).one()
        assert (row.state, row.fault.partition(" (")[0]) == (RunState.FAILED, "not deleted: links")
        assert session.scalars(select(RateCount.bucket)).all() == []


def test_reminders_are_forgotten_once_they_could_not_be_given_again(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    parts = parts_for(engine, clock, tmp_path)
    with transaction(engine) as session:
        account = add_account(session)
        numbers = [add_ticket(session, account, state=state).id for state in (State.WAITING_CUSTOMER, State.CLOSED)]
        for ticket_id in numbers:
            note(session, Kind.SILENT_REMINDER, [f"silent:{ticket_id}"], Outcome.TOLD, ticket_id=ticket_id, now=NOW)
        note(session, Kind.MAILS_FAILED, ["mails_failed:1:1"], Outcome.TOLD, now=NOW)
        note(session, Kind.DIGEST, ["digest:1"], Outcome.TOLD, now=NOW)
    clock.advance(hours=801 * 24)

    counts = expire(parts, run_of(parts, "expire"))

    assert counts["reminders"] == 2
    with transaction(engine, readonly=True) as session:
        assert set(session.scalars(select(Reminder.cause))) == {f"silent:{numbers[0]}", "mails_failed:1:1"}


def test_links_in_old_letters_are_blotted_out(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    parts = parts_for(engine, clock, tmp_path)
    with transaction(engine) as session:
        account = add_account(session)
        notices.login_ids(session, EMAIL, [(account, "s3cret-token")], desk=parts.desk, limits=parts.limits, now=NOW)
    expire(parts, run_of(parts, "expire"))
    with transaction(engine, readonly=True) as session:
        assert "s3cret-token" in session.scalars(select(Letter.body)).one()

    clock.advance(hours=26)
    counts = expire(parts, run_of(parts, "expire"))
    clock.advance(minutes=10)

    assert counts["secrets"] == 1
    with transaction(engine, readonly=True) as session:
        assert "s3cret-token" not in session.scalars(select(Letter.body)).one()
    assert "secrets" not in expire(parts, run_of(parts, "expire"))


def test_files_that_no_post_took_are_swept_when_they_are_old(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    parts = parts_for(engine, clock, tmp_path)
    old, young, posted = (store(parts, clock, tmp_path, name) for name in ("old", "young", "posted"))
    orphan = parts.store.put(BytesIO(b"orphan")).key
    age(tmp_path, orphan, clock, hours=2)
    fresh = parts.store.put(BytesIO(b"fresh")).key
    age(tmp_path, fresh, clock, hours=0)
    with transaction(engine) as session:
        ticket = add_ticket(session, add_account(session))
        message = add_post(session, ticket, "添付します。")
        files = {row.name: row for row in session.scalars(select(Attachment))}
        files["old"].created_at = NOW - timedelta(days=8)
        files["posted"].created_at, files["posted"].message_id = NOW - timedelta(days=800), message.id

    counts = sweep_uploads(parts, run_of(parts, "sweep_uploads"))

    assert counts == {"held": 1, "orphans": 1}
    assert {key for key, _ in parts.store.listing()} == {young, posted, fresh}
    assert old not in {young, posted}


def test_what_killed_processes_left_half_written_is_swept_when_it_is_old(engine: Engine, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = parts_for(engine, clock, tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    killed = multiprocessing.get_context("fork").Process(target=put_and_die, args=[parts.store])
    killed.start()
    killed.join()
    place = tmp_path / "attachments"
    (begun,) = (place / "attachments").iterdir()
    left, used = (tmp_path / f"jtickets-import-{name}" for name in ("left", "used"))
    for folder in (left, used):
        folder.mkdir()
        (folder / "workbook").write_bytes(b"x")
    workbook = place / parts.store.put(BytesIO(b"no row came"), folder="imports").key
    age(tmp_path, str(workbook.relative_to(place)), clock, hours=0)

    sweep_uploads(parts, run_of(parts, "sweep_uploads"))
    fresh = [path.exists() for path in (begun, workbook, left, used)]
    for path, hours in ((begun, 2), (left, 30)):
        at = time.time() - hours * 3600
        os.utime(path, (at, at))
    clock.advance(hours=2)
    sweep_uploads(parts, run_of(parts, "sweep_uploads"))

    assert fresh == [True, True, True, True]
    assert [path.exists() for path in (begun, workbook, left, used)] == [False, False, False, True]


def put_and_die(store: Store) -> None:
    """Be killed in the middle of a file."""

    def chunks() -> Iterator[bytes]:
        for number in range(40):
            yield b"x" * 1024 * 1024
            if number == 30:
                os.kill(os.getpid(), signal.SIGKILL)

    store.keep("attachments/half", chunks())


def store(parts: Parts, clock: Clock, folder: Path, name: str) -> str:
    """A held file with its row, its bytes as old as such bytes get."""
    stored = parts.store.put(BytesIO(name.encode()))
    age(folder, stored.key, clock, hours=900)
    with transaction(parts.engine) as session:
        session.add(Attachment(token=name, holder="account:1", name=name, size=stored.size, sha256=stored.sha256, storage_key=stored.key, created_at=NOW))
    return stored.key


def age(folder: Path, key: str, clock: Clock, *, hours: int) -> None:
    at = (clock() - timedelta(hours=hours)).timestamp()
    os.utime(folder / "attachments" / key, (at, at))


def pending(token_hash: str, expires_at: object) -> PendingRegistration:
    return PendingRegistration(
        token_hash=token_hash,
        user_id=token_hash,
        user_id_key=token_hash,
        password_hash="x",
        company_name="東西",
        person_name="木村",
        email=EMAIL,
        email_key=EMAIL,
        maintenance_email=MAINTENANCE,
        contract_key="JSC1",
        privacy_version=1,
        created_at=NOW,
        expires_at=expires_at,
    )


def test_uploads_are_not_forgotten_while_the_folder_of_all_files_is_away(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    parts = parts_for(engine, clock, tmp_path)
    posted, held = (store(parts, clock, tmp_path, name) for name in ("posted", "held"))
    with transaction(engine) as session:
        message = add_post(session, add_ticket(session, add_account(session)), "添付します。")
        session.scalars(select(Attachment).where(Attachment.storage_key == posted)).one().message_id = message.id
    place = tmp_path / "attachments"

    place.rename(tmp_path / "elsewhere")
    place.mkdir()
    assert check(parts, run_of(parts, "check_files")) == {"files": 2, "lost": 1}
    place.rmdir()
    (tmp_path / "elsewhere").rename(place)
    clock.advance(hours=24)
    assert check(parts, run_of(parts, "check_files")) == {"files": 2}
    parts.store.delete(held)
    clock.advance(hours=24)
    check(parts, run_of(parts, "check_files"))

    with transaction(engine, readonly=True) as session:
        assert session.scalars(select(Attachment.storage_key)).all() == [posted]


def test_the_evidence_of_a_change_is_swept_by_nobody_and_missed_when_it_is_gone(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    parts = parts_for(engine, clock, tmp_path)
    stored = parts.store.put(BytesIO(b"mail"))
    with transaction(engine) as session:
        proof = Attachment(token="proof", name="依頼.eml", size=4, sha256=stored.sha256, storage_key=stored.key, created_at=NOW - timedelta(days=30))
        session.add(proof)
        session.flush()
        session.add(EmailChangeFile(change_id=add_email_change(session).id, attachment_id=proof.id))

    clock.set(NOW + timedelta(days=30))
    assert sweep_uploads(parts, run_of(parts, "sweep_uploads")) == {}
    assert check(parts, run_of(parts, "check_files")) == {"files": 1}

    parts.store.delete(stored.key)
    clock.set(NOW + timedelta(days=31))
    assert check(parts, run_of(parts, "check_files")) == {"files": 1, "lost": 1}
    with transaction(engine, readonly=True) as session:
        assert session.scalars(select(Attachment.token)).all() == ["proof"]


def test_posts_that_an_older_version_put_in_are_put_in_anew_and_found_meanwhile(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    parts = parts_for(engine, clock, tmp_path)
    with transaction(engine) as session:
        account = add_account(session)
        tickets = [add_ticket(session, account, serial=f"BN5001{number:02}", now=NOW - timedelta(hours=1)).id for number in range(60)]
        put_in(session, waiting_posts(session, NOW, limit=60), edition=1)
        assert has_waiting(session, NOW)
        assert [hit.ticket_id for hit in find_tickets(session, Sought(("5001",)), limit=100)] == tickets[::-1]

    assert index_posts(parts, run_of(parts, "index_search")) == {"anew": 60}

    with transaction(engine, readonly=True) as session:
        assert not has_waiting(session, NOW)
        assert [hit.ticket_id for hit in find_tickets(session, Sought(("5001",)), limit=100)] == tickets[::-1]
        found: list[Hit] = find_tickets(session, Sought(("bn500131",), [Ticket.account_id == account.id], account_id=account.id), limit=5)
        assert [hit.ticket_id for hit in found] == [tickets[31]]
