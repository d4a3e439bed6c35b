"""The one file that knows which database this is: engine, transactions, locks, migrations."""

from __future__ import annotations

import json
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import (
    JSON,
    Boolean,
    ColumnElement,
    Connection,
    Date,
    Dialect,
    Engine,
    Executable,
    Integer,
    String,
    Table,
    and_,
    any_,
    bindparam,
    cast,
    collate,
    create_engine,
    event,
    func,
    inspect,
    literal,
    or_,
    select,
    text,
    type_coerce,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session

from models.base import AnyRow, Base
from models.kept import Sending, Work, begun

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")

_PATIENCE_MS = 10_000
"""How long a statement waits for another's lock."""
_SQLITE_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "foreign_keys=ON",
    f"busy_timeout={_PATIENCE_MS}",
    "cache_size=-2048",
    "temp_store=MEMORY",
    "wal_autocheckpoint=4000",  # pages, 16 MB: a ticket changes a dozen indexes, and what several posts change is copied into the file once
)
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.0001, 0.001
"""Seconds between two tries to write: most writing is over in a fraction of a millisecond."""
_HAS_TURN = "has_turn"
"""The option of a connection whose thread has its turn until the transaction ends."""
_USED, _TRUSTED_SECONDS = "used", 1.0
"""When a connection was given back, and how long it is taken for alive after that."""
_turns: WeakKeyDictionary[Engine, threading.Lock] = WeakKeyDictionary()
"""Who of a process may write to an engine of SQLite: the others wait here, where waiting costs nothing."""
_RETRIED_STATES = {"40001", "40P01", "23505"}
"""SQLSTATE of a serialisation failure, a deadlock, and a unique row that another wrote first: tried again, the work finds it."""

_ROWS_A_STATEMENT = 20
"""Of SQLite, where many are added; more make it no quicker."""
_MERGE_MEMORY_MB = 64
"""Of PostgreSQL, for one sort of a merge; a page gets what the server gives it (4)."""

_UNWRITABLE_CODES = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
_UNWRITABLE_STATES = {"53100", "58030"}
"""SQLSTATE of a full disk and of one that fails."""


def make_engine(url: str, *, pool_size: int = 8) -> Engine:
    """An engine for `url` (sqlite:///… or postgresql://…), ready for `transaction`.

    On SQLite a writing transaction begins with BEGIN IMMEDIATE (two writers that read first would lose updates otherwise),
    a reading one with plain BEGIN. On PostgreSQL connections that have lain are probed before use, so that a restarted server costs hardly a request.
    """
    parsed = make_url(url)
    # The connection given back last is taken next: its pages and statements are those of just now.
    pool: dict[str, Any] = {"pool_size": pool_size, "max_overflow": pool_size, "pool_use_lifo": True}
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        # Parameters hold what people typed and the secrets of links: no fault of a statement may print them.
        engine = create_engine(parsed, hide_parameters=True, connect_args={"isolation_level": None, "check_same_thread": False}, **pool)
        event.listen(engine, "connect", _set_pragmas)
        _turns[engine] = threading.Lock()
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    engine = create_engine(parsed, hide_parameters=True, connect_args={"connect_timeout": 5}, **pool)
    event.listen(engine, "checkin", _note_use)
    event.listen(engine, "checkout", partial(_probe_idle, engine.dialect))
    return engine


def _note_use(_connection: Any, record: Any) -> None:
    record.info[_USED] = time.monotonic()


def _probe_idle(dialect: Dialect, connection: Any, record: Any, _proxy: object) -> None:
    """Probe a connection that has lain: asked before every request, the question would be a tenth of a page."""
    if time.monotonic() - record.info.get(_USED, 0) < _TRUSTED_SECONDS:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as fault:
        raise DisconnectionError from fault  # the pool opens another one


def _set_pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in _SQLITE_PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    cursor: Any = connection.connection.cursor()
    options = connection.get_execution_options()
    if options.get("readonly", False):
        cursor.execute("BEGIN")
        return
    cursor.execute("PRAGMA busy_timeout=0")
    try:
        with _turn(None if _HAS_TURN in options else connection.engine) as has_turn:
            _begin_writing(connection, cursor, patience_ms=_PATIENCE_MS if options.get(_HAS_TURN, has_turn) else 0)
    finally:
        cursor.execute(f"PRAGMA busy_timeout={_PATIENCE_MS}")


def _begin_writing(connection: Connection, cursor: Any, *, patience_ms: int) -> None:
    """Ask again within a millisecond to write: SQLite's own waiting grows to a tenth of a second, and who waits so long is passed by everybody."""
    deadline = time.monotonic() + patience_ms / 1000
    pause = _SHORTEST_PAUSE
    while time.monotonic() < deadline:
        try:
            cursor.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as fault:
            if fault.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                break
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        else:
            return
    connection.exec_driver_sql("BEGIN IMMEDIATE")  # the last try, whose failure is told as every statement's is


