"""Bringing the tables up to this version: Alembic over `migrations/`, one process at a time."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

from models.database import is_embedded
from models.places import find


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the tables of `engine` to `revision`; processes that start at once wait for the first."""
    config = migration_config()
    with engine.connect() as connection, _alone(connection):
        config.attributes["connection"] = connection
        if revision == "base" or revision.startswith("-"):
            command.downgrade(config, revision)
        else:
            command.upgrade(config, revision)
        connection.commit()


def migration_config() -> Config:
    """Alembic's configuration for the migrations that lie beside the packages."""
    config = Config()
    config.set_main_option("script_location", str(find("migrations")).replace("%", "%%"))
    return config


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Hold the only right to migrate: an advisory lock of the server, a lock file beside an embedded database."""
    if is_embedded(connection.engine):
        with Path(f"{connection.engine.url.database}.migrating").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        return
    connection.execute(text("SELECT pg_advisory_lock(hashtext('migrate'))"))
    connection.commit()
    yield
    connection.execute(text("SELECT pg_advisory_unlock(hashtext('migrate'))"))
    connection.commit()
