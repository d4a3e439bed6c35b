"""Saved views of the queue, and what was done to many tickets at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None
_INDEXES = {
    "ix_ticket_family_updated": ["family_id", "updated_at", "id"],
    "ix_ticket_family_number": ["family_id", "id"],
    "ix_ticket_assignee_updated": ["assignee_id", "updated_at", "id"],
    "ix_ticket_assignee_number": ["assignee_id", "id"],
}


def upgrade() -> None:
    """Add the tables, and indexes for a product's and a person's tickets in every order."""
    for name, columns in _INDEXES.items():
        op.create_index(name, "ticket", columns)
    _add_views()
    op.create_table(
        "bulk_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("staff_name", sa.String(length=100), nullable=False),
        sa.Column("act", sa.String(length=20), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("submission", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_bulk_change_staff_id"),
        sa.PrimaryKeyConstraint("id", name="pk_bulk_change"),
        sa.UniqueConstraint("submission", name="uq_bulk_change_submission"),
    )
    op.create_index("ix_bulk_change_staff_id", "bulk_change", ["staff_id"])
    op.create_table(
        "bulk_change_ticket",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("change_id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("refusal", sa.String(length=40), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=True),
        sa.Column("undone", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["change_id"], ["bulk_change.id"], name="fk_bulk_change_ticket_change_id"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_bulk_change_ticket_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_bulk_change_ticket"),
        sa.UniqueConstraint("change_id", "ticket_id", name="uq_bulk_change_ticket_change_id_ticket_id"),
    )
    op.create_index("ix_bulk_change_ticket_ticket_id", "bulk_change_ticket", ["ticket_id"])


def _add_views() -> None:
    op.create_table(
        "saved_view",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("query", sa.String(length=2500), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_saved_view_staff_id"),
        sa.PrimaryKeyConstraint("id", name="pk_saved_view"),
    )
    op.create_index("ix_saved_view_staff", "saved_view", ["staff_id", "position", "id"])
    op.create_index("ix_saved_view_shared", "saved_view", ["shared", "position", "id"])
    op.create_table(
        "start_view",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("view_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_start_view_staff_id"),
        sa.ForeignKeyConstraint(["view_id"], ["saved_view.id"], name="fk_start_view_view_id"),
        sa.PrimaryKeyConstraint("id", name="pk_start_view"),
        sa.UniqueConstraint("staff_id", name="uq_start_view_staff_id"),
    )
    op.create_index("ix_start_view_view_id", "start_view", ["view_id"])


def downgrade() -> None:
    """Nobody keeps a view, and no bulk change can be undone any more; the journal still tells of them."""
    for table in ("bulk_change_ticket", "bulk_change", "start_view", "saved_view"):
        op.drop_table(table)
    for name in _INDEXES:
        op.drop_index(name, "ticket")
