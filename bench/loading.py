"""Very many tickets in the desk's tables: their rows are made by several processes and written without indexes, which come afterwards."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Table
from sqlalchemy.engine import make_url

from bench.bulk import inserting, opened, settle, without_indexes
from bench.desk_rows import GROWING, NUMBERED, Ground, lay_ground, rows_of
from models.base import Base
from models.database import make_engine

_PORTION = 4_000
"""Tickets whose rows one process makes at a time."""
_PROCESSES = 2
_Rows = list[tuple[str, list[str], list[tuple[Any, ...]]]]


def load_desk(engine: Engine, count: int, *, password_hash: str, now: datetime) -> None:
    """Fill a migrated, empty database with `count` tickets; every account and member of the staff has the password behind `password_hash`."""
    with engine.begin() as connection:
        ground = lay_ground(connection, count, password_hash=password_hash, now=now)
    if count <= _PORTION:
        with engine.begin() as connection:
            _write_through(connection, range(1, count + 1), ground)
    else:
        with without_indexes(engine, [*(model.__tablename__ for model in GROWING), "search_gram"]):
            _load_many(engine, count, ground)
    settle(engine, [_table(model) for model in NUMBERED])


def _write_through(connection: Any, numbers: range, ground: Ground) -> None:
    insert = inserting(connection.connection.driver_connection)
    for table, columns, rows in rows_of(numbers, ground, connection.dialect):
        insert(table, columns, rows)


def _load_many(engine: Engine, count: int, ground: Ground) -> None:
    url = engine.url.render_as_string(hide_password=False)
    portions = [range(first, min(first + _PORTION, count + 1)) for first in range(1, count + 1, _PORTION)]
    with ProcessPoolExecutor(_PROCESSES, multiprocessing.get_context("spawn")) as pool:
        if engine.dialect.name == "postgresql":
            # Each process writes what it made: the server takes several at once.
            for done in [pool.submit(_write_portion, url, portion, ground) for portion in portions]:
                done.result()
            return
        with opened(engine) as insert:
            for portion in _in_order(pool, url, portions, ground):
                for table, columns, rows in portion:
                    insert(table, columns, rows)


def _in_order(pool: ProcessPoolExecutor, url: str, portions: list[range], ground: Ground) -> Iterator[_Rows]:
    """A few portions ahead and no more: their rows are held in memory."""
    ahead: deque[Future[_Rows]] = deque()
    for portion in portions:
        ahead.append(pool.submit(_make_portion, url, portion, ground))
        if len(ahead) > _PROCESSES + 1:
            yield ahead.popleft().result()
    while ahead:
        yield ahead.popleft().result()


def _make_portion(url: str, numbers: range, ground: Ground) -> _Rows:
    return list(rows_of(numbers, ground, make_url(url).get_dialect()()))


def _write_portion(url: str, numbers: range, ground: Ground) -> None:
    engine = make_engine(url)
    with opened(engine) as insert:
        for table, columns, rows in rows_of(numbers, ground, engine.dialect):
            insert(table, columns, rows)


def _table(model: type[Base]) -> Table[Any]:
    table: Any = model.__table__
    return table
