"""Texts that staff insert, and acts that change several things at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table of both."""
    op.create_table(
        "canned",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("family_id", sa.Integer(), nullable=True),
        sa.Column("category_id", sa.Integer(), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("post", sa.String(length=10), nullable=False),
        sa.Column("to_state", sa.String(length=20), nullable=True),
        sa.Column("to_priority", sa.String(length=10), nullable=True),
        sa.Column("to_category_id", sa.Integer(), nullable=True),
        sa.Column("to_assignee", sa.String(length=12), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(["family_id"], ["product_family.id"], name="fk_canned_family_id"),
        sa.ForeignKeyConstraint(["category_id"], ["category.id"], name="fk_canned_category_id"),
        sa.ForeignKeyConstraint(["owner_id"], ["staff.id"], name="fk_canned_owner_id"),
        sa.ForeignKeyConstraint(["to_category_id"], ["category.id"], name="fk_canned_to_category_id"),
        sa.PrimaryKeyConstraint("id", name="pk_canned"),
    )
    op.create_index("ix_canned_kind", "canned", ["kind", "active", "name"])
    for column in ("family_id", "category_id", "owner_id", "to_category_id"):
        op.create_index(f"ix_canned_{column}", "canned", [column])


def downgrade() -> None:
    """Every text is typed anew."""
    op.drop_table("canned")
