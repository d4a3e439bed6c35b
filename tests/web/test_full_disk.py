"""A desk that can write no file any more - no database, no attachment, no temporary file, no log - and then again: by the system's own limit."""

from __future__ import annotations

import re
import resource
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path

from sqlalchemy import Engine, func, select
from starlette.testclient import TestClient

from asgi import application
from models.database import is_embedded, transaction
from models.tickets import Attachment, Message
from rules.limits import Limits
from tests.attacks.wire import Desk, running
from tests.people import add_account, add_staff, add_ticket
from web.sessions import open_customer_session
from web.wiring import Wiring

_CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')
SMALL, LARGE = b"log\n", b"x" * 2_000_000
"""A file that is kept in memory until it is stored, and one that is not."""


@dataclass
class Customer:
    """Somebody signed in, with a ticket."""

    desk: Desk
    ticket_id: int
    cookie: str
    token: str = ""

    def ask(self, method: str, path: str, body: bytes = b"", kind: str = "") -> tuple[int, str]:
        headers = {"Cookie": f"jtickets_portal={self.cookie}", "Origin": f"http://{self.desk.host}", "Content-Type": kind}
        with closing(HTTPConnection("127.0.0.1", self.desk.port, timeout=20)) as connection:
            here = "" if path.startswith("/new/") else f"/{self.ticket_id}"
            connection.request(method, f"/tickets{here}{path}", body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def look(self) -> int:
        status, text = self.ask("GET", "")
        found = _CSRF.search(text)
        self.token = found.group(1) if found else self.token
        return status

    def reply(self, mark: str, file: bytes = b"") -> tuple[int, str]:
        return self.post("/replies", {"submission": mark, "body": f"返信 {mark}"}, file)

    def open(self, mark: str, about: Mapping[str, str], file: bytes = b"") -> tuple[int, str]:
        return self.post("/new/juniper-srx", {**about, "submission": mark, "body": f"お問合せ {mark}"}, file)

    def post(self, path: str, fields: Mapping[str, str], file: bytes) -> tuple[int, str]:
        whole = {"csrf_token": self.token, **fields}
        parts = [f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode() for name, value in whole.items()]
        if file:
            parts.append(b'--edge\r\nContent-Disposition: form-data; name="files"; filename="a.log"\r\n\r\n' + file + b"\r\n")
        return self.ask("POST", path, b"".join([*parts, b"--edge--\r\n"]), "multipart/form-data; boundary=edge")


def come_in(engine: Engine, desk: Desk) -> Customer:
    """A customer who came half an hour ago, so that every visit is to be noted."""
    with transaction(engine) as session:
        account = add_account(session)
        add_staff(session)
        ticket = add_ticket(session, account, now=datetime.now(UTC) - timedelta(hours=1))
        cookie = open_customer_session(session, account.id, client="127.0.0.1", limits=Limits(), now=datetime.now(UTC) - timedelta(minutes=30))
    return Customer(desk, ticket.id, cookie)


def let_write(desk: Desk, size: int) -> None:
    """Let the desk's process write no byte of any file beyond `size`."""
    resource.prlimit(desk.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def kept(engine: Engine, folder: Path) -> tuple[int, int, int]:
    """Posts and rows of files in the database, and files in the storage."""
    with transaction(engine, readonly=True) as session:
        posts, rows = session.scalar(select(func.count(Message.id))), session.scalar(select(func.count(Attachment.id)))
    return posts or 0, rows or 0, sum(1 for found in (folder / "state" / "attachments").rglob("*") if found.is_file())


def test_a_desk_that_can_write_nothing_is_read_on_refuses_plainly_and_goes_on_when_it_can(engine: Engine, database_url: str, tmp_path: Path) -> None:
    with running(database_url, tmp_path) as desk:
        customer = come_in(engine, desk)
        assert customer.look() == 200
        let_write(desk, 0)
        before = kept(engine, tmp_path)

        assert customer.look() == 200
        for mark, file in (("text", b""), ("small", SMALL), ("large", LARGE)):
            status, text = customer.reply(mark, file)
            if mark == "text" and not is_embedded(engine):
                assert status == 303, "the database's server may write"
                before = (before[0] + 1, *before[1:])
                continue
            assert (status, "保存できませんでした" in text, "受付番号" in text) == (507, True, True), (mark, status, text)
        assert kept(engine, tmp_path) == before, "nothing half"
        assert customer.look() == 200, "and what was told of the last refusal is lost before there is room again"

        let_write(desk, resource.RLIM_INFINITY)
        assert [customer.reply(mark, file)[0] for mark, file in (("text", b""), ("small", SMALL), ("large", LARGE))] == [303, 303, 303]
        assert customer.look() == 200
        assert desk.process.poll() is None

    posts, rows, files = kept(engine, tmp_path)
    assert (rows, files) == (2, 2)
    assert posts == before[0] + (3 if is_embedded(engine) else 2)
    assert "status=507" not in desk.log.read_text(), "what could not be written is lost"


def test_readiness_tells_of_a_disk_that_is_nearly_full(wiring: Wiring) -> None:
    assert "disk" not in TestClient(application(wiring)).get("/readyz").json()

    narrow = replace(wiring, limits=replace(wiring.limits, free_disk_bytes=10**18))
    told = TestClient(application(narrow)).get("/readyz")

    assert told.status_code == 503
    assert told.json()["disk"].startswith("nearly full: ")
