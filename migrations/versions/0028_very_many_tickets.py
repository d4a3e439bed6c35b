"""What walks an index among a million tickets: posts that wait for the full text, troubled letters, acts, addresses.

SQLite is delivered without statistics and takes every index on a column for a good one: those of columns that are almost always NULL hold
only the others now, or every look at tickets that were not merged would walk all of them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0025"
branch_labels = None
depends_on = None

_MOSTLY_NULL = ("follows_id", "merged_into_id")
_TROUBLED = "fault <> ''"


def upgrade() -> None:
    """Add the indexes; on SQLite the one of waiting posts in the words in which it is asked for."""
    if op.get_bind().dialect.name == "sqlite":
        op.drop_index("ix_message_waiting", "message")
        op.create_index("ix_message_waiting", "message", ["published_at"], sqlite_where=sa.text("indexed = 0"))
    for column in _MOSTLY_NULL:
        op.drop_index(f"ix_ticket_{column}", "ticket")
        _partial(f"ix_ticket_{column}", "ticket", [column], f"{column} IS NOT NULL")
    op.drop_index("ix_recipient_address", "recipient")
    # The beginning of an address is found by this index whatever the language by which the database sorts.
    op.create_index("ix_recipient_address", "recipient", ["address_key", "id"], postgresql_ops={"address_key": "text_pattern_ops"})
    _partial("ix_letter_troubled", "letter", ["id"], _TROUBLED)
    op.create_index("ix_journal_entry_act", "journal_entry", ["act", "id"])
    op.create_index("ix_journal_entry_at", "journal_entry", ["at", "id"])


def downgrade() -> None:
    """The lists work without them, only slower."""
    for name, table in (
        ("ix_journal_entry_at", "journal_entry"),
        ("ix_journal_entry_act", "journal_entry"),
        ("ix_letter_troubled", "letter"),
    ):
        op.drop_index(name, table)
    op.drop_index("ix_recipient_address", "recipient")
    op.create_index("ix_recipient_address", "recipient", ["address_key", "id"])
    for column in _MOSTLY_NULL:
        op.drop_index(f"ix_ticket_{column}", "ticket")
        op.create_index(f"ix_ticket_{column}", "ticket", [column])
    if op.get_bind().dialect.name == "sqlite":
        op.drop_index("ix_message_waiting", "message")
        op.create_index("ix_message_waiting", "message", ["published_at"], sqlite_where=sa.text("NOT indexed"))


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
