"""The full text of tickets: documents, their grams, and which posts are in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_WAITING = "NOT indexed"


def upgrade() -> None:
    """Add the documents and, in each database's own way, the table of their grams."""
    op.create_table(
        "search_document",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("is_note", sa.Boolean(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_search_document"),
    )
    op.create_index("ix_search_document_ticket_id", "search_document", ["ticket_id"])
    op.add_column("message", sa.Column("indexed", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index("ix_message_waiting", "message", ["published_at"], sqlite_where=sa.text(_WAITING), postgresql_where=sa.text(_WAITING))
    if op.get_bind().dialect.name == "sqlite":
        op.execute("CREATE VIRTUAL TABLE search_gram USING fts5(grams, content='', detail=none, columnsize=0, tokenize='ascii')")
    else:
        op.execute("CREATE TABLE search_gram (id bigint PRIMARY KEY, grams integer[] NOT NULL)")
        op.execute("CREATE INDEX ix_search_gram_grams ON search_gram USING gin (grams)")


def downgrade() -> None:
    """Forget the index; the posts themselves hold everything it was made of."""
    op.execute("DROP TABLE search_gram")
    op.drop_index("ix_message_waiting", "message")
    op.drop_column("message", "indexed")
    op.drop_index("ix_search_document_ticket_id", "search_document")
    op.drop_table("search_document")
