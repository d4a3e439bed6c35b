"""Passwords, cookies and links that were used in every flow stand nowhere but where they belong (attack list F, row 89)."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, text
from starlette.types import ASGIApp
from structlog.processors import format_exc_info
from structlog.testing import capture_logs

from actions.staff_sign_in import secret_of
from models import TABLES, load
from models.base import Base
from models.database import transaction
from models.outbox import Letter
from models.people import Staff
from rules.limits import Limits
from rules.rights import Role
from tests import people
from tests.attacks.house import House
from tests.attacks.wire import ROOT
from tests.client import Client, Page
from tests.conftest import cheap_settings
from tests.portal.visit import answer_recoveries
from tests.services.smtp import free_port

FIRST, SECOND, THIRD, WRONG = "Canary-first-1a", "Canary-second-2b", "Canary-third-3c", "Canary-wrong-9z"
STAFF = "Canary-of-the-staff-4d"
_LINK = re.compile(r"(/(?:register/confirm|recover|profile/email)/(\S+))")


class Watched(Client):
    """A visitor who keeps everything they were shown."""

    seen: list[str]

    def _take(self, method: str, path: str, headers: dict[str, str], **body: object) -> Page:
        page = super()._take(method, path, headers, **body)
        self.seen = [*getattr(self, "seen", []), page.html + str({name: value for name, value in page.headers.items() if name != "set-cookie"})]
        return page


def link(engine: Engine, kind: str) -> tuple[str, str]:
    """The path of the newest link of a kind, and its secret."""
    with transaction(engine, readonly=True) as session:
        found = _LINK.search(session.scalars(select(Letter.body).where(Letter.kind == kind).order_by(Letter.id.desc())).first() or "")
    assert found
    return found[1], found[2]


def rows(engine: Engine) -> dict[str, str]:
    """Everything that each table holds, as text."""
    load(*TABLES)
    with transaction(engine, readonly=True) as session:
        return {table.name: str(session.execute(select(table)).all()) for table in Base.metadata.sorted_tables}


def places(secrets: Sequence[str], kept: dict[str, str]) -> set[str]:
    """The names of those of `kept` that hold one of `secrets`."""
    return {name for name, held in kept.items() for secret in secrets if secret in held}


def test_f89_a_secret_used_in_every_flow_is_in_no_table_log_or_page(app: ASGIApp, engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    with transaction(engine) as session:
        people.add_certificate(session)
    visitor = Watched(app)
    cookies, links = _live_through(visitor, app, engine)
    printed = capsys.readouterr()
    kept = rows(engine)

    assert places([FIRST, SECOND, THIRD, WRONG], kept) == set()
    assert places(cookies, kept) == set()
    assert places(links, kept) == {"letter"}
    for secret in (FIRST, SECOND, THIRD, WRONG, *cookies, *links):
        assert secret not in printed.out + printed.err
    assert [page for page in visitor.seen for secret in (FIRST, SECOND, THIRD, WRONG, *cookies) if secret in page] == []


def test_f89_a_staff_password_is_in_no_table_log_or_page(app: ASGIApp, engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    with transaction(engine) as session:
        admin, visitor = people.add_staff(session, "admin1", roles=(Role.ADMIN,)), Watched(app)
        people.sign_in_staff(visitor, session, admin)
    visitor.get("/console/staff")
    visitor.submit("/console/staff", user_id="new1", name="新人", email="new1@jscom.co.jp", roles=["support"], password=STAFF)
    door = Watched(app)
    door.get("/console/sign-in")
    door.submit("/console/sign-in", user_id="new1", password=WRONG, expect=422)
    door.submit("/console/sign-in", user_id="new1", password=STAFF)
    with transaction(engine, readonly=True) as session:
        member = session.scalars(select(Staff).where(Staff.user_id == "new1")).one()
    secret = secret_of(member, key=cheap_settings("", Path(), "").key)
    cookie, printed = door.cookies["jtickets_console"], capsys.readouterr()

    assert places([STAFF, WRONG, cookie], rows(engine)) == set()
    assert len(secret) == 32
    assert places([secret], rows(engine)) == set()
    for word in (STAFF, WRONG, cookie, secret):
        assert word not in printed.out + printed.err
    assert [page for page in [*visitor.seen, *door.seen] for word in (STAFF, WRONG, cookie) if word in page] == []


def test_f89_a_fault_of_the_database_tells_nothing_of_what_it_was_given(house: House) -> None:
    with transaction(house.engine) as session:
        session.execute(text("ALTER TABLE letter RENAME COLUMN body TO words"))
    try:
        with capture_logs() as events:
            answer = house.customer().post(f"/tickets/{house.numbers['tickets number']}/replies", {"body": "canary-of-a-post"})
    finally:
        # A connection that has not read since the renaming would not know the new name yet.
        house.engine.dispose()
        with transaction(house.engine) as session:
            session.execute(text("ALTER TABLE letter RENAME COLUMN words TO body"))
    told = "".join(str(format_exc_info(None, "error", event)) for event in events)

    assert answer.status_code in (500, 503)
    assert "INSERT INTO letter" in told
    assert "canary-of-a-post" not in told + answer.text


def test_f89_checking_the_settings_does_not_tell_the_servers_password(tmp_path: Path) -> None:
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "JTICKETS_DATABASE_URL": f"sqlite:///{tmp_path}/desk.db",
        "JTICKETS_STATE_DIR": str(tmp_path),
        "JTICKETS_SMTP_URL": f"smtp://desk:canary-of-smtp@127.0.0.1:{free_port()}",
        "JTICKETS_SECRET_KEY": "canary-of-the-key-" * 3,
    }
    for command in (["migrate"], ["check"]):
        done = subprocess.run([sys.executable, "-m", "cli", *command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert "canary" not in done.stdout + done.stderr


def _live_through(visitor: Client, app: ASGIApp, engine: Engine) -> tuple[list[str], list[str]]:
    """Register, confirm, sign in wrong and right, change the password and the e-mail, recover; the cookies and the links that were used."""
    cookies: list[str] = []
    visitor.get("/register")
    typed: dict[str, Any] = {"company_name": "東西", "person_name": "木村", "user_id": "kimura", "contract_key": people.CONTRACT}
    typed |= {"email": people.EMAIL, "maintenance_email": people.MAINTENANCE}
    visitor.submit("/register", **typed, password=FIRST, password_confirmation=WRONG, consent=True, expect=422)
    visitor.submit("/register", **typed, password=FIRST, password_confirmation=FIRST, consent=True)
    confirm = link(engine, "registration_link")
    visitor.get(confirm[0])
    visitor.submit(confirm[0])
    visitor.get("/login")
    visitor.submit("/login", user_id="kimura", password=WRONG, expect=422)
    visitor.submit("/login", user_id="kimura", password=FIRST)
    cookies.append(visitor.cookies["jtickets_portal"])
    visitor.get("/profile/edit")
    visitor.submit("/profile/edit", password=SECOND, password_confirmation=SECOND)
    return cookies, [confirm[1], _recover(Client(app), engine, cookies)]


def _recover(other: Client, engine: Engine, cookies: list[str]) -> str:
    """A new password by mail, in another browser; the link's secret."""
    other.get("/recover")
    other.submit("/recover", email=people.EMAIL)
    answer_recoveries(engine, limits=Limits(), now=people.NOW)
    path, secret = link(engine, "login_ids")
    other.get(path)
    other.submit(path, password=THIRD, password_confirmation=WRONG, expect=422)
    other.submit(path, password=THIRD, password_confirmation=THIRD)
    other.submit("/login", user_id="kimura", password=THIRD)
    cookies.append(other.cookies["jtickets_portal"])
    return secret
