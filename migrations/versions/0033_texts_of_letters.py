"""Which version of its text a letter was made with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Letters written so far do not know."""
    op.add_column("letter", sa.Column("text_version", sa.Integer(), nullable=True))


def downgrade() -> None:
    """The versions stay."""
    op.drop_column("letter", "text_version")
