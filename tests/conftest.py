"""What every test may ask for: both databases, a clock, an SMTP server, a browser."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from starlette.types import ASGIApp

from models.database import transaction
from settings import Settings
from tests.client import BASE_URL, Client
from tests.clock import Clock
from tests.services.browser import chromium, find_chromium, new_context, watched_page
from tests.services.databases import Database, empty_sqlite, new_database, postgresql_database, postgresql_server, sqlite_database
from tests.services.object_store import object_store
from tests.services.prepare import npm_packages_are_there, on_ci
from tests.services.smtp import SmtpSink, free_port, smtp_server
from tests.services.templates import drop_compiled, keep_compiled, shared_renderer
from tests.services.web import serving

if TYPE_CHECKING:
    from web.render import Renderer
    from web.wiring import Wiring

KINDS = ("sqlite", "postgresql")
_NEEDS = {"browser": "a browser (Chromium)", "node": "the packages of package.json"}


def pytest_configure(config: pytest.Config) -> None:
    """The tests decide about the configuration, not the shell they are started from."""
    for name in [name for name in os.environ if name.startswith("JTICKETS_") and name != "JTICKETS_CHROMIUM"]:
        del os.environ[name]
    keep_compiled()
    # No test is timed: a busy machine is not an error.
    checks = hypothesis.HealthCheck
    hypothesis.settings.register_profile("untimed", deadline=None, suppress_health_check=[checks.too_slow, checks.function_scoped_fixture])
    hypothesis.settings.load_profile("untimed")


def pytest_unconfigure(config: pytest.Config) -> None:
    """The process that started the workers clears up behind them."""
    if not hasattr(config, "workerinput"):
        drop_compiled()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what this machine cannot run; CI runs everything."""
    left_out = [item for item in items if any(item.get_closest_marker(mark) for mark in _lacking())]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly, after everything else, what did not run."""
    for mark in _lacking():
        terminalreporter.write_line(f"NOT RUN: the tests that need {_NEEDS[mark]}. This run is not complete.", red=True, bold=True)


def _lacking() -> list[str]:
    if on_ci():
        return []
    there = {"browser": find_chromium() is not None, "node": npm_packages_are_there()}
    return [mark for mark in _NEEDS if not there[mark]]


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """One folder for all workers of this run."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@pytest.fixture(scope="session")
def sqlite(shared_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """This worker's SQLite database."""
    with sqlite_database(shared_folder, tmp_path_factory.mktemp("sqlite")) as database:
        yield database


@pytest.fixture(scope="session")
def postgresql_url(shared_folder: Path, testrun_uid: str) -> Iterator[str]:
    """The run's PostgreSQL server. Its folder is short, for its socket's sake, and outside pytest's, which its own user may not enter."""
    with postgresql_server(Path(tempfile.gettempdir()) / f"desk-{testrun_uid[:12]}", shared_folder / "postgresql.lock") as url:
        yield url


@pytest.fixture(scope="session")
def postgresql(postgresql_url: str, worker_id: str) -> Iterator[Database]:
    """This worker's PostgreSQL database."""
    with postgresql_database(postgresql_url, f"desk_{worker_id}") as database:
        yield database


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest) -> Database:
    """A migrated database as the migrations leave it; the test runs on both kinds."""
    chosen: Database = request.getfixturevalue(request.param)
    chosen.reset()
    return chosen


@pytest.fixture
def database_url(database: Database) -> str:
    """The value of JTICKETS_DATABASE_URL for processes of their own."""
    return database.url


@pytest.fixture
def engine(database: Database) -> Engine:
    """The engine of `database`, the same one for all tests of a worker."""
    return database.engine


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """One writing transaction around the whole test: for models and actions.

    Nobody else can write to SQLite meanwhile; a test that also uses a client opens `transaction(engine)` itself.
    """
    with transaction(engine) as opened:
        yield opened


@pytest.fixture(params=KINDS)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path, worker_id: str) -> str:
    """A database without tables, for the migrations themselves."""
    if request.param == "sqlite":
        return empty_sqlite(tmp_path)
    return new_database(request.getfixturevalue("postgresql_url"), f"empty_{worker_id}")


@pytest.fixture
def clock() -> Clock:
    """A clock that stands at Tuesday, 1 December 2026, 10:00 in Japan until the test moves it."""
    return Clock()


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """A configuration as in production, but for cheap passwords; a test changes it by `replace(settings, …)`."""
    return cheap_settings(database_url, tmp_path, BASE_URL)


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    """The templates, compiled once for all tests."""
    return shared_renderer()


@pytest.fixture
def wiring(settings: Settings, engine: Engine, clock: Clock, renderer: Renderer) -> Wiring:
    """The parts of one web process, on the test's clock and engine."""
    from web.wiring import wire

    return replace(wire(settings, clock=clock, engine=engine), renderer=renderer)


@pytest.fixture
def app(wiring: Wiring) -> ASGIApp:
    """The whole application, both faces."""
    from asgi import application

    return application(wiring)


@pytest.fixture
def client(app: ASGIApp) -> Iterator[Client]:
    """A visitor without script (tests.client); a second visitor is `Client(app)`."""
    with Client(app) as visitor:
        yield visitor


@pytest.fixture
def desk_address(database_url: str, engine: Engine, clock: Clock, renderer: Renderer, tmp_path: Path) -> Iterator[str]:
    """The address of a running desk, for a real browser."""
    from asgi import application
    from web.wiring import wire

    port = free_port()
    settings = cheap_settings(database_url, tmp_path, f"http://127.0.0.1:{port}")
    parts = replace(wire(settings, clock=clock, engine=engine), renderer=renderer)
    with serving(application(parts), port) as address:
        yield address


def cheap_settings(database_url: str, folder: Path, base_url: str) -> Settings:
    """Settings for `database_url` with everything else in `folder`."""
    return Settings(
        database_url=database_url, base_url=base_url, state_dir=folder, secret_key="a key of the tests, long enough" * 2, argon2_memory_kib=64, argon2_time=1
    )


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    """A running SMTP server that keeps its letters."""
    with smtp_server() as sink:
        yield sink


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    """A folder of a running S3 server."""
    with object_store() as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """This worker's Chromium; mark the test with `pytest.mark.browser`."""
    with chromium() as running:
        yield running


@pytest.fixture
def browser_page(browser: Browser) -> Iterator[Page]:
    """A page of a fresh visitor, which may not complain (tests.services.browser)."""
    context = new_context(browser)
    with watched_page(context) as page:
        yield page
    context.close()
