"""The letters of a ticket that have not left: who waits behind whom is asked of these alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_UNSENT = "state IN ('waiting', 'sending')"


def upgrade() -> None:
    """Let a ticket with thousands of letters hold up no claim."""
    op.create_index("ix_letter_unsent", "letter", ["ticket_id", "id"], sqlite_where=sa.text(_UNSENT), postgresql_where=sa.text(_UNSENT))


def downgrade() -> None:
    """Claims read all letters of a ticket again."""
    op.drop_index("ix_letter_unsent", "letter")