@contextmanager
def _turn(engine: Engine | None) -> Iterator[bool]:
    """This thread's turn to write to `engine`; False for whoever got none within the patience: the database, asked once, then tells."""
    turn = _turns.get(engine) if engine is not None else None
    held = turn is None or turn.acquire(timeout=_PATIENCE_MS / 1000)
    try:
        yield held
    finally:
        if turn is not None and held:
            turn.release()


@contextmanager
def transaction(engine: Engine, *, readonly: bool = False) -> Iterator[Session]:
    """One unit of work: commits when the block ends, rolls back when it raises.

    A reading transaction refuses to write on PostgreSQL and takes no write lock on SQLite.
    """
    with _turn(None if readonly else engine) as has_turn:
        options = {"readonly": True, "postgresql_readonly": True} if readonly else {_HAS_TURN: has_turn}
        with engine.connect().execution_options(**options) as connection:
            connection.begin()
            session = Work(connection, autoflush=True, expire_on_commit=False, join_transaction_mode="control_fully")
            try:
                yield session
                session.commit()
            except BaseException:
                session.rollback()
                raise
            finally:
                session.close()


def read_rows(session: Session, statement: Executable, values: Mapping[str, Any] | None = None) -> Sequence[AnyRow]:
    """The column rows of `statement`, past the ORM, which flushes nothing first. A statement that is always the same is a `models.kept.Kept`."""
    return begun(session).execute(statement, values).all()


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


def is_unwritable(fault: DBAPIError) -> bool:
    """Whether the database could not be written: its disk is full, fails, or may only be read."""
    code = getattr(fault.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _UNWRITABLE_CODES
    return getattr(fault.orig, "sqlstate", None) in _UNWRITABLE_STATES


class StateOfDatabase(ColumnElement[str]):
    """A column that is the same for one connection as long as nothing that it sees was written, by whomever."""

    type = String()
    inherit_cache = True


@compiles(StateOfDatabase, "sqlite")
def _state_of_sqlite(_element: StateOfDatabase, _compiler: object, **_options: object) -> str:
    # The first number counts what other connections wrote, the second what this one did.
    return "(SELECT data_version FROM pragma_data_version) || '.' || total_changes()"


@compiles(StateOfDatabase, "postgresql")
def _state_of_postgresql(_element: StateOfDatabase, _compiler: object, **_options: object) -> str:
    return "pg_current_snapshot()::text"


def is_embedded(engine: Engine) -> bool:
    """Whether the database lives in this process's file (SQLite)."""
    return engine.dialect.name == "sqlite"


def embedded_file(engine: Engine) -> Path | None:
    """The file of a database that lives in one."""
    name = engine.url.database
    return Path(name).resolve() if is_embedded(engine) and name and name != ":memory:" else None


def is_sqlite(session: Session) -> bool:
    """Whether `session` speaks to SQLite."""
    return session.get_bind().dialect.name == "sqlite"


def insert_on_conflict(session: Session, table: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """An INSERT of `table` that knows on_conflict_do_update and on_conflict_do_nothing."""
    # A process speaks to one database; the other's dialect would be 3 MB that it never uses.
    if is_sqlite(session):
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)


def lock(session: Session, name: str) -> None:
    """Wait for the only holder of `name` until this transaction ends (SQLite: writers are alone already)."""
    if not is_sqlite(session):
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext(name))))


