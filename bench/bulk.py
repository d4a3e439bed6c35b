"""Writing many rows the fast way of each database: executemany on SQLite, COPY on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Column, Connection, Engine, Table, text

_AT_ONCE = 20_000


def write_rows(connection: Connection, table: Table[Any], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write `rows` (values of the columns `names`, in their order); other columns get their default. Returns how many were written."""
    defaults = {column.name: _default(column) for column in table.columns if column.name not in names and column.default}
    columns = [*names, *defaults]
    convert = _converters(connection, table, columns)
    constant = tuple(defaults.values())
    insert = _copy if connection.dialect.name == "postgresql" else _executemany
    written = 0
    remaining = iter(rows)
    while batch := list(islice(remaining, _AT_ONCE)):
        insert(connection, table.name, columns, (tuple(_each(convert, (*row, *constant))) for row in batch))
        written += len(batch)
    return written


def _default(column: Column[Any]) -> Any:
    made: Any = column.default
    return made.arg(None) if made.is_callable else getattr(made, "arg", None)


def settle(engine: Engine, tables: Iterable[Table[Any]]) -> None:
    """Let sequences go on behind the loaded ids, and give the planner its statistics."""
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="AUTOCOMMIT")
            for table in tables:
                connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), (SELECT max(id) FROM \"{table.name}\"))"))
            connection.execute(text("VACUUM ANALYZE"))
        else:
            connection.execute(text("ANALYZE"))
            connection.commit()


def _converters(connection: Connection, table: Table[Any], columns: Sequence[str]) -> list[Callable[[Any], Any] | None]:
    dialect = connection.dialect
    return [table.columns[name].type.dialect_impl(dialect).bind_processor(dialect) for name in columns]


def _each(convert: Sequence[Callable[[Any], Any] | None], row: Sequence[Any]) -> Iterator[Any]:
    return (change(value) if change else value for change, value in zip(convert, row, strict=True))


def _executemany(connection: Connection, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    driver: Any = connection.connection.driver_connection
    named = ", ".join(f'"{name}"' for name in columns)
    driver.executemany(f'INSERT INTO "{table}" ({named}) VALUES ({", ".join("?" * len(columns))})', rows)


def _copy(connection: Connection, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    driver: Any = connection.connection.driver_connection
    named = ", ".join(f'"{name}"' for name in columns)
    with driver.cursor() as cursor, cursor.copy(f'COPY "{table}" ({named}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row(row)
