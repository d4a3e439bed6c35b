"""The one file that knows which database this is: engine, transactions, locks, migrations."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, func, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models.base import Base

T = TypeVar("T")

_SQLITE_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "foreign_keys=ON",
    "busy_timeout=10000",
    "cache_size=-65536",
    "mmap_size=268435456",
    "temp_store=MEMORY",
)
_RETRIED_STATES = {"40001", "40P01", "23505"}
"""SQLSTATE of a serialisation failure, a deadlock, and a unique row that another wrote first: tried again, the work finds it."""


def make_engine(url: str, *, pool_size: int = 8) -> Engine:
    """An engine for `url` (sqlite:///… or postgresql://…), ready for `transaction`.

    On SQLite a writing transaction begins with BEGIN IMMEDIATE (two writers that read first would lose updates otherwise),
    a reading one with plain BEGIN. On PostgreSQL connections are probed before use, so that a restarted server costs no request.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, pool_size=pool_size, max_overflow=pool_size, connect_args={"isolation_level": None, "check_same_thread": False})
        event.listen(engine, "connect", _set_pragmas)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(parsed, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True, connect_args={"connect_timeout": 5})


def _set_pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in _SQLITE_PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    readonly = connection.get_execution_options().get("readonly", False)
    connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")


@contextmanager
def transaction(engine: Engine, *, readonly: bool = False) -> Iterator[Session]:
    """One unit of work: commits when the block ends, rolls back when it raises.

    A reading transaction refuses to write on PostgreSQL and takes no write lock on SQLite.
    """
    options = {"readonly": readonly, "postgresql_readonly": True} if readonly else {}
    with engine.connect().execution_options(**options) as connection, Session(connection, autoflush=True, expire_on_commit=False) as session:
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise


def retrying(work: Callable[[], T], *, tries: int = 3) -> T:
    """`work` again when the database names the failure as one to repeat (deadlock, serialisation), at most `tries` times."""
    for attempt in range(1, tries + 1):
        try:
            return work()
        except DBAPIError as fault:
            if attempt == tries or getattr(fault.orig, "sqlstate", None) not in _RETRIED_STATES:
                raise
            time.sleep(random.uniform(0.01, 0.05) * attempt)  # noqa: S311 - jitter, no secret
    raise AssertionError("unreachable: the last attempt returns or raises")


def is_sqlite(session: Session) -> bool:
    """Whether `session` speaks to SQLite."""
    return session.get_bind().dialect.name == "sqlite"


def insert_on_conflict(session: Session, table: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """An INSERT of `table` that knows on_conflict_do_update and on_conflict_do_nothing."""
    return sqlite.insert(table) if is_sqlite(session) else postgresql.insert(table)


def lock(session: Session, name: str) -> None:
    """Wait for the only holder of `name` until this transaction ends (SQLite: writers are alone already)."""
    if not is_sqlite(session):
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext(name))))


def start_numbers_at(connection: Connection, table: str, first: int) -> None:
    """Let the next id of `table` be `first`: numbers people quote should not begin at one."""
    if connection.dialect.name == "sqlite":
        connection.execute(text("INSERT INTO sqlite_sequence (name, seq) SELECT :table, :seq"), {"table": table, "seq": first - 1})
    else:
        connection.execute(text("SELECT setval(pg_get_serial_sequence(:table, 'id'), :first, false)"), {"table": table, "first": first})


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the tables of `engine` to `revision` (Alembic); several processes may start at once."""
    config = migration_config()
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_lock(hashtext('migrate'))"))
            connection.commit()
        config.attributes["connection"] = connection
        if revision == "base" or revision.startswith("-"):
            command.downgrade(config, revision)
        else:
            command.upgrade(config, revision)
        connection.commit()


def migration_config() -> Config:
    """Alembic's configuration for the migrations that lie beside the packages."""
    from models.places import find

    config = Config()
    config.set_main_option("script_location", str(find("migrations")).replace("%", "%%"))
    return config


def pending_migrations(engine: Engine) -> bool:
    """Whether the database lacks a migration that this code knows."""
    head = ScriptDirectory.from_config(migration_config()).get_current_head()
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() != head
