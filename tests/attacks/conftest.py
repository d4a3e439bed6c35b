"""The house that is attacked, and a desk in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from models.database import transaction
from rules.limits import Limits
from tests import people
from tests.attacks.house import House, furnished
from tests.attacks.wire import Desk, running
from tests.services.databases import sqlite_database
from web.csrf import token_for
from web.sessions import open_customer_session
from web.wiring import Wiring

KEY = "the key of a desk in its own process 0123"


@pytest.fixture
def house(engine: Engine, wiring: Wiring) -> Iterator[House]:
    """One of everything, under limits that no sweep reaches."""
    with furnished(engine, wiring) as built:
        yield built


@dataclass(frozen=True)
class Process:
    """A desk in a process of its own with one signed-in account, whose ticket is #10001."""

    desk: Desk
    engine: Engine
    folder: Path
    cookie: str

    @property
    def csrf(self) -> str:
        """The token of the account's forms."""
        return token_for(KEY.encode(), self.cookie)

    @property
    def signed_in(self) -> tuple[str, ...]:
        """The headers of the account's browser."""
        return (f"Cookie: jtickets_portal={self.cookie}", "Sec-Fetch-Site: same-origin")


@pytest.fixture(scope="session")
def process(shared_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """The desk as `jtickets serve` runs it, with small limits for files."""
    folder = tmp_path_factory.mktemp("process")
    with sqlite_database(shared_folder, folder) as database:
        with transaction(database.engine) as session:
            account = people.add_account(session)
            people.add_ticket(session, account)
            cookie = open_customer_session(session, account.id, client="127.0.0.1", limits=Limits(), now=datetime.now(UTC))
        with running(database.url, folder, secret_key=KEY, limits_attachment_bytes="100000", limits_post_bytes="200000") as desk:
            yield Process(desk, database.engine, folder, cookie)
