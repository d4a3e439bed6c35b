"""Copying a whole database into one file and back: SQLite by its own backup, PostgreSQL by its client tools."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Engine, NullPool, Table, create_engine, func, inspect, select, text
from sqlalchemy.orm import Session

from models.database import is_embedded, is_sqlite

_SERVED = b"PGDMP"
"""What a file of pg_dump begins with."""


class NoTool(Exception):
    """A client tool is missing or older than the server; the text says which one is needed."""


def dump(engine: Engine, target: Path, *, look: Callable[[Session], None], tools: Path | None = None) -> None:
    """Write the database, as it is at one moment, into the file `target`; `look` sees it as it is in there. Raises NoTool, OSError."""
    if is_embedded(engine):
        with _telling(), closing(sqlite3.connect(target)) as copy, closing(sqlite3.connect(str(engine.url.database))) as source:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
        copied = create_engine("sqlite://", creator=lambda: _opened(target), poolclass=NullPool, hide_parameters=True)
        with Session(copied) as session:
            look(session)
        return
    program = tool(engine, "pg_dump", tools)
    with engine.connect().execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True) as connection, connection.begin():
        moment = connection.execute(text("SELECT pg_export_snapshot()")).scalar()
        _run([program, "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={moment}", f"--file={target}"], engine)
        with Session(connection) as session:
            look(session)


def restore(engine: Engine, source: Path, *, tools: Path | None = None) -> None:
    """Fill the empty database from a file of `dump`. Raises NoTool, OSError, and ValueError when the database is not empty or the file not whole."""
    if not is_empty(engine):
        raise ValueError("the database is not empty")
    if not is_sound(engine, source):
        raise ValueError("the file is no whole copy of a database")
    engine.dispose()
    if is_embedded(engine):
        path = Path(str(engine.url.database))
        path.parent.mkdir(parents=True, exist_ok=True)
        with _telling(), closing(_opened(source)) as copy, closing(sqlite3.connect(path)) as target:
            copy.backup(target)
        return
    program = tool(engine, "pg_restore", tools)
    _run([program, "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", f"--dbname={engine.url.database}", str(source)], engine)


def kind_of(engine: Engine) -> str:
    """Which kind of database it is: a file of one is of no use to the other."""
    return "sqlite" if is_embedded(engine) else "postgresql"


def is_empty(engine: Engine) -> bool:
    """Whether the database has no tables."""
    return not inspect(engine).get_table_names()


def is_whole(engine: Engine) -> bool:
    """Whether an embedded database's pages agree with each other; a served one is its server's care."""
    if not is_embedded(engine):
        return True
    with engine.connect().execution_options(readonly=True) as connection:
        return connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"


def is_sound(engine: Engine, source: Path) -> bool:
    """Whether a file of `dump` is there and whole, as far as it tells by itself: pg_restore reads all of its own or writes nothing."""
    if not source.is_file():
        return False
    if not is_embedded(engine):
        with source.open("rb") as file:
            return file.read(len(_SERVED)) == _SERVED
    try:
        with closing(_opened(source)) as copy:
            tables = copy.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone()
            return tables != (0,) and copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    except sqlite3.Error:
        return False


def fingerprint(source: Path) -> str:
    """The SHA-256 of a file of `dump`."""
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def next_number(session: Session, table: Table) -> int:
    """The id that the next row of a `NEVER_REUSED` table would get; above all that were given, those of rows that are gone too."""
    if is_sqlite(session):
        given = session.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = :table"), {"table": table.name}) or 0
    else:
        given = session.scalar(text("SELECT nextval(pg_get_serial_sequence(:table, 'id'))"), {"table": table.name}) - 1
    return int(max(given, session.scalar(select(func.max(table.c.id))) or 0)) + 1


def _opened(source: Path) -> sqlite3.Connection:
    """A file of `dump` for reading: nothing is made where it lacks."""
    return sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)


@contextmanager
def _telling() -> Iterator[None]:
    """What SQLite could not read or write (a full disk), under the name of every such fault."""
    try:
        yield
    except sqlite3.Error as fault:
        raise OSError(str(fault)) from fault


def server_version(engine: Engine) -> int:
    """The major version of the PostgreSQL server."""
    with engine.connect() as connection:
        return int(str(connection.execute(text("SHOW server_version_num")).scalar())) // 10000


def tool(engine: Engine, name: str, tools: Path | None = None) -> str:
    """The path of a client tool that is at least as new as the server: an older pg_dump refuses a newer server. Raises NoTool."""
    found = shutil.which(name, path=str(tools) if tools else None)
    wanted = server_version(engine)
    if found is None:
        raise NoTool(f"{name} {wanted}")
    told = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603 - PostgreSQL's own program
    version = re.search(r"\s(\d+)", told)
    if version is None or int(version.group(1)) < wanted:
        raise NoTool(f"{name} {wanted}（{found}: {told.strip()}）")
    return found


def _run(command: list[str], engine: Engine) -> None:
    """Run a client tool; the connection goes by its environment, where no list of processes shows a password."""
    url = engine.url
    given = {"PGHOST": url.host or url.query.get("host"), "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password, "PGDATABASE": url.database}
    given |= {f"PG{name.upper()}": value for name, value in url.query.items() if name in ("sslmode", "sslrootcert")}
    environment = os.environ | {name: str(value) for name, value in given.items() if value}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - PostgreSQL's own program
    if done.returncode:
        raise OSError(f"{Path(command[0]).name}: {' '.join(done.stderr.split())[:500]}")
