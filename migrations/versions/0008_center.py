"""Changes of maintenance e-mails, what the nightly check of accounts finds, the second factor of customers, held requests for help."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the tables, and what a party and a link keep."""
    op.add_column("party", sa.Column("set_at", MOMENT, nullable=True))
    op.add_column("party", sa.Column("set_by", sa.String(length=100), server_default="", nullable=False))
    op.add_column("account_link", sa.Column("held", sa.JSON(), nullable=True))
    _add_changes()
    _add_findings()
    op.create_table(
        "account_totp",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.Column("enrolled_at", MOMENT, nullable=True),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("recovery", sa.JSON(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_account_totp_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_totp")),
        sa.UniqueConstraint("account_id", name=op.f("uq_account_totp_account_id")),
    )
    op.create_table(
        "recovery_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_request")),
    )


def downgrade() -> None:
    """Remove them."""
    for table in ("recovery_request", "account_totp", "account_finding", "email_change_file", "email_change"):
        op.drop_table(table)
    op.drop_column("account_link", "held")
    op.drop_column("party", "set_by")
    op.drop_column("party", "set_at")


def _add_changes() -> None:
    op.create_table(
        "email_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("pending", sa.Boolean(), nullable=False),
        sa.Column("received", sa.String(length=10), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("requester_company", sa.String(length=200), nullable=False),
        sa.Column("requester_name", sa.String(length=100), nullable=False),
        sa.Column("requester_email", sa.String(length=254), nullable=False),
        sa.Column("old_email", sa.String(length=254), nullable=False),
        sa.Column("old_key", sa.String(length=254), nullable=False),
        sa.Column("new_email", sa.String(length=254), nullable=False),
        sa.Column("new_key", sa.String(length=254), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("left_out", sa.JSON(), nullable=False),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.Column("seen", sa.String(length=64), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("recorded_by_id", sa.Integer(), nullable=True),
        sa.Column("reviewed_by_id", sa.Integer(), nullable=True),
        sa.Column("decided_by", sa.String(length=100), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("applied_at", MOMENT, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_email_change_account_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_email_change_recorded_by_id")),
        sa.ForeignKeyConstraint(["reviewed_by_id"], ["staff.id"], name=op.f("fk_email_change_reviewed_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_change")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_email_change_due", "email_change", ["pending", "due_on", "id"])
    op.create_index("ix_email_change_old", "email_change", ["old_key"])
    for column in ("account_id", "new_key", "recorded_by_id", "reviewed_by_id"):
        op.create_index(op.f(f"ix_email_change_{column}"), "email_change", [column])
    op.create_table(
        "email_change_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("change_id", sa.Integer(), nullable=False),
        sa.Column("attachment_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["change_id"], ["email_change.id"], name=op.f("fk_email_change_file_change_id")),
        sa.ForeignKeyConstraint(["attachment_id"], ["attachment.id"], name=op.f("fk_email_change_file_attachment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_change_file")),
        sa.UniqueConstraint("attachment_id", name=op.f("uq_email_change_file_attachment_id")),
    )
    op.create_index(op.f("ix_email_change_file_change_id"), "email_change_file", ["change_id"])


def _add_findings() -> None:
    op.create_table(
        "account_finding",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("why", sa.String(length=40), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("found_at", MOMENT, nullable=False),
        sa.Column("checked_at", MOMENT, nullable=False),
        sa.Column("mark", sa.String(length=10), nullable=False),
        sa.Column("marked_by", sa.String(length=100), nullable=False),
        sa.Column("marked_at", MOMENT, nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_account_finding_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_finding")),
        sa.UniqueConstraint("account_id", "kind", name=op.f("uq_account_finding_account_id_kind")),
    )
    op.create_index("ix_account_finding_open", "account_finding", ["mark", "kind", "id"])
