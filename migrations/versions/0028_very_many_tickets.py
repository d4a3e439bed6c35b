"""What walks an index among a million tickets: posts that wait for the full text, resolved tickets of a product or person, troubled letters, acts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0025"
branch_labels = None
depends_on = None

_RESOLVED = "resolved_at IS NOT NULL"
_TROUBLED = "fault <> ''"


def upgrade() -> None:
    """Add the indexes; on SQLite the one of waiting posts in the words in which it is asked for."""
    if op.get_bind().dialect.name == "sqlite":
        op.drop_index("ix_message_waiting", "message")
        op.create_index("ix_message_waiting", "message", ["published_at"], sqlite_where=sa.text("indexed = 0"))
    for column in ("family_id", "assignee_id"):
        _partial(f"ix_ticket_{column.removesuffix('_id')}_resolved", "ticket", [column, "resolved_at", "id"], _RESOLVED)
    _partial("ix_letter_troubled", "letter", ["id"], _TROUBLED)
    op.create_index("ix_journal_entry_act", "journal_entry", ["act", "id"])
    op.create_index("ix_journal_entry_at", "journal_entry", ["at", "id"])


def downgrade() -> None:
    """The lists work without them, only slower."""
    for name, table in (
        ("ix_journal_entry_at", "journal_entry"),
        ("ix_journal_entry_act", "journal_entry"),
        ("ix_letter_troubled", "letter"),
        ("ix_ticket_assignee_resolved", "ticket"),
        ("ix_ticket_family_resolved", "ticket"),
    ):
        op.drop_index(name, table)
    if op.get_bind().dialect.name == "sqlite":
        op.drop_index("ix_message_waiting", "message")
        op.create_index("ix_message_waiting", "message", ["published_at"], sqlite_where=sa.text("NOT indexed"))


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
