"""What support asks the service management center about a ticket's contract."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the questions."""
    op.create_table(
        "center_question",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("asked_id", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.String(length=100), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.String(length=100), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_center_question_ticket_id"),
        sa.ForeignKeyConstraint(["asked_id"], ["staff.id"], name="fk_center_question_asked_id"),
        sa.PrimaryKeyConstraint("id", name="pk_center_question"),
    )
    op.create_index("ix_center_question_ticket_id", "center_question", ["ticket_id"])
    op.create_index("ix_center_question_asked_id", "center_question", ["asked_id"])


def downgrade() -> None:
    """Questions and answers stand in the thread as notes too."""
    op.drop_table("center_question")
