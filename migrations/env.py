"""Alembic's environment: the connection comes from `models.database.migrate`."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy import Enum

from models import TABLES, load
from models.base import Base, Moment


def render_item(kind: str, item: Any, _context: object) -> str | Literal[False]:
    """Moments and words are plain timestamps and texts to a migration: it must not change when our code does."""
    if kind == "type" and isinstance(item, Moment):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Enum):
        return f"sa.String(length={item.length})"
    return False


load(*TABLES)
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    render_item=render_item,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