def bulk_insert(session: Session, table: type[Base], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Add many rows at once: COPY on PostgreSQL, one prepared statement on SQLite.

    Values run along `columns`; those of JSON columns are texts already. What `columns` leaves out must have a default in the database.
    """
    target = table.__table__
    assert isinstance(target, Table)
    connection = session.connection()
    dialect = connection.dialect
    kinds = {each.name: each.type for each in inspect(table).columns}
    found = {
        index: kinds[name].dialect_impl(dialect).bind_processor(dialect) for index, name in enumerate(columns) if not isinstance(kinds[name], (JSON, Boolean))
    }
    processors = {index: processor for index, processor in found.items() if processor is not None}
    adapted = _processed(rows, processors) if processors else rows
    names = ", ".join(dialect.identifier_preparer.quote(name) for name in columns)
    cursor: Any = connection.connection.cursor()
    if dialect.name == "sqlite":
        begins = f"INSERT INTO {target.name} ({names}) VALUES "  # noqa: S608 # nosec B608 - names of our own columns
        with Sending(connection, cursor, begins):
            _insert_many(cursor, begins, len(columns), iter(adapted))
    else:
        copies = f"COPY {target.name} ({names}) FROM STDIN"
        with Sending(connection, cursor, copies), cursor.copy(copies) as copy:
            for row in adapted:
                copy.write_row(row)
    cursor.close()


def _insert_many(cursor: Any, begins: str, width: int, rows: Iterator[Sequence[Any]]) -> None:
    """Many rows with one statement take three quarters of the time, and stop this interpreter's other threads less often."""
    marks = f"({', '.join('?' * width)})"
    rest: list[Sequence[Any]] = []

    def full() -> Iterator[list[Any]]:
        while len(some := list(islice(rows, _ROWS_A_STATEMENT))) == _ROWS_A_STATEMENT:
            yield list(chain.from_iterable(some))
        rest.extend(some)

    cursor.executemany(begins + ", ".join([marks] * _ROWS_A_STATEMENT), full())
    cursor.executemany(begins + marks, rest)


def take_stock(session: Session, table: type[Base], *columns: str) -> None:
    """Let PostgreSQL count `columns` of what was just filled in bulk: its plans would rest on the empty table otherwise."""
    if not is_sqlite(session):
        session.execute(text(f"ANALYZE {table.__tablename__} ({', '.join(columns)})"))


def make_room(session: Session) -> None:
    """Let PostgreSQL sort what this transaction merges in memory, which for 100,000 rows takes five times what it has for a page."""
    if not is_sqlite(session):
        session.execute(text(f"SET LOCAL work_mem = '{_MERGE_MEMORY_MB}MB'"))


def among(session: Session, held: ColumnElement[str], texts: Sequence[str]) -> ColumnElement[bool]:
    """Whether `held` is one of `texts`, however many: they travel as one parameter."""
    if is_sqlite(session):
        return held.in_(select(func.json_each(json.dumps(texts)).table_valued("value").c.value))
    from sqlalchemy.dialects.postgresql import ARRAY

    return held == any_(literal(list(texts), ARRAY(String)))


def day_of(session: Session, held: ColumnElement[str]) -> ColumnElement[date]:
    """A column of ISO dates as dates."""
    # SQLite keeps dates as such texts.
    return type_coerce(held, Date) if is_sqlite(session) else cast(held, Date)


def any_holds(session: Session, texts: Sequence[ColumnElement[str]], part: str) -> ColumnElement[bool]:
    """Whether one of `texts` holds `part`, whatever the case of its ASCII letters; for rows that are looked through one by one."""
    # What is dear is joining texts on SQLite, whose LIKE minds no case, and on PostgreSQL the lower case of a language.
    if is_sqlite(session):
        return or_(*(held.contains(part, autoescape=True) for held in texts))
    return or_(*(func.strpos(func.lower(collate(held, "C")), part.lower()) > 0 for held in texts))


def begins_with(session: Session, held: ColumnElement[str], beginning: str) -> ColumnElement[bool]:
    """Whether `held`, whose letters are small, begins so: by its index, which on PostgreSQL must be one of `text_pattern_ops`."""
    if is_sqlite(session):
        return and_(held >= beginning, held < beginning + "\U0010ffff")
    return held.startswith(beginning, autoescape=True)


def among_ids(session: Session, held: ColumnElement[int], ids: Collection[int]) -> ColumnElement[bool]:
    """Whether `held` is one of `ids`, however many: the same statement for all."""
    if is_sqlite(session):
        return held.in_(select(func.json_each(json.dumps(list(ids))).table_valued("value").c.value))
    from sqlalchemy.dialects.postgresql import ARRAY

    return held == any_(literal(list(ids), ARRAY(Integer)))


def among_given(embedded: bool, held: ColumnElement[int], name: str) -> ColumnElement[bool]:
    """As `among_ids`, for a statement that is kept for SQLite (`embedded`) or PostgreSQL: what is called `name` is `given_ids`."""
    if embedded:
        return held.in_(select(func.json_each(bindparam(name, type_=String)).table_valued("value").c.value))
    from sqlalchemy.dialects.postgresql import ARRAY

    return held == any_(bindparam(name, type_=ARRAY(Integer)))


def given_ids(session: Session, ids: Collection[int]) -> str | list[int]:
    """`ids` as the parameter of `among_given`."""
    return json.dumps([*ids]) if is_sqlite(session) else [*ids]


def _processed(rows: Iterable[Sequence[Any]], processors: Mapping[int, Callable[[Any], Any]]) -> Iterator[list[Any]]:
    for row in rows:
        values = list(row)
        for index, process in processors.items():
            values[index] = process(values[index])
        yield values


def start_numbers_at(connection: Connection, table: str, first: int) -> None:
    """Let the next id of `table` be `first`: numbers people quote should not begin at one."""
    if connection.dialect.name == "sqlite":
        connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :table"), {"table": table})
        connection.execute(text("INSERT INTO sqlite_sequence (name, seq) SELECT :table, :seq"), {"table": table, "seq": first - 1})
    else:
        connection.execute(text("SELECT setval(pg_get_serial_sequence(:table, 'id'), :first, false)"), {"table": table, "first": first})
