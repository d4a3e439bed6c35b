"""Writing very many rows the fast way of each database: executemany on SQLite, COPY on PostgreSQL, without indexes and promises meanwhile."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Column, Connection, Dialect, Engine, Table, inspect, text

from models.database import embedded_file

Insert = Callable[[str, Sequence[str], Iterable[Sequence[Any]]], None]
"""Writes rows (values as the driver takes them) of the named columns of a table."""
_AT_ONCE = 20_000
_SQLITE_MEMORY_KIB = 1_000_000
_READ_BYTES = 4 * 1024 * 1024
_HASH_BYTES = 64 * 1024 * 1024
"""Grams that SQLite gathers before it writes them, while much is loaded; a megabyte otherwise."""
_POSTGRESQL_SETTINGS = ("session_replication_role = replica", "synchronous_commit = off", "maintenance_work_mem = '1GB'", "work_mem = '256MB'")


def write_rows(connection: Connection, table: Table[Any], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write `rows` (values of the columns `names`, in their order); other columns get their default. Returns how many were written."""
    columns, convert = prepared(connection.dialect, table, names)
    insert = inserting(connection.connection.driver_connection)
    written = 0
    remaining = iter(rows)
    while batch := list(islice(remaining, _AT_ONCE)):
        insert(table.name, columns, map(convert, batch))
        written += len(batch)
    return written


def prepared(dialect: Dialect, table: Table[Any], names: Sequence[str]) -> tuple[list[str], Callable[[Sequence[Any]], tuple[Any, ...]]]:
    """The columns that are written, and what makes of the values of `names` what the driver takes for them."""
    defaults = {column.name: _default(column) for column in table.columns if column.name not in names and column.default}
    columns = [*names, *defaults]
    converters = [table.columns[name].type.dialect_impl(dialect).bind_processor(dialect) for name in columns]
    constant = tuple(defaults.values())

    def convert(row: Sequence[Any]) -> tuple[Any, ...]:
        return tuple([change(value) if change else value for change, value in zip(converters, (*row, *constant), strict=True)])

    return columns, convert


@contextmanager
def opened(engine: Engine) -> Iterator[Insert]:
    """A connection of the bare driver that promises nothing: whoever falls in the middle begins anew. Nobody else may be there."""
    file = embedded_file(engine)
    engine.dispose()
    if file is None:
        url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as driver:
            for setting in _POSTGRESQL_SETTINGS:
                driver.execute(f"SET {setting}")
            yield inserting(driver)
        return
    with _alone_with(file) as driver:
        driver.execute("INSERT INTO search_gram (search_gram, rank) VALUES ('hashsize', ?)", [_HASH_BYTES])
        driver.execute("BEGIN")
        yield inserting(driver)
        driver.execute("COMMIT")
        driver.execute("INSERT INTO search_gram (search_gram, rank) VALUES ('hashsize', 1048576)")


@contextmanager
def without_indexes(engine: Engine, tables: Sequence[str]) -> Iterator[None]:
    """Let `tables` have no indexes but those of their constraints until the block ends: made of all rows at once they cost a fraction."""
    found = _SQLITE_INDEXES if engine.dialect.name == "sqlite" else _POSTGRESQL_INDEXES
    with engine.begin() as connection:
        indexes = [(row.name, row.sql) for row in connection.execute(text(found)) if row.of in tables]
        for name, _ in indexes:
            connection.execute(text(f'DROP INDEX "{name}"'))
    yield
    file = embedded_file(engine)
    if file is not None:
        _index(file, [made for _, made in indexes])
        return
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL maintenance_work_mem = '1GB'"))
        for _, made in indexes:
            connection.exec_driver_sql(made)


def _index(file: Path, statements: Iterable[str]) -> None:
    """Read from end to end once: each index walks a table whose pages lie apart, which takes an hour of a million tickets from the disk."""
    with file.open("rb", buffering=0) as whole:
        while whole.read(_READ_BYTES):
            pass
    with _alone_with(file) as driver:
        for statement in statements:
            driver.execute(statement)


@contextmanager
def _alone_with(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(file, isolation_level=None)) as driver:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "foreign_keys=OFF", f"cache_size=-{_SQLITE_MEMORY_KIB}"):
            driver.execute(f"PRAGMA {pragma}")
        yield driver


_SQLITE_INDEXES = "SELECT name, tbl_name AS of, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
_POSTGRESQL_INDEXES = (
    "SELECT indexname AS name, tablename AS of, indexdef AS sql FROM pg_indexes "
    "WHERE schemaname = 'public' AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = indexname)"
)


def settle(engine: Engine, tables: Iterable[Table[Any]]) -> None:
    """Let sequences go on behind the loaded ids, and give the planner its statistics; the desk on SQLite has none, as delivered."""
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="AUTOCOMMIT")
            for table in tables:
                connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), (SELECT max(id) FROM \"{table.name}\"))"))
            connection.execute(text("VACUUM ANALYZE"))
        elif "ticket_figures" not in inspect(connection).get_table_names():
            connection.execute(text("ANALYZE"))
            connection.commit()


def _default(column: Column[Any]) -> Any:
    made: Any = column.default
    return made.arg(None) if made.is_callable else getattr(made, "arg", None)


def inserting(driver: Any) -> Insert:
    def executemany(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        named = ", ".join(f'"{name}"' for name in columns)
        driver.executemany(f'INSERT INTO "{table}" ({named}) VALUES ({", ".join("?" * len(columns))})', rows)

    def copy(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        named = ", ".join(f'"{name}"' for name in columns)
        with driver.cursor() as cursor, cursor.copy(f'COPY "{table}" ({named}) FROM STDIN') as copying:
            for row in rows:
                copying.write_row(row)

    return executemany if isinstance(driver, sqlite3.Connection) else copy
