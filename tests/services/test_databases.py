"""The databases of the tests are worth trusting: what one test writes, the next one does not find."""

from __future__ import annotations

import threading

from sqlalchemy import Engine, MetaData, func, inspect, select, text

from models.database import make_engine, transaction
from models.migrations import migrate
from models.schema_version import pending_migrations
from tests.services.databases import Database


def test_a_reset_puts_back_every_row_of_the_migrations(database: Database) -> None:
    before = _counts(database.engine)
    tables = _reflect(database.engine).sorted_tables
    with transaction(database.engine) as session:
        for table in reversed(tables):
            session.execute(table.delete())

    database.reset()

    assert sum(before.values()) > 0
    assert _counts(database.engine) == before


def test_a_reset_takes_numbers_back_too(database: Database) -> None:
    first = _next_number(database.engine)
    database.reset()

    assert _next_number(database.engine) == first


def test_workers_write_at_once_without_losing_anything(database: Database) -> None:
    with transaction(database.engine) as session:
        session.execute(text("CREATE TABLE counted (value INTEGER)"))
        session.execute(text("INSERT INTO counted VALUES (0)"))

    threads = [threading.Thread(target=_count_up, args=(database.engine,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with transaction(database.engine) as session:
        counted = session.scalar(text("SELECT value FROM counted"))
        session.execute(text("DROP TABLE counted"))
    assert counted == 40


def test_an_empty_database_has_no_tables_and_takes_the_migrations(empty_database_url: str) -> None:
    engine = make_engine(empty_database_url)
    assert inspect(engine).get_table_names() == []

    migrate(engine)

    assert not pending_migrations(engine)
    engine.dispose()


def test_the_version_before_goes_on_writing_after_a_migration(empty_database_url: str) -> None:
    """Migrations only add: whatever an older process leaves out of its INSERT has a default, or may be empty."""
    engine = make_engine(empty_database_url)
    migrate(engine, "0003")
    assert pending_migrations(engine), "a new process waits"
    before = _reflect(engine)
    migrate(engine)
    after = _reflect(engine)
    with transaction(engine) as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert not pending_migrations(engine), "an old process goes on"

    assert set(before.tables) <= set(after.tables)
    for name, table in before.tables.items():
        assert set(table.columns.keys()) <= set(after.tables[name].columns.keys()), name
        added = [column for column in after.tables[name].columns if column.name not in table.columns]
        assert [f"{name}.{column.name}" for column in added if not column.nullable and column.server_default is None] == []
    engine.dispose()


def _counts(engine: Engine) -> dict[str, int]:
    with transaction(engine, readonly=True) as session:
        return {table.name: session.scalar(select(func.count()).select_from(table)) or 0 for table in _reflect(engine).sorted_tables}


def _reflect(engine: Engine) -> MetaData:
    ours = [name for name in inspect(engine).get_table_names() if "_gram" not in name and name != "alembic_version" and not name.startswith("sqlite")]
    metadata = MetaData()
    metadata.reflect(engine, only=ours)
    return metadata


def _count_up(engine: Engine) -> None:
    for _ in range(10):
        with transaction(engine) as session:
            session.execute(text("UPDATE counted SET value = value + 1"))


def _next_number(engine: Engine) -> int:
    with transaction(engine) as session:
        return session.scalar(text("INSERT INTO product_family (slug, name, position, active, intake_hint) VALUES ('x', 'x', 99, true, '') RETURNING id")) or 0
