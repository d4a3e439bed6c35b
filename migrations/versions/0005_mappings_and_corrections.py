"""What people say of a workbook's columns, and the cells they put right."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "import_mapping",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("chosen_by", sa.String(length=100), nullable=False),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_import_mapping_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_mapping")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_import_mapping_fingerprint")),
    )
    op.create_index(op.f("ix_import_mapping_staff_id"), "import_mapping", ["staff_id"])
    op.create_table(
        "import_choice",
        sa.Column("batch_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sheets", sa.JSON(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("chosen_by", sa.String(length=100), nullable=False),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name=op.f("fk_import_choice_batch_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_import_choice_staff_id")),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_import_choice")),
    )
    op.create_index(op.f("ix_import_choice_staff_id"), "import_choice", ["staff_id"])
    op.create_table(
        "import_correction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("sheet", sa.String(length=120), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(length=32), nullable=False),
        sa.Column("old", sa.Text(), nullable=False),
        sa.Column("new", sa.Text(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("corrected_by", sa.String(length=100), nullable=False),
        sa.Column("corrected_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name=op.f("fk_import_correction_batch_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_import_correction_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_correction")),
        sa.UniqueConstraint("batch_id", "sheet", "row", "field", name=op.f("uq_import_correction_batch_id_sheet_row_field")),
    )
    op.create_index(op.f("ix_import_correction_staff_id"), "import_correction", ["staff_id"])


def downgrade() -> None:
    """Remove them."""
    for name in ("import_correction", "import_choice", "import_mapping"):
        op.drop_table(name)
