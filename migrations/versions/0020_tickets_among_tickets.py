"""How tickets stand to each other, to a contract set by hand, to a caller, and how far each of the staff has read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_TICKET_TEXTS = {"source": 10, "matched_contract": 80, "matched_serial": 120, "contact_company": 200, "contact_name": 200, "contact_phone": 40}


def upgrade() -> None:
    """Add what the ticket's page shows of callers, matches, neighbours and reading."""
    for name, length in _TICKET_TEXTS.items():
        op.add_column("ticket", sa.Column(name, sa.String(length=length), nullable=False, server_default="portal" if name == "source" else ""))
    op.create_table(
        "ticket_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_ticket_link_ticket_id"),
        sa.ForeignKeyConstraint(["other_id"], ["ticket.id"], name="fk_ticket_link_other_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ticket_link"),
        sa.UniqueConstraint("ticket_id", "other_id", name="uq_ticket_link_ticket_id_other_id"),
    )
    op.create_index("ix_ticket_link_other_id", "ticket_link", ["other_id"])
    op.create_table(
        "ticket_merge",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("into_id", sa.Integer(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_ticket_merge_ticket_id"),
        sa.ForeignKeyConstraint(["into_id"], ["ticket.id"], name="fk_ticket_merge_into_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ticket_merge"),
    )
    op.create_index("ix_ticket_merge_ticket_id", "ticket_merge", ["ticket_id"])
    op.create_index("ix_ticket_merge_into_id", "ticket_merge", ["into_id"])
    op.create_table(
        "reading",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("last_seen", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_reading_ticket_id"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_reading_staff_id"),
        sa.PrimaryKeyConstraint("id", name="pk_reading"),
        sa.UniqueConstraint("ticket_id", "staff_id", name="uq_reading_ticket_id_staff_id"),
    )
    op.create_index("ix_reading_staff_id", "reading", ["staff_id"])


def downgrade() -> None:
    """The journal keeps what was linked, merged and matched."""
    for table in ("reading", "ticket_merge", "ticket_link"):
        op.drop_table(table)
    with op.batch_alter_table("ticket") as batch_op:
        for name in _TICKET_TEXTS:
            batch_op.drop_column(name)
