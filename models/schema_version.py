"""Which version the tables have, for whoever only asks: `models.migrations` brings them up."""

from __future__ import annotations

from sqlalchemy import Engine, inspect, text

from models.places import find


def pending_migrations(engine: Engine) -> bool:
    """Whether the database lacks a migration that this code knows. Asks without Alembic, whose loading costs half a second.

    One that is ahead lacks none: while processes of the next version take over, the old ones go on.
    """
    newest = max(path.name.partition("_")[0] for path in (find("migrations") / "versions").glob("[0-9]*.py"))
    with engine.connect().execution_options(readonly=True) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return True
        return (connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "") < newest
