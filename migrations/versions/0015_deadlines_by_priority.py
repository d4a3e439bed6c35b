"""The index of deadlines knows the priority: what is near its deadline is counted without looking at the tickets."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index anew with the priority at its end."""
    op.drop_index("ix_ticket_due", "ticket")
    op.create_index("ix_ticket_due", "ticket", ["unresolved", "due_at", "id", "priority"])


def downgrade() -> None:
    """As it was."""
    op.drop_index("ix_ticket_due", "ticket")
    op.create_index("ix_ticket_due", "ticket", ["unresolved", "due_at", "id"])
