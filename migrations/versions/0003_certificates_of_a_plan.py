"""The certificates of an import plan, and the indexes of its filters."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_import_row_problem": "(status = 'error' OR confirmed OR held_by = \"row\")",
    "ix_import_row_interesting": "(status <> 'unchanged' OR confirmed OR held_by = \"row\")",
}


def upgrade() -> None:
    """Add the table and the partial indexes."""
    op.create_table(
        "import_certificate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("contract_key", sa.String(length=80), nullable=False),
        sa.Column("certificate_id", sa.Integer(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("new_lines", sa.Integer(), nullable=False),
        sa.Column("changed_lines", sa.Integer(), nullable=False),
        sa.Column("unchanged_lines", sa.Integer(), nullable=False),
        sa.Column("error_lines", sa.Integer(), nullable=False),
        sa.Column("held_by", sa.Integer(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("agent_name", sa.String(length=200), nullable=False),
        sa.Column("agent_email", sa.String(length=254), nullable=False),
        sa.Column("operator_name", sa.String(length=200), nullable=False),
        sa.Column("operator_email", sa.String(length=254), nullable=False),
        sa.Column("end_user_name", sa.String(length=200), nullable=False),
        sa.Column("end_user_email", sa.String(length=254), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name=op.f("fk_import_certificate_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_certificate")),
        sa.UniqueConstraint("batch_id", "contract_key", name=op.f("uq_import_certificate_batch_id_contract_key")),
    )
    op.create_index("ix_import_certificate_ready", "import_certificate", ["batch_id", "held_by"])
    for name, condition in INDEXES.items():
        op.create_index(name, "import_row", ["batch_id", "position"], postgresql_where=sa.text(condition), sqlite_where=sa.text(condition))


def downgrade() -> None:
    """Remove them."""
    for name in INDEXES:
        op.drop_index(name, table_name="import_row")
    op.drop_table("import_certificate")
