"""What service types mean whose words do not say their hours."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; what certificates print stays as it is."""
    op.create_table(
        "service_type",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("service", sa.String(length=200), nullable=False),
        sa.Column("reads_as", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_service_type"),
        sa.UniqueConstraint("service", name="uq_service_type_service"),
    )


def downgrade() -> None:
    """The words are read themselves again."""
    op.drop_table("service_type")
