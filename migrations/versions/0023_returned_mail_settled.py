"""Who has dealt with a mail that came back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add when and by whom; nobody has yet."""
    op.add_column("returned_mail", sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("returned_mail", sa.Column("settled_by", sa.String(length=100), nullable=False, server_default=""))


def downgrade() -> None:
    """Every mail is open again."""
    op.drop_column("returned_mail", "settled_by")
    op.drop_column("returned_mail", "settled_at")
