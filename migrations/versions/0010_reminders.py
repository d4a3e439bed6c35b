"""What became of a reminder and for which ticket, switches of reminders, hours of the day's overview."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_FIRST = "first_answer_overdue"


def upgrade() -> None:
    """Add the columns and tables; reminders given before learn their ticket, so that none is given again."""
    op.add_column("reminder", sa.Column("outcome", sa.String(length=10), server_default="told", nullable=False))
    op.add_column("reminder", sa.Column("ticket_id", sa.Integer(), nullable=True))
    op.add_column("reminder", sa.Column("since", sa.DateTime(timezone=True), nullable=True))
    given = sa.text("UPDATE reminder SET ticket_id = CAST(substr(cause, :start) AS INTEGER) WHERE kind = :kind")
    op.execute(given.bindparams(start=len(_FIRST) + 2, kind=_FIRST))
    op.create_index("ix_reminder_ticket", "reminder", ["ticket_id", "kind"])
    op.create_index("ix_reminder_kind", "reminder", ["kind", "at"])
    op.create_table(
        "reminder_switch",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_reminder_switch")),
    )
    op.create_table(
        "digest_hour",
        sa.Column("staff_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hour", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_digest_hour_staff_id")),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_digest_hour")),
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_table("digest_hour")
    op.drop_table("reminder_switch")
    op.drop_index("ix_reminder_kind", table_name="reminder")
    op.drop_index("ix_reminder_ticket", table_name="reminder")
    for name in ("since", "ticket_id", "outcome"):
        op.drop_column("reminder", name)
