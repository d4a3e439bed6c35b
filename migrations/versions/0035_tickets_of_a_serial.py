"""The newest tickets of a serial number, found by their index in the order that they are shown in."""

from __future__ import annotations

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Without the number PostgreSQL looks through all tickets from the newest on."""
    op.drop_index("ix_ticket_serial", "ticket")
    op.create_index("ix_ticket_serial", "ticket", ["serial_key", "id"])


def downgrade() -> None:
    """By the serial number alone."""
    op.drop_index("ix_ticket_serial", "ticket")
    op.create_index("ix_ticket_serial", "ticket", ["serial_key"])
