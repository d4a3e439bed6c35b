"""Workbooks handed back are written by a job; a renewal may join two new rows of one workbook."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table of workbooks that are asked for, written and kept for a while, and the row that a new one renews."""
    op.create_table(
        "handed_back",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("asked_by", sa.String(length=100), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("storage_key", sa.String(length=200), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("losses", sa.JSON(), nullable=False),
        sa.Column("refusal", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name=op.f("fk_handed_back_batch_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_handed_back_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handed_back")),
    )
    op.create_index("ix_handed_back_batch_id", "handed_back", ["batch_id"])
    op.create_index("ix_handed_back_staff_id", "handed_back", ["staff_id"])
    op.create_index("ix_handed_back_state", "handed_back", ["state", "id"])
    op.create_index("ix_handed_back_storage_key", "handed_back", ["storage_key"])
    op.add_column("import_row", sa.Column("renews_position", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Remove it; the bytes are the sweep's. Proposals between new rows are forgotten."""
    op.drop_column("import_row", "renews_position")
    op.drop_table("handed_back")
