"""What search and lists need among a million tickets: which documents hold fours, and indexes that know the usual conditions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_REPORTED = ["merged_into_id", "state", "family_id", "category_id", "assignee_id", "resolved_at", "contract_key", "serial_key", "id"]
_WIDER = {
    "ix_ticket_created": (["created_at"], _REPORTED),
    "ix_ticket_updated": (["updated_at", "id"], ["priority"]),
    "ix_ticket_family_number": (["family_id", "id"], ["state", "assignee_id", "priority", "unresolved"]),
}
_ENDED = {"family": "assignee", "assignee": "family"}


def upgrade() -> None:
    """Add them. Documents there are stand as old ones until the job has put them in anew."""
    op.add_column("search_document", sa.Column("edition", sa.SmallInteger(), server_default="1", nullable=False))
    op.add_column("search_document", sa.Column("account_id", sa.Integer(), nullable=True))
    _partial("ix_search_document_old", "search_document", ["ticket_id"], "edition = 1", "edition = 1")
    for name, (columns, more) in _WIDER.items():
        op.drop_index(name, "ticket")
        op.create_index(name, "ticket", [*columns, *more])
    op.create_index("ix_ticket_state_number", "ticket", ["state", "id", "family_id", "assignee_id", "priority", "unresolved"])
    for name, other in _ENDED.items():
        columns = [f"{name}_id", "state", "resolved_at", "id", f"{other}_id", "priority", "unresolved"]
        _partial(f"ix_ticket_{name}_ended", "ticket", columns, "unresolved = 0", "NOT unresolved")
    op.create_index("ix_journal_entry_actor_name", "journal_entry", ["actor_name", "id"])
    _index_addresses("letter_id")


def downgrade() -> None:
    """Search works by pairs alone, and lists walk further."""
    _index_addresses("id")
    op.drop_index("ix_journal_entry_actor_name", "journal_entry")
    for name in (*(f"ix_ticket_{each}_ended" for each in _ENDED), "ix_ticket_state_number"):
        op.drop_index(name, "ticket")
    for name, (columns, _) in _WIDER.items():
        op.drop_index(name, "ticket")
        op.create_index(name, "ticket", columns)
    op.drop_index("ix_search_document_old", "search_document")
    for column in ("account_id", "edition"):
        op.drop_column("search_document", column)


def _index_addresses(second: str) -> None:
    op.drop_index("ix_recipient_address", "recipient")
    op.create_index("ix_recipient_address", "recipient", ["address_key", second], postgresql_ops={"address_key": "text_pattern_ops"})


def _partial(name: str, table: str, columns: list[str], sqlite: str, postgresql: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(sqlite), postgresql_where=sa.text(postgresql))
